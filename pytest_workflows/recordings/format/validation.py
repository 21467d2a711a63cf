"""Validation of a recording beyond its structs, before anything is done with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from pytest_workflows.messages.short_repr import shown
from pytest_workflows.recordings.errors import RecordingError

from .model import Recording, Step
from .values import TYPE, untag

DEEPEST = 100
"""The deepest nesting of values: every value is walked through by functions that call themselves."""
_LONGEST_MS = 100 * 366 * 86_400_000
_LARGEST = 2**53 - 1
_NUMBERS = frozenset({"attempt", "branch", "count", "event", "index", "line", "lives", "number", "times", "step_limit"})
"""The fields that are whole numbers; any other number is a value of the user's."""
_MAY_BE_NEGATIVE = frozenset({"duration_ms", "timeout_ms"})
"""A sleep and a wait of "-5 seconds" are over at once."""
_FROM, _UNTIL = 1970, 9000


def is_too_deep(value: object) -> bool:
    """Whether lists and objects are nested deeper than anything here walks down."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [part for one in level for part in _parts(one)]
        if not level:
            return False
    return True


def _parts(value: object) -> list[Any]:
    if isinstance(value, dict):
        return [part for part in value.values() if isinstance(part, dict | list)]
    if isinstance(value, list):
        return [part for part in value if isinstance(part, dict | list)]
    return []


def check(recording: Recording, where: str) -> None:
    """Check that times, durations, numbers and tagged values are valid, and that events and steps are there.

    Raises:
        RecordingError: If one is not; the message names its place in the JSON.
    """
    _check_part(recording, "$", where)
    for index, step in enumerate(recording.steps):
        if step.event is not None and not 0 <= step.event < len(recording.events):
            said = f"it takes event {step.event}, and there are {len(recording.events)} events"
            raise _damaged(where, f"$.steps[{index}].event", said)
    _check_keys(recording.steps, where)


def _check_keys(steps: list[Step], where: str) -> None:
    seen: dict[Any, int] = {}
    for index, step in enumerate(steps):
        if step.count < 1:
            raise _damaged(where, f"$.steps[{index}].count", f"{step.count} is no occurrence, which counts from 1")
        first = seen.setdefault(step.key, index)
        if first != index:
            raise _damaged(where, f"$.steps[{index}]", f"step {shown(step.label)} stands there a second time")


def _check_part(part: msgspec.Struct, path: str, where: str) -> None:
    for name, value in _fields(part):
        _check_value(value, f"{path}.{name}", name, where)


def _fields(part: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    for name in part.__struct_fields__:  # `msgspec.structs.fields` would read the class's annotations each time
        yield name, getattr(part, name)


def _check_value(value: Any, path: str, name: str, where: str) -> None:
    if isinstance(value, msgspec.Struct):
        _check_part(value, path, where)
    elif isinstance(value, list) and any(isinstance(one, msgspec.Struct) for one in value):
        for index, one in enumerate(value):
            _check_value(one, f"{path}[{index}]", name, where)
    elif isinstance(value, datetime):
        if not _FROM <= value.year < _UNTIL:
            raise _damaged(where, path, f"{value.isoformat()} is no time from {_FROM} to {_UNTIL}")
    elif isinstance(value, int | float) and (name in _NUMBERS or name.endswith("_ms")):
        most = _LONGEST_MS if name.endswith("_ms") else _LARGEST
        if not -most <= value <= most or (name.endswith("_ms") and value < 0 and name not in _MAY_BE_NEGATIVE):
            raise _damaged(where, path, f"{shown(value)} is beyond what it can be")
    elif isinstance(value, dict | list):
        _check_tags(value, path, where)


def _check_tags(value: Any, path: str, where: str) -> None:
    """Check that every tagged value has the Python value that its tag names."""
    try:
        untag(value)
    except RecordingError as error:
        raise RecordingError(f"{where}: {error}") from None
    except Exception as error:  # the errors of base64, dates, numbers and sets for invalid content
        kind = value.get(TYPE) if isinstance(value, dict) else None
        what = "a tagged value in it" if kind is None else f"the value of the type {shown(kind)}"
        raise _damaged(where, path, f"{what} cannot be read ({type(error).__name__}: {shown(str(error))})") from None


def _damaged(where: str, path: str, what: str) -> RecordingError:
    return RecordingError(
        f"{where}: this recording is damaged: {what} - at `{path}`. Record it anew, or mend what the message names."
    )
