"""Virtual time: who moves it, when, and what is never raced by it."""

import asyncio
import datetime
import time

import pytest

from durable_engine import Engine, EngineError, InvalidArgumentError

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
async def engine():
    async with Engine(now=START, timeout=2) as engine:
        yield engine


async def test_a_sleep_of_a_year_takes_no_real_time(engine):
    async def workflow(event, step):
        await step.sleep("long", "365 days")

    binding = engine.bind("W", workflow)
    began = time.monotonic()
    await binding.create()
    await engine.run_until_idle()

    assert engine.clock.now == START + datetime.timedelta(days=365)
    assert time.monotonic() - began < 1


async def test_timers_fire_in_order_and_everything_runnable_runs_between_them(engine):
    seen = []

    async def workflow(event, step):
        async def sleeper(name, duration):
            await step.sleep(name, duration)
            for _ in range(20):
                await asyncio.sleep(0)
            seen.append((name, (engine.clock.now - START).total_seconds()))

        await asyncio.gather(sleeper("b", "2 seconds"), sleeper("a", "1 second"), sleeper("c", "3 seconds"))

    await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert seen == [("a", 1), ("b", 2), ("c", 3)]


async def test_time_stands_still_while_a_callback_does_real_io(engine):
    seen = []

    async def workflow(event, step):
        @step.do("io")
        async def io():
            await asyncio.to_thread(time.sleep, 0.01)
            seen.append(engine.clock.now)

        await asyncio.gather(io(), step.sleep("other", "1 hour"))

    await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert seen == [START]


async def test_a_step_at_work_is_not_raced_by_its_own_timeout(engine):
    async def workflow(event, step):
        @step.do("io", config={"timeout": 1, "retries": {"limit": 0, "delay": 0}})
        async def io():
            await asyncio.to_thread(time.sleep, 0.05)
            return "done"

        return await io()

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert (await handle.status())["output"] == "done"


async def test_a_callback_that_ends_after_its_timeout_and_before_the_retry_holds_nothing_up(engine):
    async def workflow(event, step):
        @step.do("poll", config={"timeout": "1 minute", "retries": {"limit": 1, "delay": "1 hour"}})
        async def poll(ctx):
            if ctx.attempt == 1:
                await step.sleep("until it is ready", "2 minutes")
            return ctx.attempt

        return await poll()

    handle = await engine.bind("POLL", workflow).create()

    await engine.run_until_idle(timeout=1)

    assert (await handle.status())["output"] == 2


async def test_a_callback_that_waits_for_a_durable_sleep_is_timed_out(engine):
    async def workflow(event, step):
        @step.do("outer", config={"timeout": "1 minute", "retries": {"limit": 0, "delay": 0}})
        async def outer():
            await step.sleep("inner", "1 hour")

        try:
            await outer()
        except Exception as error:
            return str(error)

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert (await handle.status())["output"] == "Error: WorkflowTimeoutError: Execution timed out after 60000ms"


async def test_code_that_polls_between_real_sleeps_gets_there(engine):
    async def workflow(event, step):
        await step.sleep("short", 30)
        await step.sleep("shorter", 10)
        return engine.clock.now_ms

    handle = await engine.bind("W", workflow).create()
    async with asyncio.timeout(2):
        while (await handle.status())["status"] != "complete":
            await asyncio.sleep(0.005)

    # The clock stood at each timer's due time exactly, so that histories are the same from run to run.
    assert (await handle.status())["output"] == engine.clock.started_ms + 40


async def test_a_task_of_the_test_that_spins_does_not_stop_time(engine):
    async def workflow(event, step):
        await step.sleep("nap", "1 day")

    handle = await engine.bind("W", workflow).create()

    async def spin():
        while True:
            await asyncio.sleep(0)

    spinning = asyncio.create_task(spin())
    await engine.run_until_idle()
    spinning.cancel()

    assert (await handle.status())["status"] == "complete"


async def test_asyncio_timers_of_run_outside_its_steps_are_virtual(engine):
    async def workflow(event, step):
        await asyncio.sleep(3600)
        try:
            await asyncio.wait_for(step.wait_for_event("w", "t", timeout="1 day"), 7200)
        except TimeoutError:
            return (engine.clock.now - START).total_seconds()

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert (await handle.status())["output"] == 3 * 3600


async def test_advancing_fires_what_comes_due_on_the_way(engine):
    seen = []

    async def workflow(event, step):
        for hour in range(3):
            await step.sleep("hour", "1 hour")
            seen.append(hour)

    await engine.bind("W", workflow).create()
    await engine.advance("2 hours")

    assert seen == [0, 1]
    assert engine.clock.now == START + datetime.timedelta(hours=2)


async def test_advancing_times_out_a_callback_that_hangs(engine):
    async def workflow(event, step):
        @step.do("hang", config={"timeout": "1 minute", "retries": {"limit": 0, "delay": 0}})
        async def hang():
            await asyncio.Event().wait()

        await hang()

    handle = await engine.bind("W", workflow).create()
    await engine.advance("2 minutes")

    assert (await handle.status())["status"] == "errored"


@pytest.mark.parametrize("duration", ["1s", "3 dayz", -1, "abc", None, True])
async def test_a_duration_that_cannot_be_read_is_refused(engine, duration):
    with pytest.raises(InvalidArgumentError, match=r"The duration to advance by is"):
        await engine.advance(duration)


async def test_time_does_not_travel_back(engine):
    with pytest.raises(InvalidArgumentError, match="virtual time only moves forward"):
        await engine.travel_to(START - datetime.timedelta(seconds=1))


async def test_travelling_stops_at_the_given_time(engine):
    target = datetime.datetime(2027, 5, 6, tzinfo=datetime.UTC)

    await engine.travel_to(target)

    assert engine.clock.now == target


async def test_a_manual_clock_moves_only_by_hand():
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")

    async with Engine(now=START, manual_clock=True) as engine:
        handle = await engine.bind("W", workflow).create()
        await engine.run_until_idle()
        assert (await handle.status())["status"] == "waiting"

        await engine.advance("1 hour")

        assert (await handle.status())["status"] == "complete"


def test_an_engine_belongs_to_one_loop():
    engine = Engine(now=START)
    binding = engine.bind("W", lambda event, step: None)
    asyncio.run(_create(binding))

    with pytest.raises(EngineError, match="another event loop"):
        asyncio.run(_create(binding))

    engine.close()


@pytest.mark.parametrize(
    "look",
    [
        lambda binding, handle: binding.get(handle.id),
        lambda binding, handle: binding.create_batch([{"id": handle.id}]),
        lambda binding, handle: binding.deleteBatch([handle.id]),
        lambda binding, handle: handle.status(),
        lambda binding, handle: handle.pause(),
        lambda binding, handle: handle.delete(),
    ],
)
def test_on_another_loop_nothing_is_answered_of_an_instance_whose_tasks_ended_with_the_first(look):
    async def workflow(event, step):
        await step.sleep("nap", "1 hour")

    engine = Engine(now=START)
    binding = engine.bind("W", workflow)
    handle = asyncio.run(_create(binding))

    async def look_again():
        await look(binding, handle)

    with pytest.raises(EngineError, match="another event loop"):
        asyncio.run(look_again())
    engine.close()


async def _create(binding):
    return await binding.create()


async def test_the_same_seed_gives_the_same_ids_and_the_same_history():
    async def workflow(event, step):
        @step.do("a")
        async def a():
            await asyncio.sleep(0)
            return 1

        @step.do("b")
        async def b():
            return 2

        await asyncio.gather(a(), b(), step.sleep("nap", "1 hour"))

    async def once():
        async with Engine(now=START, seed=7) as engine:
            handle = await engine.bind("W", workflow).create()
            await engine.run_until_idle()
            return handle.id, engine.store.history(engine.instances[0].row.key)

    assert await once() == await once()
