"""User code that does not give way to the event loop, or that catches whatever ends it: nothing of it hangs."""

import asyncio
import contextlib
import contextvars
import functools
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import pytest

from durable_engine import WATCHDOG, Engine, EventLoopBlockedError, WaitTimeoutError, call_bounded, own_folder
from durable_engine.guard import closing as closing_module
from durable_engine.guard import cpu_timer
from durable_engine.guard import watchdog as watchdog_module
from durable_engine.guard.cpu_timer import CpuTimer
from durable_engine.guard.task_teardown import StoppedTasks
from durable_engine.guard.threads import context_of
from durable_engine.guard.unwinding import Unwinding, is_for_us
from durable_engine.guard.watchdog import Strike, is_debugged

SHORT = 0.05
"""Seconds that a wait may take here."""


@pytest.fixture
async def engine():
    async with Engine(timeout=SHORT) as engine:
        yield engine


def lasts():
    """Seconds after which something is not bounded."""
    return time.monotonic() + 5


# -- code that blocks -------------------------------------------------------------------------------------------------


def spin():
    while True:
        pass


def sleep():
    time.sleep(1000)


def sleep_a_second():
    time.sleep(1)


def lock():
    held = threading.Lock()
    held.acquire()
    held.acquire()


def event():
    threading.Event().wait()


def empty_queue():
    queue.Queue().get()


def join():
    thread = threading.Thread(target=threading.Event().wait, daemon=True)
    thread.start()
    thread.join()


def swallow():
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass


def swallow_without_calls():
    while True:
        try:
            pass
        except BaseException:
            continue


def swallow_in_two_loops():
    while True:
        try:
            while True:
                try:
                    time.sleep(1000)
                except BaseException:
                    pass
        except BaseException:
            pass


def keep_what_is_raised():
    raised = []
    while True:
        try:
            while True:
                try:
                    time.sleep(1000)
                except BaseException as error:
                    raised.append(error)
        except BaseException as error:
            raised.append(error)


def suppress():
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(1000)


def hard_finally():
    try:
        spin()
    finally:
        while True:
            with contextlib.suppress(BaseException):
                time.sleep(1000)


BLOCKING = [
    spin,
    sleep,
    lock,
    event,
    empty_queue,
    join,
    swallow,
    swallow_without_calls,
    swallow_in_two_loops,
    keep_what_is_raised,
    suppress,
    hard_finally,
]


@pytest.mark.parametrize("block", BLOCKING, ids=lambda one: one.__name__)
async def test_a_step_that_blocks_the_loop_ends_in_time_and_its_place_is_named(engine, block):
    async def workflow(event, step):
        await step.do("s")(block)()

    await engine.bind("W", workflow).create({"id": "x"})
    late = lasts()

    with pytest.raises(EventLoopBlockedError) as caught:
        await engine.run_until_idle()

    assert time.monotonic() < late
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("Step 's-1' (attempt 1) of instance 'x' of 'W' does not give way: it has been at ")
    assert f"test_watchdog.py:{block.__code__.co_firstlineno + 1}"[:16] in lines[0]
    assert f", in {block.__name__}: `" in str(caught.value)
    assert "`await asyncio.to_thread(...)`" in lines[-2]
    assert sys.gettrace() is not Unwinding._trace


async def test_run_itself_may_block(engine):
    async def workflow(event, step):
        spin()

    await engine.bind("W", workflow).create({"id": "x"})

    with pytest.raises(EventLoopBlockedError, match=r"run\(\) of instance 'x' of 'W' does not give way"):
        await engine.run_until_idle()


async def test_a_task_and_a_callback_of_the_loop_that_the_step_started_may_block(engine, caplog):
    async def block():
        spin()

    async def workflow(event, step):
        if event["payload"] == "task":
            asyncio.get_running_loop().call_soon(lambda: None)
            await asyncio.create_task(block())
        asyncio.get_running_loop().call_soon(spin)
        await asyncio.Event().wait()

    binding = engine.bind("W", workflow)
    for payload in ("task", "callback"):
        await binding.create({"id": payload, "params": payload})
        with pytest.raises(EventLoopBlockedError, match=f"of instance '{payload}' of 'W'"):
            await engine.run_until_idle()
    assert "never retrieved" not in caplog.text


async def test_without_a_wait_the_engines_timeout_holds(engine):
    async def workflow(event, step):
        spin()

    await engine.bind("W", workflow).create({"id": "x"})
    for _ in range(5):
        await asyncio.sleep(0)

    with pytest.raises(EventLoopBlockedError, match="of instance 'x' of 'W' does not give way"):
        engine.raise_aborted()


async def test_a_step_that_works_within_the_time_of_its_wait_is_not_touched(engine):
    async def workflow(event, step):
        return await step.do("s")(lambda: time.sleep(1) or "done")()

    handle = await engine.bind("W", workflow).create({"id": "x"})
    await engine.run_until_idle(timeout=30)

    assert (await handle.status())["output"] == "done"


async def test_code_of_the_test_that_blocks_the_loop_is_not_touched(engine):
    async def workflow(event, step):
        await step.wait_for_event("w", "t")

    await engine.bind("W", workflow).create({"id": "x"})
    waiting = asyncio.create_task(engine.wait(lambda: False, lambda: "Waiting.", about=("W", "x")))
    await asyncio.sleep(0)
    sleep_a_second()

    with pytest.raises(WaitTimeoutError) as caught:
        await waiting
    assert not isinstance(caught.value, EventLoopBlockedError)


async def test_what_runs_after_a_step_that_blocked_is_untouched_and_traced_as_before(engine):
    def tracer(frame, kind, argument):
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:

        async def workflow(event, step):
            await step.do("s")(swallow_in_two_loops)()

        await engine.bind("W", workflow).create({"id": "x"})
        with pytest.raises(EventLoopBlockedError):
            await engine.run_until_idle()
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)

    async def other(event, step):
        return await step.do("s")(lambda: "done")()

    handle = await engine.bind("V", other).create({"id": "y"})
    await engine.run_until_idle(timeout=30)
    assert (await handle.status())["output"] == "done"


async def test_a_life_that_was_killed_blocks_the_loop_no_longer_than_another(engine):
    async def workflow(event, step):
        @step.do("s")
        async def s(ctx):
            if ctx["attempt"] == 1:
                engine.crash(binding.workflow, "x")
                spin()

        await s()

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})

    with pytest.raises(EventLoopBlockedError, match="Step 's-1'"):
        await engine.run_until_idle()


def replayed(only_in_the_replay):
    """Run a workflow, and check it by a replay that comes to `only_in_the_replay`."""
    runs = []

    async def workflow(event, step):
        await step.do("s")(lambda: 1)()
        runs.append(1)
        if len(runs) > 1:
            only_in_the_replay()

    engine = Engine(timeout=SHORT)

    async def test():
        await engine.bind("W", workflow).create({"id": "x"})
        await engine.run_until_idle()

    try:
        asyncio.run(test())
        engine.check_all_by_replay()
    finally:
        engine.close()
        engine.stopped_tasks.close()
    return runs, engine.take_findings()


@pytest.mark.parametrize("block", [spin, swallow], ids=lambda one: one.__name__)
def test_a_replay_that_blocks_ends_in_time_and_says_nothing(block):
    late = lasts()

    assert replayed(block) == ([1, 1], [])
    assert time.monotonic() < late


def test_ctrl_c_in_a_replay_arrives():
    with pytest.raises(KeyboardInterrupt):
        replayed(lambda: signal.raise_signal(signal.SIGINT))


# -- what is said of code that gives way ------------------------------------------------------------------------------


async def test_a_wait_that_timed_out_says_where_code_stands(engine):
    async def deeper():
        await asyncio.get_running_loop().create_future()

    async def workflow(event, step):
        if event["payload"] == "step":
            await step.do("s")(deeper)()
        await deeper()

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x", "params": "step"})
    await binding.create({"id": "y", "params": "run"})

    with pytest.raises(WaitTimeoutError) as caught:
        await engine.run_until_idle()
    line = f"test_watchdog.py:{deeper.__code__.co_firstlineno + 1}, in deeper: `await asyncio.get_running_loop()"
    first, second, stand_in, if_slow = str(caught.value).splitlines()[-4:]
    assert stand_in.startswith("Stand in for what it awaits and never gets: ")
    assert if_slow.startswith("If it is only slow, give the wait more time: ")
    assert first.startswith("Step 's-1' (attempt 1) of instance 'x' of 'W' is at ")
    assert second.startswith("run() of instance 'y' of 'W' is at ")
    assert line in first
    assert line in second

    with pytest.raises(WaitTimeoutError) as caught:
        await engine.wait(lambda: False, lambda: "Waiting.", about=("W", "y"))
    assert "instance 'x'" not in str(caught.value)


async def test_code_that_iterates_stands_where_the_generator_does(engine):
    async def pages():
        yield await asyncio.get_running_loop().create_future()

    async def workflow(event, step):
        async for _ in pages():
            pass

    await engine.bind("W", workflow).create({"id": "x"})

    with pytest.raises(WaitTimeoutError, match=r"run\(\) of instance 'x' of 'W' is at .*, in pages: `yield await"):
        await engine.run_until_idle()


async def test_of_many_places_some_are_shown(engine):
    async def workflow(event, step):
        async def wait():
            await asyncio.get_running_loop().create_future()

        await asyncio.gather(*(step.do(f"s{number}")(wait)() for number in range(12)))

    await engine.bind("W", workflow).create({"id": "x"})

    with pytest.raises(WaitTimeoutError, match=r"\.\.\. and 2 more\."):
        await engine.run_until_idle()


# -- threads ----------------------------------------------------------------------------------------------------------


async def test_a_thread_of_a_step_is_named_and_neither_the_loop_nor_the_interpreter_waits_for_it():
    release = threading.Event()
    threads = []

    def work():
        threads.append(threading.current_thread())
        release.wait()

    async def workflow(event, step):
        own = threading.Thread(target=work, name="own")
        own.start()
        assert not own.daemon
        await step.do("s")(lambda: asyncio.to_thread(work))()

    loop = asyncio.get_running_loop()
    async with Engine(timeout=0.2) as engine:
        await asyncio.to_thread(lambda: None)  # a thread of the test's, which has nothing to do by then
        await engine.bind("W", workflow).create({"id": "x"})
        with pytest.raises(WaitTimeoutError) as caught:
            await engine.run_until_idle()
        engine.stop()

    said = str(caught.value)
    place = f"test_watchdog.py:{workflow.__code__.co_firstlineno + 2}, has not ended"
    assert "Thread 'own', started at " in said
    assert place in said
    assert "in work: `release.wait()`. Nothing can stop a thread" in said
    assert loop._default_executor is None or not loop._default_executor._shutdown
    assert threading.Thread.start.__module__ == "threading"
    release.set()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


async def test_a_thread_that_has_ended_or_has_nothing_to_do_is_not_named(engine):
    async def workflow(event, step):
        await asyncio.to_thread(lambda: None)
        await asyncio.get_running_loop().create_future()

    await engine.bind("W", workflow).create({"id": "x"})

    with pytest.raises(WaitTimeoutError) as caught:
        await engine.run_until_idle(timeout=0.3)
    assert "Thread" not in str(caught.value)


# -- closing what was stopped -----------------------------------------------------------------------------------------


async def await_for_ever(log):
    await asyncio.get_running_loop().create_future()


async def go_on_and_await(log):
    while True:
        try:
            await asyncio.sleep(0)
        except BaseException:
            log.append("caught")


async def spin_in_finally(log):
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        log.append("finally")
        spin()


async def await_what_swallows(log):
    await go_on_and_await(log)


@pytest.mark.parametrize(
    "body", [await_for_ever, go_on_and_await, spin_in_finally, await_what_swallows], ids=lambda one: one.__name__
)
async def test_closing_ends_whatever_the_code_does(engine, body):
    log = []

    async def workflow(event, step):
        await step.do("s")(lambda: body(log))()

    await engine.bind("W", workflow).create({"id": "x"})
    await engine.settle(most=5)
    engine.stop()
    late = lasts()

    engine.stopped_tasks.close()

    assert time.monotonic() < late
    assert sys.unraisablehook is not None
    kept = len(log)
    await asyncio.sleep(0.01)
    assert len(log) == kept


def test_what_cannot_be_made_to_end_is_left_as_it_is():
    class Stubborn:
        cr_frame = sys._getframe()
        cr_await = None

        def close(self):
            raise RuntimeError("coroutine ignored GeneratorExit")

        def throw(self, error):
            return "still here"

        def send(self, value):
            return "still here"

    stopped_tasks = StoppedTasks()
    stubborn = Stubborn()
    stopped_tasks.keep(stubborn)
    stopped_tasks.close()

    assert closing_module._left_behind.pop() is stubborn
    with closing_module.closing() as closer:
        assert not closer.owns(sys._getframe())


class Hanging:
    """A coroutine whose `finally` block does what is asked for, once, and that has ended then."""

    cr_frame = cr_await = None

    def __init__(self, action):
        self.close = action


def test_a_signal_that_comes_while_a_coroutine_is_closed_leaves_the_next_one_alone():
    done = []

    with closing_module.closing() as closer:

        def be_late():
            assert closer.is_overdue(time.monotonic() + 60)
            strike.hit(sys._getframe())
            done.append("not reached")

        def come_next():
            strike.hit(sys._getframe())
            done.append("next")

        strike = Strike(closer, is_interrupt=False)
        closer.close(Hanging(be_late))
        assert closer.is_over()
        closer.close(Hanging(come_next))

    assert done == ["next"]
    assert strike.hits == 1


def test_a_signal_that_comes_before_a_coroutine_is_closed_stays_with_it(monkeypatch):
    done = []

    with closing_module.closing() as closer:

        def put_off():
            assert closer.is_overdue(time.monotonic() + 60)
            strike.hit(sys._getframe())

        strike = Strike(closer, is_interrupt=False)
        monkeypatch.setattr(WATCHDOG, "put_off", put_off)
        closer.close(Hanging(lambda: done.append("not reached")))
        monkeypatch.undo()
        closer.close(Hanging(lambda: done.append("next")))

    assert done == ["next"]


async def test_many_that_hang_one_after_the_other_do_not_end_the_process(engine, ended, monkeypatch):
    monkeypatch.setattr(closing_module, "PATIENCE", 0.05)
    monkeypatch.setattr(closing_module, "TICK", 0.02)
    monkeypatch.setattr(watchdog_module, "TICK", 0.02)
    monkeypatch.setattr(watchdog_module, "LAST", 0.2)
    monkeypatch.setattr(watchdog_module, "MOST_HITS", 10)  # one gets one or two

    async def workflow(event, step):
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            spin()

    binding = engine.bind("W", workflow)
    for number in range(50):
        await binding.create({"id": f"x{number}"})
    await engine.settle(most=30)
    engine.stop()
    late = time.monotonic() + 20

    engine.stopped_tasks.close()

    assert time.monotonic() < late
    assert not ended


async def test_ctrl_c_while_stopped_code_is_closed_arrives(engine):
    async def workflow(event, step):
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        await engine.bind("W", workflow).create({"id": "x"})
        await engine.settle(most=5)
        engine.stop()
        with pytest.raises(KeyboardInterrupt):
            engine.stopped_tasks.close()
    finally:
        signal.signal(signal.SIGINT, before)


# -- Ctrl-C -----------------------------------------------------------------------------------------------------------


def interrupted(workflow, *, handler=signal.default_int_handler):
    """Run a workflow that sends itself a Ctrl-C and catches it."""
    before = signal.signal(signal.SIGINT, handler)

    async def test():
        async with Engine(timeout=30) as engine:
            await engine.bind("W", workflow).create({"id": "x"})
            await engine.run_until_idle()

    loop = asyncio.new_event_loop()
    late = lasts()
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(test())
    finally:
        WATCHDOG.interrupt_arrived()
        signal.signal(signal.SIGINT, before)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    assert time.monotonic() < late


def test_ctrl_c_that_code_catches_which_never_gives_way_is_raised_again():
    async def workflow(event, step):
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGINT)
        swallow()

    interrupted(workflow)


def test_ctrl_c_that_code_catches_over_and_over_is_raised_again():
    async def workflow(event, step):
        while True:
            with contextlib.suppress(BaseException):
                signal.raise_signal(signal.SIGINT)

    interrupted(workflow)


def test_ctrl_c_that_code_catches_which_gives_way_is_raised_from_the_loop():
    async def workflow(event, step):
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGINT)
        while True:
            with contextlib.suppress(BaseException):
                await asyncio.sleep(0.01)

    interrupted(workflow)


async def test_a_handler_of_asyncios_own_is_left_to_asyncio(engine):
    engine.bind("W", spin)
    assert engine.loop
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        engine._loop.guard.interrupt()
        await asyncio.sleep(0)
    finally:
        signal.signal(signal.SIGINT, before)


# -- calls of handlers ------------------------------------------------------------------------------------------------


async def test_a_call_returns_what_the_code_returns_and_raises_what_it_raises(engine):
    async def answer(value):
        with contextlib.suppress(ValueError):
            await chained()
        await asyncio.sleep(0)
        return value

    async def chained():
        raise ValueError

    future = asyncio.get_running_loop().create_future()
    future.set_result(3)

    assert await call_bounded(engine, "It", lambda: 1) == 1
    assert await call_bounded(engine, "It", lambda: answer(2)) == 2
    assert await call_bounded(engine, "It", lambda: future) == 3
    with pytest.raises(ValueError, match=r"^$"):
        await call_bounded(engine, "It", chained)


async def test_a_call_that_awaits_for_ever_ends_in_time_whatever_it_catches(engine):
    async def answer():
        while True:
            try:
                future = asyncio.get_running_loop().create_future()
                future.add_done_callback(lambda _: None)
                await future
            except BaseException:
                pass

    with pytest.raises(
        WaitTimeoutError, match=r"It has not returned within 0\.05 real seconds\.\nIt is at .*in answer"
    ):
        await call_bounded(engine, "It", answer)
    with pytest.raises(WaitTimeoutError, match=r"^It has not returned"):
        await call_bounded(engine, "It", asyncio.get_running_loop().create_future)


async def test_what_is_raised_in_the_test_that_awaits_a_call_reaches_the_code(engine):
    async def answer():
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            return "cancelled"

    task = asyncio.create_task(call_bounded(engine, "It", answer))
    await asyncio.sleep(0)
    task.cancel()

    assert await task == "cancelled"


@pytest.mark.parametrize("block", [spin, swallow], ids=lambda one: one.__name__)
async def test_a_call_that_blocks_the_loop_ends_in_time(engine, block):
    with pytest.raises(EventLoopBlockedError, match=r"^The fetch handler does not give way: it has been at "):
        await call_bounded(engine, "The fetch handler", block)
    engine.raise_aborted()


async def test_a_task_that_a_call_left_running_and_that_blocks_reaches_the_test(engine):
    async def block():
        spin()

    await call_bounded(engine, "The fetch handler", lambda: asyncio.ensure_future(asyncio.sleep(0)))
    await call_bounded(engine, "The fetch handler", lambda: tasks.append(asyncio.create_task(block())))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    with pytest.raises(EventLoopBlockedError, match=r"^The fetch handler does not give way"):
        engine.raise_aborted()
    assert tasks.pop().done()


tasks = []


def test_a_task_that_a_call_left_running_and_that_catches_its_cancellation_does_not_hold_up_the_loops_end():
    log = []

    async def go_on():
        while True:
            try:
                await asyncio.sleep(0.01)
            except BaseException:
                log.append("caught")

    async def test():
        async with Engine(timeout=SHORT) as engine:
            other = asyncio.create_task(asyncio.sleep(0))
            await call_bounded(engine, "It", lambda: tasks.append(asyncio.create_task(go_on())))
            await other
            last = asyncio.create_task(asyncio.sleep(0))
            engine.stop()
            engines.append((engine, last))
            tasks.pop().cancel()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                with contextlib.suppress(RuntimeError):
                    await task

    engines = []
    late = lasts()
    asyncio.run(test())
    assert time.monotonic() < late
    assert log[0] == "caught"


async def generate(log):
    try:
        yield 1
    finally:
        log.append("closed")
        await asyncio.get_running_loop().create_future()


async def generate_on(log):
    while True:
        try:
            yield 1
        except BaseException:
            log.append("caught")


@pytest.mark.parametrize("generator", [generate, generate_on], ids=lambda one: one.__name__)
def test_an_async_generator_of_a_stopped_task_does_not_hold_up_the_loops_end(generator):
    log = []

    async def workflow(event, step):
        async for _ in generator(log):
            await asyncio.get_running_loop().create_future()

    async def other():
        yield 1

    async def test():
        engine = Engine(timeout=SHORT)
        mine = other()
        await anext(mine)
        await engine.bind("W", workflow).create({"id": "x"})
        await engine.settle(most=5)
        engine.close()
        return engine

    late = lasts()
    engine = asyncio.run(test())
    assert log == []
    engine.stopped_tasks.close()
    assert time.monotonic() < late
    assert len(log) == 1


# -- the watchdog itself ----------------------------------------------------------------------------------------------


async def test_other_handlers_of_the_signal_and_the_descriptor_are_put_back():
    WATCHDOG.stop()
    got = []
    before = signal.signal(watchdog_module.SIGNAL, lambda *arguments: got.append(arguments))
    mine = signal.getsignal(watchdog_module.SIGNAL)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    descriptor = signal.set_wakeup_fd(writer)
    try:
        async with Engine() as engine:
            assert engine.loop
            assert signal.getsignal(watchdog_module.SIGNAL) is not mine
            signal.raise_signal(watchdog_module.SIGNAL)
        assert signal.set_wakeup_fd(descriptor) == writer
        WATCHDOG.stop()
        assert len(got) == 1
        assert signal.getsignal(watchdog_module.SIGNAL) is mine
        WATCHDOG.stop()
    finally:
        signal.signal(watchdog_module.SIGNAL, before)
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("used_again", [False, True])
def test_a_wakeup_descriptor_that_was_closed_meanwhile_is_not_put_back(used_again):
    (reader, writer), (other_reader, other_writer) = os.pipe(), os.pipe()
    os.set_blocking(writer, False)
    os.set_blocking(other_writer, False)
    before = signal.set_wakeup_fd(writer)

    async def close_it():
        async with Engine() as engine:
            assert engine.loop
            os.close(writer)
            if used_again:
                os.dup2(other_writer, writer)

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(close_it())
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        loop.close()
        signal.set_wakeup_fd(before)
        for descriptor in (reader, other_reader, other_writer, *([writer] if used_again else [])):
            os.close(descriptor)


async def test_a_descriptor_that_somebody_else_set_meanwhile_stays():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(-1)
    try:
        async with Engine() as engine:
            assert engine.loop
            signal.set_wakeup_fd(writer)
        assert signal.set_wakeup_fd(-1) == writer
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)


def test_outside_of_the_main_thread_nothing_is_looked_after():
    WATCHDOG.stop()

    async def test():
        async with Engine() as engine:
            assert engine.loop
            assert not WATCHDOG._guards

    thread = threading.Thread(target=asyncio.run, args=(test(),))
    thread.start()
    thread.join(5)
    assert not thread.is_alive()


def test_the_thread_ends_when_there_is_nothing_to_look_after(monkeypatch):
    monkeypatch.setattr(watchdog_module, "TICK", 0.001)

    async def test():
        async with Engine() as engine:
            assert engine.loop

    asyncio.run(test())
    thread = WATCHDOG._thread
    if thread is not None:
        thread.join(5)
    assert WATCHDOG._thread is None
    asyncio.run(test())
    thread = WATCHDOG._thread
    if thread is not None:
        thread.join(5)
    signal.raise_signal(watchdog_module.SIGNAL)  # nobody's, and nothing comes of it
    WATCHDOG.stop()


def test_a_thread_that_the_system_does_not_start_is_not_waited_for(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    async def test():
        with pytest.raises(RuntimeError, match="can't start new thread"):
            async with Engine() as engine:
                assert engine.loop

    WATCHDOG.stop()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        asyncio.run(test())
        WATCHDOG.stop()


def test_a_thread_that_has_failed_is_followed_by_another(monkeypatch):
    failures = []

    async def test():
        async with Engine() as engine:
            assert engine.loop
            return WATCHDOG._thread

    def fail(watchdog):
        raise RuntimeError("of the watchdog")

    WATCHDOG.stop()
    with monkeypatch.context() as patch:
        patch.setattr(watchdog_module, "TICK", 0.001)
        patch.setattr(watchdog_module.Watchdog, "_check_guards", fail)
        patch.setattr(threading, "excepthook", lambda args: failures.append(str(args.exc_value)))
        failed = asyncio.run(test())
        failed.join(5)
    assert failures == ["of the watchdog"]
    try:
        assert asyncio.run(test()).is_alive()
    finally:
        WATCHDOG.stop()


def test_a_debugger_at_its_prompt_is_left_alone():
    namespace = {"__name__": "pdb", "sys": sys}
    exec("def prompt():\n    return sys._getframe()", namespace)
    assert is_debugged(namespace["prompt"]())
    assert not is_debugged(None)


def test_what_traces_stays_out_of_the_way_where_nothing_is_to_be_raised():
    unwinding = Unwinding(lambda: False)
    unwinding.finish()
    unwinding.finish()

    assert unwinding.take() is None


def test_the_context_of_a_threads_work_is_found_where_others_have_wrapped_it():
    context = contextvars.Context()
    work = functools.partial(context.run, int)

    assert context_of(work) is context
    assert context_of(functools.partial(print, 1, functools.partial(print), work)) is context
    assert context_of(int) is None


async def test_a_thread_of_the_test_is_none_of_the_workers(engine):
    assert engine.loop
    async with Engine() as other:
        assert other.loop
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()

    assert engine.threads.at_work() == []


async def test_what_a_finished_instance_left_for_the_loop_is_closed_and_not_complained_of(engine, recwarn):
    async def numbers():
        yield 1
        yield 2

    async def workflow(event, step):
        async for _ in numbers():
            break

    handle = await engine.bind("W", workflow).create({"id": "x"})
    while (await handle.status())["status"] != "complete":
        await asyncio.sleep(0)
    engine.stop()
    engine.stopped_tasks.close()

    assert not recwarn.list


async def test_a_loop_that_was_closed_just_now_is_not_asked(engine):
    loop = asyncio.new_event_loop()
    loop.close()

    engine._loop.guard._ask(loop, 0.0)
    assert not engine._loop.guard.is_over()

    engine._loop.guard._ask(None, 0.0)
    assert engine._loop.guard.is_over()


@pytest.mark.skipif(not hasattr(asyncio, "eager_task_factory"), reason="Python 3.12 and later")
async def test_a_killed_life_whose_tasks_run_eagerly_leaves_none_to_the_loops_end(engine):
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)

    async def at_once():
        engine.crash(binding.workflow, "x")

    async def workflow(event, step):
        if not runs:
            runs.append(1)
            await asyncio.create_task(at_once())
            asyncio.create_task(asyncio.sleep(0))  # noqa: RUF006 (the life is over)
            await asyncio.get_running_loop().create_future()
        return "done"

    runs = []
    binding = engine.bind("W", workflow)
    before = asyncio.all_tasks()
    handle = await binding.create({"id": "x"})
    await engine.run_until_idle(timeout=5)

    assert (await handle.status())["output"] == "done"
    assert asyncio.all_tasks() == before


async def test_c_code_of_a_task_is_known_by_the_tasks_scope(engine, ended, monkeypatch):
    monkeypatch.setattr(watchdog_module, "SIGNAL", None)

    async def workflow(event, step):
        await step.do("s")(sleep_a_second)()

    await engine.bind("W", workflow).create({"id": "x"})
    with contextlib.suppress(WaitTimeoutError):
        await engine.run_until_idle()

    assert "Step 's-1' (attempt 1) of instance 'x' of 'W' does not give way" in ended[0]


def test_a_signal_that_comes_to_code_of_ours_waits_for_the_users():
    namespace = {"sys": sys}
    exec(compile("frame = sys._getframe()", watchdog_module.__file__, "exec"), namespace)
    strike = Strike(Named(), is_interrupt=False)

    strike.hit(namespace["frame"])

    assert strike.hits == 1
    assert strike.error is None


@pytest.mark.parametrize(
    ("caller", "is_ours"),
    [(watchdog_module.__file__, True), (__file__, False), (None, False)],
    ids=["ours", "the user's", "the loop"],
)
async def test_what_a_library_does_is_the_doing_of_who_calls_it(caller, is_ours):
    found = []
    library = {"sys": sys, "note": lambda frame: found.append(is_for_us(frame))}
    exec(compile("def look(): note(sys._getframe())", "<string>", "exec"), library)
    look = library["look"]
    if caller is not None:
        calling = {"look": look}
        exec(compile("def call(): look()", caller, "exec"), calling)
        look = calling["call"]

    asyncio.get_running_loop().call_soon(look)
    await asyncio.sleep(0)

    assert found == [is_ours]


OBSERVER = """
from durable_engine import Observer


class Notes(Observer):
    def __init__(self):
        self.begun = self.done = 0

    def callback_ended(self, instance, run):
        self.begun += 1
        for _ in range(100):
            repr(run)
        self.done += 1
"""


@pytest.mark.parametrize("body", [swallow, spin], ids=["swallow", "spin"])
async def test_what_must_go_does_not_cut_an_observer_of_ours(body, tmp_path):
    own_folder(str(tmp_path))
    namespace = {"__name__": "notes"}
    exec(compile(OBSERVER, str(tmp_path / "notes.py"), "exec"), namespace)
    notes = namespace["Notes"]()

    async def workflow(event, step):
        await step.do("s")(body)()

    async with Engine(timeout=0.2) as engine:
        engine.observers.add(notes)
        await engine.bind("W", workflow).create({"id": "x"})
        with pytest.raises(EventLoopBlockedError):
            await engine.run_until_idle()

    assert notes.begun == notes.done == 1


def test_a_system_without_signals_and_timers_is_looked_after_as_well(monkeypatch):
    WATCHDOG.stop()
    WATCHDOG.stop()
    for name in ("SIGNAL", "ALARM"):
        monkeypatch.setattr(watchdog_module, name, None)

    def no_timer(stderr):
        raise OSError

    monkeypatch.setattr(watchdog_module, "CpuTimer", no_timer)
    guard = Named(owns=False)
    WATCHDOG.watch(guard)
    WATCHDOG.put_off()
    late = lasts()
    while not guard.spared.is_set() and time.monotonic() < late:
        time.sleep(0.01)
    WATCHDOG.stop()

    assert guard.spared.is_set()


class Named(watchdog_module.Guard):
    """Code of this test that does not give way, whatever it is told."""

    def __init__(self, *, applies=True, owns=True):
        self.spared = threading.Event()
        self._applies = applies
        self._owns = owns

    def is_overdue(self, now):
        return not self.spared.is_set()

    def deadline(self):
        return None

    def is_over(self):
        return False

    def applies(self):
        return self._applies

    def owns(self, frame):
        return self._owns

    def spare(self, until):
        self.spared.set()

    def error(self, frame):
        return RuntimeError("It does not give way.")

    def struck(self, unwinding):
        unwinding.finish()


@pytest.fixture
def ended(monkeypatch):
    """The texts with which the process would have been ended."""
    texts = []
    monkeypatch.setattr(watchdog_module, "LAST", 0.1)
    monkeypatch.setattr(WATCHDOG, "end_process", texts.append)
    WATCHDOG.stop()
    yield texts
    WATCHDOG.stop()


def wait_for(condition):
    """Wait, while signals come."""
    late = lasts()
    while not condition() and time.monotonic() < late:
        with contextlib.suppress(BaseException):
            threading.Event().wait(0.01)
    assert condition()


def test_code_that_catches_everything_ends_the_process_at_last(ended):
    guard = Named()
    WATCHDOG.watch(guard)
    wait_for(lambda: ended)
    WATCHDOG.unwatch(guard)

    assert ended[0] == (
        "\nIt does not give way.\nIt catches all that is raised in it: only the end of this process ends it.\n"
    )


def test_a_ctrl_c_that_was_seen_after_its_guard_was_gone_is_none_for_the_next():
    WATCHDOG.stop()
    first, second = Named(), Named()
    first.is_overdue = second.is_overdue = lambda now: False
    WATCHDOG.watch(first)
    WATCHDOG.unwatch(first)
    WATCHDOG._interrupted = time.monotonic() - 10  # as the watchdog's thread notes it, which a busy machine held up

    WATCHDOG.watch(second)

    assert not WATCHDOG.is_interrupted
    WATCHDOG.stop()


def test_time_in_which_the_process_stood_still_is_not_held_against_its_code(ended, monkeypatch):
    monkeypatch.setattr(watchdog_module, "SIGNAL", None)
    guard = Named()
    rounds = []
    listen = WATCHDOG._listen

    def stand_still(seconds):
        if seconds == watchdog_module.AGAIN:
            rounds.append(1)
            late = time.monotonic() + 0.2
            while time.monotonic() < late:
                listen(seconds)
        else:
            listen(seconds)

    monkeypatch.setattr(WATCHDOG, "_listen", stand_still)
    WATCHDOG.watch(guard)
    wait_for(lambda: ended)
    WATCHDOG.unwatch(guard)
    WATCHDOG.stop()

    assert len(rounds) >= 3  # of 0.2 s each, where LAST is 0.1


@pytest.mark.parametrize("owns", [True, False])
def test_code_that_takes_no_signals_ends_the_process_if_it_is_not_the_tests(ended, monkeypatch, owns):
    monkeypatch.setattr(watchdog_module, "SIGNAL", None)  # as on Windows
    guard = Named(owns=owns)
    WATCHDOG.watch(guard)
    wait_for(lambda: ended or guard.spared.is_set())
    WATCHDOG.unwatch(guard)
    WATCHDOG.stop()

    if owns:
        assert "\nIt is in code that takes no signals: only the end of this process ends it.\n" in ended[0]
    else:
        assert not ended


def test_a_ctrl_c_that_has_arrived_is_raised_no_more(ended, monkeypatch):
    monkeypatch.setattr(watchdog_module, "LAST", 60)
    asked = []
    guard = Named()
    guard.is_overdue = lambda now: False
    guard.interrupt = lambda: asked.append(1)
    WATCHDOG.watch(guard)
    WATCHDOG._interrupted = time.monotonic() - 10
    wait_for(lambda: WATCHDOG._strike is not None and WATCHDOG._strike.hits > 2)
    WATCHDOG.interrupt_arrived()
    wait_for(lambda: WATCHDOG._strike is None)

    guard.applies = lambda: False
    WATCHDOG._interrupted = time.monotonic() - 10
    wait_for(guard.spared.is_set)
    guard.spared.clear()
    wait_for(guard.spared.is_set)
    WATCHDOG.unwatch(guard)

    assert asked


def test_code_of_the_test_is_spared(ended):
    guard = Named(applies=False)
    WATCHDOG.watch(guard)
    wait_for(guard.spared.is_set)
    WATCHDOG.unwatch(guard)

    assert not ended


# -- the processor's time ---------------------------------------------------------------------------------------------

HOLDING = """
import asyncio, re, sys
from durable_engine import Engine

async def workflow(event, step):
    await step.do("s")(eval(sys.argv[1]))()

async def test():
    async with Engine(timeout=0.05) as engine:
        await engine.bind("W", workflow).create({"id": "x"})
        await engine.run_until_idle()

asyncio.run(test())
"""


def run_holding(code):
    return subprocess.run(
        [sys.executable, "-c", HOLDING, code], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such timer")
def test_code_that_holds_the_interpreters_lock_ends_the_process_and_shows_the_stack():
    result = run_holding("lambda: sum(range(10**15))")

    assert result.returncode == 2
    assert "it is in C code that holds the lock of the interpreter" in result.stderr
    assert 'File "<string>", line 1 in <lambda>' in result.stderr


def test_code_that_holds_the_interpreters_lock_and_looks_at_signals_is_ended():
    result = run_holding("lambda: 3 ** 10**9")

    assert result.returncode == 1
    assert "EventLoopBlockedError: Step 's-1' (attempt 1) of instance 'x' of 'W' does not give way" in result.stderr


def test_the_alarm_does_the_threads_work_and_only_once(ended):
    guard = Named(applies=True)
    guard.spared.set()
    WATCHDOG.watch(guard)
    signal.raise_signal(watchdog_module.ALARM)  # nothing is overdue
    guard.spared.clear()
    WATCHDOG._is_hitting = True
    signal.raise_signal(watchdog_module.ALARM)  # the handler is at work
    WATCHDOG._is_hitting = False
    guard.spared.set()
    WATCHDOG.unwatch(guard)

    assert not ended


def test_the_alarm_handles_what_is_overdue_while_the_thread_cannot_run():
    asked = []
    guard = Named()
    guard.applies = lambda: asked.append(guard) or False
    alone = watchdog_module.Watchdog()  # its thread never starts
    alone._guards[guard] = None

    alone._on_alarm(watchdog_module.ALARM, sys._getframe())

    assert asked == [guard]


def test_a_system_without_such_a_timer_says_so(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(OSError, match="only Linux"):
        CpuTimer(2)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such timer")
def test_a_system_that_gives_no_timer_says_so(monkeypatch):
    monkeypatch.setattr(cpu_timer, "_CPU_CLOCK", 12345)
    with pytest.raises(OSError, match="timer_create"):
        CpuTimer(2)


async def test_what_the_test_was_told_of_code_that_blocked_is_not_told_again(engine):
    async def workflow(event, step):
        await step.wait_for_event("w", "t")

    await engine.bind("W", workflow).create({"id": "x"})
    unwinding = Unwinding(lambda: False, EventLoopBlockedError("It blocks."))
    assert isinstance(unwinding.take(), EventLoopBlockedError)

    engine.instances[0].abort(unwinding.exception())

    engine.raise_aborted()
