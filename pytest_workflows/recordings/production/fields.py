"""Fields of a dump, read liberally: other spellings of a name, times and errors in other forms."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pytest_workflows.recordings.format.model import ErrorRecord

from .notes import Notes

MISSING = object()
"""The value of a field that a dump does not have; None is a value in JSON."""

UNKNOWN_ERROR = "The dump does not say what the error was."
_SECONDS_UNTIL = 1e11  # a number below is epoch seconds, from it on epoch milliseconds: the year 5138, or 1973


def get(data: Mapping[str, Any], *names: str) -> object:
    """The first of these fields that is there, whatever its spelling (`versionId`, `version_id`); else MISSING."""
    plain = {_plain(key): value for key, value in data.items() if isinstance(key, str)}
    for name in names:
        found = plain.get(_plain(name), MISSING)
        if found is not MISSING:
            return found
    return MISSING


def text(value: object) -> str | None:
    """A text that is not empty, or None."""
    return value if isinstance(value, str) and value else None


def mapping(value: object) -> Mapping[str, Any]:
    """A JSON object; empty for anything else."""
    return value if isinstance(value, Mapping) else {}


def flag(value: object) -> bool | None:
    """True or False where that is said."""
    return value if isinstance(value, bool) else None


def time(value: object, what: str, notes: Notes) -> datetime | None:
    """A time: ISO 8601 (without an offset it is UTC), or epoch seconds or milliseconds; None where it is not known."""
    if value is MISSING or value is None or value == "":
        return None
    found = _read_time(value)
    if found is None:
        notes.add(f"{what} is {value!r}, which is no time: it is unknown.")
    return found


def error(value: object) -> ErrorRecord | None:
    """An error: `{"name", "message"}`, one of the two, or a text; None where there is none."""
    if value is MISSING or value is None or value is False or value in ("", {}):
        return None
    if isinstance(value, Mapping):
        message = get(value, "message")
        return ErrorRecord(
            name=text(get(value, "name")) or "Error",
            message=message if isinstance(message, str) else UNKNOWN_ERROR,
        )
    return ErrorRecord(name="Error", message=value if isinstance(value, str) else UNKNOWN_ERROR)


def _plain(name: str) -> str:
    return re.sub(r"[_\- ]", "", name).lower()


def _read_time(value: object) -> datetime | None:
    try:
        if isinstance(value, str) and not re.fullmatch(r"\d{9,}(\.\d+)?", value.strip()):
            found = datetime.fromisoformat(value.strip())
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            number = float(value)
            if math.isfinite(number):
                return datetime.fromtimestamp(number if number < _SECONDS_UNTIL else number / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
