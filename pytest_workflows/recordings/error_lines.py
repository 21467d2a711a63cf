"""The errors of recordings in one line each, for people."""

from __future__ import annotations

from pytest_workflows.messages.short_repr import cut, one_line

from .format.model import ErrorRecord
from .production import UNKNOWN_ERROR

UNKNOWN = "unknown"
_TRACEBACK = "Traceback (most recent call last):"


def error_line(record: ErrorRecord | None) -> str:
    """An error in one line: for an exception of the user's code its last line, for any other its name as well."""
    if record is None:
        return ""
    if record.message == UNKNOWN_ERROR:
        return f"{record.name}: {UNKNOWN}" if record.name != "Error" else UNKNOWN
    line = last_line(record.message)
    return line if line != record.message.strip() else f"{record.name}: {line}" if line else record.name


def cut_line(text: str, width: int) -> str:
    """A text on one line, cut to a width."""
    return cut(one_line(text), width, "…")


def last_line(message: str) -> str:
    """The line of a message that says what happened: behind the frames, where it holds a traceback."""
    lines = message.strip().splitlines()
    messages = [line for line in lines if not line.startswith(" ") and not line.endswith(_TRACEBACK)]
    return messages[0] if messages else (lines[-1] if lines else "")
