"""`--workflows-replay` asks for equal effects, and with `workflows_strict` for an equal path."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from durable_engine import Engine, UnknownValueError
from pytest_workflows.recordings.errors import DivergenceError
from pytest_workflows.recordings.files import read
from pytest_workflows.recordings.playback.other_path import OtherPathScript
from pytest_workflows.recordings.playback.replay import replay
from pytest_workflows.recordings.playback.script import RecordedScript

START, CHARGED = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"
ASLEEP_AT, SLEPT, SHIPPED = "2026-01-01T00:00:02Z", "2026-01-04T00:00:02Z", "2026-01-04T00:00:03Z"
CHARGE = {"kind": "do", "name": "charge", "result": "ch_1", "started_at": START, "ended_at": CHARGED}
SHIP = {"kind": "do", "name": "ship", "result": "shipped", "started_at": SHIPPED, "ended_at": SHIPPED}
SLEEP = {"kind": "sleep", "name": "cool down", "duration_ms": 3 * 86_400_000, "started_at": ASLEEP_AT}
RUN = {
    "instance_id": "a",
    "created_at": START,
    "started_at": START,
    "format": "pytest-workflows-recording",
    "version": 1,
}
ASLEEP = {**RUN, "status": "waiting", "steps": [CHARGE, {**SLEEP, "status": "waiting"}]}
COMPLETE = {
    **RUN,
    "status": "complete",
    "steps": [CHARGE, {**SLEEP, "ended_at": SLEPT}, SHIP],
    "output": ["ch_1", "shipped"],
    "ended_at": SHIPPED,
}
POINTS = {"asleep": ASLEEP, "complete": COMPLETE}


def do(step: Any, name: str) -> Any:
    @step.do(name)
    async def callback() -> None:
        raise AssertionError("a callback ran")

    return callback()


async def as_recorded(event: Any, step: Any) -> Any:
    charge = await do(step, "charge")
    await step.sleep("cool down", "3 days")
    return [charge, await do(step, "ship")]


async def with_a_step_behind(event: Any, step: Any) -> Any:
    result = await as_recorded(event, step)
    await do(step, "notify")
    return result


async def with_everything_behind(event: Any, step: Any) -> Any:
    result = await as_recorded(event, step)
    await step.sleep("wait a while", "1 day")
    paid = await step.wait_for_event("payment", "paid")
    await asyncio.gather(do(step, "thank"), do(step, f"log {event['payload']}"))
    return [*result[:1], paid["payload"]]  # an unknown payload is no difference


async def with_a_step_beside(event: Any, step: Any) -> Any:
    _, result = await asyncio.gather(do(step, "notify"), as_recorded(event, step))
    return result


async def with_a_use_of_the_new_step(event: Any, step: Any) -> Any:
    result = await as_recorded(event, step)
    if await do(step, "notify") == "ok":
        raise RuntimeError("another end")
    return result


async def with_a_step_before_the_sleep(event: Any, step: Any) -> Any:
    charge = await do(step, "charge")
    await do(step, "check")
    await step.sleep("cool down", "3 days")
    return [charge, await do(step, "ship")]


async def with_a_condition_before_the_sleep(event: Any, step: Any) -> Any:
    await do(step, "charge")
    if await do(step, "check"):
        await step.sleep("cool down", "3 days")


async def charges_again(event: Any, step: Any) -> Any:
    charge = await do(step, "charge the card")
    await step.sleep("cool down", "3 days")
    return [charge, await do(step, "ship")]


async def uses_the_second_charge(event: Any, step: Any) -> Any:
    charge = await do(step, "charge the card")
    return [charge["id"]]


async def sleeps_longer(event: Any, step: Any) -> Any:
    charge = await do(step, "charge")
    await step.sleep("cool down", "4 days")
    return [charge, await do(step, "ship")]


async def does_not_sleep(event: Any, step: Any) -> Any:
    return [await do(step, "charge"), await do(step, "ship")]


async def sleeps_first(event: Any, step: Any) -> Any:
    await step.sleep("cool down", "3 days")
    return [await do(step, "charge"), await do(step, "ship")]


async def cannot_read(event: Any, step: Any) -> Any:
    charge = await do(step, "charge")
    await step.sleep("cool down", "3 days")
    return [charge["id"], await do(step, "ship")]


async def returns_something_else(event: Any, step: Any) -> Any:
    return [*(await as_recorded(event, step)), await do(step, "notify")]


async def go(run: Any, recording: Any, script: Any = OtherPathScript) -> None:
    async with Engine() as engine:
        await replay(engine.bind("ORDERS", run), read(recording), "a.json", script=script)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(
    "run",
    [
        as_recorded,
        with_a_step_behind,
        with_everything_behind,
        with_a_step_beside,
        with_a_use_of_the_new_step,
    ],
)
async def test_a_source_that_comes_to_the_same_effects_passes(run, point):
    await go(run, POINTS[point])


async def test_a_step_in_front_of_a_sleep_that_lasts_is_no_effect_out_of_order():
    await go(with_a_step_before_the_sleep, ASLEEP)


def of_production(recording: Any, took: timedelta) -> Any:
    charge, sleep, *others = recording["steps"]
    milliseconds = took // timedelta(milliseconds=1)
    return {**recording, "source": "production", "steps": [charge, {**sleep, "duration_ms": milliseconds}, *others]}


@pytest.mark.parametrize(
    ("run", "point", "took"),
    [
        (as_recorded, "asleep", timedelta(days=3)),
        (as_recorded, "asleep", timedelta(days=3, minutes=10)),
        (as_recorded, "complete", timedelta(days=3)),
        (as_recorded, "complete", timedelta(days=5)),  # it was paused
        (sleeps_longer, "complete", timedelta(days=5)),
    ],
)
async def test_a_sleep_of_production_may_have_taken_longer(run, point, took):
    await go(run, of_production(POINTS[point], took))


@pytest.mark.parametrize(
    ("run", "point", "took"),
    [
        (sleeps_longer, "asleep", timedelta(days=3)),
        (as_recorded, "asleep", timedelta(days=4)),
        (sleeps_longer, "complete", timedelta(days=3)),
    ],
)
async def test_a_sleep_of_production_that_must_be_another_one_has_changed(run, point, took):
    with pytest.raises(DivergenceError, match=r"does not count for a sleep of another duration, which begins anew."):
        await go(run, of_production(POINTS[point], took))


RENAMED = (
    "it asks for step.do('charge the card'), where the recording has step.do('charge').",
    "The effect of step.do('charge') is there already, and would come again under another name. Keep those steps",
)


@pytest.mark.parametrize(
    ("run", "point", "said"),
    [
        (charges_again, "asleep", RENAMED),
        (charges_again, "complete", RENAMED),
        (uses_the_second_charge, "asleep", RENAMED),
        (uses_the_second_charge, "complete", RENAMED),
        (
            sleeps_longer,
            "asleep",
            (
                "it asks for step.sleep('cool down') of 4 days, where the recording has step.sleep('cool down') of 3 days.",
                "does not count for a sleep of another duration, which begins anew.",
            ),
        ),
        (sleeps_longer, "complete", ("it asks for step.sleep('cool down') of 4 days",)),
        (
            does_not_sleep,
            "asleep",
            (
                "it asks for step.do('ship'), where the recording has step.sleep('cool down').",
                "step.sleep('cool down') is never taken up: what it did is lost, and step.do('ship') stands in its place.",
            ),
        ),
        (
            does_not_sleep,
            "complete",
            ("step.do('ship') is taken up before step.sleep('cool down'), or without it.",),
        ),
        (sleeps_first, "complete", ("step.sleep('cool down') is taken up before step.do('charge'), or without it.",)),
        (
            with_a_step_before_the_sleep,
            "complete",
            (
                "it asks for step.do('check'), where the recording has step.sleep('cool down').",
                "The effect of step.do('ship') is there already, and that of step.do('check') would come behind it.",
            ),
        ),
        (
            cannot_read,
            "complete",
            ("it is errored with TypeError: string indices", "has not asked for step.do('ship')"),
        ),
        (returns_something_else, "complete", ("recorded: complete with ['ch_1', 'shipped']",)),
    ],
)
async def test_an_effect_that_comes_twice_or_not_at_all_fails(run, point, said):
    with pytest.raises(DivergenceError) as caught:
        await go(run, POINTS[point])

    for part in said:
        assert part in str(caught.value)


async def test_what_a_new_step_decides_in_front_of_a_recorded_sleep_cannot_be_said():
    with pytest.raises(UnknownValueError, match=r"does not have step.do\('check'\), which is new"):
        await go(with_a_condition_before_the_sleep, ASLEEP)


async def test_a_recorded_value_that_is_not_known_stops_the_replay_as_before():
    unknown = {**SHIP, "result": {"$type": "unknown", "reason": "cut short"}}

    async def run(event: Any, step: Any) -> Any:
        result = await with_a_step_behind(event, step)
        return result[1]["id"]

    with pytest.raises(UnknownValueError, match="cut short"):
        await go(run, {**COMPLETE, "steps": [*COMPLETE["steps"][:2], unknown]})


@pytest.mark.parametrize("run", [with_a_step_behind, with_a_use_of_the_new_step, with_a_step_beside])
async def test_the_same_path_is_asked_for_where_that_is_wanted(run):
    with pytest.raises(DivergenceError, match=r"it asks for step.do\('notify'\), where the recording has"):
        await go(run, COMPLETE, RecordedScript)


async def test_a_new_sleep_takes_its_time_and_what_is_new_ends_behind_what_is_recorded():
    seen = []

    async def run(event: Any, step: Any) -> Any:
        result = await with_a_step_beside(event, step)
        seen.append(step._instance.engine.clock.now_ms)
        await step.sleep("wait a while", "1 day")
        seen.append(step._instance.engine.clock.now_ms)
        return result

    await go(run, COMPLETE)

    assert seen[1] - seen[0] == timedelta(days=1) // timedelta(milliseconds=1)


ENTRY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge")
            async def charge():
                return "ch_1"

            paid = await charge()
            await step.sleep("cool down", "3 days")
            # more
            return paid
"""
TEST = """
    async def test_an_order(workflow_env, workflow_engine):
        await workflow_env.ORDERS.create({"id": "a"})
        await workflow_engine.run_until_idle()
"""
MORE = """
            @step.do("notify")
            async def notify():
                return "ok"

            await notify()
"""


def test_the_option_asks_for_effects_and_with_strict_for_the_path(worker):
    worker.write("src/entry.py", ENTRY)
    worker.run(TEST, "--workflows-record=all").assert_outcomes(passed=1)
    worker.write("src/entry.py", ENTRY.replace("            # more\n", MORE))

    effects = worker.run(None, "--workflows-replay=.workflows/failures")
    path = worker.run(None, "--workflows-replay=.workflows/failures", "--workflows-strict")

    effects.assert_outcomes(passed=1)
    path.assert_outcomes(failed=1)
    path.stdout.fnmatch_lines(["*it asks for step.do('notify'), where the recording has no more steps.*"])


def test_a_replay_that_fails_is_reported_where_it_waited_for_an_event_that_is_not_recorded(worker):
    waits = ENTRY.replace("# more", 'await step.wait_for_event("approval", "approved")')
    worker.write("src/entry.py", waits.replace('do("charge")', 'do("charge the card")'))
    error = {"name": "Error", "message": "declined"}
    charge = {**CHARGE, "status": "errored", "result": None, "error": error}
    errored = {**RUN, "binding": "ORDERS", "status": "errored", "steps": [charge], "error": error, "ended_at": CHARGED}
    worker.write("errored.json", json.dumps(errored))

    result = worker.run(None, "--workflows-replay=errored.json", "-o", "workflows_redact=token")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*it asks for step.do('charge the card'), where the recording has step.do('charge').*"]
    )
