"""The format: samples written by hand, every kind of value, and files that are no recordings."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from durable_engine import JsBigInt, UnknownValue, cross, to_datetime
from pytest_workflows.recordings import UNKNOWN, RecordingError, dump, is_unknown, load, tag, untag

SAMPLES = Path(__file__).parent / "samples"


def test_a_sample_written_by_hand_is_read():
    recording = load(SAMPLES / "complete.json")

    assert (recording.binding, recording.instance_id, recording.status) == ("ORDERS", "order-1", "complete")
    reserve, approval, cool_off = recording.steps
    assert reserve.label == "reserve-1"
    assert reserve.attempts[0].log[1].level == "WARNING"
    assert untag(reserve.result) == {
        "reserved_at": datetime(2026, 1, 1),
        "label": b"\x00\x01\xff",
        "serial": 9007199254740993,
    }
    assert approval.event == 0
    assert recording.events[0].taken_by == "approval-1"
    assert approval.ended_at is not None
    assert approval.started_at is not None
    assert approval.ended_at - approval.started_at == timedelta(days=1)
    assert cool_off.duration_ms == 86_400_000


def test_a_file_says_of_each_step_that_it_is_complete():
    recording = load(SAMPLES / "complete.json")
    recording.steps[0].status = "complete"  # the very object that the format has for where a file says nothing

    written = json.loads(dump(recording))

    assert [step["status"] for step in written["steps"]] == ["complete"] * 3


def test_a_redacted_result_is_unknown():
    token, charge = load(SAMPLES / "errored.json").steps

    assert token.sensitive
    assert is_unknown(token.result)
    assert repr(untag(token.result)) == "[REDACTED]"
    assert [attempt.retry_delay_ms for attempt in charge.attempts] == [1000, None]


@pytest.mark.parametrize("name", ["complete", "errored"])
def test_what_was_read_is_written_the_same(name, tmp_path):
    recording = load(SAMPLES / f"{name}.json")

    (tmp_path / "again.json").write_bytes(dump(recording))

    assert load(tmp_path / "again.json") == recording


VALUES = [
    pytest.param(None, id="None"),
    pytest.param({"a": [1, 2.5, "text", True, None, {"b": []}]}, id="plain JSON"),
    pytest.param(1e300, id="a large float"),
    pytest.param(-(2**70), id="bigint"),
    pytest.param(math.inf, id="infinity"),
    pytest.param(datetime(2026, 1, 1, 12, 30, 0, 5000), id="datetime"),
    pytest.param({1, "a", None}, id="set"),
    pytest.param(b"\x00\xff", id="bytes"),
    pytest.param("half a pair: \ud800", id="lone surrogate"),
    pytest.param({"\ud800": 1}, id="lone surrogate in a key"),
    pytest.param({"$type": "set", "value": "no tag of ours"}, id="a key that looks like a tag"),
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_crossed_comes_back_exactly(value, tmp_path):
    crossed = cross(value)
    recording = load(SAMPLES / "complete.json")
    recording.output = tag(crossed)

    (tmp_path / "recording.json").write_bytes(dump(recording))
    back = untag(load(tmp_path / "recording.json").output)

    assert back == crossed
    assert type(back) is type(crossed)


def test_not_a_number_comes_back():
    assert math.isnan(untag(tag(math.nan)))


@pytest.mark.parametrize("error", [ValueError("no stock"), ValueError("Error: odd"), Exception()])
def test_an_exception_that_crossed_is_stored_again_as_it_is(error):
    crossed = cross([error])

    assert str(cross(untag(tag(crossed)))[0]) == str(crossed[0])


def test_a_large_int_comes_back_as_a_bigint():
    assert isinstance(untag(tag(cross(2**60))), JsBigInt)


def test_an_object_without_a_json_form_is_shown_by_its_repr():
    shown = tag({"client": object})

    assert shown == {"client": {"$type": "repr", "value": "<class 'object'>"}}
    assert isinstance(untag(shown)["client"], UnknownValue)


def test_the_order_of_a_set_is_the_same_in_every_run():
    assert tag({"b", "a", 1})["value"] == [1, "a", "b"]


def test_an_unknown_value_survives_the_boundary():
    crossed = cross({"output": UNKNOWN})

    assert repr(crossed["output"]) == "<unknown: not in the recording>"
    assert is_unknown(tag(crossed)["output"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("{", "this is no JSON: Input data was truncated.", id="no JSON"),
        pytest.param('{"a": 1}', "this is neither a recording of pytest-workflows nor what", id="other JSON"),
        pytest.param("[]", "this is a list of 0", id="a list"),
        pytest.param(
            '{"format": "pytest-workflows-recording", "version": 2}',
            "this recording is of version 2 of the format, and this pytest-workflows reads version 1. Upgrade",
            id="a later version",
        ),
        pytest.param(
            '{"format": "pytest-workflows-recording", "version": 1, "instance_id": "a", "status": "complete", "steps": [{"kind": "jump", "name": "x"}]}',
            "this recording is damaged: Invalid enum value 'jump' - at `$.steps[0].kind`.",
            id="damaged",
        ),
    ],
)
def test_a_file_that_is_no_recording_is_a_clear_error(content, message, tmp_path):
    path = tmp_path / "recording.json"
    path.write_text(content)

    with pytest.raises(RecordingError) as error:
        load(path)

    assert str(error.value).startswith(f"{path}: {message}")


def test_a_missing_file_is_a_clear_error(tmp_path):
    with pytest.raises(
        RecordingError, match=r"nowhere.json: the recording cannot be read: No such file or directory\."
    ):
        load(tmp_path / "nowhere.json")


def test_an_unknown_tag_is_a_clear_error():
    with pytest.raises(RecordingError, match="a value of the type 'hologram', which this version"):
        untag({"$type": "hologram", "value": 1})


def test_times_are_read_as_plain_datetimes():
    created = load(SAMPLES / "complete.json").created_at

    assert created == to_datetime(1_767_225_600_000)
    assert type(created).__module__ == "datetime"
