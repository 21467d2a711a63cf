"""Fault points: what is lost where the engine dies, and what goes on from storage."""

import asyncio
import datetime

import pytest

from durable_engine import Engine, FaultPoint, InvalidArgumentError, JsException, Modification, Selector, changes

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
async def engine():
    async with Engine(now=START, timeout=2) as engine:
        yield engine


def crash(at, times=1):
    return Modification(changes.Crash(FaultPoint.parse(at), times), f"crash({at!r})")


async def run(engine, workflow, *modifications):
    """Run an instance to its end; what `run` returned, and how often it began."""
    lives = []

    async def counted(event, step):
        lives.append(None)
        return await workflow(event, step)

    binding = engine.bind("W", counted)
    engine.modify(binding.workflow, "x", modifications)
    handle = await binding.create({"id": "x"})
    await engine.run_until_idle()
    return (await handle.status())["output"], len(lives)


def kinds(engine):
    return [line.kind for line in engine.store.history(1)]


async def test_a_crash_in_a_sleep_that_has_just_begun(engine):
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")
        return "end"

    assert await run(engine, workflow, crash("sleep:nap")) == ("end", 2)
    assert kinds(engine).count("SLEEP_START") == 1
    assert engine.clock.now == START + datetime.timedelta(hours=1)


async def test_a_crash_in_a_sleep_that_run_does_not_wait_for_comes_too_late(engine):
    async def workflow(event, step):
        step.sleep("nap", "1 hour")
        return "end"

    assert await run(engine, workflow, crash("sleep:nap")) == ("end", 1)


async def test_a_crash_when_an_event_has_come_keeps_the_event(engine):
    async def workflow(event, step):
        return (await step.wait_for_event("w", "t"))["payload"]

    binding = engine.bind("W", workflow)
    engine.modify(binding.workflow, "x", [crash("event:w")])
    handle = await binding.create({"id": "x"})
    await engine.advance("1 minute")
    await handle.send_event({"type": "t", "payload": 1})
    await engine.run_until_idle()

    assert (await handle.status())["output"] == 1
    assert kinds(engine).count("WAIT_COMPLETE") == 1


@pytest.mark.parametrize("delay", [0, "1 minute"])
async def test_a_crash_between_two_attempts(engine, delay):
    attempts = []

    async def workflow(event, step):
        @step.do("s", config={"retries": {"limit": 1, "delay": delay}})
        async def s(ctx):
            attempts.append(ctx.attempt)
            if ctx.attempt == 1:
                raise RuntimeError("once")
            return "end"

        return await s()

    assert await run(engine, workflow, crash("retry:s")) == ("end", 2)
    assert attempts == [1, 2]


async def test_a_crash_after_a_failure_was_stored_raises_it_again_without_running(engine):
    attempts = []

    async def workflow(event, step):
        @step.do("s", config={"retries": {"limit": 0, "delay": 0}})
        async def s():
            attempts.append(1)
            raise ValueError("boom")

        try:
            await s()
        except ValueError as error:
            return str(error)

    assert await run(engine, workflow, crash("stored:s")) == ("ValueError: boom", 2)
    assert attempts == [1]


async def test_what_a_modification_answered_to_an_attempt_that_was_lost_it_answers_again(engine):
    async def workflow(event, step):
        return [await step.do("other")(lambda: 1)(), await step.do("s")(lambda: "real")()]

    other = Modification(changes.MockStepResult(Selector("other"), b"\x02"), "mock_step_result('other')")
    outcomes = Modification(changes.MockStepOutcomes(Selector("s"), ["first", "second"]), "mock_step('s')")

    assert await run(engine, workflow, other, outcomes, crash("lost:s")) == ([2, "first"], 2)


async def test_what_a_pause_held_back_is_dropped_where_one_of_it_comes_to_a_fault_point(engine):
    held, calls = asyncio.Event(), []

    async def workflow(event, step):
        @step.do("flaky", config={"retries": {"limit": 1, "delay": "1 minute"}})
        async def flaky(ctx):
            calls.append(ctx.attempt)
            if ctx.attempt == 1:
                raise RuntimeError("once")

        async def nap():
            await step.sleep("nap", "2 minutes")
            calls.append("woke")

        await asyncio.gather(step.do("slow")(held.wait)(), flaky(), nap())
        return "end"

    binding = engine.bind("W", workflow)
    engine.modify(binding.workflow, "x", [crash("before:flaky attempt 2")])
    handle = await binding.create({"id": "x"})
    await engine.advance(0)
    await handle.pause()
    await engine.advance("5 minutes")  # the retry and the end of the sleep are held back, in this order
    await handle.resume()
    held.set()
    await engine.run_until_idle()

    assert (await handle.status())["output"] == "end"
    assert calls == [1, "woke", 2] or calls == [1, 2, "woke"]


async def test_a_point_that_is_reached_twice_is_recorded_once(engine):
    async def workflow(event, step):
        await step.sleep("nap", "1 minute")

    engine.faults.recording = True
    handle = await engine.bind("W", workflow).create({"id": "x"})
    await engine.run_until_idle()
    await handle.restart()
    await engine.run_until_idle()

    assert [(point.short, point.after) for point in engine.faults.reached] == [("sleep:nap#1", 30_000), ("end", 0)]


@pytest.mark.parametrize("text", ["", "charge", "during:charge", "before:", None, 7])
def test_what_names_no_point_is_refused_with_the_form(text):
    with pytest.raises(InvalidArgumentError, match=f"^{text!r} is no fault point"):
        FaultPoint.parse(text)


async def test_a_crash_at_the_end_stores_nothing_of_it(engine):
    ends = []

    async def workflow(event, step):
        ends.append(1)
        if len(ends) == 1:
            raise JsException("Error", "only in the life that was lost")
        return "end"

    assert await run(engine, workflow, crash("end")) == ("end", 2)
    assert "WORKFLOW_FAILURE" not in kinds(engine)


@pytest.mark.parametrize(
    ("point", "shortest"),
    [
        (FaultPoint("lost", "alone", 1, 1, "W", "a"), "lost:alone#1"),
        (FaultPoint("lost", "again", 1, 1, "W", "a"), "lost:again#1 attempt 1"),
        (FaultPoint("lost", "again", 1, 2, "W", "a"), "lost:again#1 attempt 2"),
        (FaultPoint("end", None, 1, None, "W", "a"), "end in W/a"),
        (FaultPoint("before", "both", 1, 1, "W", "b"), "before:both#1 in W/b"),
        (FaultPoint("before", "both", 1, 1, "W", "a"), "before:both#1 attempt 1 in W/a"),
        (FaultPoint("before", "both", 1, 2, "W", "a"), "before:both#1 attempt 2"),
    ],
    ids=lambda one: str(one),
)
def test_the_shortest_name_of_a_point_names_it_alone(point, shortest):
    among = [
        FaultPoint("lost", "alone", 1, 1, "W", "a"),
        *(FaultPoint("lost", "again", 1, attempt, "W", "a") for attempt in (1, 2)),
        *(FaultPoint("before", "both", 1, attempt, "W", "a") for attempt in (1, 2)),
        FaultPoint("before", "both", 1, 1, "W", "b"),
        *(FaultPoint("end", None, 1, None, "W", id) for id in ("a", "b")),
    ]

    assert point.shortest(among) == shortest
    assert [other for other in among if FaultPoint.parse(shortest).covers(other)] == [point]
