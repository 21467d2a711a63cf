"""The steps of a run as lines of text: when, what, with which outcome, and a bar; below, what needs more room."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from durable_engine import AttemptRecord, HistoryEvent, StepKey, StepRecord, in_words, show

from .bars import ATTEMPT, BLOCKS, DELAY, FAILED, SLEEP, WAIT
from .styled import Cell, Line, Part, row, width_of

STYLES = {
    "complete": "green",
    "errored": "red",
    "failed": "red",
    "timed out": "red",
    "terminated": "red",
}
_BAR_STYLES = {ATTEMPT: "green", FAILED: "red", DELAY: "yellow", SLEEP: "blue", WAIT: "magenta"}
_BAR_STYLES |= {drawn.translate(BLOCKS): style for drawn, style in _BAR_STYLES.items()}
_KINDS = {"do": "do", "sleep": "sleep", "wait_for_event": "wait"}
_NAME_WIDTH = 20
_VALUE_WIDTH = 60
_GAP = 2
_TRACEBACK = "Traceback (most recent call last):"


class _Outcome(NamedTuple):
    """A step's outcome.

    Attributes:
        word: What has become of it.
        joint: What stands between the word and `more`, on one line.
        label: What stands before `more` on a line of its own.
        more: The result, the duration, the event.
        mocked: Whether a modification answered.
    """

    word: str
    joint: str = ""
    label: str = ""
    more: str = ""
    mocked: str = ""

    @property
    def whole(self) -> str:
        """All of it on one line."""
        return f"{self.word}{self.joint}{self.more}{self.mocked}"

    @property
    def below(self) -> str:
        """What goes on a line of its own where it does not fit."""
        return f"{self.label}{self.more}{self.mocked}".strip()


class _Widths(NamedTuple):
    """How wide the columns are."""

    offset: int
    kind: int
    name: int
    outcome: int
    bar: int

    @property
    def below(self) -> int:
        """The room for what stands below a step, from its name on."""
        return self.name + self.outcome + self.bar + (2 if self.bar else 1) * _GAP


def table(
    steps: Sequence[StepRecord],
    history: Sequence[HistoryEvent],
    bars: Mapping[StepKey, str],
    start: datetime,
    width: int,
) -> list[Line]:
    """The steps as lines.

    Args:
        steps: The steps.
        history: The history that they are from.
        bars: What is drawn behind each.
        start: When the instance started.
        width: How wide a line may be.
    """
    events = {line.step: line.detail.get("event") for line in history if line.kind == "WAIT_START"}
    outcomes = [_outcome(step, events.get(step.key.label)) for step in steps]
    widths = _widths(steps, bars, start, width)
    lines: list[Line] = []
    for step, outcome in zip(steps, outcomes, strict=True):
        lines += _step_lines(step, outcome, bars.get(step.key, ""), start, widths)
    return lines


def summary(message: str) -> str:
    """The line of a message that says what happened: behind the frames, where it holds a traceback."""
    lines = message.strip().splitlines()
    telling = (line for line in lines if not line.startswith(" ") and not line.endswith(_TRACEBACK))
    return next(telling, lines[-1] if lines else "")


def _widths(steps: Sequence[StepRecord], bars: Mapping[StepKey, str], start: datetime, width: int) -> _Widths:
    times = [step.started_at for step in steps] + [attempt.started_at for step in steps for attempt in step.attempts]
    longest = max(len(offset(start, at)) for at in times)
    kind = max(len(_KINDS[step.kind]) for step in steps)
    name = min(max(width_of(step.key.label) for step in steps), _NAME_WIDTH)
    bar = max((len(bar) for bar in bars.values()), default=0)
    return _Widths(longest, kind, name, width - longest - kind - name - bar - 4 * _GAP, bar)


def _step_lines(step: StepRecord, outcome: _Outcome, bar: str, start: datetime, widths: _Widths) -> list[Line]:
    style = STYLES.get(outcome.word, "yellow")
    fits = width_of(outcome.whole) <= widths.outcome
    shown = (
        [Part(outcome.word, style), Part(outcome.whole[len(outcome.word) :])] if fits else [Part(outcome.word, style)]
    )
    lines = row(
        [
            Cell(widths.offset, [Part(offset(start, step.started_at), "dim")]),
            Cell(widths.kind, [Part(_KINDS[step.kind])]),
            Cell(widths.name, [Part(step.key.label, "bold")]),
            Cell(widths.outcome, shown),
            Cell(widths.bar, _bar_parts(bar)),
        ],
        _GAP,
    )
    if not fits:
        lines += _below("", outcome.below, "", widths)
    for attempt in step.attempts if len(step.attempts) > 1 or step.error else []:
        lines += _below(offset(start, attempt.started_at), _attempt(attempt), "red" if attempt.error else "", widths)
    return lines


def _below(at: str, text: str, style: str, widths: _Widths) -> list[Line]:
    cells = [
        Cell(widths.offset, [Part(at, "dim")]),
        Cell(widths.kind, []),
        Cell(widths.below, [Part(text, style)]),
    ]
    return row(cells, _GAP)


def _bar_parts(bar: str) -> Line:
    return [Part("".join(same), _BAR_STYLES.get(drawn, "")) for drawn, same in groupby(bar)]


def _attempt(attempt: AttemptRecord) -> str:
    text = f"attempt {attempt.number}: "
    if attempt.error is None:
        return text + ("complete" if attempt.ended_at else "running")
    text += f"{attempt.error['name']}: {summary(attempt.error['message'])}"
    if attempt.retry_delay is not None:
        text += f", retried after {in_words(round(attempt.retry_delay.total_seconds() * 1000))}"
    return text


def _outcome(step: StepRecord, event: str | None) -> _Outcome:
    mocked = " (mocked)" if step.mocked else ""
    if step.kind == "sleep":
        return _Outcome(step.status, ", ", "", in_words(step.key.duration or 0), mocked)
    if step.kind == "wait_for_event":
        word = {"errored": "timed out"}.get(step.status, step.status)
        return _Outcome(word, ", ", "", f"event {event!r}", mocked)
    if step.status == "complete":
        return _Outcome("complete", ": ", "result: ", _short(step.result), mocked)
    word = {"waiting": "retrying", "errored": "failed"}.get(step.status, "running")
    return _Outcome(word, mocked=mocked)


def offset(start: datetime, at: datetime) -> str:
    """How long after the start, in short: `+1d 10s`."""
    ms = round((at - start).total_seconds() * 1000)
    return "+" + (re.sub(r" (ms|[dhms])[a-z]*", r"\1", in_words(ms)) if ms else "0")


def _short(value: object) -> str:
    text = show(value)
    return text if len(text) <= _VALUE_WIDTH else f"{text[: _VALUE_WIDTH - 3]}..."
