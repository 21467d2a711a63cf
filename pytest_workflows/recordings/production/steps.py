"""The steps of a dump: callbacks with their attempts, sleeps, and waits for events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from durable_engine import StepKind, StepStatus, UnknownValue, parse_duration
from durable_engine.history import FINAL_STEP_STATUSES
from pytest_workflows.recordings.format.model import Attempt, ErrorRecord, Step, Value
from pytest_workflows.recordings.format.values import tag

from .fields import MISSING, UNKNOWN_ERROR, error, flag, get, mapping, text, time
from .notes import Notes
from .values import MISSING_REASON, holds_unknown, loaded, read_value

DYNAMIC_DELAY = "[dynamic]"
_KINDS: dict[str, StepKind] = {
    "step": "do",
    "do": "do",
    "stepdo": "do",
    "sleep": "sleep",
    "sleepuntil": "sleep",
    "waitforevent": "wait_for_event",
}


class StepReader:
    """A reader of steps.

    Args:
        notes: Takes what is not known.
        ended: Whether the instance has ended, so that nothing of it still runs.
        as_text: Whether outputs stand there as JSON text.
    """

    def __init__(self, notes: Notes, *, ended: bool, as_text: bool) -> None:
        self._notes = notes
        self._ended = ended
        self._as_text = as_text

    def read(self, data: Mapping[str, Any], kind: StepKind, name: str, count: int) -> Step:
        """Read one step."""
        label = f"{name}-{count}"
        step = Step(
            kind=kind,
            name=name,
            count=count,
            started_at=time(get(data, "start"), f"The start of step {label!r}", self._notes),
            error=error(get(data, "error")),
        )
        if step.started_at is None:
            self._notes.add(f"When step {label!r} started is not in the dump.")
        end = time(get(data, "end"), f"The end of step {label!r}", self._notes)
        if kind == "do":
            step = self._read_do(step, data, end)
        elif kind == "sleep":
            step = self._read_sleep(step, data, end)
        else:
            step = self._read_wait(step, data, end)
        if step.unknown_outcome:
            self._notes.add(f"What became of step {label!r} is not in the dump.")
        elif step.status in ("running", "waiting") and self._ended:
            self._notes.add(f"Step {label!r} had no outcome when the instance ended.")
        return step

    # -- callbacks ---------------------------------------------------------------------------------------------------

    def _read_do(self, step: Step, data: Mapping[str, Any], end: datetime | None) -> Step:
        config = get(data, "config")
        step = replace(
            step, config=dict(config) if isinstance(config, Mapping) else None, sensitive=_is_sensitive(data)
        )
        attempts, success = get(data, "attempts"), get(data, "success")
        step = replace(step, attempts=self._attempts(step, attempts))
        if flag(success) is None and _last_succeeded(attempts):
            success = True
        status = _do_status(success, step, end)
        is_said = success is not MISSING or get(data, "end") is not MISSING
        return replace(
            step,
            status=status,
            unknown_outcome=self._ended and not is_said,
            ended_at=_outcome_at(status, end),
            result=self._output(step, data) if status == "complete" else None,
            error=step.error or self._last_error(step) if status == "errored" else None,
        )

    def _attempts(self, step: Step, given: object) -> list[Attempt]:
        if not isinstance(given, list):
            self._notes.add(f"The attempts of step {step.label!r} are not in the dump.")
            return []
        attempts = [self._attempt(step, number, mapping(data)) for number, data in enumerate(given, start=1)]
        following = [*attempts[1:], None]
        return [
            one if one.error is None else replace(one, retry_delay_ms=_retry_delay(step, one, after))
            for one, after in zip(attempts, following, strict=False)
        ]

    def _attempt(self, step: Step, number: int, data: Mapping[str, Any]) -> Attempt:
        what = f"attempt {number} of step {step.label!r}"
        success = flag(get(data, "success"))
        failure = error(get(data, "error"))
        if success is False and failure is None:
            failure = ErrorRecord(name="Error", message=UNKNOWN_ERROR)
            self._notes.add(f"What {what} failed with is not in the dump.")
        return Attempt(
            number=number,
            started_at=time(get(data, "start"), f"The start of {what}", self._notes),
            ended_at=time(get(data, "end"), f"The end of {what}", self._notes),
            error=None if success else failure,
        )

    def _last_error(self, step: Step) -> ErrorRecord:
        known = [attempt.error for attempt in step.attempts if attempt.error is not None]
        if not known:
            self._notes.add(f"What step {step.label!r} failed with is not in the dump.")
        return known[-1] if known else ErrorRecord(name="Error", message=UNKNOWN_ERROR)

    def _output(self, step: Step, data: Mapping[str, Any]) -> Value:
        output = get(data, "output", "result")
        if output is MISSING:
            self._notes.add(f"The output of step {step.label!r} is not in the dump.")
        what = f"the output of step {step.label!r}"
        value = read_value(output, what, cut=_is_marked_cut(data), as_text=self._as_text, sensitive=step.sensitive)
        if output is not MISSING and holds_unknown(value):
            why = "redacted" if step.sensitive else "cut short, or in a form that the API has none for"
            self._notes.add(f"The output of step {step.label!r} is not whole in the dump: it is {why}.")
        return value

    # -- sleeps and waits --------------------------------------------------------------------------------------------

    def _read_sleep(self, step: Step, data: Mapping[str, Any], end: datetime | None) -> Step:
        # An unfinished sleep's end is when it is due: how long it takes is known, whether it is over is another thing.
        step = self._with_outcome(step, data, end)
        duration = _between(step.started_at, end)
        if duration is None:
            self._notes.add(f"How long the sleep {step.label!r} takes is not in the dump.")
        return replace(step, duration_ms=duration)

    def _read_wait(self, step: Step, data: Mapping[str, Any], end: datetime | None) -> Step:
        step = self._with_outcome(step, data, end)
        output = get(data, "output", "result", "payload")
        if isinstance(output, str) and self._as_text:
            output = loaded(output)
        event = mapping(output)
        wrapped = "payload" in event and ("type" in event or "timestamp" in event)
        own_type = text(get(event, "type")) if wrapped else None
        step = replace(step, event_type=text(get(data, "event_type", "eventType", "event")) or own_type)
        if step.status != "complete":
            return replace(step, timeout_ms=_between(step.started_at, end))
        payload = get(event, "payload") if wrapped else output
        sent = get(event, "timestamp") if wrapped else None
        at = time(sent, f"The time of the event of {step.label!r}", self._notes)
        what = f"the payload of the event that {step.label!r} took"
        value = read_value(payload, what, cut=_is_marked_cut(data))
        return replace(step, result=self._event(step, value, at or end))

    def _event(self, step: Step, payload: Any, at: datetime | None) -> dict[str, Any]:
        if holds_unknown(payload):
            self._notes.add(f"The payload of the event that {step.label!r} took is not whole in the dump.")
        if step.event_type is None:
            self._notes.add(f"The type of the event that {step.label!r} waits for is not in the dump.")
        event = f"of the event that {step.label!r} took"
        no_type = UnknownValue(MISSING_REASON.format(what=f"the type {event}"))
        no_time = UnknownValue(MISSING_REASON.format(what=f"the time {event}"))
        return {
            "payload": payload,
            "type": tag(no_type if step.event_type is None else step.event_type),
            "timestamp": tag(no_time if at is None else at.replace(tzinfo=None)),
        }

    def _with_outcome(self, step: Step, data: Mapping[str, Any], end: datetime | None) -> Step:
        """A sleep or a wait with its status, and when it had it."""
        finished = flag(get(data, "finished", "success"))
        status: StepStatus = "errored" if step.error is not None else "complete" if finished else "waiting"
        is_unknown = finished is None and step.error is None
        if is_unknown and end is not None and self._ended:
            status, is_unknown = "complete", False
        if is_unknown and not self._ended:
            self._notes.add(f"Whether {step.label!r} is over is not in the dump.")
        return replace(
            step, status=status, ended_at=_outcome_at(status, end), unknown_outcome=is_unknown and self._ended
        )


def kind_of(data: Mapping[str, Any]) -> StepKind | None:
    """A step's kind, by its type, or else by its fields; None for a type not known here."""
    given = get(data, "type", "kind")
    if given is not MISSING and given is not None:
        return _KINDS.get(str(given).replace("_", "").replace("-", "").replace(".", "").lower())
    if get(data, "attempts", "config") is not MISSING:
        return "do"
    if get(data, "finished") is MISSING:
        return None if get(data, "output", "success") is MISSING else "do"
    return "sleep" if get(data, "output", "event_type") is MISSING else "wait_for_event"


def output_of(data: Mapping[str, Any]) -> object:
    """The output of a step, as the dump has it; MISSING if it has none, or not the whole of it."""
    if _is_marked_cut(data) or _is_sensitive(data):
        return MISSING
    return get(data, "output", "result", "payload")


def first_delay(config: Mapping[str, Any] | None) -> int | None:
    """Milliseconds before a step's first retry, by its configuration; None where that does not say."""
    delay = get(mapping(get(mapping(config), "retries")), "delay")
    found = None if delay is MISSING or delay == DYNAMIC_DELAY else parse_duration(delay)
    return None if found is None else found.ms


def _retry_delay(step: Step, attempt: Attempt, following: Attempt | None) -> int | None:
    if following is not None:
        return _between(attempt.ended_at, following.started_at)
    retries = mapping(get(mapping(step.config), "retries"))
    first, limit = first_delay(step.config), get(retries, "limit")
    if first is None or not isinstance(limit, int | float) or attempt.number > limit:
        return None
    doubled: int = 2 ** (attempt.number - 1)
    return first * {"constant": 1, "linear": attempt.number}.get(str(get(retries, "backoff")), doubled)


def _outcome_at(status: StepStatus, end: datetime | None) -> datetime | None:
    """When a step had its outcome: of one that has none, the end that a dump names is only when it is due."""
    return end if status in FINAL_STEP_STATUSES else None


def _do_status(success: object, step: Step, end: datetime | None) -> StepStatus:
    last = step.attempts[-1] if step.attempts else None
    if isinstance(success, bool):
        return "complete" if success else "errored"
    if success is MISSING and end is not None:
        failed = step.error is not None or (last is not None and last.error is not None)
        return "errored" if failed else "complete"
    return "waiting" if last is not None and last.error is not None else "running"


def _last_succeeded(attempts: object) -> bool:
    return isinstance(attempts, list) and bool(attempts) and get(mapping(attempts[-1]), "success") is True


def _is_sensitive(data: Mapping[str, Any]) -> bool:
    return bool(get(mapping(get(data, "config")), "sensitive") == "output")


def _is_marked_cut(data: Mapping[str, Any]) -> bool:
    return any("truncated" in key.lower() and value is True for key, value in data.items())


def duration_of(sleep: Mapping[str, Any]) -> int | None:
    """The milliseconds that a sleep took; None where that is not known."""
    silent = Notes()
    return _between(*(time(get(sleep, name), "", silent) for name in ("start", "end")))


def _between(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None or end < start:
        return None
    return round((end - start) / timedelta(milliseconds=1))
