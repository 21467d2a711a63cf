"""Sleeps are counted by name and duration; what 0.1.0 recorded counted them by the name alone."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from durable_engine import StepKey
from pytest_workflows.recordings import Crash, HistoryLine, Recording, Step, by_name, dump, line_keys, load, read
from pytest_workflows.recordings.format.sleeps import renumbered
from pytest_workflows.recordings.playback.script import find_until

OF_0_1_0 = Path(__file__).parent / "samples" / "sleeps_of_0_1_0.json"
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 3_600_000


def nap(count, hours, began, ended=None):
    return Step(
        kind="sleep",
        name="nap",
        count=count,
        status="waiting" if ended is None else "complete",
        started_at=START + timedelta(hours=began),
        ended_at=None if ended is None else START + timedelta(hours=ended),
        duration_ms=hours * HOUR,
    )


def line(kind, hour, step="nap-1", **detail):
    return HistoryLine(kind=kind, at=START + timedelta(hours=hour), step=step, detail=detail)


def test_a_recording_of_0_1_0_is_counted_anew_when_it_is_read():
    recording = load(OF_0_1_0)

    assert [(step.label, step.key.duration) for step in recording.steps if step.kind == "sleep"] == [
        ("nap-1", HOUR),
        ("nap-1", 2 * HOUR),
        ("nap-2", HOUR),
    ]
    labels = [line.step for line in recording.history if line.kind.startswith("SLEEP_")]
    assert labels == ["nap-1", "nap-1", "nap-1", "nap-1", "nap-2", "nap-2"]


def test_what_was_read_stays_as_it_is_when_it_is_read_again():
    recording = load(OF_0_1_0)

    assert load_again(recording) == recording
    assert renumbered(recording) is recording


def load_again(recording):
    return read(json.loads(dump(recording)))


def test_a_crash_behind_a_sleep_follows_its_new_name():
    def crash(after):
        return Crash(at=START, after=after)

    wait = Step(kind="wait_for_event", name="nap", count=3)
    recording = Recording(
        instance_id="a",
        status="waiting",
        steps=[nap(1, 1, 0), nap(2, 2, 0), wait],
        crashes=[crash("nap-2"), crash("nap-3"), crash("other-1"), crash(None)],
    )

    assert [one.after for one in renumbered(recording).crashes] == ["nap-1", "nap-3", "other-1", None]


def test_each_line_of_history_is_of_the_sleep_that_it_tells_of():
    recording = Recording(
        instance_id="a",
        status="complete",
        steps=[nap(1, 1, 0, 1), nap(1, 2, 0, 2), nap(1, 3, 0, 3)],
        history=[
            HistoryLine(kind="WORKFLOW_QUEUED", at=START),
            line("SLEEP_START", 0, durationMs=3 * HOUR),
            line("SLEEP_START", 0, durationMs=HOUR),
            line("SLEEP_START", 0, durationMs=2 * HOUR),
            line("SLEEP_COMPLETE", 1),
            line("SLEEP_COMPLETE", 2),
            line("SLEEP_COMPLETE", 3),
            line("SLEEP_COMPLETE", 4),
            line("STEP_START", 4, step="unknown-1"),
        ],
    )

    durations = [None if key is None else key.duration for key in line_keys(recording)]
    assert durations == [None, 3 * HOUR, HOUR, 2 * HOUR, HOUR, 2 * HOUR, 3 * HOUR, None, None]


def test_selectors_count_by_the_name_alone():
    recording = load(OF_0_1_0)

    assert list(by_name(recording.steps).values()) == [1, 2, 3]
    assert find_until(recording, ("nap", 2)) == StepKey("sleep", "nap", 1, 2 * HOUR)
    assert find_until(recording, ("nap", 3)) == StepKey("sleep", "nap", 2, HOUR)
    assert find_until(recording, "nap-2") == StepKey("sleep", "nap", 2, HOUR)


def production(*steps):
    return read({"status": "complete", "start": "2026-01-01T00:00:00Z", "steps": list(steps)})


def slept(name, start, end):
    return {
        "type": "sleep",
        "name": name,
        "start": f"2026-01-01T0{start}Z",
        "end": f"2026-01-01T0{end}Z",
        "finished": True,
    }


def test_sleeps_of_a_dump_may_share_an_occurrence_where_they_took_another_time():
    recording = production(
        slept("nap-1", "0:00:00.000", "1:00:00.004"),
        slept("nap-1", "1:00:00.004", "3:00:00.006"),
        slept("nap-2", "3:00:00.006", "4:00:00.009"),
    )

    assert [step.label for step in recording.steps] == ["nap-1", "nap-1", "nap-2"]
    assert len({step.key for step in recording.steps}) == 3
    assert not [note for note in recording.notes if "more than once" in note]


def test_sleeps_of_a_dump_without_occurrences_are_counted_as_they_stand():
    recording = production(
        slept("nap-1", "0:00:00", "1:00:00"),
        slept("nap-1", "1:00:00", "3:00:00"),
        slept("nap-2", "3:00:00", "4:00:00"),
        slept("bare", "4:00:00", "5:00:00"),
        slept("bare", "5:00:00", "6:00:00"),
    )

    assert [step.label for step in recording.steps] == ["nap-1", "nap-1", "nap-2", "bare-1", "bare-2"]


def test_a_sleep_of_less_than_nothing_can_be_read():
    wait = Step(kind="wait_for_event", name="w", timeout_ms=-5000)
    recording = Recording(instance_id="a", status="waiting", steps=[nap(1, -1, 0, 0), wait])

    assert load_again(recording) == recording
