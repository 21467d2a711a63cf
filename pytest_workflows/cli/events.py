"""Events on the command line: `type=JSON@"2 days"`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from durable_engine import parse_duration

from .errors import UsageError

FORM = """--event takes type, type=JSON or type=JSON@"2 days", such as --event approved='{"by": "ada"}'@"2 days"."""


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """An event that is to be sent.

    Attributes:
        type: Its type.
        payload: What it carries; None where none was given.
        after_ms: When, in virtual milliseconds after the instance's creation.
    """

    type: str
    payload: Any
    after_ms: int


def read_event(text: str) -> PlannedEvent:
    """Read an event.

    Raises:
        UsageError: If it has another form.
    """
    kind, equals, rest = text.partition("=")
    if not equals:
        kind, _, when = text.partition("@")
        rest = f"null@{when}" if when else "null"
    if not kind.strip():
        raise UsageError(f"--event {text!r} has no type.", FORM)
    payload, after_ms = _payload(rest, text)
    return PlannedEvent(kind.strip(), payload, after_ms)


def read_json(text: str, option: str) -> Any:
    """A value that an option gives as JSON.

    Raises:
        UsageError: If it is none.
    """
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(
            f"{option} {text!r} is no JSON: {error}.", f"""Quote it for the shell: {option} '{{"sku": "A1"}}'"""
        ) from None


def _payload(rest: str, whole: str) -> tuple[Any, int]:
    try:
        return json.loads(rest), 0
    except (json.JSONDecodeError, RecursionError):
        pass
    before, at, when = rest.rpartition("@")
    if not at:
        raise UsageError(f"--event {whole!r}: {rest!r} is no JSON.", FORM)
    try:
        payload = json.loads(before)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"--event {whole!r}: {before!r} is no JSON: {error}.", FORM) from None
    return payload, _milliseconds(when, whole)


def _milliseconds(when: str, whole: str) -> int:
    read = parse_duration(when.strip().strip("\"'"))
    if read is None or read.misread or read.ms < 0:
        raise UsageError(
            f"--event {whole!r}: {when!r} is no duration.",
            'A duration is a number and a unit (second, minute, hour, day, week, month, year), such as "2 days".',
        )
    return read.ms
