"""What the engine does is counted here, never timed: that it does not do it more often than it must."""

import asyncio
import contextvars
import functools
import gc
import weakref

import pytest

from durable_engine import Engine, run_untimed
from durable_engine.context import processor_time
from durable_engine.guard import task_teardown


@pytest.fixture
async def engine():
    async with Engine(now="2026-01-01T00:00:00Z") as engine:
        yield engine


async def sleeper(event, step):
    await step.sleep("nap", "1 day")


@pytest.mark.parametrize("is_under_way", [False, True])
async def test_ending_one_of_many_instances_looks_at_its_own_callbacks_alone(engine, monkeypatch, is_under_way):
    looked_at = []
    scope_of = task_teardown.scope_of
    monkeypatch.setattr(task_teardown, "scope_of", lambda context: (looked_at.append(1), scope_of(context))[1])
    asyncio.get_running_loop().call_soon(lambda: None, context=contextvars.Context())
    binding = engine.bind("W", sleeper)
    handles = [await binding.create({"id": f"i{number}"}) for number in range(300)]
    if is_under_way:
        await engine.settle()
    for handle in handles:
        await handle.terminate()
    assert len(looked_at) <= 8 * len(handles)
    await engine.run_until_idle()
    assert {instance.status for instance in engine.instances} == {"terminated"}


async def test_what_is_ready_is_looked_at_anew_once_the_loop_has_turned(engine):
    begun = []

    async def workflow(event, step):
        begun.append(event["instanceId"])
        await step.sleep("nap", "1 day")

    binding = engine.bind("W", workflow)
    for group in ("a", "b"):
        handles = [await binding.create({"id": f"{group}{number}"}) for number in range(100)]
        await handles[0].terminate()
        if group == "a":
            await engine.settle()
            await handles[1].terminate()
    more = [await binding.create({"id": f"c{number}"}) for number in range(100)]
    await more[5].terminate()
    await engine.settle()
    assert sorted(begun) == sorted(
        one.id for one in engine.instances if one.id not in (handles[0].id, more[5].id, "a0")
    )


async def test_a_timer_that_is_due_after_another_sets_none_in_real_time(engine, monkeypatch):
    async def workflow(event, step):
        for number in range(20):
            await step.do(f"step {number}")(lambda: 1)()

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})
    set_timers = []
    loop = engine.loop
    call_later = loop.call_later
    monkeypatch.setattr(
        loop, "call_later", lambda *args, **named: (set_timers.append(args), call_later(*args, **named))[1]
    )
    await engine.settle()
    assert engine.instances[0].status == "complete"
    assert len(set_timers) <= 1


async def test_nothing_is_kept_of_a_step_that_nobody_can_ask_for(engine):
    alive = []

    async def workflow(event, step):
        made = []
        for _ in range(3):

            @step.do("work")
            async def work():
                return 1

            assert await work() == 1
            made.append(weakref.ref(work))
        del work
        alive.append([ref() is not None for ref in made])

    gc.disable()
    try:
        await engine.bind("W", workflow).create({"id": "x"})
        await engine.run_until_idle()
    finally:
        gc.enable()
    # The last one of a name is what a parameter of that name stands for.
    assert alive == [[False, False, True]]


async def test_a_wrapper_around_a_step_is_not_that_step(engine):
    got = []

    async def workflow(event, step):
        @step.do("number")
        async def number():
            return 20

        @functools.wraps(number)
        async def doubled():
            return await number() * 2

        @step.do("sum", depends=[number, doubled])
        async def total(first, second):
            return first + second

        assert await number() == 20
        got.append(await total())

    await engine.bind("W", workflow, implicit_dependencies=False).create({"id": "x"})
    await engine.run_until_idle()
    assert got == [60]
    assert [key.label for key in (ask.key for ask in engine.instances[0].path)] == ["number-1", "number-2", "sum-1"]


def test_what_is_nobodys_work_is_not_measured_where_nothing_is(monkeypatch):
    asked = []
    monkeypatch.setattr(processor_time, "thread_time_ns", lambda: asked.append(1) or 0)
    assert run_untimed(lambda: "answer") == "answer"
    assert not asked
    assert processor_time.Stopwatch().run(run_untimed, lambda: "answer") == "answer"
    assert len(asked) == 4
