"""A live engine: real time that passes by itself and is moved by hand, for a process that runs for weeks."""

import asyncio
import datetime
import functools
import gc
import itertools
import logging
import sys
import time
import weakref

import pytest
from disk import engine_on

from durable_engine import (
    WATCHDOG,
    Engine,
    EngineError,
    InvalidArgumentError,
    JsException,
    Limits,
    Observer,
    RealClock,
    StepKey,
    WaitTimeoutError,
    call_bounded,
    history_of,
    running_engine,
)
from durable_engine.context.scope import current_scope
from durable_engine.storage.store import Store
from durable_engine.time import live_waits
from durable_engine.time.pace import Pace

DAY = 86_400_000
HOUR = 3_600_000


class Machine:
    """The clocks of a machine, which stand still until somebody moves them."""

    def __init__(self, wall=1_800_000_000_000):
        self.wall = wall
        self.steady = 5_000

    def passes(self, ms):
        self.wall += ms
        self.steady += ms

    def clock(self, moved_ms=0):
        return RealClock(moved_ms, wall_ms=lambda: self.wall, steady_ms=lambda: self.steady)


@pytest.fixture
async def engine():
    async with Engine(clock=RealClock()) as engine:
        yield engine


def kinds(engine, handle, binding):
    row = engine.find(binding.workflow, handle.id).row
    return [event.kind for event in history_of(engine.store, row)]


async def ended(engine, binding, id, status="complete"):
    """Wait until an instance has ended, in real time."""
    found = engine.find(binding.workflow, id)
    await engine.wait(lambda: found.finished, lambda: f"{id} is to end", about=(binding.workflow.name, id), timeout=10)
    assert found.status == status
    return found


async def parked(engine, binding, id):
    """Wait until `run` waits for time or an event."""
    found = engine.find(binding.workflow, id)
    about = (binding.workflow.name, id)
    await engine.wait(lambda: found.status == "waiting" or found.root.parked, lambda: "parked", about=about, timeout=10)
    return found


# -- the clock ---------------------------------------------------------------------------------------------------------


def test_time_is_the_machines_and_what_was_added_by_hand():
    machine = Machine()
    clock = machine.clock(moved_ms=DAY)

    assert (clock.now_ms, clock.started_ms, clock.elapsed_ms) == (machine.wall + DAY, machine.wall + DAY, DAY)
    machine.passes(1500)
    assert clock.now_ms == machine.wall + DAY
    assert clock.now == datetime.datetime.fromtimestamp(clock.now_ms / 1000, datetime.UTC)


def test_the_clock_of_this_machine_passes_by_itself():
    before = time.time_ns() // 1_000_000

    assert before <= RealClock().now_ms <= time.time_ns() // 1_000_000 + 2


def test_time_goes_on_where_the_machines_clock_is_set_back():
    machine = Machine()
    clock = machine.clock()
    was = clock.now_ms
    machine.wall -= HOUR
    machine.passes(250)

    assert clock.now_ms == was + 250


def test_time_follows_a_machine_that_has_slept():
    machine = Machine()
    clock = machine.clock()
    machine.wall += HOUR
    machine.passes(1)

    assert clock.now_ms == machine.wall


def test_the_clocks_are_read_together_once_in_a_millisecond():
    machine, reads = Machine(), []

    def wall_ms():
        reads.append("wall")
        return machine.wall

    clock = RealClock(wall_ms=wall_ms, steady_ms=lambda: machine.steady)
    reads.clear()
    for _ in range(3):
        machine.passes(1)
        assert [clock.now_ms for _ in range(10)] == [machine.wall] * 10

    assert reads == ["wall"] * 3


def test_observers_are_notified_of_moves_by_hand_alone():
    machine = Machine()
    clock = machine.clock()
    seen = []
    clock.observers.append(seen.append)
    machine.passes(1000)
    clock.move_to(clock.now_ms - 5)
    assert seen == []

    clock.move_to(clock.now_ms + HOUR)

    assert seen == [clock.now]
    assert clock.moved_ms == HOUR


def test_timers_fire_in_the_order_of_their_times():
    clock = Machine().clock()
    now, seen = clock.now_ms, []
    for due in (3, 1, 2, 1):
        clock.schedule(now + due, 0.0, lambda due=due: seen.append(due), what="it")
    while (timer := clock.next_timer()) is not None:
        clock.fire(timer)

    assert seen == [1, 1, 2, 3]


def test_cancelled_timers_do_not_gather():
    clock = Machine().clock()
    kept = clock.schedule(clock.now_ms + 5, 0.0, list, what="the one that is kept")
    for _ in range(10_000):
        clock.schedule(clock.now_ms + DAY, 0.0, list, what="a limit").cancel()

    assert len(clock._timers) < 200
    assert [*clock.pending()] == [kept]
    assert clock.next_timer() is kept


def test_a_timer_that_is_held_comes_later_by_as_much_as_time_is_moved():
    clock = Machine().clock()
    held = clock.schedule(clock.now_ms + 10, 0.0, list, what="a limit", held=lambda: True)
    free = clock.schedule(clock.now_ms + 20, 0.0, list, what="a sleep", held=lambda: False)
    assert clock.next_by_hand() is free
    clock.release(held)

    clock.move_to(clock.now_ms + HOUR)

    assert (held.due - clock.now_ms, free.due - clock.now_ms) == (10, 20 - HOUR)
    assert clock.next_timer() is free


# -- what passes by itself ---------------------------------------------------------------------------------------------


async def test_an_engine_is_live_with_a_real_clock_alone(engine):
    assert engine.is_live
    assert not Engine().is_live


async def test_a_sleep_ends_by_itself(engine):
    async def workflow(event, step):
        await step.sleep("short", 20)
        return "over"

    binding = engine.bind("W", workflow)
    began = time.monotonic()
    await binding.create({"id": "x"})
    await ended(engine, binding, "x")

    assert 0.02 <= time.monotonic() - began < 5


async def test_a_shorter_sleep_ends_before_one_that_began_earlier(engine):
    seen = []

    async def workflow(event, step):
        await step.sleep("s", event.payload)
        seen.append(event.payload)

    binding = engine.bind("W", workflow)
    for ms in (DAY, 40, 5):
        await binding.create({"id": f"i{ms}", "params": ms})
    await ended(engine, binding, "i40")

    assert seen == [5, 40]


async def test_a_retry_comes_by_itself(engine):
    async def workflow(event, step):
        @step.do("flaky", config={"retries": {"limit": 1, "delay": 5}})
        async def flaky(ctx):
            if ctx.attempt == 1:
                raise ValueError("again")
            return ctx.attempt

        return await flaky()

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    await ended(engine, binding, "x")

    assert (await handle.status())["output"] == 2


async def test_the_timeout_of_an_attempt_ends_one_that_is_at_work(engine):
    async def workflow(event, step):
        @step.do("slow", config={"timeout": 20, "retries": {"limit": 0, "delay": 0}})
        async def slow():
            await asyncio.get_running_loop().create_future()

        await slow()

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    await ended(engine, binding, "x", "errored")

    assert "timed out after 20ms" in (await handle.status())["error"]["message"]


async def test_the_next_timer_is_asked_for_again_after_a_while(monkeypatch):
    monkeypatch.setattr(live_waits, "LONGEST", 0.01)
    machine = Machine()
    async with Engine(clock=machine.clock()) as engine:

        async def workflow(event, step):
            await step.sleep("an hour", "1 hour")

        binding = engine.bind("W", workflow)
        await binding.create({"id": "x"})
        await parked(engine, binding, "x")
        machine.wall += HOUR
        machine.passes(1)  # the machine has slept

        await ended(engine, binding, "x")


async def test_a_timer_that_fails_keeps_no_other_from_firing(engine):
    seen, logged = [], []
    engine.loop.set_exception_handler(lambda _, context: logged.append(str(context["exception"])))
    engine.schedule(engine.clock.now_ms, lambda: 1 / 0, what="it")
    fired = engine.loop.create_future()
    engine.schedule(engine.clock.now_ms, lambda: (seen.append(1), fired.set_result(None)), what="the other")
    await fired

    assert (seen, logged) == ([1], ["division by zero"])


async def test_many_timers_that_are_due_at_once_leave_turns_to_others(engine, monkeypatch):
    monkeypatch.setattr(live_waits, "SLICE", 0)
    turns, fired = [], []
    done = engine.loop.create_future()
    for number in range(5):
        engine.schedule(engine.clock.now_ms, lambda number=number: fired.append(number), what="it")
    engine.schedule(engine.clock.now_ms + 1, lambda: done.set_result(None), what="the last")
    while not done.done():
        turns.append(len(fired))
        await asyncio.sleep(0)

    assert fired == [0, 1, 2, 3, 4]
    assert set(turns) >= {1, 2, 3, 4}


# -- waits -------------------------------------------------------------------------------------------------------------


async def test_a_wait_without_a_limit_goes_on_for_longer_than_the_engines_timeout():
    async with Engine(clock=RealClock(), timeout=0.01) as engine:

        async def workflow(event, step):
            await step.sleep("s", 60)

        binding = engine.bind("W", workflow)
        handle = await binding.create({"id": "x"})

        types = [event["type"] async for event in await handle.subscribe()]

    assert types[-1] == "workflow_completed"


async def test_a_wait_with_a_limit_ends_there_and_says_what_it_waited_for(engine):
    async def workflow(event, step):
        await step.wait_for_event("w", "never")

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})
    found = await parked(engine, binding, "x")

    with pytest.raises(WaitTimeoutError, match=r"x to end\nIt did not happen within 0.01 seconds"):
        await engine.wait(lambda: found.finished, lambda: "x to end", about=("W", "x"), timeout=0.01)
    assert engine.next_deadline() is None


async def test_a_wait_raises_what_its_condition_raises(engine):
    def fail():
        raise InvalidArgumentError("no such condition")

    with pytest.raises(InvalidArgumentError, match="no such condition"):
        await engine.wait(fail, lambda: "it", about=("W", "x"))


async def test_a_wait_ends_with_the_engine(engine):
    binding = engine.bind("W", lambda event, step: None)
    wait = asyncio.ensure_future(engine.wait(lambda: False, lambda: "never", about=("W", "x")))
    other = asyncio.ensure_future(engine.wait(lambda: False, lambda: "never", about=("W", "y")))
    await asyncio.sleep(0)
    await binding.create({"id": "x"})  # something to check is on its way
    engine.close()

    results = await asyncio.gather(wait, other, return_exceptions=True)
    assert ["The engine was closed" in str(error) for error in results] == [True, True]


async def test_changes_of_one_turn_are_checked_together(engine):
    checks = []

    async def workflow(event, step):
        await step.do("a")(lambda: 1)()

    binding = engine.bind("W", workflow)

    def evaluate():
        checks.append(1)
        found = engine.find(binding.workflow, "x")
        return found is not None and found.finished

    waiting = asyncio.ensure_future(engine.wait(evaluate, lambda: "it", about=("W", "x")))
    other = asyncio.ensure_future(engine.wait(lambda: False, lambda: "it", about=("W", "y")))
    await asyncio.sleep(0)
    await binding.create({"id": "x"})
    await waiting
    other.cancel()

    assert len(checks) < 10


async def test_the_engine_is_idle_where_nothing_is_at_work_whatever_time_brings(engine):
    async def workflow(event, step):
        await step.do("a")(lambda: 1)()
        await step.sleep("long", "1 day")

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})

    await engine.run_until_idle()

    assert (await handle.status())["status"] == "waiting"


async def test_a_wait_for_idleness_says_what_is_at_work(engine):
    async def workflow(event, step):
        await asyncio.get_running_loop().create_future()

    async def forever():
        await asyncio.get_running_loop().create_future()

    await engine.bind("W", workflow).create({"id": "x"})
    call = engine.worker_calls.spawn(forever(), "The alarm")

    with pytest.raises(WaitTimeoutError, match="Still at work: 'x', The alarm"):
        await engine.run_until_idle(timeout=0.01)
    call.cancel()


async def test_code_that_settles_is_not_waited_for_in_real_time(engine):
    async def workflow(event, step):
        await step.do("a")(lambda: 1)()

    handle = await engine.bind("W", workflow).create({"id": "x"})
    await engine.settle()

    assert (await handle.status())["status"] == "complete"
    assert not engine.is_time_moving


# -- time by hand ------------------------------------------------------------------------------------------------------


async def test_the_clock_is_moved_to_a_moment_and_what_is_due_on_the_way_happens_at_its_time(engine):
    at = []

    async def workflow(event, step):
        for day in range(3):
            await step.sleep(f"day {day}", "1 day")
            at.append(await step.do("note")(lambda: engine.clock.now_ms)())
        return "done"

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    await parked(engine, binding, "x")
    began = engine.clock.now_ms
    await engine.travel_to(engine.clock.now + datetime.timedelta(days=4))

    assert (await handle.status())["output"] == "done"
    assert [round((ms - began) / DAY, 3) for ms in at] == [1, 2, 3]
    assert 0 <= engine.clock.now_ms - began - 4 * DAY < 60_000


async def test_what_is_not_due_is_nearer_after_a_move(engine):
    async def workflow(event, step):
        await step.sleep("a day", "1 day")

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})
    await parked(engine, binding, "x")

    await engine.advance(DAY - 10)

    await ended(engine, binding, "x")


async def test_the_clock_does_not_go_back(engine):
    with pytest.raises(InvalidArgumentError, match="only moves forward"):
        await engine.travel_to(engine.clock.now - datetime.timedelta(seconds=5))


async def test_moves_at_the_same_time_come_one_after_the_other(engine):
    began = engine.clock.now_ms
    await asyncio.gather(engine.advance("1 day"), engine.advance("1 day"))

    assert engine.clock.now_ms - began >= DAY


async def test_asyncio_sleeps_of_run_and_of_a_step_come_nearer_too(engine):
    seen = []

    async def workflow(event, step):
        @step.do("naps")
        async def naps():
            loop = asyncio.get_running_loop()
            before = loop.time()
            await asyncio.sleep(3600)
            seen.append(round(loop.time() - before))

        await naps()
        await asyncio.sleep(7200)
        seen.append("run")

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})
    await engine.settle()
    await engine.advance(1_800_000)
    assert seen == []
    await engine.advance(1_800_000 + 1000)
    assert seen == [3600]
    await engine.advance(7_200_000)

    await ended(engine, binding, "x")
    assert seen == [3600, "run"]


async def test_an_asyncio_sleep_goes_before_a_durable_one_that_comes_later(engine):
    seen = []

    async def workflow(event, step):
        async def nap():
            await asyncio.sleep(60)
            seen.append("nap")

        napping = asyncio.create_task(nap())
        await step.sleep("s", "1 hour")
        seen.append("sleep")
        await napping

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})
    await engine.settle()
    await engine.advance("2 hours")

    assert seen == ["nap", "sleep"]


async def test_what_waits_for_something_foreign_is_not_raced_by_a_move(engine, monkeypatch):
    monkeypatch.setattr(live_waits, "REST", 0.01)
    answer = asyncio.get_running_loop().create_future()

    async def workflow(event, step):
        @step.do("request", config={"timeout": "10 minutes", "retries": {"limit": 0, "delay": 0}})
        async def request():
            async with asyncio.timeout(30):
                return await answer

        return await asyncio.gather(request(), step.sleep("other", "1 hour"))

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    await engine.advance("1 day")
    answer.set_result("answered")
    await ended(engine, binding, "x")

    assert (await handle.status())["output"] == ["answered", None]


async def test_a_move_waits_for_a_step_that_is_at_work(engine):
    async def workflow(event, step):
        await step.sleep("first", "1 hour")
        await step.do("work")(lambda: asyncio.to_thread(time.sleep, 0.03))()
        await step.sleep("second", "1 hour")
        return engine.clock.now_ms

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    await parked(engine, binding, "x")
    began = engine.clock.now_ms
    await engine.advance("3 hours")

    ended_at = (await handle.status())["output"]
    assert 2 * HOUR <= ended_at - began < 2 * HOUR + 60_000


async def test_where_time_was_moved_to_is_kept_by_the_store():
    store = Store()
    async with Engine(clock=RealClock(), store=store) as engine:
        assert engine.store is store
        await engine.advance("3 days")
        moved = engine.clock.moved_ms

    async with Engine(clock=RealClock(), store=store) as again:
        assert store.moved_ms == again.clock.moved_ms == moved
        assert moved == pytest.approx(3 * DAY, abs=60_000)


async def test_without_a_loop_that_shows_its_timers_those_of_steps_stay_real(monkeypatch):
    monkeypatch.setattr(live_waits, "REST", 0.01)
    uvloop = pytest.importorskip("uvloop")
    seen = []

    async def main():
        async with Engine(clock=RealClock()) as engine:

            async def workflow(event, step):
                async def nap(ms):
                    await asyncio.sleep(ms / 1000)
                    seen.append(ms)

                await asyncio.gather(nap(1_000_000), nap(5_000_000))

            await engine.bind("W", workflow).create({"id": "x"})
            await engine.settle()
            await engine.advance(2_000_000)

    def run():
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    await asyncio.to_thread(run)
    assert seen == [1_000_000]


async def test_on_disk_the_clock_is_moved_from_outcome_to_outcome_as_run_gets_them(tmp_path):
    at = []

    async def workflow(event, step):
        for day in range(3):
            await step.sleep(f"day {day}", "1 day")
            at.append(await step.do("note")(lambda: engine.clock.now_ms)())

    path = tmp_path / "workflows.sqlite"
    async with engine_on(path, {"W": workflow}, clock=RealClock()) as engine:
        await engine.bindings["W"].create({"id": "x"})
        await engine.run_until_idle()
        began = engine.clock.now_ms
        await engine.advance("4 days")
        assert engine.find(engine.bindings["W"].workflow, "x").finished

    assert [round((ms - began) / DAY, 3) for ms in at] == [1, 2, 3]


async def test_the_next_process_goes_on_with_the_time_that_was_moved_to_and_its_ended_instances_expire(tmp_path):
    async def workflow(event, step):
        await step.sleep("nap", "2 days" if event.payload == "long" else 0)

    path = tmp_path / "workflows.sqlite"
    async with engine_on(path, {"W": workflow}, clock=RealClock()) as engine:
        retention = {"successRetention": "3 days"}
        await engine.bindings["W"].create({"id": "ends", "retention": retention})
        await engine.bindings["W"].create({"id": "sleeps", "params": "long", "retention": retention})
        await engine.run_until_idle()
        await engine.advance("1 day")
        was = engine.clock.now_ms

    async with engine_on(path, {"W": workflow}, clock=RealClock()) as engine:
        assert engine.clock.now_ms >= was
        await engine.run_until_idle()
        assert [one.status for one in engine.instances] == ["complete", "waiting"]
        await engine.advance("25 hours")
        assert [one.status for one in engine.instances] == ["complete", "complete"]
        await engine.advance("25 hours")
        assert instances(engine) == ["sleeps"]


async def test_what_is_over_by_hand_is_over_in_the_next_process(tmp_path):
    path = tmp_path / "workflows.sqlite"
    async with engine_on(path, {"W": waits}, clock=RealClock()) as engine:
        await engine.bindings["W"].create({"id": "x"})
        await engine.run_until_idle()
        engine.hasten(engine.bindings["W"].workflow, "x", StepKey("sleep", "nap", 1, DAY))
        await engine.run_until_idle()

    async with engine_on(path, {"W": waits}, clock=RealClock()) as engine:
        await engine.run_until_idle()
        found = engine.find(engine.bindings["W"].workflow, "x")
        assert [key.name for key in found.operations] == ["flaky"]


# -- what a step waits for is now --------------------------------------------------------------------------------------


async def waits(event, step):
    await step.sleep("nap", "1 day")

    @step.do("flaky", config={"retries": {"limit": 1, "delay": "1 day"}})
    async def flaky(ctx):
        if ctx.attempt == 1:
            raise ValueError("again")
        return ctx.attempt

    attempts = await flaky()
    try:
        await step.wait_for_event("approval", "ok", timeout="1 day")
    except Exception as error:
        return f"{attempts} {error}"


@pytest.mark.parametrize("clock", [RealClock, None])
async def test_a_sleep_a_retry_and_a_wait_are_over_now_without_a_move_of_time(clock):
    async with Engine(clock=clock and clock()) as engine:
        binding = engine.bind("W", waits)
        handle = await binding.create({"id": "x"})
        began = engine.clock.now_ms
        for key in (
            StepKey("sleep", "nap", 1, DAY),
            StepKey("do", "flaky", 1),
            StepKey("wait_for_event", "approval", 1),
        ):
            await engine.settle()
            engine.hasten(binding.workflow, "x", key)
        await engine.settle()

        assert (await handle.status())["output"] == f"2 Error: WorkflowTimeoutError: Execution timed out after {DAY}ms"
        assert engine.clock.now_ms - began < 60_000
        assert "WAIT_TIMED_OUT" in kinds(engine, handle, binding)


async def test_a_retry_that_is_now_stays_now_over_a_pause():
    async with Engine(clock=RealClock()) as engine:
        release = asyncio.get_running_loop().create_future()

        async def workflow(event, step):
            @step.do("flaky", config={"retries": {"limit": 1, "delay": "1 day"}})
            async def flaky(ctx):
                if ctx.attempt == 1:
                    raise ValueError("again")

            @step.do("held")
            async def held():
                await release

            await asyncio.gather(flaky(), held())

        binding = engine.bind("W", workflow)
        handle = await binding.create({"id": "x"})
        await engine.settle()
        await handle.pause()
        key = StepKey("do", "flaky", 1)
        engine.hasten(binding.workflow, "x", key)
        with pytest.raises(EngineError, match="it has come already"):
            engine.hasten(binding.workflow, "x", key)
        release.set_result(None)
        await engine.settle()
        assert (await handle.status())["status"] == "paused"
        with pytest.raises(EngineError, match="the instance is paused"):
            engine.hasten(binding.workflow, "x", key)

        await handle.resume()
        await ended(engine, binding, "x")


async def test_a_wait_that_run_has_not_asked_for_again_is_refused_in_words(engine):
    runs = []

    async def workflow(event, step):
        runs.append(event)
        if len(runs) > 1:
            await step.sleep("first", "1 day")
        await step.wait_for_event("word", "word", timeout="2 days")

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})
    await engine.settle()
    engine.crash(binding.workflow, "x")
    await engine.settle()

    with pytest.raises(EngineError, match="`run` has not asked for it since it was last begun anew"):
        engine.hasten(binding.workflow, "x", StepKey("wait_for_event", "word", 1))


async def test_what_waits_for_nothing_is_refused_in_words(engine):
    answer = asyncio.get_running_loop().create_future()

    async def workflow(event, step):
        async def asks():
            return await answer

        await step.do("first")(lambda: 1)()
        await asyncio.gather(step.do()(asks)(), step.sleep("nap", "1 day"))

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})
    await engine.settle()

    def refused(name, kind="do", id="x"):
        with pytest.raises(EngineError) as caught:
            engine.hasten(binding.workflow, id, StepKey(kind, name, 1))
        return str(caught.value)

    assert (
        refused("first")
        == "Step 'first-1' of instance 'x' waits for nothing that could come now: it is over (complete)."
    )
    assert refused("asks").endswith("attempt 1 is at work.")
    assert refused("other").endswith("the instance has not asked for it. Those that wait: 'nap-1'.")
    with pytest.raises(JsException, match="not_found"):
        engine.hasten(binding.workflow, "nobody", StepKey("do", "first", 1))
    await (await binding.get("x")).terminate()
    assert refused("nap", "sleep").endswith("the instance has ended (terminated).")


async def test_nothing_waits_in_an_instance_that_only_computes(engine):
    async def workflow(event, step):
        await asyncio.get_running_loop().create_future()

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})
    with pytest.raises(EngineError, match="Those that wait: none"):
        engine.hasten(binding.workflow, "x", StepKey("do", "a", 1))


# -- no test that waits for it -----------------------------------------------------------------------------------------


async def test_no_watchdog_guards_the_loop(engine):
    guards = len(WATCHDOG._guards)
    await engine.bind("W", lambda event, step: None).create({"id": "x"})
    await engine.run_until_idle()

    assert len(WATCHDOG._guards) == guards


async def test_a_handler_may_take_longer_than_a_wait():
    async with Engine(clock=RealClock(), timeout=0.01) as engine:

        async def handler():
            await asyncio.sleep(0.05)
            return "answer"

        assert await call_bounded(engine, "The fetch handler", handler) == "answer"
        assert await call_bounded(engine, "The fetch handler", lambda: "at once") == "at once"
        assert not engine.worker_calls.open
        call = engine.worker_calls
        assert call._leads == {}


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
async def test_what_would_end_a_process_ends_the_attempt_that_raises_it(engine, error):
    async def workflow(event, step):
        @step.do("exits", config={"retries": {"limit": 0, "delay": 0}})
        async def exits():
            raise error

        await exits()

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})

    await ended(engine, binding, "x", "errored")


@pytest.mark.parametrize("error", [SystemExit(3), ValueError("no")])
async def test_what_an_alarm_raises_is_logged_and_ends_nothing(engine, caplog, error):
    async def alarm():
        raise error

    with caplog.at_level(logging.ERROR, "durable_engine"):
        engine.worker_calls.call_at(engine.clock.now_ms, alarm, "The alarm")
        await asyncio.sleep(0)
        while not caplog.records:
            await asyncio.sleep(0)

    assert caplog.records[0].exc_info[1] is error
    engine.raise_aborted()


async def test_alarms_that_set_themselves_anew_go_on_for_ever(engine, monkeypatch):
    rounds = []
    done = asyncio.get_running_loop().create_future()

    async def alarm():
        rounds.append(1)
        if len(rounds) == 30:
            done.set_result(None)
        else:
            engine.worker_calls.call_at(engine.clock.now_ms, alarm, "The alarm")

    monkeypatch.setattr("durable_engine.time.waits.MOST_ROUNDS", 3)
    engine.worker_calls.call_at(engine.clock.now_ms, alarm, "The alarm")

    await asyncio.wait_for(done, 5)


async def test_ids_of_two_processes_differ():
    ids = []
    for _ in range(2):
        async with Engine(clock=RealClock()) as engine:
            ids.append((await engine.bind("W", lambda event, step: None).create()).id)
    async with Engine(clock=RealClock(), seed=7) as engine, Engine(seed=7) as other:
        assert engine.seed == other.seed == 7

    assert len(set(ids)) == 2


# -- weeks -------------------------------------------------------------------------------------------------------------


def refs_to(things):
    gc.collect()
    return sum(ref() is not None for ref in things)


async def test_an_instance_that_has_ended_holds_on_to_nothing_of_its_course(engine):
    class Big:
        pass

    big = []

    async def workflow(event, step):
        mine = Big()
        big.append(weakref.ref(mine))

        @step.do("a")
        async def a():
            kept = mine
            return bool(kept)

        await a()
        nap = step.sleep("nap", 1)
        await asyncio.create_task(step.do("b")(lambda: 1)())
        await nap
        if event.payload == "fails":
            raise ValueError("no")

    binding = engine.bind("W", workflow)
    for id in ("good", "fails"):
        await binding.create({"id": id, "params": id})
        await ended(engine, binding, id, "complete" if id == "good" else "errored")

    assert refs_to(big) == 0
    assert engine.exceptions == {}
    assert engine.paths.executions(1) == []


async def test_what_is_left_of_a_deleted_instance_is_nothing(engine):
    async def workflow(event, step):
        await step.sleep_until("moment", engine.clock.now_ms + 5)
        await step.do("a")(lambda: 1)()

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    key = (await ended(engine, binding, "x")).row.key
    assert (engine.hazards._until, engine._usage.keys()) == ({key: engine.hazards._until[key]}, {key})
    await handle.delete()

    assert (engine.hazards._until, engine.hazards._events, engine._usage) == ({}, {}, {})


async def test_observers_are_notified_of_an_instance_that_is_gone(engine):
    gone = []

    class Forgetting(Observer):
        def instance_discarded(self, row):
            gone.append(row.id)

    engine.observers.add(Forgetting())
    handle = await engine.bind("W", lambda event, step: None).create({"id": "x"})
    await handle.delete()

    assert gone == ["x"]


async def test_stopped_code_is_put_away_in_the_next_turn_and_can_do_nothing(engine):
    seen, big = [], []

    class Big:
        pass

    async def workflow(event, step):
        mine = Big()
        big.append(weakref.ref(mine))
        try:
            await step.sleep("nap", "1 day")
        finally:
            seen.append((current_scope.get().instance.killed, running_engine()))
            print("nobody sees this")
            spawned = asyncio.get_running_loop().create_task(asyncio.sleep(0))
            seen.append(spawned)
            await step.do("in vain")(lambda: seen.append("never"))()

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    await parked(engine, binding, "x")
    await handle.pause()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert seen[0] == (True, None)
    await seen[1]
    assert refs_to(big) == 0
    assert len(seen) == 2
    await handle.resume()
    await parked(engine, binding, "x")


async def test_stopped_code_gets_no_answer_of_a_binding(engine):
    seen = []

    async def workflow(event, step):
        try:
            await step.sleep("nap", "1 day")
        finally:
            await binding.create({"id": "another"})
            seen.append("never")

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    await parked(engine, binding, "x")
    await handle.terminate()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert seen == []
    assert engine.find(binding.workflow, "another") is None


async def test_a_generator_that_stopped_code_iterates_over_is_put_away_with_it(engine):
    seen = []

    async def workflow(event, step):
        async def days():
            try:
                for day in range(3):
                    await step.sleep(f"day {day}", "1 day")
                    yield day
            finally:
                seen.append("closed")

        async for _ in days():
            pass

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    await parked(engine, binding, "x")
    await handle.pause()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    # Before 3.14 a generator that is waited for may refuse to be closed: it is left where it is, and never runs again.
    assert seen == ["closed"] or sys.version_info < (3, 14)


async def test_a_finally_block_that_would_end_the_process_ends_nothing(engine):
    raised = []

    async def workflow(event, step):
        try:
            await step.sleep("nap", "1 day")
        finally:
            raised.append(1)
            raise KeyboardInterrupt

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    await parked(engine, binding, "x")
    await handle.terminate()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert raised == [1]


async def test_what_is_stopped_where_no_loop_runs_is_kept_until_it_is_closed():
    closed = []

    async def workflow(event, step):
        try:
            await step.sleep("nap", "1 day")
        finally:
            closed.append(1)

    engine = Engine(clock=RealClock())
    loop = asyncio.new_event_loop()
    loop.run_until_complete(_create(engine, workflow)) if not asyncio._get_running_loop() else await asyncio.to_thread(
        loop.run_until_complete, _create(engine, workflow)
    )
    engine.close()
    assert closed == []
    engine.stopped_tasks.close()
    loop.close()

    assert closed == [1]


async def _create(engine, workflow):
    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})
    await parked(engine, binding, "x")


async def test_a_call_of_the_workers_code_that_nobody_awaits_is_a_finding_and_forgotten(engine):
    binding = engine.bind("W", lambda event, step: None)

    def handler():
        binding.create({"id": "x"})

    await call_bounded(engine, "The fetch handler", handler)
    gc.collect()

    assert engine.calls.forgotten == []
    assert [(one.rule, one.message) for one in engine.take_findings()] == [
        ("missing-await", "W.create(...) was never awaited")
    ]
    await binding.create({"id": "y"})
    assert engine.take_findings() == []


async def test_who_gives_up_waiting_for_a_change_leaves_nothing(engine):
    for _ in range(100):
        engine.activity.next_change(("W", "x")).cancel()
    last = engine.activity.next_change(("W", "x"))

    assert engine.activity._listeners == {("W", "x"): [last]}


async def test_the_newest_findings_are_kept(engine, monkeypatch):
    for number in range(1200):
        engine.findings.add("a-rule", f"number {number}", ("file.py", number))

    found = engine.take_findings()
    assert (len(found), found[0].message, found[-1].message) == (1000, "number 200", "number 1199")
    assert engine.findings.add("a-rule", "number 1199", ("file.py", 1199)) is None


async def test_the_newest_executions_of_an_instance_are_kept(engine):
    async def workflow(event, step):
        await step.sleep("nap", "1 day")

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    for _ in range(8):
        await parked(engine, binding, "x")
        await handle.pause()
        await handle.resume()

    assert len(engine.paths.executions(1)) == 4


async def test_what_nobody_provides_is_not_kept():
    class Missing(Exception):
        pass

    async with Engine(clock=RealClock(), unprovided=(Missing,)) as engine:

        async def workflow(event, step):
            @step.do("asks")
            async def asks():
                raise Missing("KV")

            await asks()

        binding = engine.bind("W", workflow)
        handle = await binding.create({"id": "x"})
        await ended(engine, binding, "x", "errored")

        assert kinds(engine, handle, binding).count("ATTEMPT_START") == 1
        assert engine.unprovided.pending == []


def test_details_of_history_that_were_shared_do_not_gather():
    store = Store()
    first = store.add_instance("W", "a", 0, b"")
    second = store.add_instance("W", "b", 0, b"")
    from durable_engine import HistoryRow

    for number in range(10_500):
        store.record(first.key, [HistoryRow("ATTEMPT_FAILURE", None, 0, {"error": number})])
    store.record(second.key, [HistoryRow("ATTEMPT_FAILURE", None, 0, {"error": -1})])
    store.delete_instances([first.key])

    assert store._details == {}
    assert store.history(second.key)[0].detail == {"error": -1}


# -- what is kept no longer --------------------------------------------------------------------------------------------


def instances(engine):
    return sorted(id for _, id in engine.lifecycle._executions)


async def test_ended_instances_go_when_their_time_has_come(engine):
    async def workflow(event, step):
        if event.payload == "fails":
            raise ValueError("no")

    binding = engine.bind("W", workflow)
    retention = {"successRetention": "1 day", "errorRetention": "2 days"}
    await binding.create({"id": "a", "params": "works", "retention": retention})
    await binding.create({"id": "b", "params": "fails", "retention": retention})
    await binding.create({"id": "c", "params": "works"})
    await engine.run_until_idle()

    assert instances(engine) == ["a", "b", "c"]
    await engine.advance("25 hours")
    assert instances(engine) == ["b", "c"]
    await engine.advance("24 hours")
    assert instances(engine) == ["c"]
    await engine.advance("27 days")
    assert instances(engine) == ["c"]
    await engine.advance("2 days")
    assert instances(engine) == []
    assert engine.store.all_instances() == []


async def test_the_limits_say_for_how_long_an_ended_instance_is_kept():
    async with Engine(clock=RealClock(), limits=Limits(kept=DAY)) as engine:
        await engine.bind("W", lambda event, step: None).create({"id": "x"})
        await engine.run_until_idle()
        await engine.advance("25 hours")

        assert instances(engine) == []


async def test_one_that_runs_again_or_is_another_does_not_go(engine):
    async def workflow(event, step):
        await step.sleep("nap", "10 days" if event.payload == "long" else 0)

    binding = engine.bind("W", workflow)
    kept = {"successRetention": "1 day"}
    handles = {id: await binding.create({"id": id, "retention": kept}) for id in ("deleted", "again", "ended")}
    await engine.run_until_idle()
    await handles["deleted"].delete()
    await binding.create({"id": "deleted", "params": "long", "retention": kept})
    await engine.advance("23 hours")
    await handles["again"].restart()
    await engine.run_until_idle()
    await engine.advance("2 hours")

    assert instances(engine) == ["again", "deleted"]


async def test_many_go_together_in_several_turns(engine):
    binding = engine.bind("W", lambda event, step: None)
    other = engine.bind("V", lambda event, step: None)
    for _ in range(2):
        await binding.create_batch([{"retention": {"successRetention": "1 hour"}} for _ in range(60)])
    await other.create({"retention": {"successRetention": "1 minute"}})
    await engine.run_until_idle()
    await engine.advance("2 hours")

    assert instances(engine) == []


async def test_what_one_turn_has_no_time_for_goes_in_the_next_one(engine):
    binding = engine.bind("W", lambda event, step: None)
    await binding.create_batch([{"retention": {"successRetention": "1 hour"}} for _ in range(60)])
    await engine.run_until_idle()
    engine.clock.move_to(engine.clock.now_ms + 2 * HOUR)
    engine.expiry._sweep_now()

    assert len(instances(engine)) == 10
    assert engine.expiry._sweep.due <= engine.clock.now_ms


def test_an_instance_that_has_not_ended_does_not_expire():
    store = Store()
    engine = Engine(clock=Machine().clock(), store=store)
    engine.expiry.note(store.add_instance("W", "x", 0, b""))

    assert engine.clock.next_timer() is None


# -- short turns -------------------------------------------------------------------------------------------------------


async def test_many_instances_that_are_ready_leave_turns_to_others(engine):
    ended_in = []

    async def workflow(event, step):
        for number in range(3):
            await step.do(f"s{number}")(lambda: sum(range(2000)))()
        ended_in.append(turns)

    binding = engine.bind("W", workflow)
    turns = 0
    for _ in range(5):
        await binding.create_batch([{} for _ in range(100)])
    while engine.busy:
        turns += 1
        await asyncio.sleep(0)

    assert len(ended_in) == 500
    assert len(set(ended_in)) > 10  # they did not all go on in the same few turns


@pytest.mark.parametrize(("seconds", "parts"), [(0.0, [16, 20, 24]), (1.0, [16, 4, 4])])
async def test_a_turn_takes_as_much_as_it_has_time_for(monkeypatch, seconds, parts):
    now = itertools.count(step=seconds)
    monkeypatch.setattr("durable_engine.time.pace.thread_time", lambda: next(now))
    pace, done, found = Pace(asyncio.get_running_loop), [], []
    for number in range(100):
        pace.soon(functools.partial(done.append, number))
    for _ in parts:
        found.append(len(done) - sum(found))
        await asyncio.sleep(0)

    assert found == parts
    pace.close()


async def test_what_has_waited_goes_on_before_what_comes_then():
    pace, done = Pace(asyncio.get_running_loop), []

    def go_on(number):
        done.append(number)
        if number == 16:  # the first one of the second turn
            pace.soon(lambda: done.append("late"))

    for number in range(30):
        pace.soon(functools.partial(go_on, number))
    while len(done) < 31:
        await asyncio.sleep(0)

    assert done == [*range(30), "late"]


async def test_what_is_stopped_before_its_turn_does_not_begin(engine):
    began = []

    async def workflow(event, step):
        began.append(event.instanceId)
        await step.sleep("nap", "1 day")

    binding = engine.bind("W", workflow)
    handles = await binding.create_batch([{"id": f"i{n}"} for n in range(100)])
    for handle in handles[50:]:
        await handle.terminate()
    await engine.run_until_idle()

    assert len(began) == 50


async def test_a_callback_that_is_stopped_before_its_turn_does_not_begin(engine):
    called = []

    async def workflow(event, step):
        @step.do("a")
        async def a():
            called.append(event.instanceId)
            await asyncio.get_running_loop().create_future()

        await asyncio.gather(*[step.do(f"s{n}")(lambda: called.append(1))() for n in range(200)])

    binding = engine.bind("W", workflow)
    handle = await binding.create({"id": "x"})
    while not called:
        await asyncio.sleep(0)
    await handle.terminate()
    await engine.settle()

    assert len(called) < 200


async def test_nothing_goes_on_after_the_engine_is_closed():
    began = []
    async with Engine(clock=RealClock()) as engine:
        binding = engine.bind("W", lambda event, step: began.append(1))
        await binding.create_batch([{} for _ in range(100)])
        engine.close()
    for _ in range(5):
        await asyncio.sleep(0)

    assert len(began) < 100
