"""A pytest plugin: each test of a suite runs as code of the Worker does, with the Worker's `env`."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import respx


@pytest.fixture(autouse=True)
def in_the_worker(workflow_env: Any) -> Any:
    """Every test has the Worker's bindings, on virtual time."""
    return workflow_env


@contextmanager
def answered_by(entrypoint: type) -> Iterator[None]:
    """Let an entrypoint answer whatever the Worker fetches: the platform would name it as the global outbound.

    Args:
        entrypoint: A `WorkerEntrypoint`, whose `fetch` is called.
    """
    with respx.mock(assert_all_called=False) as router:
        router.route().mock(side_effect=_Answer(entrypoint))
        yield


class _Answer:
    def __init__(self, entrypoint: type) -> None:
        self._entrypoint = entrypoint

    def __call__(self, request: httpx.Request, *_: object) -> Any:
        """A response; of a call within an event loop, what gives one when it is awaited."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return _in_a_thread(lambda: self._answer(request))
        return self._answer(request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        from workers import Request, Response

        body = await request.aread() or None
        headers = [(name.decode(), value.decode()) for name, value in request.headers.raw]
        given = Request(str(request.url), method=request.method, headers=headers, body=body)
        response = await self._entrypoint(None, None).fetch(given)
        if not isinstance(response, Response):
            response = Response(response)
        content = b"" if request.method == "HEAD" else bytes(await response.bytes())
        reason = {"reason_phrase": response.status_text.encode()} if response.status_text else {}
        headers = list(response.headers.items())
        return httpx.Response(response.status, headers=headers, content=content, extensions=reason)


def _in_a_thread(work: Callable[[], Coroutine[Any, Any, httpx.Response]]) -> httpx.Response:
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(asyncio.run(work())))
    thread.start()
    thread.join()
    return answers[0]
