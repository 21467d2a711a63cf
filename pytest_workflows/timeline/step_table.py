"""The step table: a line for each step of a run (time, kind, name, outcome, bar), longer parts below it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple, Protocol, TypeVar

from durable_engine import AttemptRecord, Effect, HistoryEvent, StepKey, StepRecord, in_words, printable, show
from durable_engine.history import WAIT_START
from pytest_workflows.messages.short_repr import cut

from .bar_chart import ATTEMPT, BLOCKS, DELAY, FAILED, SLEEP, WAIT
from .styled_text import Cell, Line, Part, paragraph, row, width_of

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
_WORDS = {"do": "step", "sleep": "sleep", "wait_for_event": "wait"}
_NAME_WIDTH = 20
_VALUE_WIDTH = 60
_GAP = 2
_TRACEBACK = "Traceback (most recent call last):"
_CHAINED = re.compile(r"\n\n(?:The above exception was the direct cause|During handling of the above exception)")
_FRAMES = re.compile(r'(?:^  File ".*", line \d+.*\n(?:    .*\n)*)+', re.MULTILINE)
EDGE = 10
"""The items that are shown at either end of a long list."""
_MANY = 100
"""The number of repetitions of a step from which on the table asks about it."""
T = TypeVar("T")


class Hiding(Protocol):
    """A filter that keeps secrets out of what is shown."""

    def text(self, text: str) -> str:
        """A text without the secrets."""

    def shown(self, value: object) -> object:
        """A value without the secrets."""


class _NothingHidden:
    """A filter that shows everything."""

    def text(self, text: str) -> str:
        return text

    def shown(self, value: object) -> object:
        return value


class TextFormatter:
    """A formatter of one report's values and messages: without secrets, and safe for a terminal.

    Args:
        hiding: The filter that keeps secrets out.
        shown: The text that stands beside the report already: a message of several lines is shown in full once.
    """

    def __init__(self, hiding: Hiding | None = None, shown: str = "") -> None:
        self._hiding = hiding or _NothingHidden()
        self._shown = shown

    def text(self, text: str) -> str:
        """A text, filtered and escaped."""
        return printable(self._hiding.text(text))

    def word(self, text: str) -> str:
        """A name, on one line."""
        return self.text(text).replace("\n", "\\n").replace("\t", "\\t")

    def value(self, value: Any) -> str:
        """A value, cut where it is long."""
        return cut(self.text(show(self._hiding.shown(value))), _VALUE_WIDTH)

    def has_shown(self, text: str) -> bool:
        """Whether the report says so already."""
        return text in self._shown

    def message(self, message: str) -> str:
        """A message: all of its lines the first time, its first line after that."""
        whole = whole_message(message)
        first, newline, _ = whole.partition("\n")
        if not newline:
            return self.text(first)
        if whole in self._shown:
            return f"{self.text(first)} ..."
        self._shown += f"\n{whole}"
        return self.text(whole)


class _Outcome(NamedTuple):
    """A step's outcome.

    Attributes:
        word: The outcome in a word.
        joint: The text between the word and `more`, on one line.
        label: The text before `more` on a line of its own.
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
        """The whole outcome on one line."""
        return f"{self.word}{self.joint}{self.more}{self.mocked}"

    @property
    def below(self) -> str:
        """The part that goes on a line of its own where it does not fit."""
        return f"{self.label}{self.more}{self.mocked}".strip()


class _Widths(NamedTuple):
    """The widths of the columns."""

    offset: int
    kind: int
    name: int
    outcome: int
    bar: int

    @property
    def below(self) -> int:
        """The room below a step, from its name on."""
        return self.name + self.outcome + self.bar + (2 if self.bar else 1) * _GAP


def table(
    steps: Sequence[StepRecord],
    history: Sequence[HistoryEvent],
    bars: Mapping[StepKey, str],
    start: datetime,
    width: int,
    formatter: TextFormatter,
    calls: Sequence[Effect] = (),
) -> list[Line]:
    """The steps as lines; of very many, the first and the last ones.

    Args:
        steps: The steps.
        history: The history that they are from.
        bars: The bar of each step.
        start: When the instance started.
        width: How wide a line may be.
        formatter: The formatter of values.
        calls: The calls of bindings that the steps made.
    """
    made: dict[StepKey, list[Effect]] = {}
    for call in calls:
        if call.step is not None:
            made.setdefault(call.step, []).append(call)
    events = {line.step: line.detail.get("event") for line in history if line.kind == WAIT_START}
    first, left_out, last = ends(steps)
    shown = [*first, *last]
    widths = _widths(shown, bars, start, width, formatter)
    lines: list[Line] = []
    for number, step in enumerate(shown):
        if left_out and number == len(first):
            lines += [[Part(line, "dim")] for line in paragraph(_left_out(left_out, formatter), width, "  ")]
        outcome = _outcome(step, events.get(step.key.label), formatter)
        lines += _step_lines(step, outcome, bars.get(step.key, ""), start, widths, formatter)
        lines += _call_lines(made.get(step.key, ()), widths, formatter)
    return lines


def ends(items: Sequence[T]) -> tuple[Sequence[T], Sequence[T], Sequence[T]]:
    """Split very many items into the first ones, those left out, and the last ones; of not so many, all are first."""
    if len(items) <= 2 * EDGE + 4:
        return items, [], []
    return items[:EDGE], items[EDGE:-EDGE], items[-EDGE:]


def joined(items: Sequence[str]) -> str:
    """A list of many things in a sentence: the first and the last ones."""
    first, left_out, last = ends(items)
    gap = [f"... {len(left_out):,} left out ..."] if left_out else []
    return ", ".join([*first, *gap, *last])


def _left_out(steps: Sequence[StepRecord], formatter: TextFormatter) -> str:
    names = [f"{name} {count:,} times" for name, count in _names(steps)[:3]]
    return f"... {len(steps):,} steps left out: {formatter.word(', '.join(names))}"


def _names(steps: Iterable[StepRecord]) -> list[tuple[str, int]]:
    """The names of steps with their counts, the most frequent ones first; names may differ in a number."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for step in steps:
        found.setdefault((step.kind, re.sub(r"\d+", "#", step.name)), Counter())[step.name] += 1
    words = [(_named(_WORDS[kind], list(names)), names.total()) for (kind, _), names in found.items()]
    return sorted(words, key=lambda one: -one[1])


def _named(word: str, names: Sequence[str]) -> str:
    return f"{word} {names[0]!r}" if len(names) == 1 else f"a {word} named like {names[0]!r}"


def repeated(steps: Sequence[StepRecord]) -> str | None:
    """A question about the step that runs over and over, or None where none does.

    Args:
        steps: All steps of the instance.
    """
    frequent = [one for one in _names(step for step in steps if step.kind == "do") + _names(steps) if one[1] >= _MANY]
    if not frequent:
        return None
    name, count = frequent[0]
    return printable(f"{name} ran {count:,} times: is an answer missing?")


def whole_message(message: str) -> str:
    """The lines of a message that say what happened: behind the frames, where it holds a traceback."""
    lines = message.strip().splitlines()
    if not any(line.endswith(_TRACEBACK) for line in lines):
        return "\n".join(lines)
    messages = (
        number for number, line in enumerate(lines) if not line.startswith(" ") and not line.endswith(_TRACEBACK)
    )
    first = next(messages, len(lines) - 1)
    return _CHAINED.split("\n".join(lines[first:]))[0].rstrip()


def error_text(error: Mapping[str, str]) -> str:
    """The error of an instance or a step as text for a message: the exception, once, and its place.

    Args:
        error: Its `name` and `message`.
    """
    message = error["message"].rstrip()
    frames = _FRAMES.findall(message)
    said = _FRAMES.split(message)[1:] or [message]
    # On its way out of a step an exception is raised again, with the same words behind its name.
    whole = whole_message(message)
    again = all(part.partition("\n\n")[0].rstrip().endswith((whole, _TRACEBACK)) for part in said if part.strip())
    if not again:
        return f"{error['name']}: {message}"
    return "\n".join([f"{error['name']}: {whole}", *(frame.rstrip("\n") for frame in dict.fromkeys(frames))])


def _widths(
    steps: Sequence[StepRecord], bars: Mapping[StepKey, str], start: datetime, width: int, formatter: TextFormatter
) -> _Widths:
    times = [step.started_at for step in steps] + [attempt.started_at for step in steps for attempt in step.attempts]
    longest = max(len(offset(start, at)) for at in times)
    kind = max(len(_KINDS[step.kind]) for step in steps)
    name = min(max(width_of(formatter.word(step.key.label)) for step in steps), _NAME_WIDTH)
    bar = max((len(bar) for bar in bars.values()), default=0)
    return _Widths(longest, kind, name, width - longest - kind - name - bar - 4 * _GAP, bar)


def _step_lines(
    step: StepRecord, outcome: _Outcome, bar: str, start: datetime, widths: _Widths, formatter: TextFormatter
) -> list[Line]:
    style = STYLES.get(outcome.word, "yellow")
    fits = width_of(outcome.whole) <= widths.outcome
    shown = (
        [Part(outcome.word, style), Part(outcome.whole[len(outcome.word) :])] if fits else [Part(outcome.word, style)]
    )
    lines = row(
        [
            Cell(widths.offset, [Part(offset(start, step.started_at), "dim")]),
            Cell(widths.kind, [Part(_KINDS[step.kind])]),
            Cell(widths.name, [Part(formatter.word(step.key.label), "bold")]),
            Cell(widths.outcome, shown),
            Cell(widths.bar, _bar_parts(bar)),
        ],
        _GAP,
    )
    if not fits:
        lines += _below("", outcome.below, "", widths)
    first, left_out, last = ends(step.attempts if len(step.attempts) > 1 or step.error else [])
    for number, attempt in enumerate([*first, *last]):
        if left_out and number == len(first):
            lines += _below("", f"... {len(left_out):,} attempts left out", "dim", widths)
        text, style = _attempt(attempt, formatter), "red" if attempt.error else ""
        lines += _below(offset(start, attempt.started_at), text, style, widths)
    return lines


def _call_lines(calls: Sequence[Effect], widths: _Widths, formatter: TextFormatter) -> list[Line]:
    """A line for each attempt that called a binding."""
    lines: list[Line] = []
    attempts = {call.attempt for call in calls}
    for attempt, made in groupby(calls, key=lambda call: call.attempt):
        of = "calls" if len(attempts) == 1 else f"attempt {attempt} calls"
        lines += _below("", f"{of} {joined([_call(call, formatter) for call in made])}", "dim", widths)
    return lines


def _call(call: Effect, formatter: TextFormatter) -> str:
    """A call: `CACHE.put('order-1', 'paid')`, and of a statement its SQL: `DB.run('INSERT ...')`."""
    of = call
    while not of.args and not of.kwargs and of.origin is not None:
        of = of.origin
    given = [formatter.value(value) for value in of.args]
    given += [f"{name}={formatter.value(value)}" for name, value in of.kwargs.items()]
    name = call.method.rpartition(".")[2]
    return formatter.word(f"{call.service}.{name}({cut(', '.join(given), _VALUE_WIDTH)})")


def _below(at: str, text: str, style: str, widths: _Widths) -> list[Line]:
    cells = [
        Cell(widths.offset, [Part(at, "dim")]),
        Cell(widths.kind, []),
        Cell(widths.below, [Part(text, style)]),
    ]
    return row(cells, _GAP)


def _bar_parts(bar: str) -> Line:
    return [Part("".join(same), _BAR_STYLES.get(drawn, "")) for drawn, same in groupby(bar)]


def _attempt(attempt: AttemptRecord, formatter: TextFormatter) -> str:
    text = f"attempt {attempt.number}: "
    if attempt.error is None:
        return text + ("complete" if attempt.ended_at else "running")
    text += f"{formatter.word(attempt.error['name'])}: {formatter.message(attempt.error['message'])}"
    if attempt.retry_delay is not None:
        text += "\n" if "\n" in text else ", "
        text += f"retried after {in_words(round(attempt.retry_delay.total_seconds() * 1000))}"
    return text


def _outcome(step: StepRecord, event: str | None, formatter: TextFormatter) -> _Outcome:
    mocked = " (mocked)" if step.mocked else ""
    if step.kind == "sleep":
        return _Outcome(step.status, ", ", "", in_words(step.key.duration or 0), mocked)
    if step.kind == "wait_for_event":
        word = {"errored": "timed out"}.get(step.status, step.status)
        return _Outcome(word, ", ", "", f"event {formatter.text(repr(event))}", mocked)
    if step.status == "complete":
        return _Outcome("complete", ": ", "result: ", formatter.value(step.result), mocked)
    word = {"waiting": "retrying", "errored": "failed"}.get(step.status, "running")
    return _Outcome(word, mocked=mocked)


def offset(start: datetime, at: datetime) -> str:
    """The time since the start, in short: `+1d 10s`."""
    ms = round((at - start).total_seconds() * 1000)
    return "+" + (re.sub(r" (ms|[dhms])[a-z]*", r"\1", in_words(ms)) if ms else "0")
