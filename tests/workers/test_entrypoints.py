"""The base classes, the handler decorator, and work that outlives a response."""

from __future__ import annotations

import asyncio
import gc
from types import SimpleNamespace

from pytest_workflows.javascript.objects import constructor_of
from pytest_workflows.javascript.request import Request as JsRequest
from pytest_workflows.workers import (
    DurableObject,
    Request,
    WorkerEntrypoint,
    WorkflowEntrypoint,
    env,
    handler,
    wait_until,
    waitUntil,
)
from pytest_workflows.workers.context import ExecutionContext, cancel_background
from pytest_workflows.workers.environment import raw_env


async def turns():
    """Let the event loop turn a few times."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_entrypoints_keep_what_they_are_made_with():
    for base in (WorkerEntrypoint, WorkflowEntrypoint):
        made = type("Mine", (base,), {})("ctx", "env")

        assert (made.ctx, made.env) == ("ctx", "env")


def test_a_durable_object_keeps_a_view_of_its_context():
    context = SimpleNamespace(id="the id")

    made = type("Mine", (DurableObject,), {})(context, "env")

    assert (made.ctx.id, made.env) == ("the id", "env")


def test_a_context_that_is_a_view_already_is_taken_as_it_is():
    class Mine(DurableObject):
        def __init__(self, ctx, env):
            super().__init__(ctx, env)
            self.given = ctx

    made = type("Further", (Mine,), {"__init__": lambda self, ctx, env: Mine.__init__(self, ctx, env)})("ctx", "env")

    assert made.ctx is made.given


def test_a_subclass_may_have_an_init_of_its_own():
    class Mine(WorkerEntrypoint):
        def __init__(self, ctx, env):
            super().__init__(ctx, env)
            self.greeting = env["GREETING"]

    assert Mine(None, {"GREETING": "hello"}).greeting == "hello"


async def test_a_decorated_handler_is_called_with_what_it_is_given():
    @handler
    async def on_fetch(request, env, ctx):
        return request, env, ctx

    assert (await on_fetch(1, "env", 3))[0::2] == (1, 3)


async def test_a_decorated_handler_gets_the_sdks_objects():
    @handler
    async def on_fetch(request, env):
        return request, env

    request, given = await on_fetch(constructor_of(JsRequest).new("https://example.com/"), raw_env)

    assert isinstance(request, Request)
    assert given is env


async def test_background_work_runs_on_and_is_not_lost():
    done = []

    async def work():
        await asyncio.sleep(0)
        gc.collect()
        await asyncio.sleep(0)
        done.append("written")

    wait_until(work())
    ExecutionContext().waitUntil(work())
    ExecutionContext().wait_until(work())
    assert done == []

    await turns()
    assert done == ["written"] * 3


async def test_background_work_may_leave_more_behind():
    done = []

    async def second():
        done.append("second")

    async def first():
        wait_until(second())

    waitUntil(first())
    await turns()

    assert done == ["second"]


async def test_what_still_runs_is_cancelled_with_the_test():
    ended = []

    async def endless():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    wait_until(endless())
    await turns()
    cancel_background()
    await turns()

    assert ended == ["cancelled"]


def test_passing_through_on_an_exception_is_accepted():
    assert ExecutionContext().passThroughOnException() is None


def test_the_sdks_wrapper_of_an_env_wraps_its_bindings_once():
    from pytest_workflows.standins.variables import variable
    from pytest_workflows.workers import env, rpc

    given = SimpleNamespace(CFG=variable({"a": 1}), NAME="shop")
    wrapper = rpc._EnvWrapper(given)

    assert (wrapper.CFG.a, wrapper.NAME, wrapper._env) == (1, "shop", given)
    assert rpc._EnvWrapper(wrapper) is wrapper
    assert isinstance(env, rpc._EnvWrapper)
