"""`pyodide.ffi.run_sync`: a plain function waits, and everything else goes on."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from pytest_workflows.javascript.objects import JsPromise, js_error
from pytest_workflows.workers.pyodide_ffi import can_run_sync, run_sync

pytestmark = pytest.mark.filterwarnings("error")
var: contextvars.ContextVar[int] = contextvars.ContextVar("var", default=0)


async def after(turns, value=None):
    for _ in range(turns):
        await asyncio.sleep(0)
    return value


async def test_it_gives_what_the_awaitable_gives():
    assert can_run_sync()
    assert run_sync(after(3, "done")) == "done"
    assert run_sync(asyncio.ensure_future(after(3, "a task"))) == "a task"
    assert run_sync(asyncio.sleep(0.001, "later")) == "later"


async def test_it_raises_what_the_awaitable_raises():
    async def fail():
        await asyncio.sleep(0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_sync(fail())


async def test_a_settled_promise_lets_nobody_go_first():
    ran = []
    asyncio.get_running_loop().call_soon(ran.append, 1)

    assert run_sync(JsPromise.resolved(5)) == 5
    with pytest.raises(Exception, match=r"^TypeError: no$"):
        run_sync(JsPromise.rejected(js_error("TypeError", "no")))
    assert ran == []


async def test_others_go_on_meanwhile_and_after_it():
    seen = []

    async def other():
        for index in range(6):
            seen.append(index)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    run_sync(after(3))

    assert 0 < len(seen) < 6
    assert asyncio.current_task() is not task
    await task
    assert seen == [0, 1, 2, 3, 4, 5]


async def test_waits_nest():
    order = []

    async def waiting(name, turns):
        run_sync(after(turns))
        order.append(name)

    await asyncio.gather(waiting("first", 2), waiting("second", 20), waiting("third", 10))

    assert order == ["third", "second", "first"]


async def test_the_task_and_its_context_are_the_same_afterwards():
    task = asyncio.current_task()
    var.set(1)

    async def change():
        assert var.get() == 1
        var.set(2)

    async with asyncio.timeout(5):
        run_sync(change())
        await asyncio.sleep(0)

    assert (asyncio.current_task(), var.get()) == (task, 1)


async def test_a_timeout_ends_what_is_waited_for():
    with pytest.raises(TimeoutError):
        run_sync(asyncio.wait_for(asyncio.Event().wait(), 0.001))


def test_without_a_loop_it_says_so():
    assert not can_run_sync()
    with pytest.raises(RuntimeError, match="none is running here"):
        run_sync(after(1))


def test_a_loop_in_c_is_named():
    uvloop = pytest.importorskip("uvloop")

    async def call():
        run_sync(after(1))

    with (
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        pytest.raises(RuntimeError, match="uvloop cannot take turns"),
    ):
        runner.run(call())
