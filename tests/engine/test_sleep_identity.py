"""A sleep is known by its name and its duration: across lives, in fault points, for `restart` and for selectors."""

from datetime import UTC, datetime, timedelta

import pytest

from durable_engine import (
    Engine,
    FaultPoint,
    InvalidArgumentError,
    JsException,
    Modification,
    Selector,
    changes,
    steps_of,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 3_600_000


@pytest.fixture
async def engine():
    async with Engine(now="2026-01-01T00:00:00Z") as engine:
        yield engine


def sleeps(engine):
    """Of the only instance: label, milliseconds, seconds after the start when it began and ended, and status."""
    (instance,) = engine.instances
    found = []
    for step in steps_of(engine.store, instance.row):
        began = (step.started_at - START).total_seconds()
        ended = None if step.ended_at is None else (step.ended_at - START).total_seconds()
        found.append((step.key.label, step.key.duration, began, ended, step.status))
    return found


async def three(event, step):
    await step.sleep("s", 100)
    await step.sleep("s", 200)
    await step.sleep("s", 100)
    return 1


async def test_a_changed_duration_is_a_new_sleep_in_the_next_life(engine):
    durations = [HOUR, 2 * HOUR]

    async def workflow(event, step):
        await step.sleep("nap", durations[0])

    handle = await engine.bind("W", workflow).create()
    await engine.advance(HOUR / 2)
    durations.pop(0)
    engine.crash(engine.bindings["W"].workflow, handle.id)
    await engine.run_until_idle()

    assert sleeps(engine) == [
        ("nap-1", HOUR, 0, None, "waiting"),
        ("nap-1", 2 * HOUR, 1800, 1800 + 7200, "complete"),
    ]
    found = engine.take_findings()
    assert [finding.rule for finding in found] == ["changed-path"]
    assert (
        "asked for step.sleep 'nap-1' of 2 hours where it had asked for step.sleep 'nap-1' of 1 hour"
        in found[0].message
    )


@pytest.mark.parametrize("calls", [1, 2])
async def test_what_is_left_of_a_sleep_until_is_the_same_sleep(engine, calls):
    async def workflow(event, step):
        for _ in range(calls):
            step.sleep_until("nap", datetime(2026, 1, 1, 1))
        await step.sleep_until("nap", START + timedelta(hours=2))

    handle = await engine.bind("W", workflow).create()
    for _ in range(3):
        await engine.advance(HOUR / 4)
        engine.crash(engine.bindings["W"].workflow, handle.id)
    await engine.run_until_idle()

    first = [(f"nap-{number}", HOUR, 0, 3600, "complete") for number in range(1, calls + 1)]
    assert sleeps(engine) == [*first, ("nap-1", 2 * HOUR, 0, 7200, "complete")]


async def test_a_sleep_until_counts_with_sleeps_of_its_duration(engine):
    async def workflow(event, step):
        step.sleep("s", HOUR)
        step.sleep_until("s", START + timedelta(hours=1))
        await step.sleep("s", HOUR)

    handle = await engine.bind("W", workflow).create()
    await engine.advance(HOUR / 2)
    engine.crash(engine.bindings["W"].workflow, handle.id)
    await engine.run_until_idle()

    assert sleeps(engine) == [(f"s-{number}", HOUR, 0, 3600, "complete") for number in (1, 2, 3)]


async def test_a_sleep_until_a_time_that_is_read_anew_is_the_same_where_its_duration_is(engine):
    async def workflow(event, step):
        await step.sleep_until("s", engine.clock.now + timedelta(hours=1))

    handle = await engine.bind("W", workflow).create()
    await engine.advance(HOUR / 2)
    engine.crash(engine.bindings["W"].workflow, handle.id)
    await engine.run_until_idle()

    assert sleeps(engine) == [("s-1", HOUR, 0, 3600, "complete")]


async def test_a_sleep_until_the_past_is_not_counted(engine):
    async def workflow(event, step):
        with pytest.raises(JsException, match="time-traveler"):
            await step.sleep_until("s", START - timedelta(hours=1))
        await step.sleep("s", -HOUR)

    await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert sleeps(engine) == [("s-1", -HOUR, 0, 0, "complete")]


async def test_a_selector_counts_by_the_name_alone(engine):
    binding = engine.bind("W", three)
    selected = Modification(changes.DisableSleeps(Selector("s", 2)), "disable_sleeps(('s', 2))")
    engine.modify(binding.workflow, "a", [selected])

    await binding.create({"id": "a"})
    await engine.run_until_idle()

    assert engine.clock.now - START == timedelta(milliseconds=200)


@pytest.mark.parametrize(("count", "kept"), [(1, 0), (2, 1), (3, 2)])
async def test_restart_counts_by_the_name_alone_as_the_newest_engine_does(engine, count, kept):
    handle = await engine.bind("W", three).create()
    await engine.run_until_idle()

    await handle.restart({"from": {"name": "s", "type": "sleep", "count": count}})
    assert len(sleeps(engine)) == kept
    await engine.run_until_idle()
    assert (await handle.status())["output"] == 1
    with pytest.raises(JsException, match='Step "s" not found in execution history'):
        await handle.restart({"from": {"name": "s", "type": "sleep", "count": 4}})


async def reached(engine):
    engine.faults.recording = True
    await engine.bind("W", three).create({"id": "a"})
    await engine.run_until_idle()
    return [point for point in engine.faults.reached if point.kind == "sleep"]


async def test_fault_points_of_sleeps_of_one_name_are_told_apart(engine):
    points = await reached(engine)

    assert [point.short for point in points] == ["sleep:s#1", "sleep:s#1 of 200ms", "sleep:s#2 of 100ms"]
    assert points[1].title == 'in sleep "s" of 200ms'
    assert [point.after for point in points] == [50, 100, 50]
    assert [FaultPoint.parse(str(point)) for point in points] == points
    assert [FaultPoint.parse(point.shortest(points)).covers(point) for point in points] == [True] * 3


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("sleep:s", [True, True, False]),
        ("sleep:s#1 of 100ms", [True, False, False]),
        ("sleep:s#1 of 200ms in W/a", [False, True, False]),
        ("sleep:s#2", [False, False, True]),
        ("sleep:s#2 of 200ms", [False, False, False]),
    ],
)
async def test_a_fault_point_may_name_the_duration_of_any_sleep(engine, text, covered):
    assert [FaultPoint.parse(text).covers(point) for point in await reached(engine)] == covered


@pytest.mark.parametrize(("number", "died_at"), [(0, 50), (1, 200), (2, 350)])
async def test_the_engine_dies_in_the_sleep_that_is_meant(number, died_at):
    async with Engine(now="2026-01-01T00:00:00Z") as engine:
        points = await reached(engine)
    async with Engine(now="2026-01-01T00:00:00Z") as engine:
        engine.faults.arm(points[number])
        handle = await engine.bind("W", three).create({"id": "a"})
        await engine.run_until_idle()

        (first, _) = engine.paths.executions(engine.instances[0].row.key)
        assert first.lost_at == engine.clock.started_ms + died_at
        assert (await handle.status())["output"] == 1
        assert engine.clock.now - START == timedelta(milliseconds=400)


async def test_the_longest_sleep_into_the_past_can_be_stored(engine):
    async def workflow(event, step):
        await step.sleep("s", -1e300)
        return "done"

    handle = await engine.bind("W", workflow).create()
    await engine.run_until_idle()

    assert (await handle.status())["output"] == "done"


@pytest.mark.parametrize("text", ["sleep:s#1 of 200", "sleep:s of ms#1 attempt 0 of 5s"])
def test_a_fault_point_that_is_not_written_so_is_a_name(text):
    assert FaultPoint.parse(text).duration is None


def test_a_fault_point_may_be_of_an_instance_that_a_schedule_made():
    point = FaultPoint("lost", "tidy up", workflow="ORDERS", instance="*/5 0,6 * * 1-5-1767225600000")

    assert FaultPoint.parse(str(point)) == point


def test_the_form_of_a_fault_point_tells_of_durations():
    with pytest.raises(InvalidArgumentError, match="where sleeps of one name differ ' of 500ms'"):
        FaultPoint.parse("asleep:s")
