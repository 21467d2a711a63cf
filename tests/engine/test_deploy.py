"""A deploy: another source takes the place of the one that runs, and every instance goes on with it."""

import pytest

from durable_engine import Engine, FaultPoint, InvalidArgumentError, Modification, changes

STEP = FaultPoint.parse("stored:old#1")


@pytest.fixture
async def engine():
    async with Engine(now="2026-01-01T00:00:00Z", seed=1) as made:
        yield made


def source(name):
    async def run(event, step):
        await step.do(name)(lambda: name)()
        await step.sleep("nap", "1 day")
        return [name, event["instanceId"]]

    return run


def deploy_at(engine, point, **settings):
    def replace():
        with engine.deploying():
            engine.bind("W", source("new"), **settings)

    engine.faults.arm(point)
    engine.faults.deploy = replace


async def test_every_instance_goes_on_with_the_other_source_and_keeps_what_it_has_done(engine):
    binding = engine.bind("W", source("old"))
    deploy_at(engine, FaultPoint.parse("stored:old#1 in W/b"))

    first, second = await binding.create({"id": "a"}), await binding.create({"id": "b"})
    await engine.run_until_idle()

    assert [(await one.status())["output"] for one in (first, second)] == [["new", "a"], ["new", "b"]]
    for one in engine.instances:
        assert [row.key.name for row in engine.store.steps(one.row.key)] == ["old", "new", "nap"]
        assert len(engine.paths.executions(one.row.key)) == 2
    assert engine.take_findings() == []  # another source may take another path


async def test_no_instance_is_in_memory_meanwhile_and_the_one_at_the_point_comes_back_first(engine):
    begun = []

    async def run(event, step):
        begun.append(event["instanceId"])
        await source("old")(event, step)

    def replace():
        begun.append([one.killed for one in engine.instances])

    binding = engine.bind("W", run)
    engine.faults.deploy = replace
    engine.faults.arm(FaultPoint.parse("stored:old#1 in W/b"))

    await binding.create({"id": "a"})
    await binding.create({"id": "b"})
    await engine.run_until_idle()

    assert begun == ["a", "b", [True, True], "b", "a"]


async def test_after_a_deploy_a_name_is_taken_again(engine):
    with engine.deploying():
        engine.bind("W", source("old"))
        engine.bind("W", source("new"))

    with pytest.raises(InvalidArgumentError, match="The binding 'W' exists already"):
        engine.bind("W", source("newer"))


async def test_instances_that_have_ended_or_are_paused_have_nothing_to_lose(engine):
    binding = engine.bind("W", source("old"))
    ended = await binding.create({"id": "ended"})
    await engine.run_until_idle()
    paused = await binding.create({"id": "paused"})
    await engine.settle()
    await paused.pause()
    await engine.settle()
    deploy_at(engine, STEP)

    await binding.create({"id": "a"})
    await engine.run_until_idle()
    await paused.resume()
    await engine.run_until_idle()

    assert (await ended.status())["output"] == ["old", "ended"]
    assert (await paused.status())["output"] == ["new", "paused"]


async def test_instances_that_are_queued_begin_with_the_other_source(engine):
    binding = engine.bind("W", source("old"), concurrency=1)
    deploy_at(engine, STEP, concurrency=1)

    await binding.create({"id": "a"})
    queued = await binding.create({"id": "b"})
    await engine.run_until_idle()

    assert [row.key.name for row in engine.store.steps(engine.find(binding.workflow, "b").row.key)] == ["new", "nap"]
    assert (await queued.status())["status"] == "complete"


async def test_a_deploy_amid_a_sleep_comes_at_its_time(engine):
    binding = engine.bind("W", source("old"))
    point = FaultPoint("sleep", "nap", after=3_600_000)
    deploy_at(engine, point)

    instance = await binding.create({"id": "a"})
    await engine.run_until_idle()

    assert (await instance.status())["output"] == ["new", "a"]
    lost = engine.paths.executions(engine.instances[0].row.key)[0]
    assert lost.lost_at == engine.clock.started_ms + 3_600_000
    assert lost.is_replaced


async def test_a_crash_that_a_test_asks_for_is_no_deploy(engine):

    binding = engine.bind("W", source("old"))
    deploy_at(engine, FaultPoint.parse("end"))
    engine.modify(binding.workflow, "a", [Modification(changes.Crash(STEP, 1), "crash")])

    instance = await binding.create({"id": "a"})
    await engine.run_until_idle()

    assert [record.is_replaced for record in engine.paths.executions(engine.instances[0].row.key)] == [
        True,
        True,
        False,
    ]
    assert [row.key.name for row in engine.store.steps(engine.instances[0].row.key)] == ["old", "nap", "new"]
    assert (await instance.status())["output"] == ["new", "a"]
