"""Events on the command line: `type=JSON@"2 days"`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from durable_engine import parse_duration
from pytest_workflows.messages.short_repr import shown
from pytest_workflows.recordings.format.validation import DEEPEST, is_too_deep
from pytest_workflows.recordings.format.values import JsonValue

from .errors import UsageError

_LONGEST_DAYS = 36_500
FORM = """--event takes type, type=JSON or type=JSON@"2 days", such as --event approved='{"by": "ada"}'@"2 days"."""


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """An event that is to be sent.

    Attributes:
        type: Its type.
        payload: Its payload; None where none was given.
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
        raise UsageError(f"--event {shown(text)} has no type.", FORM)
    payload, after_ms = _payload(rest, text)
    return PlannedEvent(kind.strip(), payload, after_ms)


def read_json(text: str, option: str) -> JsonValue:
    """A value that an option gives as JSON.

    Raises:
        UsageError: If it is none.
    """
    value, reason = _read(text)
    if reason is not None:
        raise UsageError(
            f"{option} {shown(text)} is no JSON: {reason}.", f"""Quote it for the shell: {option} '{{"sku": "A1"}}'"""
        )
    return value


def _read(text: str) -> tuple[JsonValue, str | None]:
    """Read a value from JSON."""
    try:
        value = json.loads(text)
        text.encode()
    except json.JSONDecodeError as error:
        return None, str(error)
    except UnicodeEncodeError:
        return None, "it is no UTF-8"
    except RecursionError:
        return None, f"it is nested more than {DEEPEST} deep"
    except ValueError:
        return None, "it has a number of thousands of digits; write it as a text"
    return value, f"it is nested more than {DEEPEST} deep" if is_too_deep(value) else None


def _payload(rest: str, whole: str) -> tuple[Any, int]:
    payload, reason = _read(rest)
    if reason is None:
        return payload, 0
    before, at, when = rest.rpartition("@")
    if not at:
        raise UsageError(f"--event {shown(whole)}: {shown(rest)} is no JSON. The reason: {reason}.", FORM)
    payload, reason = _read(before)
    if reason is not None:
        raise UsageError(f"--event {shown(whole)}: {shown(before)} is no JSON: {reason}.", FORM)
    return payload, _milliseconds(when, whole)


def _milliseconds(when: str, whole: str) -> int:
    read = parse_duration(when.strip().strip("\"'"))
    if read is not None and read.ms > _LONGEST_DAYS * 86_400_000:
        raise UsageError(f"--event {shown(whole)}: {shown(when)} is more than {_LONGEST_DAYS} days.", FORM)
    if read is None or read.misread or read.ms < 0:
        raise UsageError(
            f"--event {shown(whole)}: {shown(when)} is no duration.",
            'A duration is a number and a unit (second, minute, hour, day, week, month, year), such as "2 days".',
        )
    return read.ms
