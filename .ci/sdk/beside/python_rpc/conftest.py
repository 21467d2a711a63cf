"""JsRpc, which is a Worker of JavaScript: the same methods in Python."""

import pytest
from workers import WorkerEntrypoint


class JsRpcTester(WorkerEntrypoint):
    async def noArgs(self):
        return "hello from js"

    async def oneArg(self, a):
        return f"{a}"

    async def identity(self, x):
        return x

    async def handleResponse(self, response):
        return response

    async def handleRequest(self, request):
        return request

    async def newCounter(self):
        value = 0

        def counter(amount=0):
            nonlocal value
            value += amount
            return value

        return counter

    async def useCounter(self, counter):
        return await counter(10)


@pytest.fixture
def workflow_bindings():
    return {"JsRpc": JsRpcTester}
