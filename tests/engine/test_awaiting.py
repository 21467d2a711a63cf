"""Calls that begin when they are awaited: those that nobody awaits are known by their line."""

import asyncio
from typing import Any

import pytest

from durable_engine import Engine, MissingAwaitError


async def nothing(event: Any, step: Any) -> None:
    return None


@pytest.fixture
async def engine():
    async with Engine() as engine:
        yield engine


async def test_a_call_that_nobody_awaits_does_nothing_and_is_named(engine):
    orders = engine.bind("ORDERS", nothing)

    orders.create({"id": "a"})

    assert engine.instances == []
    assert [call.what for call in engine.calls.forgotten] == ["ORDERS.create(...)"]
    with pytest.raises(MissingAwaitError, match=r"test_awaiting\.py:\d+: ORDERS\.create\(\.\.\.\) was never awaited"):
        engine.calls.check()


async def test_a_call_that_somebody_still_holds_may_be_awaited_later(engine):
    held = engine.bind("ORDERS", nothing).create({"id": "a"})

    engine.calls.check()
    assert repr(held) == "<coroutine of ORDERS.create(...)>"
    await held

    assert engine.calls.forgotten == []


async def test_a_call_is_a_coroutine_to_asyncio(engine):
    orders = engine.bind("ORDERS", nothing)

    handle = await asyncio.create_task(orders.create({"id": "a"}))
    [status, _] = await asyncio.gather(handle.status(), asyncio.wait_for(orders.create({"id": "b"}), 5))

    assert status["status"] in ("queued", "running", "complete")
    assert engine.calls.forgotten == []


async def test_a_task_that_is_cancelled_before_it_begins_was_not_forgotten(engine):
    task = asyncio.create_task(engine.bind("ORDERS", nothing).create({"id": "a"}))
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    assert engine.calls.forgotten == []
    assert engine.instances == []


async def test_closing_is_as_good_as_awaiting(engine):
    orders = engine.bind("ORDERS", nothing)
    orders.create({"id": "a"}).close()
    begun = orders.create({"id": "b"})
    with pytest.raises(StopIteration):
        begun.send(None)
    with pytest.raises(RuntimeError, match="already awaited"):
        begun.throw(ValueError)
    begun.close()

    assert engine.calls.forgotten == []
    assert [instance.id for instance in engine.instances] == ["b"]


async def test_calls_of_a_workflow_are_the_rules_affair(engine):
    orders = engine.bind("ORDERS", nothing)

    async def parent(event: Any, step: Any) -> str:
        made = orders.create({"id": "child"})
        kind = type(made).__name__
        await made
        return kind

    handle = await engine.bind("PARENT", parent).create()
    await engine.run_until_idle()

    assert (await handle.status())["output"] == "coroutine"


@pytest.mark.parametrize(
    "ask",
    [
        lambda step: step.do("s")(lambda: 1)(),
        lambda step: step.sleep("s", "1 second"),
        lambda step: step.wait_for_event("s", "t"),
    ],
    ids=["do", "sleep", "wait_for_event"],
)
async def test_a_step_that_is_awaited_after_the_end_never_begins(ask):
    kept = []

    async def run(event, step):
        kept.append(ask(step))

    async with Engine() as engine:
        handle = await engine.bind("W", run).create()
        await engine.run_until_idle()
        [instance] = engine.store.all_instances()
        before = engine.store.steps(instance.key)
        late = asyncio.ensure_future(kept.pop())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not late.done()
        assert engine.store.steps(instance.key) == before
        assert (await handle.status())["status"] == "complete"
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
