"""Times, durations and values for people."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

from durable_engine import UnknownValue, in_words
from pytest_workflows.recordings import Recording, error_lines, is_unknown
from pytest_workflows.recordings.format.model import Value
from pytest_workflows.recordings.format.values import JsonValue

UNKNOWN = error_lines.UNKNOWN
cut = error_lines.cut_line
error = error_lines.error_line
last_line = error_lines.last_line
TYPES = {"do": "step", "sleep": "sleep", "wait_for_event": "wait for event"}


def moment(at: datetime | None) -> str:
    """A time: to the second, or to the millisecond where it has some."""
    if at is None:
        return UNKNOWN
    shown = f"{at:%Y-%m-%d %H:%M:%S}"
    return f"{shown}.{at.microsecond // 1000:03d} UTC" if at.microsecond >= 1000 else f"{shown} UTC"


def milliseconds(start: datetime, end: datetime) -> int:
    """Whole milliseconds between two times."""
    return round((end - start) / timedelta(milliseconds=1))


def between(start: datetime | None, end: datetime | None) -> str:
    """The duration between two times, in words."""
    return UNKNOWN if start is None or end is None or end < start else in_words(milliseconds(start, end))


def duration(ms: float | None) -> str:
    """Milliseconds in words."""
    return UNKNOWN if ms is None else in_words(round(ms))


def name_of(recording: Recording) -> str:
    """The name of the recording's workflow."""
    names = [name for name in (recording.workflow, recording.binding) if name]
    return " / ".join(dict.fromkeys(names)) or UNKNOWN


def value(data: Value, width: int = 0) -> str:
    """A value of a recording as compact JSON, cut to a width if one is given."""
    if is_unknown(data):
        return f"{UNKNOWN}: {data.get('reason', 'it is not said why')}"
    text = json.dumps(_plain(data), ensure_ascii=False)
    return cut(text, width) if width else text


def exception(message: str) -> str:
    """A message in one line, with the exception's name without its module."""
    line = last_line(message)
    name, colon, rest = line.partition(": ")
    return f"{name.rpartition('.')[2]}{colon}{rest}" if re.fullmatch(r"[\w.]+", name) else line


def _plain(data: JsonValue) -> JsonValue:
    if isinstance(data, list):
        return [_plain(item) for item in data]
    if not isinstance(data, dict):
        return data
    if is_unknown(data):
        return repr(UnknownValue(str(data.get("reason", ""))))
    if "$type" in data:
        return _plain(data.get("value"))
    return {key: _plain(item) for key, item in data.items()}
