"""Those who wait: several at a time, for what never comes, and real time that passes meanwhile."""

import asyncio
import datetime
import time

import pytest

from durable_engine import Engine, InstanceEndedError, NeverHappensError, WaitTimeoutError, encode

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
async def engine():
    async with Engine(now=START, timeout=2) as engine:
        yield engine


async def parked(event, step):
    await step.wait_for_event("w", "t")


def never(engine, *, step=False):
    """A wait for something about instance x that does not come."""
    return engine.wait(lambda: False, lambda: "Waiting for what does not come.", about=("W", "x"), step=step)


async def chained(awaitable):
    return await awaitable


# -- what never comes -------------------------------------------------------------------------------------------------


async def nested_in_tasks(engine):
    await asyncio.create_task(chained(asyncio.gather(never(engine), chained(never(engine)))))


async def in_a_task(engine):
    await asyncio.create_task(never(engine))


async def gathered(engine):
    await asyncio.gather(never(engine), never(engine))


@pytest.mark.parametrize("form", [never, in_a_task, gathered, nested_in_tasks])
async def test_who_waits_for_what_never_comes_is_told_at_once_however_it_is_awaited(engine, form):
    await engine.bind("W", parked).create({"id": "x"})
    await engine.run_until_idle()  # the wait has timed out: no timer is left

    began = time.monotonic()
    with pytest.raises(NeverHappensError, match=r"what does not come\.\nNothing can run, and no timer is left"):
        await form(engine)

    assert time.monotonic() - began < 1


async def test_a_task_of_the_test_that_waits_for_something_else_may_still_change_it(engine):
    release = asyncio.Event()

    async def other():
        await release.wait()

    task = asyncio.create_task(other())
    await engine.bind("W", parked).create({"id": "x"})
    await engine.run_until_idle()

    with pytest.raises(WaitTimeoutError, match=r"It did not happen within 0\.05 real seconds\.") as caught:
        await engine.wait(lambda: False, lambda: "Waiting.", about=("W", "x"), timeout=0.05)

    assert not isinstance(caught.value, NeverHappensError)
    release.set()
    await task


# -- several at a time ------------------------------------------------------------------------------------------------


async def test_a_wait_that_was_ended_is_not_looked_at_again(engine):
    looks = []
    handle = await engine.bind("W", parked).create({"id": "x"})
    await engine.advance(0)
    leader = asyncio.create_task(engine.run_until_idle())
    waiter = asyncio.create_task(
        engine.wait(lambda: looks.append("look"), lambda: "Waiting.", about=("W", "x"), step=True)
    )
    await asyncio.sleep(0)
    engine.lifecycle.restart(handle._workflow, "x", {})  # both are awake by now, the leader first
    before = len(looks)

    with pytest.raises(InstanceEndedError, match="restart"):
        await waiter
    assert len(looks) == before
    await leader


async def test_of_two_calls_that_end_a_wait_the_first_is_told(engine):
    handle = await engine.bind("W", parked).create({"id": "x"})
    await engine.advance(0)
    waiter = asyncio.create_task(never(engine, step=True))
    await asyncio.sleep(0)
    engine.lifecycle.restart(handle._workflow, "x", {})
    engine.lifecycle.terminate(handle._workflow, "x")

    with pytest.raises(InstanceEndedError, match=r"restart\(\) was called"):
        await waiter


# -- real time --------------------------------------------------------------------------------------------------------


async def test_a_timer_whose_real_time_has_passed_lets_everything_run_first(engine):
    """The loop's own clock is moved on, so that nothing waits in real time."""
    loop = asyncio.get_running_loop()
    log, skipped, started = [], 0.0, asyncio.Event()
    real = loop.time
    loop.time = lambda: real() + skipped

    async def workflow(event, step):
        async def busy():
            started.set()
            for number in range(20):
                await asyncio.sleep(0)
                log.append(number)

        async def nap():
            await step.sleep("nap", "1 hour")
            log.append("woke")

        await asyncio.gather(step.do("busy")(busy)(), nap())

    handle = await engine.bind("W", workflow).create()
    try:
        await started.wait()
        skipped = 3601.0
        while (await handle.status())["status"] != "complete":
            await asyncio.sleep(0)
    finally:
        del loop.time

    assert log == [*range(20), "woke"]
    assert engine.clock.now == START + datetime.timedelta(hours=1)


# -- the test's own tasks, and timers ---------------------------------------------------------------------------------


async def an_hour(event, step):
    try:
        return (await step.wait_for_event("w", "t", timeout="1 hour"))["payload"]
    except Exception:
        return "timed out"


async def at_once(handle):
    await handle.send_event({"type": "t", "payload": "in time"})


async def after_some_turns(handle):
    for _ in range(20):
        await asyncio.sleep(0)
    await at_once(handle)


async def after_a_short_sleep(handle):
    await asyncio.sleep(0.02)
    await at_once(handle)


async def after_several_short_sleeps(handle):
    for _ in range(3):
        await asyncio.sleep(0.01)
        await handle.send_event({"type": "other"})
    await at_once(handle)


@pytest.mark.parametrize(
    "send", [at_once, after_some_turns, after_a_short_sleep, after_several_short_sleeps], ids=lambda one: one.__name__
)
async def test_no_timer_fires_under_a_task_of_the_test_that_is_about_to_act(engine, send):
    handle = await engine.bind("W", an_hour).create({"id": "x"})

    await asyncio.gather(engine.run_until_idle(), send(handle))

    assert (await handle.status())["output"] == "in time"
    assert engine.clock.now == START


async def spin():
    while True:
        await asyncio.sleep(0)


async def doze():
    while True:
        await asyncio.sleep(0.05)


async def sleep_long():
    await asyncio.sleep(60)


@pytest.mark.parametrize("other", [spin, doze, sleep_long], ids=lambda one: one.__name__)
async def test_a_task_of_the_test_that_never_acts_does_not_stop_time(engine, other):
    async def naps(event, step):
        for _ in range(500):
            await step.sleep("nap", "1 day")

    task = asyncio.create_task(other())
    handle = await engine.bind("W", naps).create({"id": "x"})

    engine.timeout = 20  # 500 naps of the dozer's would take longer
    await engine.run_until_idle()

    assert (await handle.status())["status"] == "complete"
    task.cancel()


async def test_waits_at_once_each_end_with_what_they_wait_for_whichever_moved_time(engine):
    async def naps(event, step):
        await step.sleep("nap", event["payload"])

    binding = engine.bind("W", naps)
    lengths = {"first": "1 hour", "second": "2 hours", "third": "3 hours"}
    over = {}

    async def wait_for(id):
        about = ("W", id)
        await engine.wait(lambda: engine.require(binding.workflow, id).finished, lambda: f"For {id}.", about=about)
        over[id] = (engine.clock.now - START).total_seconds() / 3600

    for id, length in lengths.items():
        await binding.create({"id": id, "params": length})
    await asyncio.gather(*map(wait_for, lengths))

    assert over == {"first": 1, "second": 2, "third": 3}


async def nap(event, step):
    await step.sleep("nap", "20 milliseconds")
    return "done"


@pytest.mark.parametrize("call", ["pause", "terminate", "delete", "restart", "crash"])
async def test_timers_fire_in_real_time_whatever_happened_to_the_instance_that_started_one_first(engine, call):
    binding = engine.bind("W", nap)
    first = await binding.create({"id": "first"})
    await engine.settle()
    if call == "crash":
        engine.crash(binding.workflow, "first")
    else:
        await getattr(first, call)()
    second = await binding.create({"id": "second"})

    async with asyncio.timeout(2):
        while (await second.status())["status"] != "complete":
            await asyncio.sleep(0.005)


async def test_timers_fire_in_real_time_after_a_pause(engine):
    handle = await engine.bind("W", nap).create({"id": "x"})
    await engine.settle()
    await handle.pause()
    await handle.resume()

    async with asyncio.timeout(2):
        while (await handle.status())["status"] != "complete":
            await asyncio.sleep(0.005)


async def test_a_callback_of_the_loop_acts_in_time_too(engine):
    binding = engine.bind("W", an_hour)
    handle = await binding.create({"id": "x"})
    asyncio.get_running_loop().call_soon(engine.send_event, binding.workflow, "x", "t", encode("in time"))

    await engine.run_until_idle()

    assert (await handle.status())["output"] == "in time"


async def test_with_a_manual_clock_nobody_is_told_that_it_never_happens_before_a_task_has_acted():
    async with Engine(now=START, timeout=2, manual_clock=True) as engine:
        handle = await engine.bind("W", an_hour).create({"id": "x"})
        ended = engine.wait(lambda: engine.instances[0].finished, lambda: "the end", about=("W", "x"))

        await asyncio.gather(ended, at_once(handle))

        assert (await handle.status())["output"] == "in time"
