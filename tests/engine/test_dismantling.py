"""What an engine is made from goes when its test is over, and whoever asks for it is told why it is not there."""

import asyncio
import gc
import weakref

import pytest

from durable_engine import Engine, EngineClosedError, RealClock


async def three_steps(event, step):
    for name in ("one", "two", "three"):
        await step.do(name)(lambda: None)()
    await step.sleep("a day", "1 day")


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
async def engine():
    async with Engine() as engine:
        yield engine


async def ended():
    engine = Engine()
    binding = engine.bind("W", three_steps)
    handle = await binding.create({"id": "x"})
    await engine.run_until_idle()
    return engine, binding, handle


async def test_what_a_test_has_used_is_gone_without_the_garbage_collector(without_collector):
    engine, _, _ = await ended()
    [execution] = engine.instances
    await engine.check_by_replay(execution)
    parts = [weakref.ref(one) for one in (engine, execution, engine.lifecycle, engine.waits, engine.store)]
    engine.close()
    engine.stopped_tasks.close()
    engine.dismantle()

    del engine, execution, _
    await asyncio.sleep(0)

    assert [part() for part in parts] == [None] * len(parts)


async def test_an_instance_that_is_discarded_is_gone_without_the_garbage_collector(without_collector, engine):
    binding = engine.bind("W", three_steps)
    await binding.create({"id": "x"})
    await engine.run_until_idle()
    [execution] = engine.instances
    workflow, execution = execution.workflow, weakref.ref(execution)

    engine.discard(workflow, ["x"])
    await asyncio.sleep(0)

    assert execution() is None


async def test_an_instance_whose_code_still_runs_keeps_what_that_needs(engine):
    async def workflow(event, step):
        async def late():
            await asyncio.get_running_loop().create_future()

        asyncio.create_task(late())  # noqa: RUF006 (what becomes of it is what is tested)

    binding = engine.bind("W", workflow)
    await binding.create({"id": "x"})
    await engine.run_until_idle()
    [execution] = engine.instances
    assert not execution.is_still

    engine.discard(execution.workflow, ["x"])

    assert execution.root is not None


async def test_whoever_keeps_something_of_a_test_that_is_over_is_told_so():
    engine, binding, handle = await ended()
    engine.close()
    engine.stopped_tasks.close()
    engine.dismantle()

    for ask in (
        lambda: engine.lifecycle,
        lambda: engine.loop,
        lambda: engine.bindings,
        lambda: engine.bind("V", three_steps),
        engine.check_open,
    ):
        with pytest.raises(EngineClosedError, match=r"^This belongs to a test that has ended \(its engine is closed\)"):
            ask()
    calls = (lambda: binding.create({"id": "y"}), lambda: binding.get("x"), handle.status, handle.pause, handle.restart)
    for call in calls:
        with pytest.raises(EngineClosedError, match="This belongs to a test that has ended"):
            await call()
    assert engine.closed
    assert (engine.instances, engine.busy, engine.running_loop, engine.next_deadline()) == ([], {}, None, None)
    assert engine.clock.elapsed_ms == 86_400_000
    assert not hasattr(engine, "lifecycle")
    assert getattr(engine, "lifecycle", None) is None
    engine.close()  # closing it again is fine
    engine.dismantle()


async def test_an_instance_that_somebody_has_kept_says_what_it_was():
    async def workflow(event, step):
        await step.sleep("for long", "1 day")

    engine = Engine(manual_clock=True)
    await engine.bind("W", workflow).create({"id": "x"})
    await engine.settle(most=5)
    [instance] = engine.instances
    assert instance.status == "waiting"
    engine.close()
    engine.stopped_tasks.close()
    engine.dismantle()

    assert (instance.id, instance.key, instance.status) == ("x", ("W", "x"), "waiting")
    assert repr(instance) == "<Instance 'x' of 'W': waiting>"
    assert instance.belongs_to(engine)
    assert instance.closed


async def test_what_no_engine_has_is_no_matter_of_its_end(engine):
    with pytest.raises(AttributeError, match="'Engine' object has no attribute 'nothing'") as caught:
        engine.nothing  # noqa: B018 (asking is what fails)

    assert not isinstance(caught.value, EngineClosedError)
    assert (caught.value.name, caught.value.obj) == ("nothing", engine)


async def test_a_live_engine_stays_what_it_is():
    async with Engine(clock=RealClock()) as engine:
        pass

    engine.dismantle()

    assert engine.lifecycle is not None


def test_a_look_at_threads_leaves_nothing_to_the_garbage_collector(without_collector):
    engine = Engine()

    engine.threads.at_work()

    assert gc.collect() == 0
