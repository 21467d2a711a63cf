"""Calls of the Worker's code other than workflows: when time stands still for them, moves under them, and ends them."""

import asyncio
import contextvars
import datetime
import time

import pytest

import durable_engine
from durable_engine import Engine, NeverHappensError, WaitTimeoutError, call_bounded, current_scope

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOUR = 3_600_000


@pytest.fixture
async def engine():
    async with Engine(now=START, timeout=2) as engine:
        yield engine


def seconds(engine):
    return (engine.clock.now - START).total_seconds()


def call_in(engine, seconds, callback, what="The alarm"):
    return engine.worker_calls.call_at(engine.clock.now_ms + seconds * 1000, callback, what)


def hold_up(seconds):
    time.sleep(seconds)


async def test_a_timers_call_is_made_at_its_time_while_the_engine_becomes_idle(engine):
    seen = []

    async def alarm():
        seen.append((seconds(engine), current_scope.get()))

    call_in(engine, 60, alarm)
    await engine.run_until_idle()

    assert seen == [(60, None)]


async def test_a_timer_that_was_cancelled_makes_no_call(engine):
    seen = []

    async def alarm():
        seen.append(1)

    call_in(engine, 60, alarm).cancel()
    await engine.run_until_idle()

    assert seen == []


async def test_a_timer_in_the_past_is_due_now(engine):
    seen = []

    async def alarm():
        seen.append(seconds(engine))

    call_in(engine, -60, alarm)
    await engine.run_until_idle()

    assert seen == [0]


async def test_time_stands_still_while_a_call_runs(engine):
    seen = []

    async def alarm():
        for _ in range(50):
            await asyncio.sleep(0)
        seen.append(("alarm", seconds(engine)))

    async def other():
        seen.append(("other", seconds(engine)))

    call_in(engine, 1, alarm)
    call_in(engine, 2, other)
    await engine.run_until_idle()

    assert seen == [("alarm", 1), ("other", 2)]


async def test_a_sleep_in_a_call_is_of_virtual_time(engine):
    seen = []

    async def alarm():
        await asyncio.sleep(3600)
        seen.append(seconds(engine))

    call_in(engine, 60, alarm)
    began = time.monotonic()
    await engine.run_until_idle()

    assert seen == [3660]
    assert time.monotonic() - began < 1


async def test_sleeps_in_calls_are_as_long_as_they_say_however_slow_the_machine_is(engine):
    seen = []

    async def alarm():
        for _ in range(20):
            await asyncio.sleep(0.05)
            hold_up(0.003)  # as another process would hold this one up
        seen.append(seconds(engine))

    async def handler():
        sleeping = asyncio.create_task(asyncio.sleep(7.001))
        hold_up(0.02)
        await sleeping
        seen.append(seconds(engine))

    call_in(engine, 1, alarm)
    await engine.run_until_idle()
    await call_bounded(engine, "The fetch handler", handler)

    assert seen == [2, 9.001]


async def test_a_thread_that_a_call_awaits_holds_time(engine):
    seen = []

    async def alarm():
        await asyncio.to_thread(time.sleep, 0.05)
        seen.append(seconds(engine))

    async def later():
        seen.append("later")

    call_in(engine, 1, alarm)
    call_in(engine, 2, later)
    await engine.run_until_idle()

    assert seen == [1, "later"]


async def test_a_call_is_made_by_real_time_where_nobody_waits(engine):
    made = asyncio.Event()

    async def alarm():
        made.set()

    engine.worker_calls.call_at(engine.clock.now_ms + 10, alarm, "The alarm")
    await asyncio.wait_for(made.wait(), 2)


async def test_moving_the_clock_by_hand_makes_the_calls_on_the_way(engine):
    seen = []

    async def alarm():
        seen.append(seconds(engine))
        if len(seen) < 5000:
            call_in(engine, 1, alarm)

    call_in(engine, 1, alarm)
    await engine.advance("2 hours")

    assert seen == list(range(1, 5001))


async def test_a_step_that_waits_for_a_call_waits_for_what_the_call_does(engine):
    async def method():
        await asyncio.sleep(300)
        return seconds(engine)

    async def workflow(event, step):
        @step.do("ask")
        async def ask():
            return await engine.worker_calls.spawn(method(), "Method `add` of COUNTER")

        return await ask()

    instance = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert (await instance.status())["output"] == 300


async def test_code_of_a_call_belongs_to_no_instance_and_sees_the_tests_variables(engine):
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("of the test")
    await engine.run_until_idle()  # the first use of the engine
    seen = []

    async def method():
        seen.append((current_scope.get(), variable.get()))

    async def workflow(event, step):
        variable.set("of the workflow")
        await engine.worker_calls.spawn(method(), "The method")

    engine.worker_calls.spawn(method(), "The method")
    await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert seen == [(None, "of the test"), (None, "of the test")]


async def test_an_exception_of_a_timers_call_is_the_tests(engine):
    async def alarm():
        raise ValueError("from the alarm")

    call_in(engine, 1, alarm)

    with pytest.raises(ValueError, match="from the alarm"):
        await engine.run_until_idle()


async def test_a_timers_call_that_never_returns_is_named():
    async with Engine(now=START, timeout=0.1) as engine:

        async def alarm():
            while True:
                await asyncio.sleep(1)

        call_in(engine, 1, alarm, "The alarm of COUNTER")

        with pytest.raises(WaitTimeoutError, match=r"The alarm of COUNTER"):
            await engine.run_until_idle()


# -- calls that set themselves off anew -------------------------------------------------------------------------------


async def test_an_alarm_that_arms_itself_anew_ends_the_wait_for_idleness_with_its_name(engine):
    async def alarm():
        call_in(engine, 60, alarm, "The alarm of TICKER")

    call_in(engine, 60, alarm, "The alarm of TICKER")

    with pytest.raises(NeverHappensError, match=r"1000 times in a row: The alarm of TICKER"):
        await engine.run_until_idle()


async def test_two_calls_that_set_each_other_off_are_bounded_as_well(engine):
    async def ping():
        call_in(engine, 1, pong, "Pong")

    async def pong():
        call_in(engine, 1, ping, "Ping")

    call_in(engine, 1, ping, "Ping")

    with pytest.raises(NeverHappensError, match=r"in a row: P[io]ng"):
        await engine.run_until_idle()


async def test_many_timers_that_are_set_at_once_are_no_chain(engine):
    seen = []

    async def alarm():
        seen.append(1)

    async def first():
        for number in range(1100):  # more than a chain may have
            call_in(engine, number, alarm)

    call_in(engine, 1, first)
    await engine.run_until_idle()

    assert len(seen) == 1100


async def test_an_alarm_that_arms_itself_anew_hides_no_instance_that_never_goes_on(engine):
    async def alarm():
        call_in(engine, 60, alarm, "The alarm of TICKER")

    call_in(engine, 60, alarm, "The alarm of TICKER")

    with pytest.raises(NeverHappensError, match=r"^Waiting for it\.\n.*in a row: The alarm of TICKER"):
        await engine.wait(lambda: False, lambda: "Waiting for it.", about=("W", "nobody"))


async def test_an_endless_chain_without_time_does_not_hold_up_the_clock_for_ever(engine, monkeypatch):
    monkeypatch.setattr("durable_engine.time.waits.MOST_ROUNDS_BY_HAND", 2000)

    async def alarm():
        call_in(engine, 0, alarm, "The alarm of TICKER")

    call_in(engine, 0, alarm, "The alarm of TICKER")

    with pytest.raises(NeverHappensError, match=r"set itself off 2000 times on the way: The alarm of TICKER"):
        await engine.advance("1 second")


async def test_each_move_by_hand_may_be_as_long(engine, monkeypatch):
    monkeypatch.setattr("durable_engine.time.waits.MOST_ROUNDS_BY_HAND", 20)
    seen = []

    async def alarm():
        seen.append(seconds(engine))
        call_in(engine, 1, alarm)

    call_in(engine, 1, alarm)
    for _ in range(5):
        await engine.advance("15 seconds")

    assert seen == list(range(1, 76))


# -- calls that the test makes ----------------------------------------------------------------------------------------


async def test_time_moves_while_the_test_awaits_a_handler(engine):
    seen = []

    async def consumer():
        seen.append(seconds(engine))

    async def handler():
        call_in(engine, 60, consumer)
        while not seen:
            await asyncio.sleep(5)
        return "done"

    assert await call_bounded(engine, "The fetch handler", handler) == "done"
    assert seen == [60]


async def test_a_handler_that_waits_for_a_task_of_the_test_gets_its_answer(engine):
    event = asyncio.Event()

    async def handler():
        await event.wait()
        return "set"

    async def set_it():
        await asyncio.sleep(0.01)
        event.set()

    task = asyncio.create_task(set_it())

    assert await call_bounded(engine, "The fetch handler", handler) == "set"
    await task


async def test_what_a_handler_left_running_is_no_call_any_more(engine):
    tasks = []

    async def handler():
        tasks.append(asyncio.create_task(asyncio.sleep(3600)))
        await asyncio.sleep(1)

    await call_bounded(engine, "The fetch handler", handler)
    await engine.run_until_idle()

    assert seconds(engine) == 1
    assert not tasks.pop().done()


async def test_an_instance_goes_on_while_the_test_awaits_a_handler(engine):
    async def workflow(event, step):
        await step.sleep("a while", "1 hour")
        return "woke"

    binding = engine.bind("W", workflow)

    async def handler():
        instance = await binding.create()
        while (status := await instance.status())["status"] != "complete":
            await asyncio.sleep(60)
        return status["output"]

    assert await call_bounded(engine, "The fetch handler", handler) == "woke"
    assert seconds(engine) == 3600


# -- the end ----------------------------------------------------------------------------------------------------------


async def test_nothing_of_a_call_runs_after_the_tests_call(engine):
    log = []

    async def method():
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            log.append("finally")

    async def alarm():
        log.append("alarm")

    engine.worker_calls.spawn(method(), "The method")
    engine.worker_calls.call_at(engine.clock.now_ms, alarm, "The alarm")
    await asyncio.sleep(0)
    engine.stop()
    await asyncio.sleep(0.02)

    assert log == []


async def test_a_timer_behind_an_endless_chain_still_comes(engine):
    seen = []

    async def again():
        call_in(engine, 1, again)

    async def late():
        seen.append(seconds(engine))

    call_in(engine, 2000, late)
    await again()
    with pytest.raises(NeverHappensError, match="The alarm"):
        await engine.run_until_idle(timeout=60)

    assert seen == [2000]


async def test_a_timers_call_ends_with_the_engine():
    started, ended = asyncio.Event(), []

    async def alarm():
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async with Engine(now=START, timeout=2) as engine:
        call_in(engine, 0, alarm)
        idle = asyncio.create_task(engine.run_until_idle())
        await started.wait()
    idle.cancel()
    for _ in range(5):
        await asyncio.sleep(0)

    assert ended == [True]
    engine.raise_aborted()


async def test_what_is_to_be_done_on_the_loop_is_done_at_once_where_it_runs(engine):
    seen = []
    assert engine.loop is asyncio.get_running_loop()

    engine.once_on_loop(lambda: seen.append(1))

    assert seen == [1]


async def test_it_is_done_at_once_on_a_loop_too_that_the_engine_was_not_used_on_yet(engine):
    seen = []
    assert engine.running_loop is None

    engine.once_on_loop(lambda: seen.append(1))

    assert seen == [1]


async def test_a_handler_that_waits_for_a_future_of_the_test_is_not_timed_out_meanwhile(engine):
    loop = asyncio.get_running_loop()
    answer = loop.create_future()

    async def handler():
        async with asyncio.timeout(30):
            return await answer

    loop.call_later(0.05, answer.set_result, "answer")

    assert await call_bounded(engine, "The fetch handler", handler) == "answer"
    assert seconds(engine) == 0


async def test_a_step_that_awaits_a_stand_in_waits_for_what_the_call_behind_it_does(engine):
    library = {}
    exec(compile("async def ask(answer): return await answer", durable_engine.__file__, "exec"), library)

    async def workflow(event, step):
        @step.do("ask")
        async def ask():
            answer = asyncio.get_running_loop().create_future()

            async def method():
                await asyncio.sleep(30)
                answer.set_result("answer")

            engine.worker_calls.spawn(method(), "The method")
            return (await asyncio.gather(library["ask"](answer), asyncio.sleep(10)))[0]

        return await ask()

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert (await handle.status())["output"] == "answer"
    assert seconds(engine) == 30


async def test_a_short_sleep_in_a_call_is_real_while_there_is_a_connection(engine):
    async def handler():
        await asyncio.sleep(0.01)
        return seconds(engine)

    async with await asyncio.start_server(lambda *_: None, "127.0.0.1"):
        assert await call_bounded(engine, "The fetch handler", handler) == 0
    assert await call_bounded(engine, "The fetch handler", handler) == 0.01
