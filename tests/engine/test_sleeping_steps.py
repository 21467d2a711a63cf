"""Steps that do nothing but sleep sleep in virtual time; what does real work beside it, or may poll, stays real."""

import asyncio
import datetime
import sys

import pytest

from durable_engine import Engine, WaitTimeoutError

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


SINCE_312 = pytest.mark.skipif(sys.version_info < (3, 12), reason="wait_for of 3.11 does not show what it waits for")


@pytest.fixture
async def engine():
    async with Engine(now=START, timeout=20) as engine:  # a busy machine takes its time
        yield engine


async def outcome_of(engine, callback, config=None):
    """The status of an instance whose one step is this callback, and how many seconds have passed at its end."""

    async def workflow(event, step):
        return await step.do("nap", config=config)(callback)()

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()
    status = await handle.status()
    return status["output"] if status["status"] == "complete" else status["error"]["message"], passed(engine)


def passed(engine):
    return (engine.clock.now - START).total_seconds()


async def test_a_sleep_takes_virtual_time(engine):
    async def nap():
        await asyncio.sleep(30)
        return passed(engine)

    assert await outcome_of(engine, nap) == (30, 30)


async def test_a_step_that_sleeps_too_long_is_timed_out_in_virtual_time(engine):
    seen = []

    async def poll():
        for _ in range(20):
            await asyncio.sleep(30)
            seen.append(passed(engine))

    config = {"retries": {"limit": 1, "delay": "1 second"}, "timeout": "2 minutes"}
    error, seconds = await outcome_of(engine, poll, config)

    assert "WorkflowTimeoutError: Execution timed out after 120000ms" in error
    assert seconds == 241
    assert seen[:3] == [30, 60, 90]


async def napping_together():
    await asyncio.gather(asyncio.sleep(30), asyncio.sleep(60), asyncio.create_task(asyncio.sleep(2)))


async def a_timeout_that_comes_first():
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.sleep(100), 60)


async def a_timeout_that_comes_last():
    await asyncio.wait_for(asyncio.sleep(60), 100)


async def a_task_that_is_awaited():
    await asyncio.create_task(asyncio.sleep(60))


@pytest.mark.parametrize(
    "callback",
    [
        napping_together,
        pytest.param(a_timeout_that_comes_first, marks=SINCE_312),
        pytest.param(a_timeout_that_comes_last, marks=SINCE_312),
        a_task_that_is_awaited,
    ],
)
async def test_what_asyncio_makes_of_timers_takes_virtual_time(engine, callback):
    assert await outcome_of(engine, callback) == (None, 60)


async def test_sleeps_of_steps_and_timers_of_the_engine_fire_in_order(engine):
    seen = []

    async def workflow(event, step):
        async def mark(name, waiting):
            await waiting
            seen.append((name, passed(engine)))

        async def nap():
            await mark("nap", asyncio.sleep(20))
            await mark("again", asyncio.sleep(20))

        await asyncio.gather(
            step.do("nap")(nap)(),
            mark("short", step.sleep("a", "10 seconds")),
            mark("long", step.sleep("b", "30 seconds")),
        )

    await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert seen == [("short", 10), ("nap", 20), ("long", 30), ("again", 40)]


async def test_a_step_inside_a_step_sleeps_as_well(engine):
    async def workflow(event, step):
        @step.do("outer")
        async def outer():
            @step.do("inner")
            async def inner():
                await asyncio.sleep(30)

            await inner()
            await asyncio.sleep(30)

        await outer()

    await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert passed(engine) == 60


async def test_a_short_sleep_is_real_as_it_may_poll_for_something_real(engine):
    ready = []
    asyncio.get_running_loop().call_later(0.03, ready.append, True)

    async def poll():
        while not ready:
            await asyncio.sleep(0.01)

    assert await outcome_of(engine, poll) == (None, 0)


async def beside_a_heartbeat(answer):
    heartbeat = asyncio.create_task(asyncio.sleep(30))
    got = await answer
    heartbeat.cancel()
    return got


async def with_a_timeout(answer):
    return await asyncio.wait_for(answer, 30)


async def in_a_wait(answer):
    await asyncio.wait([answer], timeout=30)
    return answer.result()


@pytest.mark.parametrize("request_", [beside_a_heartbeat, with_a_timeout, in_a_wait])
async def test_real_work_takes_real_time_whatever_timers_are_beside_it(engine, request_):
    answer = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.05, answer.set_result, "answer")

    assert await outcome_of(engine, lambda: request_(answer)) == ("answer", 0)


async def test_another_instance_at_work_holds_time(engine):
    answer = asyncio.get_running_loop().create_future()
    seen = []

    async def workflow(event, step):
        @step.do("work")
        async def work():
            await (answer if event["payload"] == "work" else asyncio.sleep(30))
            seen.append((event["payload"], passed(engine)))

        await work()

    binding = engine.bind("W", workflow)
    await binding.create({"params": "nap"})
    await binding.create({"params": "work"})
    asyncio.get_running_loop().call_later(0.05, answer.set_result, None)
    await engine.run_until_idle()

    assert seen == [("work", 0), ("nap", 30)]


async def test_a_task_of_the_test_does_not_matter_where_the_loop_makes_tasks_in_another_way(engine):
    def made_here(loop, coro, **options):
        return asyncio.Task(coro, loop=loop, **options)

    loop = asyncio.get_running_loop()
    assert engine.loop is loop
    before = loop.get_task_factory()
    loop.set_task_factory(made_here)  # nobody knows now whose code has started a task: all of them are looked through
    of_the_test = asyncio.create_task(asyncio.Event().wait())
    try:
        assert await outcome_of(engine, lambda: asyncio.sleep(30, "slept")) == ("slept", 30)
    finally:
        of_the_test.cancel()
        loop.set_task_factory(before)


async def test_an_attempt_after_a_delay_function_holds_time_as_any_other(engine, monkeypatch):
    monkeypatch.setattr("durable_engine.execution.do.DELAY_FUNCTION_PATIENCE", 0.02)
    answer = asyncio.get_running_loop().create_future()
    attempts = []

    async def request(ctx):
        attempts.append((ctx.attempt, passed(engine)))
        if ctx.attempt == 1:
            raise ValueError("at first")
        return await answer

    asyncio.get_running_loop().call_later(0.1, answer.set_result, "answer")
    config = {"retries": {"limit": 5, "delay": lambda argument: 60_000, "backoff": "constant"}, "timeout": "1 minute"}

    assert await outcome_of(engine, request, config) == ("answer", 60)
    assert attempts == [(1, 0), (2, 60)]


async def test_a_timer_of_a_library_makes_a_step_real(engine):
    async def request():
        timer = asyncio.get_running_loop().call_later(60, lambda: None)
        try:
            await asyncio.sleep(30)
        finally:
            timer.cancel()

    engine.timeout = 0.2
    with pytest.raises(WaitTimeoutError):
        await outcome_of(engine, request)
    assert passed(engine) == 0


async def test_a_callback_that_timed_out_does_not_hold_the_timers_of_run(engine):
    never = asyncio.get_running_loop().create_future()

    async def workflow(event, step):
        @step.do("hang", config={"timeout": "1 minute", "retries": {"limit": 0, "delay": 0}})
        async def hang():
            await step.sleep("a while", "2 minutes")
            await never

        with pytest.raises(Exception, match="timed out"):
            await hang()
        await asyncio.sleep(600)

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert (await handle.status())["status"] == "complete"
    assert passed(engine) == 660


async def test_with_a_manual_clock_the_test_wakes_a_step():
    async with Engine(now=START, timeout=2, manual_clock=True) as engine:

        async def workflow(event, step):
            await step.do("nap")(lambda: asyncio.sleep(30))()

        handle = await engine.bind("W", workflow).create()
        await engine.advance("29 seconds")
        assert (await handle.status())["status"] == "running"
        await engine.advance("1 second")
        assert (await handle.status())["status"] == "complete"
