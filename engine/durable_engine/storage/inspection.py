"""Inspection: records of an instance for tests, made from storage and never from an execution's memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from durable_engine.history import (
    ATTEMPT_KINDS,
    ATTEMPT_START,
    NEW,
    STEP_SUCCESS,
    WAIT_COMPLETE,
    WORKFLOW_QUEUED,
    WORKFLOW_SUCCESS,
    HistoryKind,
)
from durable_engine.instance import Instance
from durable_engine.model import AttemptRecord, HistoryEvent, StepKey, StepRecord
from durable_engine.rows import MOCKED, SENSITIVE, HistoryRow, InstanceRow, StepRow
from durable_engine.values.boundary import decode, decode_plain, to_json
from durable_engine.values.datetimes import to_datetime
from durable_engine.values.failures import ErrorInfo, rebuild
from durable_engine.values.js_values import JsDict, JsValue
from durable_engine.values.unknown_value import REDACTED, REDACTED_REASON, UnknownValue

from .store import Line, Store

_VALUE_KEYS: dict[HistoryKind, str] = {STEP_SUCCESS: "result", WORKFLOW_SUCCESS: "result", WORKFLOW_QUEUED: "params"}


def steps_of(store: Store, row: InstanceRow) -> list[StepRecord]:
    """The steps of an instance, in order of their start."""
    return step_records(store.steps(row.key), store.history(row.key))


def step_records(steps: Sequence[StepRow], history: Sequence[HistoryRow]) -> list[StepRecord]:
    """Stored steps as records."""
    attempts = _attempts(history)
    return [_step_record(step, attempts.get(step.key, [])) for step in steps]


def history_of(store: Store, row: InstanceRow) -> list[HistoryEvent]:
    """The history of an instance, in order."""
    return history_records(store.history(row.key))


def status_answer(row: InstanceRow, status: str, lines: Iterable[Line]) -> JsDict:
    """The answer of a handle's `status()`.

    Args:
        row: The instance as stored.
        status: Its status as the platform reports it.
        lines: Its history.
    """
    return JsDict(
        {
            "status": status,
            "__LOCAL_DEV_STEP_OUTPUTS": [to_json(output) for output in _outputs_in(lines)],
            "output": None if row.output is None else to_json(decode(row.output)),
            "error": None if row.error is None else JsDict(error_of(row) or {}),
        }
    )


def _outputs_in(lines: Iterable[Line]) -> list[Any]:
    """The results of steps and the events of waits in history, in order of their completion."""
    outputs = []
    for line in lines:
        if line.value is not None and line.kind in (STEP_SUCCESS, WAIT_COMPLETE):
            shown: Any = decode(line.value)
            outputs.append(shown["payload"] if line.kind == WAIT_COMPLETE else shown)
    return outputs


def history_records(history: Sequence[HistoryRow]) -> list[HistoryEvent]:
    """Stored history as records."""
    return [_history_event(line) for line in history]


def step_error(row: StepRow) -> dict[str, str] | None:
    """The error that a step failed with for good, or None."""
    return None if row.error is None else ErrorInfo.load(row.error).public()


def failure_of(instance: Instance, key: StepKey) -> Exception | None:
    """The exception that `run` catches of a step that has failed for good; None for any other step."""
    row = instance.find_step(key)
    return None if row is None or row.error is None else rebuild(ErrorInfo.load(row.error))


def shown_result(row: StepRow) -> JsValue:
    """A step's result as a test may see it: a sensitive one is redacted."""
    if row.result is None:
        return None
    return REDACTED if row.flags & SENSITIVE else decode(row.result)


def shown_inputs(row: StepRow) -> dict[str, Any]:
    """A step's inputs as a test may see them: the output of a sensitive step is redacted."""
    return {name: REDACTED if _is_redacted(value) else value for name, value in stored_inputs(row).items()}


def stored_inputs(row: StepRow) -> dict[str, Any]:
    """A step's inputs as stored: an `UnknownValue` stands for the output of a sensitive step."""
    return {} if row.inputs is None else dict(decode(row.inputs))


def _is_redacted(value: object) -> bool:
    return isinstance(value, UnknownValue) and value.reason == REDACTED_REASON


def error_of(row: InstanceRow) -> dict[str, str] | None:
    """The error that an instance ended with, or None."""
    if row.error is None:
        return None
    return msgspec.msgpack.decode(row.error, type=dict[str, str])


def _step_record(row: StepRow, attempts: list[AttemptRecord]) -> StepRecord:
    assert row.status != NEW  # nothing is stored of such a step
    return StepRecord(
        name=row.key.name,
        count=row.key.count,
        kind=row.key.kind,
        status=row.status,
        started_at=to_datetime(row.started_at),
        ended_at=None if row.ended_at is None else to_datetime(row.ended_at),
        attempts=attempts,
        inputs=shown_inputs(row),
        result=shown_result(row),
        error=step_error(row),
        mocked=bool(row.flags & MOCKED),
        duration=None if row.key.duration is None else timedelta(milliseconds=row.key.duration),
    )


def _attempts(history: Sequence[HistoryRow]) -> dict[StepKey, list[AttemptRecord]]:
    found: dict[StepKey, list[AttemptRecord]] = {}
    for line in history:
        if line.key is None or line.kind not in ATTEMPT_KINDS:
            continue
        mine = found.setdefault(line.key, [])
        detail = line.detail or {}
        if line.kind == ATTEMPT_START:
            mine.append(AttemptRecord(detail["attempt"], to_datetime(line.at)))
            continue
        delay = detail.get("retryDelayMs")
        mine[-1] = AttemptRecord(
            number=mine[-1].number,
            started_at=mine[-1].started_at,
            ended_at=to_datetime(line.at),
            error=detail.get("error"),
            retry_delay=None if delay is None else timedelta(milliseconds=delay),
        )
    return found


def _history_event(line: HistoryRow) -> HistoryEvent:
    detail = dict(line.detail or {})
    if line.value is not None:
        value: Any = decode_plain(line.value)
        detail.update({_VALUE_KEYS[line.kind]: value} if line.kind in _VALUE_KEYS else value)
    return HistoryEvent(line.kind, line.key and line.key.label, to_datetime(line.at), detail)
