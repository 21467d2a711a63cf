"""The steps of an instance as the platform's API shows them, from what is stored of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from durable_engine import (
    SENSITIVE,
    HistoryRow,
    StepKey,
    StepRecord,
    StepRow,
    decode,
    step_records,
    to_datetime,
    to_json,
)
from durable_engine.history import STEP_STARTS
from durable_engine.values.boundary import is_stream

from .answers import (
    ApiStatus,
    AttemptShape,
    DoShape,
    ErrorShape,
    RetriesShape,
    SleepShape,
    StepConfigShape,
    WaitShape,
)
from .errors import BAD_REQUEST, NOT_FOUND, ApiError

REDACTED: Final = "[REDACTED]"
STREAM: Final = "[ReadableStream]"
_DEFAULTS: Final = {"retries": {"limit": 5, "delay": 1000, "backoff": "exponential"}, "timeout": "10 minutes"}
_KINDS: Final = {"step": "do", "waitForEvent": "wait_for_event"}
_MOST_NAMES: Final = 10


def json_text(value: Any) -> str:
    """A stored value as JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text if text.isascii() or _is_text(text) else json.dumps(value, separators=(",", ":"))


def plain(stored: bytes | None) -> Any:
    """A stored value as JSON's types have it; None where nothing is stored."""
    return None if stored is None else json.loads(json_text(to_json(decode(stored))))


def error_shape(error: Mapping[str, str] | None) -> ErrorShape | None:
    """An error, where there is one."""
    return None if error is None else ErrorShape(name=error["name"], message=error["message"])


def step_shapes(steps: Sequence[StepRow], history: Sequence[HistoryRow]) -> list[DoShape | SleepShape | WaitShape]:
    """The steps of an instance, in the order of their start.

    Args:
        steps: Them as stored.
        history: The instance's history.
    """
    starts = {line.key: line.detail or {} for line in history if line.kind in STEP_STARTS}
    records = step_records(steps, history)
    return [_shape(row, record, starts.get(row.key, {})) for row, record in zip(steps, records, strict=True)]


def find_step(steps: Sequence[StepRow], name: str, kind: str) -> StepRow:
    """A step, by its name with its occurrence.

    Args:
        steps: The instance's steps.
        name: The name, `charge-1`.
        kind: `step` or `waitForEvent`.

    Raises:
        ApiError: If there is none.
    """
    wanted = [one for one in steps if one.key.kind == _KINDS[kind]]
    for row in wanted:
        if row.key.label == name:
            return row
    names = ", ".join(repr(row.key.label) for row in wanted[:_MOST_NAMES]) or "none"
    more = ", ..." if len(wanted) > _MOST_NAMES else ""
    raise ApiError(
        404,
        NOT_FOUND,
        f"The instance has no step {name!r} of type {kind!r}. Its steps of that type, with their occurrence: "
        f"{names}{more}.",
    )


def event_type_of(row: StepRow, history: Sequence[HistoryRow]) -> str:
    """The type of the event that a wait waits for."""
    start = next((line for line in history if line.key == row.key and line.kind in STEP_STARTS), None)
    return str(((start and start.detail) or {}).get("event", ""))


class WholeOutput:
    """The outcome of a step, or of one attempt of it, with its whole output.

    Args:
        row: The step.
        history: The instance's history.
        attempt: The number of the attempt; None for the step itself.

    Attributes:
        status: What became of it.
        error: What it failed with, or None.
        output: Its output as JSON has it; bytes for a stream.

    Raises:
        ApiError: If there is no such attempt.
    """

    def __init__(self, row: StepRow, history: Sequence[HistoryRow], attempt: int | None) -> None:
        (record,) = step_records([row], history)
        self.status: ApiStatus = record.status
        self.error = error_shape(record.error)
        is_last = True
        if attempt is not None:
            self.status, self.error = _outcome_of_attempt(record, attempt)
            is_last = attempt == len(record.attempts)
        self.output = _whole(row) if self.status == "complete" and is_last else None


def _outcome_of_attempt(record: StepRecord, attempt: int) -> tuple[ApiStatus, ErrorShape | None]:
    if not record.attempts:
        raise ApiError(400, BAD_REQUEST, f"A step of kind {record.kind!r} has no attempts: leave `attempt` out.")
    if not 1 <= attempt <= len(record.attempts):
        raise ApiError(
            404, NOT_FOUND, f"The step has {len(record.attempts)} attempts so far; there is no attempt {attempt}."
        )
    one = record.attempts[attempt - 1]
    if one.error is not None:
        return "errored", error_shape(one.error)
    return ("running" if one.ended_at is None else "complete"), None


def _whole(row: StepRow) -> Any:
    if row.flags & SENSITIVE:
        return REDACTED
    if row.result is not None and is_stream(row.result):
        return bytes(msgspec.msgpack.decode(row.result, type=msgspec.msgpack.Ext).data)
    found = plain(row.result)
    return found["payload"] if row.key.kind == "wait_for_event" and isinstance(found, dict) else found


def _shape(row: StepRow, record: StepRecord, start: Mapping[str, Any]) -> DoShape | SleepShape | WaitShape:
    if row.key.kind == "do":
        return _do(row, record, start.get("config", _DEFAULTS))
    end = record.ended_at or to_datetime(row.started_at + _length(row.key) if row.due is None else row.due)
    is_over = record.ended_at is not None
    error = error_shape(record.error)
    if row.key.kind == "sleep":
        return SleepShape(name=row.key.label, start=record.started_at, end=end, finished=is_over, error=error)
    return WaitShape(
        name=row.key.label,
        start=record.started_at,
        end=end,
        finished=is_over,
        error=error,
        event_type=str(start.get("event", "")),
        output=None if row.result is None else json_text(to_json(decode(row.result))),
    )


def _length(key: StepKey) -> int:
    return key.duration or 0


def _do(row: StepRow, record: StepRecord, config: Mapping[str, Any]) -> DoShape:
    output = None
    if row.status == "complete":
        output = REDACTED if row.flags & SENSITIVE else _shown(row.result)
    return DoShape(
        name=row.key.label,
        start=record.started_at,
        end=record.ended_at,
        success={"complete": True, "errored": False}.get(row.status),
        config=_config(config),
        attempts=[
            AttemptShape(
                start=one.started_at,
                end=one.ended_at,
                success=None if one.ended_at is None else one.error is None,
                error=error_shape(one.error),
            )
            for one in record.attempts
        ],
        output=output,
    )


def _shown(result: bytes | None) -> str:
    if result is not None and is_stream(result):
        return STREAM  # its bytes are given by themselves
    return json_text(plain(result))


def _config(config: Mapping[str, Any]) -> StepConfigShape:
    retries = config.get("retries", {})
    return StepConfigShape(
        retries=RetriesShape(
            limit=retries.get("limit", 5), delay=retries.get("delay", 1000), backoff=retries.get("backoff")
        ),
        timeout=config.get("timeout", _DEFAULTS["timeout"]),
        sensitive=config.get("sensitive"),
    )


def _is_text(text: str) -> bool:
    """Whether a text has no half of a pair of surrogates, which no encoding has."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
