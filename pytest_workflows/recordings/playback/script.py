"""A recording as the script of a playback, and the check that the source follows it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from durable_engine import (
    Ask,
    ErrorInfo,
    Instance,
    PlayedLine,
    PlayedStep,
    Script,
    Selector,
    StepKey,
    UnknownValueError,
    encode,
    end_of_unserialisable,
    to_ms,
)
from durable_engine.history import (
    ATTEMPT_FAILURE,
    ATTEMPT_START,
    ATTEMPT_SUCCESS,
    FINAL_STEP_STATUSES,
    SLEEP_COMPLETE,
    SLEEP_START,
    STEP_ENDS,
    STEP_FAILURE,
    STEP_START,
    STEP_STARTS,
    STEP_SUCCESS,
    WAIT_COMPLETE,
    WAIT_START,
    WAIT_TIMED_OUT,
)
from pytest_workflows.recordings.errors import DivergenceError, RecordingError
from pytest_workflows.recordings.format.model import Attempt, ErrorRecord, Recording, SentEvent, Step
from pytest_workflows.recordings.format.sleeps import by_name, line_keys
from pytest_workflows.recordings.format.truncation import check_whole
from pytest_workflows.recordings.format.values import untag

from .divergence import diverged, ended_early

_AT_WORK = frozenset({"queued", "running", "waitingForPause", "rollingBack", "unknown"})
_HIDDEN = encode("[REDACTED]")
_Span = tuple[float, float]
"""The places of a step's start and end in the order of all of them; infinity for one that has not ended."""


@dataclass(slots=True)
class RecordedScript(Script):
    """A script from a recording: it answers an execution's steps, up to a step from which on it runs for real.

    Args:
        recording: The recording.
        until: That step; None for none.
        name: Names the recording in errors.
        workflow: The binding that it is run on.

    Attributes:
        asked: The steps that `run` asked for, in order.
        live: Whether the execution runs for real by now.
        timers: The timers for recorded events.
    """

    recording: Recording = field(kw_only=True)
    until: StepKey | None = None
    name: str = "the recording"
    workflow: str = ""
    asked: list[Ask] = field(default_factory=list)
    live: bool = False
    timers: list[Any] = field(default_factory=list)
    _played: dict[StepKey, PlayedStep] = field(default_factory=dict)
    _recorded: dict[StepKey, StepKey] = field(default_factory=dict)
    _inexact: dict[tuple[str, int], StepKey] = field(default_factory=dict)
    _steps: dict[StepKey, Step] = field(default_factory=dict)
    _spans: dict[StepKey, _Span] = field(default_factory=dict)

    def __post_init__(self) -> None:
        recording = self.recording
        check_whole(recording, self.name)
        self._steps = {step.key: step for step in recording.steps}
        self._spans = _spans(recording)
        # How long a sleep was to take is known from what was recorded here. Production shows how long it took.
        self._inexact = {
            (key.name, count): key
            for key, count in by_name(recording.steps).items()
            if recording.source == "production" or key.duration is None
        }
        if recording.status == "terminated" and recording.ended_at is not None:
            self.terminated_at = to_ms(recording.ended_at)

    @property
    def expected(self) -> list[Step]:
        """The steps that `run` itself asked for, in order of their start."""
        return [step for step in self.recording.steps if step.parent is None]

    @property
    def missing(self) -> list[Step]:
        """The expected steps that `run` has not asked for so far."""
        asked = {ask.key for ask in self.asked}
        return [step for step in self.expected if step.key not in asked]

    def begins(self, instance: Instance) -> None:
        """Begin anew, as `run` does."""
        self.asked.clear()

    @property
    def stuck_at(self) -> list[Step]:
        """The steps that `run` has asked for and whose outcome is not known: they never end."""
        asked = [] if self.live else [self._steps.get(ask.key) for ask in self.asked]
        return [step for step in asked if step is not None and step.unknown_outcome]

    def _is_beyond(self, instance: Instance, missing: Sequence[Step]) -> bool:
        """Whether every recorded step was asked for, and the recording stops in the middle of the run."""
        is_end = self.terminated_at is not None and instance.engine.clock.now_ms >= self.terminated_at
        return not missing and (is_end or self.recording.status in _AT_WORK)

    @property
    def may_end(self) -> bool:
        """Whether `run` may come to an end that is not recorded: it was in the middle of its own code."""
        recording = self.recording
        if any(step.status not in FINAL_STEP_STATUSES for step in self.expected):
            return False
        if recording.status != "terminated":
            return recording.status in _AT_WORK
        moments = [recording.created_at, *(step.ended_at for step in self.expected)]
        return recording.ended_at in moments

    def check(self, instance: Instance, ask: Ask) -> Exception | None:
        """Check that the step comes now in the recording as well."""
        if self.live:
            return None
        missing = self.missing
        ask = msgspec.structs.replace(ask, key=self._find_recorded(instance, ask.key))
        self.asked.append(ask)
        if ask.key == self.until:
            self._go_live(instance)
            return None
        return self._check_path(instance, ask, missing)

    def _check_path(self, instance: Instance, ask: Ask, missing: list[Step]) -> Exception | None:
        if ask.key not in self._steps:
            return None if self._is_beyond(instance, missing) else diverged(self, ask, missing[0] if missing else None)
        start = self._spans[ask.key][0]
        skipped = next((step for step in missing if self._spans[step.key][1] < start), None)
        return None if skipped is None else diverged(self, ask, skipped)

    def ended_without(self, outcome: str) -> DivergenceError:
        """The error for a `run` that goes no further, and has not asked for all that is recorded.

        Args:
            outcome: Its status now, in words.
        """
        return ended_early(self, outcome)

    def ends_unknown(self, error: UnknownValueError) -> bool:
        """Whether a `run` that an unknown value stopped has come to all that is recorded, and went on from there."""
        return False

    def find(self, key: StepKey) -> PlayedStep | None:
        """The recorded step of that identity; None from where on the execution runs for real."""
        if self.live:
            return None
        recorded = self._recorded.get(key, key)
        if recorded not in self._steps:
            # Beyond the recorded end nothing is answered.
            return PlayedStep(key, rank=0, status="running", lines=())
        if key not in self._played:
            self._played[key] = play(key, self._steps[recorded], self._spans[recorded][1], self.recording)
        return self._played[key]

    def _find_recorded(self, instance: Instance, key: StepKey) -> StepKey:
        """The step of the recording that `run` asks for."""
        by_name = instance.sleep_by_name(key)
        recorded = key if by_name is None else self._inexact.get((key.name, by_name), key)
        self._recorded[key] = recorded
        return recorded

    # -- running for real --------------------------------------------------------------------------------------------

    def _go_live(self, instance: Instance) -> None:
        self.live = True
        self.terminated_at = None
        answered = {ask.key.label for ask in self.asked if ask.key.kind == "wait_for_event" and ask.key != self.until}
        for event in self.recording.events:
            if event.taken_by not in answered:
                self._send(instance, event)

    def _send(self, instance: Instance, event: SentEvent) -> None:
        engine, payload = instance.engine, encode(untag(event.payload))

        def arrive() -> None:
            if not engine.closed and engine.exists(instance.workflow, instance.id):
                engine.send_event(instance.workflow, instance.id, event.type, payload)

        due = engine.clock.now_ms if event.sent_at is None else max(to_ms(event.sent_at), engine.clock.now_ms)
        self.timers.append(engine.schedule(due, arrive, what=f"the recorded event {event.type!r}"))

    def stop(self) -> None:
        """Forget the events that have not come yet."""
        for timer in self.timers:
            timer.cancel()


def find_until(recording: Recording, until: object) -> StepKey:
    """The step that a selector names in a recording.

    Raises:
        RecordingError: If it names none, or one inside of another step's callback.
    """
    selector = Selector.parse(until)
    sleeps = by_name(recording.steps)
    named = [
        step for step in recording.steps if selector.matches(step.key._replace(count=sleeps.get(step.key, step.count)))
    ]
    # A name with its occurrence is taken as well, as history shows it; a step that is really called so wins.
    for step in named or [step for step in recording.steps if step.label == until]:
        if step.parent is not None:
            raise RecordingError(
                f"until={until!r}: that step ran inside the callback of {step.parent!r}, which is answered from "
                "the recording as a whole. Name that one."
            )
        return step.key
    names = ", ".join(repr(step.label) for step in recording.steps)
    raise RecordingError(f"until={until!r}: the recording has no such step. It has: {names or 'none'}.")


def play(key: StepKey, step: Step, rank: float, recording: Recording) -> PlayedStep:
    """A recorded step as it is played, for the step that `run` asks for."""
    result = None if step.kind == "sleep" or step.status != "complete" else encode(untag(step.result))
    ending = _ending(step, result)
    end = end_of_unserialisable(step.name)  # the error of any other step may have been caught by `run`
    is_end = step.error is not None and recording.error is not None and recording.error.message == end.message
    return PlayedStep(
        key=key,
        rank=sys.maxsize if rank == float("inf") else int(rank),
        status=step.status,
        lines=[*_beginning(step), *ending],
        ending=len(ending),
        ended_at=_ms(step.ended_at),
        inputs=encode({name: untag(value) for name, value in step.inputs.items()}) if step.inputs else None,
        result=result,
        error=None if step.error is None else ErrorInfo.from_public(step.error.name, step.error.message),
        fatal=end if is_end else None,
        mocked=step.mocked,
        sensitive=step.sensitive,
    )


def _beginning(step: Step) -> list[PlayedLine]:
    """The lines of a step before its end."""
    at = _ms(step.started_at)
    if step.kind == "sleep":
        return [PlayedLine(at, SLEEP_START, {"durationMs": step.duration_ms})]
    if step.kind == "wait_for_event":
        return [PlayedLine(at, WAIT_START, {"event": step.event_type})]
    lines = [PlayedLine(at, STEP_START, {"config": _plain(untag(step.config or {}))})]
    for attempt in step.attempts:
        lines.append(PlayedLine(_ms(attempt.started_at), ATTEMPT_START, {"attempt": attempt.number}))
        if attempt.error is not None and not _is_last_of_a_failed(step, attempt):
            lines.append(PlayedLine(_ms(attempt.ended_at), ATTEMPT_FAILURE, _failure(attempt, attempt.error)))
    return lines


def _ending(step: Step, result: bytes | None) -> list[PlayedLine]:
    """The lines of a step's end; none for one that has not ended."""
    at = _ms(step.ended_at)
    if step.status not in FINAL_STEP_STATUSES:
        return []
    if step.kind == "sleep":
        return [PlayedLine(at, SLEEP_COMPLETE)]
    error = None if step.error is None else {"name": step.error.name, "message": step.error.message}
    if step.kind == "wait_for_event":
        return [PlayedLine(at, WAIT_TIMED_OUT, error) if error else PlayedLine(at, WAIT_COMPLETE, None, result)]
    last = step.attempts[-1] if step.attempts else Attempt(number=1)
    if error is None:
        shown = _HIDDEN if step.sensitive else result
        # A dump may say that a step is complete, and nothing of its attempts.
        attempts = [PlayedLine(at, ATTEMPT_SUCCESS, {"attempt": last.number})] if step.attempts else []
        return [*attempts, PlayedLine(at, STEP_SUCCESS, None, shown)]
    lines = [PlayedLine(at, STEP_FAILURE, {"error": error})]
    if last.error is not None:
        lines.insert(0, PlayedLine(at, ATTEMPT_FAILURE, _failure(last, last.error)))
    return lines


def _is_last_of_a_failed(step: Step, attempt: Attempt) -> bool:
    return step.status == "errored" and attempt is step.attempts[-1]


def _failure(attempt: Attempt, error: ErrorRecord) -> dict[str, Any]:
    detail: dict[str, Any] = {"attempt": attempt.number, "error": {"name": error.name, "message": error.message}}
    if attempt.retry_delay_ms is not None:
        detail["retryDelayMs"] = attempt.retry_delay_ms
    return detail


def _plain(value: object) -> object:
    """A value without our dicts, which history's storage does not know."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _spans(recording: Recording) -> dict[StepKey, _Span]:
    """The places of each step's start and end in the order of all of them."""
    from_history = _spans_of_history(recording)
    spans = _spans_of_times(recording.steps)
    return {key: from_history.get(key, span) for key, span in spans.items()} if from_history else spans


def _spans_of_history(recording: Recording) -> dict[StepKey, _Span]:
    spans: dict[StepKey, _Span] = {}
    for index, (line, key) in enumerate(zip(recording.history, line_keys(recording), strict=True)):
        if key is None:
            continue
        if line.kind in STEP_STARTS:
            spans[key] = (index, float("inf"))
        elif line.kind in STEP_ENDS and key in spans:
            spans[key] = (spans[key][0], index)
    return spans


def _spans_of_times(steps: Iterable[Step]) -> dict[StepKey, _Span]:
    spans: dict[StepKey, _Span] = {}
    for step in steps:
        # Of a step whose times are not known, nothing is known to come before it or after it.
        start = float("-inf") if step.started_at is None else to_ms(step.started_at)
        end = float("inf") if step.ended_at is None else to_ms(step.ended_at)
        spans[step.key] = (start, end)
    return spans
