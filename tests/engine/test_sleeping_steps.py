"""Steps that wait for nothing but time sleep in virtual time; what waits for something real beside it stays real."""

import asyncio
import collections.abc
import contextvars
import datetime
import functools
import itertools
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from durable_engine import Engine, WaitTimeoutError
from durable_engine.context import loop_timers
from durable_engine.time.waits import Waits

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


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


@pytest.mark.parametrize("sleep", [asyncio.sleep, anyio.sleep])
async def test_so_is_one_that_sleeps_without_end(engine, sleep):
    config = {"retries": {"limit": 0, "delay": 0}, "timeout": "2 minutes"}
    error, seconds = await outcome_of(engine, lambda: sleep(math.inf), config)

    assert "WorkflowTimeoutError: Execution timed out after 120000ms" in error
    assert seconds == 120


async def napping_together():
    await asyncio.gather(asyncio.sleep(30), asyncio.sleep(60), asyncio.create_task(asyncio.sleep(2)))


async def a_timeout_that_comes_first():
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.sleep(100), 60)


async def a_timeout_that_comes_last():
    await asyncio.wait_for(asyncio.sleep(60), 100)


async def a_block_that_times_out():
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            await asyncio.sleep(100)


async def a_wait_with_a_timeout():
    sleep = asyncio.create_task(asyncio.sleep(100))
    done, _ = await asyncio.wait([sleep], timeout=60)
    assert not done
    sleep.cancel()


async def a_group_of_tasks():
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(60))
        group.create_task(asyncio.sleep(30))


async def as_they_complete():
    for one in asyncio.as_completed([asyncio.sleep(60), asyncio.sleep(30)]):
        await one


async def a_shield():
    await asyncio.shield(asyncio.sleep(60))


async def a_task_that_is_awaited():
    await asyncio.create_task(asyncio.sleep(60))


async def one_after_the_other():
    limit = asyncio.Semaphore(1)

    async def nap():
        async with limit:
            await asyncio.sleep(30)

    await asyncio.gather(nap(), nap())


async def a_queue_between_two():
    queue = asyncio.Queue()

    async def produce():
        await asyncio.sleep(60)
        await queue.put("here")

    producing = asyncio.create_task(produce())
    assert await queue.get() == "here"
    await producing


async def a_generator_that_sleeps():
    condition = asyncio.Event()

    async def ticks():
        await asyncio.sleep(30)
        yield 1
        await condition.wait()
        yield 2

    timer = asyncio.get_running_loop().call_later(60, condition.set)
    assert [tick async for tick in ticks()] == [1, 2]
    assert timer.when() < asyncio.get_running_loop().time()


async def a_timer_of_its_own():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(60, future.set_result, "rang")
    assert await future == "rang"


async def a_timer_that_calls_a_function():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_at(loop.time() + 60, lambda: future.set_result("rang"))
    assert await future == "rang"


async def a_timer_that_calls_part_of_a_function():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_later(60, functools.partial(future.set_result, "rang"))
    assert await future == "rang"


async def a_timer_that_knows_only_later_what_it_is_about():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_later(30, lambda: others.append("rang"))
    loop.call_later(60, lambda: future.set_result("rang"))
    assert await future == "rang"
    others = []
    assert not others


async def a_timer_whose_work_is_polled_for():
    rang = []
    asyncio.get_running_loop().call_later(60, rang.append, 1)
    while not rang:
        await asyncio.sleep(20)


async def a_future_that_another_task_settles():
    future = asyncio.get_running_loop().create_future()
    box = [future]

    async def settle(box):
        await asyncio.sleep(60)
        box[0].set_result("settled")

    settling = asyncio.create_task(settle(box))
    assert await future == "settled"
    await settling


async def polling_until_a_deadline():
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 60
    while loop.time() < deadline:
        await asyncio.sleep(5)


async def many_short_sleeps():
    for _ in range(120):
        await asyncio.sleep(0.5)


async def a_sleep_without_end():
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.sleep(math.inf), 60)


async def a_scope_of_anyio():
    with anyio.move_on_after(60):
        await anyio.sleep(100)


async def a_late_scope_of_anyio():
    """The machine has a pause before anyio looks at the time once more, and sets its timer."""
    scope = anyio.CancelScope(deadline=anyio.current_time() + 60)
    threading.Event().wait(0.003)
    with scope:
        await anyio.sleep(100)


async def tasks_of_anyio():
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 60)
        await anyio.sleep(30)


async def a_timeout_that_is_put_off():
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(30) as timeout:
        await asyncio.sleep(20)
        timeout.reschedule(loop.time() + 60)
        await asyncio.sleep(40)


AS_LONG_AS_A_MINUTE = [
    napping_together,
    a_timeout_that_comes_first,
    a_timeout_that_comes_last,
    a_block_that_times_out,
    a_wait_with_a_timeout,
    a_group_of_tasks,
    as_they_complete,
    a_shield,
    a_task_that_is_awaited,
    one_after_the_other,
    a_queue_between_two,
    a_generator_that_sleeps,
    a_timer_of_its_own,
    a_timer_that_calls_a_function,
    a_timer_that_calls_part_of_a_function,
    a_timer_that_knows_only_later_what_it_is_about,
    a_timer_whose_work_is_polled_for,
    a_future_that_another_task_settles,
    polling_until_a_deadline,
    many_short_sleeps,
    a_sleep_without_end,
    a_scope_of_anyio,
    a_late_scope_of_anyio,
    tasks_of_anyio,
    a_timeout_that_is_put_off,
]


@pytest.mark.parametrize("callback", AS_LONG_AS_A_MINUTE)
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


async def test_a_short_sleep_is_real_while_the_test_is_about_to_do_something(engine):
    ready = []
    asyncio.get_running_loop().call_later(0.03, ready.append, True)

    async def poll():
        while not ready:
            await asyncio.sleep(0.01)

    config = {"timeout": "20 milliseconds", "retries": {"limit": 0, "delay": 0}}
    _, seconds = await outcome_of(engine, poll, config)

    assert seconds < 0.02


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


async def in_a_shield(answer):
    return await asyncio.wait_for(asyncio.shield(answer), 30)


async def with_a_timer(answer):
    timer = asyncio.get_running_loop().call_later(30, answer.cancel)
    got = await answer
    timer.cancel()
    return got


async def in_a_gathering(answer):
    got, _ = await asyncio.gather(answer, asyncio.sleep(0))
    return got


REQUESTS = [beside_a_heartbeat, with_a_timeout, in_a_wait, in_a_shield, with_a_timer, in_a_gathering]


@pytest.mark.parametrize("request_", REQUESTS)
async def test_a_future_of_the_test_is_waited_for_whatever_timers_are_beside_it(engine, request_):
    answer = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.05, answer.set_result, "answer")

    assert await outcome_of(engine, lambda: request_(answer)) == ("answer", 0)


@pytest.mark.parametrize("request_", REQUESTS)
async def test_a_future_that_nobody_settles_is_no_timeout_of_virtual_time(engine, request_):
    answer = asyncio.get_running_loop().create_future()
    engine.timeout = 0.1
    with pytest.raises(WaitTimeoutError):
        await outcome_of(engine, lambda: request_(answer), {"timeout": "1 minute"})
    assert passed(engine) == 0


class Guarded:
    """An object of a library that has its attributes elsewhere, and minds who asks for others."""

    __slots__ = ("answer",)

    def __getattr__(self, name):
        raise RuntimeError(f"no {name} here")

    def __eq__(self, other):
        raise RuntimeError("not to be compared")

    async def wait(self):
        return await self.answer


async def test_what_code_has_hold_of_is_not_asked_for_anything(engine):
    async def wait():
        loop, guarded = asyncio.get_running_loop(), Guarded()
        guarded.answer = answer = loop.create_future()

        async def settle(first):
            assert first is guarded
            await asyncio.sleep(30)
            answer.set_result("answer")

        settling = asyncio.create_task(settle(guarded))
        timer = loop.call_later(60, print, guarded)
        got = await guarded.wait()
        timer.cancel()
        await settling
        return got

    assert await outcome_of(engine, wait) == ("answer", 30)


class Gate:
    def __init__(self):
        self.event = asyncio.Event()


async def behind_a_gate(gate):
    async with asyncio.timeout(30):
        await gate.event.wait()


async def test_an_event_of_the_test_is_waited_for(engine):
    gate = Gate()
    engine.timeout = 0.1
    with pytest.raises(WaitTimeoutError):
        await outcome_of(engine, lambda: behind_a_gate(gate))
    assert passed(engine) == 0


GATE = Gate().event


async def test_so_is_one_of_its_module_and_of_another_task_of_its(engine):
    engine.timeout = 0.1

    async def wait():
        async with asyncio.timeout(30):
            await GATE.wait()

    with pytest.raises(WaitTimeoutError):
        await outcome_of(engine, wait)
    assert passed(engine) == 0


async def test_so_is_one_that_another_task_of_the_test_sets(engine):
    box = []

    async def open_it():
        while not box:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        box.pop().event.set()

    async def wait():
        box.append(Gate())
        await behind_a_gate(box[0])

    opening = asyncio.create_task(open_it())

    assert await outcome_of(engine, wait) == (None, 0)
    await opening


async def in_a_thread():
    return await asyncio.wait_for(asyncio.to_thread(time.sleep, 0.05), 30)


async def in_an_executor():
    await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.05), 30)


async def in_a_thread_that_is_polled():
    working = asyncio.create_task(asyncio.to_thread(time.sleep, 0.05))
    started = asyncio.Event()
    asyncio.get_running_loop().call_soon(started.set)
    await started.wait()
    while not working.done():
        await asyncio.sleep(2)


async def in_a_thread_of_its_own():
    working = threading.Thread(target=time.sleep, args=(0.05,))
    working.start()
    while working.is_alive():
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("callback", [in_a_thread, in_an_executor])
async def test_a_thread_is_waited_for_in_real_time(engine, callback):
    assert await outcome_of(engine, callback) == (None, 0)


@pytest.mark.parametrize("callback", [in_a_thread_that_is_polled, in_a_thread_of_its_own])
async def test_a_thread_that_is_polled_is_no_timeout_of_virtual_time(engine, callback):
    config = {"timeout": "4 seconds", "retries": {"limit": 0, "delay": 0}}
    assert (await outcome_of(engine, callback, config))[0] is None


async def test_the_task_in_which_anyios_plugin_waits_for_the_test_is_nothing_that_may_act(engine):
    anyio_plugin = {}
    source = "async def _call_in_runner_task(end): await end"
    exec(compile(source, "/site-packages/anyio/_backends/_asyncio.py", "exec"), anyio_plugin)
    end = asyncio.get_running_loop().create_future()
    runner = asyncio.create_task(anyio_plugin["_call_in_runner_task"](end))

    assert await outcome_of(engine, many_short_sleeps) == (None, 60)

    end.set_result(None)
    await runner


async def test_a_thread_of_a_tool_is_nothing_that_may_act(engine):
    tool = {}
    exec(compile("def work(end): end.wait()", "/site-packages/execnet/gateway_base.py", "exec"), tool)
    end = threading.Event()
    working = threading.Thread(target=tool["work"], args=(end,))
    working.start()
    try:
        assert await outcome_of(engine, many_short_sleeps) == (None, 60)
    finally:
        end.set()
        working.join()


@pytest.mark.parametrize("is_known_to_run", [True, False])
async def test_a_thread_that_is_older_than_the_engine_is_nothing_that_may_act(is_known_to_run):
    ends = [threading.Event(), threading.Event()]
    older, over = (threading.Thread(target=end.wait) for end in ends)
    older.start()
    over.start()
    try:
        async with Engine(now=START) as engine:
            ends[1].set()
            over.join()
            if not is_known_to_run:
                older.is_alive = lambda: False  # as on Python 3.11 after a `join` that a signal has interrupted
            assert await outcome_of(engine, many_short_sleeps) == (None, 60)
    finally:
        ends[0].set()
        older.join()


@pytest.mark.parametrize(("is_of_test", "seconds"), [(False, 60), (True, 0)])
async def test_a_lock_of_the_workers_code_is_given_back_by_that_code_whatever_else_there_is(
    engine, is_of_test, seconds
):
    end, locks = threading.Event(), [asyncio.Semaphore(1)]
    of_test = locks[0] if is_of_test else None
    working = threading.Thread(target=end.wait)
    working.start()

    async def naps():
        lock = locks.pop()

        async def nap():
            async with lock:
                await asyncio.sleep(0.1 if of_test else 30)

        await asyncio.gather(nap(), nap())

    try:
        assert await outcome_of(engine, naps) == (None, pytest.approx(seconds, abs=0.5))
    finally:
        end.set()
        working.join()


async def test_a_thread_of_the_test_may_act(engine):
    ready = []

    def work():
        time.sleep(0.03)
        ready.append(True)

    async def poll():
        while not ready:
            await asyncio.sleep(0.01)

    working = threading.Thread(target=work)
    working.start()
    _, seconds = await outcome_of(engine, poll, {"timeout": "1 second", "retries": {"limit": 0, "delay": 0}})
    working.join()

    assert seconds < 0.02


class Waiting(collections.abc.Coroutine):
    """A coroutine that shows no frame, as those of Cython."""

    def __init__(self, answer):
        self._inner = answer.__await__()

    def send(self, value):
        return self._inner.send(value)

    def throw(self, *error):
        return self._inner.throw(*error)

    def close(self):
        self._inner.close()

    def __await__(self):
        return self


async def test_code_that_shows_no_frame_waits_for_something_unknown(engine):
    loop = asyncio.get_running_loop()
    answer, begun = loop.create_future(), asyncio.Event()

    async def request():
        begun.set()
        async with asyncio.timeout(30):
            await asyncio.create_task(Waiting(answer))

    async def reply():
        await begun.wait()
        loop.call_later(0.05, answer.set_result, None)

    replying = asyncio.create_task(reply())

    assert await outcome_of(engine, request) == (None, 0)
    await replying


async def test_a_delay_function_sleeps_in_virtual_time(engine):
    async def work(ctx):
        if ctx.attempt == 1:
            raise ValueError("at first")

    async def delay(argument):
        await asyncio.sleep(2)
        return 30_000

    config = {"retries": {"limit": 1, "delay": delay}}

    assert await outcome_of(engine, work, config) == (None, 32)


async def echo(reader, writer):
    await reader.readexactly(1)
    await asyncio.sleep(0.02)
    writer.write(b"!")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@pytest.fixture
async def port():
    server = await asyncio.start_server(echo, "127.0.0.1")
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_socket_is_waited_for_in_real_time(engine, port):
    async def request():
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"?")
            answer = await reader.read()
            writer.close()
        await asyncio.sleep(60)
        return answer.decode()

    assert await outcome_of(engine, request) == ("!", 60)


async def test_a_durable_sleep_does_not_time_out_what_a_callback_does_beside_it(engine):
    async def workflow(event, step):
        @step.do("outer", config={"timeout": "1 minute", "retries": {"limit": 0, "delay": 0}})
        async def outer():
            step.sleep("inner", "1 hour")
            await asyncio.to_thread(time.sleep, 0.05)
            return "done"

        return await outer()

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert (await handle.status())["output"] == "done"


async def test_a_callback_sleeps_beside_a_step_of_its_own(engine):
    seen = []

    async def workflow(event, step):
        @step.do("outer")
        async def outer():
            async def nap():
                await asyncio.sleep(30)
                seen.append(("nap", passed(engine)))

            await asyncio.gather(step.sleep("inner", "5 minutes"), nap())
            seen.append(("outer", passed(engine)))

        await outer()

    await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert seen == [("nap", 30), ("outer", 300)]


async def test_steps_of_two_instances_take_turns_at_a_lock_of_the_worker(engine):
    seen = []

    async def workflow(event, step):
        @step.do("one at a time")
        async def nap():
            async with limit:
                await asyncio.sleep(30)
            seen.append(passed(engine))

        await nap()

    limit = asyncio.Semaphore(1)
    binding = engine.bind("W", workflow)
    await binding.create()
    await binding.create()
    await engine.run_until_idle()

    assert seen == [30, 60]


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


LIBRARY = compile("def later(loop, seen): loop.call_later(60, lambda: seen.append(1))", "/site-packages/lib.py", "exec")


async def test_a_timer_of_a_library_stays_real_and_holds_nothing_up(engine):
    library, seen = {}, []
    exec(LIBRARY, library)

    async def nap():
        library["later"](asyncio.get_running_loop(), seen)
        await asyncio.sleep(90)

    assert await outcome_of(engine, nap) == (None, 90)
    assert seen == []


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


async def test_the_time_of_the_loop_is_the_tests_own_outside_of_a_worker(engine):
    loop = asyncio.get_running_loop()
    before, seen = loop.time(), []

    async def look():
        seen.append(loop.time() - before)
        await asyncio.sleep(3600)
        seen.append(loop.time() - before)

    await outcome_of(engine, look, {"timeout": "2 hours"})

    assert loop.time() - before < 60
    assert seen[0] < 60
    assert 3600 <= seen[1] < 3660


async def test_the_loop_has_its_own_methods_again_after_the_last_engine():
    loop = asyncio.get_running_loop()
    async with Engine(now=START) as one:
        assert one.loop is loop
        async with Engine(now=START) as other:
            assert other.loop is loop
        assert {"call_at", "call_later", "time"} <= set(vars(loop))
    assert {"call_at", "call_later", "time"}.isdisjoint(vars(loop))


async def test_a_method_that_somebody_put_around_the_loops_stays_there(monkeypatch):
    loop = asyncio.get_running_loop()
    seen = []
    async with Engine(now=START) as engine:
        inner = engine.loop.call_later

        def noted(delay, callback, *args, context=None):
            seen.append(delay)
            return inner(delay, callback, *args, context=context)

        loop.call_later = noted
        assert await outcome_of(engine, lambda: asyncio.sleep(30)) == (None, 30)
    assert loop.call_later is noted
    await asyncio.sleep(0.001)
    assert 30 in seen
    assert seen[-1] == 0.001
    del loop.call_later


async def test_a_timer_that_was_set_past_the_loops_methods_is_virtual_too(engine):
    loop = asyncio.get_running_loop()
    seen = []

    async def nap():
        now = loop._worker_timers.real_time()
        type(loop).call_at(loop, now + 59.9999, lambda: seen.append(passed(engine)))
        type(loop).call_at(loop, now + 0.2, lambda: seen.append("soon"))
        of_nobody = type(loop).call_at(loop, now + 70, seen.append, "by nobody's code")
        await asyncio.sleep(90)
        of_nobody.cancel()

    assert await outcome_of(engine, nap) == (None, 90)
    assert seen == ["soon", 60]


async def test_timers_that_are_equal_are_due_each_at_its_time(engine):
    async def nap():
        loop, ringing = asyncio.get_running_loop(), []
        until = loop.time() + 30
        for argument in ("same", "same", Guarded(), Guarded()):
            loop.call_at(until, ring, argument, ringing)
        await asyncio.sleep(100)
        return ringing

    def ring(_, ringing):
        ringing.append(passed(engine))

    assert await outcome_of(engine, nap) == ([30] * 4, 100)


async def test_virtual_time_does_not_bring_the_real_time_of_the_engines_own_timers_nearer(engine, monkeypatch):
    passed_by, real_time_passed = [], Waits._real_time_passed
    monkeypatch.setattr(Waits, "_real_time_passed", lambda self: (passed_by.append(1), real_time_passed(self)))

    async def workflow(event, step):
        await step.sleep("a day", "1 day")
        await step.sleep("an hour", "1 hour")

    await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert (passed(engine), passed_by) == (90_000, [])


async def test_a_timer_without_a_delay_is_refused_as_ever(engine):
    async def wrong():
        asyncio.get_running_loop().call_later(None, print)

    error, _ = await outcome_of(engine, wrong, {"retries": {"limit": 0, "delay": 0}})

    assert "delay must not be None" in error


async def test_a_timer_with_a_context_of_its_own_is_nobodys(engine):
    rang = []

    async def nap():
        loop = asyncio.get_running_loop()
        loop.call_at(loop.time() + 30, rang.append, 1, context=contextvars.Context())
        loop.call_later(30, rang.append, 1, context=contextvars.Context())
        loop.call_later(60, rang.append, 2, context=contextvars.copy_context())
        await asyncio.sleep(90)

    assert await outcome_of(engine, nap) == (None, 90)
    assert rang == [2]


UNCLEAR = {
    as_they_complete,
    one_after_the_other,
    a_queue_between_two,
    a_generator_that_sleeps,
    a_timer_of_its_own,
    a_timer_that_calls_a_function,
    a_timer_that_calls_part_of_a_function,
    a_timer_that_knows_only_later_what_it_is_about,
    a_future_that_another_task_settles,
    many_short_sleeps,
}
"""What depends on whether anything real is there, of which uvloop does not tell."""


@pytest.fixture
def on_uvloop():
    """Runs a scenario with an engine on uvloop."""
    uvloop = pytest.importorskip("uvloop", reason="uvloop does not exist for Windows")

    def run(scenario):
        async def with_engine():
            async with Engine(now=START, timeout=20) as engine:
                return await scenario(engine)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(with_engine())

    return run


@pytest.mark.parametrize("callback", [one for one in AS_LONG_AS_A_MINUTE if one not in UNCLEAR])
def test_on_uvloop_sleeps_and_their_limits_take_virtual_time(on_uvloop, callback):
    assert on_uvloop(lambda engine: outcome_of(engine, callback)) == (None, 60)


@pytest.mark.parametrize("request_", REQUESTS)
def test_on_uvloop_a_future_of_the_test_is_waited_for(on_uvloop, request_):
    async def scenario(engine):
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        loop.call_later(0.05, answer.set_result, "answer")
        return await outcome_of(engine, lambda: request_(answer))

    assert on_uvloop(scenario) == ("answer", 0)


def test_on_uvloop_a_real_timer_fires_in_real_time(on_uvloop):
    assert on_uvloop(lambda engine: outcome_of(engine, lambda: asyncio.sleep(0.01, "slept"))) == ("slept", 0)


async def test_the_history_is_the_same_in_each_run_however_the_machine_stops():
    async def workflow(event, step):
        @step.do("poll", config={"timeout": "2 minutes", "retries": {"limit": 1, "delay": "1 second"}})
        async def poll():
            async with asyncio.timeout(70):
                hold_up()
                await asyncio.gather(asyncio.sleep(30.5), asyncio.wait_for(asyncio.sleep(31), 40))
                hold_up()
                await asyncio.sleep(60)

        @step.do("work")
        async def work():
            await asyncio.to_thread(hold_up)
            for _ in range(3):
                await asyncio.sleep(0.7)
                hold_up()

        await asyncio.gather(poll(), work(), step.sleep("nap", "31 seconds"))

    def hold_up():
        time.sleep(next(pauses))

    async def once():
        async with Engine(now=START, seed=7, timeout=20) as engine:
            await engine.bind("W", workflow).create()
            await engine.run_until_idle()
            return engine.store.history(engine.instances[0].row.key)

    pauses = itertools.cycle([0, 0.001, 0.012, 0, 0.0003])
    first = await once()
    assert len(first) > 10
    for _ in range(5):
        assert await once() == first


async def test_a_machine_that_stops_for_longer_than_a_sleep_takes_does_not_end_it(engine):
    async def nap():
        async def work():
            await asyncio.sleep(0)
            hold_up()

        await asyncio.gather(asyncio.sleep(0.005), asyncio.sleep(0.003), work())

    def hold_up():
        time.sleep(0.02)

    assert await outcome_of(engine, nap) == (None, 0.005)


async def test_code_that_spins_until_a_sleep_is_over_gets_there(engine, monkeypatch):
    monkeypatch.setattr(loop_timers, "MOST_LATE", 0.02)

    async def spin():
        sleeping = asyncio.create_task(asyncio.sleep(0.001))
        while not sleeping.done():
            await asyncio.sleep(0)

    assert await outcome_of(engine, spin) == (None, 0)


async def test_a_timer_of_the_test_that_is_about_to_ring_is_waited_for(engine):
    answer = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.03, answer.set_result, "answer")

    async def poll():
        while not answer.done():
            await asyncio.sleep(5)
        return answer.result()

    got, seconds = await outcome_of(engine, poll, {"timeout": "1 minute"})
    assert (got, seconds <= 5) == ("answer", True)  # a busy machine begins to poll when it has rung


async def test_one_that_sets_itself_anew_does_not_stop_time(engine, monkeypatch):
    monkeypatch.setattr("durable_engine.time.patience.SOON_MS", 30)
    loop = asyncio.get_running_loop()
    timers = collections.deque(maxlen=1)

    def beat():
        timers.append(loop.call_later(0.01, beat))

    async def nap():
        await asyncio.sleep(5)

    async with Engine(now=START, timeout=20) as engine:
        beat()
        assert await outcome_of(engine, nap) == (None, 5)
    timers.pop().cancel()


async def test_a_limit_of_anyio_around_a_wait_of_the_test_is_nothing_that_may_act(engine):
    with anyio.fail_after(20):
        assert await outcome_of(engine, many_short_sleeps) == (None, 60)


def test_on_uvloop_a_timer_of_code_that_was_stopped_never_fires(on_uvloop):
    async def workflow(event, step):
        asyncio.get_running_loop().call_later(3600, print)
        await asyncio.Event().wait()

    async def scenario(engine):
        handle = await engine.bind("W", workflow).create()
        await engine.settle()
        timers = list(engine.loop._worker_timers.pending())
        await handle.terminate()
        return len(timers), [timer._cancelled for timer in timers]

    assert on_uvloop(scenario) == (1, [True])


async def test_a_pools_thread_that_has_answered_is_not_at_work_any_more(engine):
    begun, go_on, answered, release = (threading.Event() for _ in range(4))
    seen = []

    def begin():
        begun.set()
        go_on.wait(30)

    def hold(_):
        answered.set()
        release.wait(30)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()  # its thread is the test's

        async def work():
            working = pool.submit(functools.partial(contextvars.copy_context().run, begin))
            working.add_done_callback(hold)  # called in the pool's thread, which is still within the work
            begun.wait(30)
            seen.append(engine.threads.are_at_work)
            go_on.set()
            answered.wait(30)
            seen.append(engine.threads.are_at_work)
            release.set()

        await outcome_of(engine, work)

    assert seen == [True, False]
