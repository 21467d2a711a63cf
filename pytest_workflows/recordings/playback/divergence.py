"""Divergence errors: both sequences side by side, the first difference marked, file and line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Protocol

from durable_engine import Ask, Place, StepKey, in_words
from pytest_workflows.recordings.errors import DivergenceError
from pytest_workflows.recordings.format.matching import holds_redacted
from pytest_workflows.recordings.format.model import Recording, Step
from pytest_workflows.recordings.production import guess_of

_AROUND = 4
_MOST_WIDE = 50
_CALLS = {"do": "step.do", "sleep": "step.sleep", "wait_for_event": "step.wait_for_event"}

_ANOTHER_WAY = "An instance in flight has the recorded steps, and would go another way from here on."


class FollowedScript(Protocol):
    """A recording, and how far the source has followed it."""

    @property
    def recording(self) -> Recording:
        """The recording."""

    @property
    def name(self) -> str:
        """The recording's name in a message."""

    @property
    def workflow(self) -> str:
        """The binding's name of its workflow."""

    @property
    def expected(self) -> Sequence[Step]:
        """The recorded steps of `run` itself, in their order."""

    @property
    def missing(self) -> Sequence[Step]:
        """The recorded steps that were not asked for."""

    @property
    def asked(self) -> Sequence[Ask]:
        """The steps that `run` has asked for."""


def diverged(script: FollowedScript, ask: Ask, recorded: Step | None, why: str = "") -> DivergenceError:
    """The error for a step that `run` asks for and that the recording does not have there.

    Args:
        script: The recording, and what was asked for so far, this step included.
        ask: This step.
        recorded: The step that the recording has instead; None where it has no more.
        why: What that does to an instance in flight, where more is known than that it goes another way.
    """
    where = place_text(*ask.place)
    asked, known = call(ask.key), None if recorded is None else call(recorded.key)
    if recorded is not None and asked == known:  # sleeps of one name that differ in their duration
        asked, known = (call(key, with_duration=True) for key in (ask.key, recorded.key))
    instead = "where the recording has no more steps" if known is None else f"where the recording has {known}"
    lines = [
        f"{_instance(script)} does not follow {script.name}: at {where} it asks for {asked}, {instead}.",
        "",
        *_side_by_side(script, marked=recorded),
        "",
        f"{why or _ANOTHER_WAY} Keep those steps as they are, or let new code apply to new instances alone.",
        *_hints(script.recording),
    ]
    return DivergenceError("\n".join(lines))


def ended_early(script: FollowedScript, outcome: str) -> DivergenceError:
    """The error for a `run` that goes no further and has not asked for all that is recorded.

    Args:
        script: The recording, and what was asked for.
        outcome: Its status now, in words.
    """
    missing = script.missing
    lines = [
        f"{_instance(script)} does not follow {script.name}: it is {outcome}, and has not asked for "
        f"{call(missing[0].key)}, which the recording has.",
        "",
        *_side_by_side(script, marked=missing[0]),
        *_hints(script.recording),
    ]
    return DivergenceError("\n".join(lines))


def ended_otherwise(script: FollowedScript, recorded: str, outcome: str, place: Place | None) -> DivergenceError:
    """The error for a `run` that asked for all that is recorded, and came to another end.

    Args:
        script: The recording.
        recorded: How the recording stands at its end, in words.
        outcome: Its status now, in words.
        place: Where the source raised what ended it, if it did.
    """
    where = "" if place is None else f" ({place_text(*place)})"
    lines = [
        f"{_instance(script)} follows {script.name}, but to another end:",
        f"  recorded: {recorded}",
        f"  now:      {outcome}{where}",
        *_hints(script.recording),
    ]
    return DivergenceError("\n".join(lines))


def call(key: StepKey, *, with_duration: bool = False) -> str:
    """A step as the source calls it: `step.do('charge')`, with its occurrence from the second one on.

    Args:
        key: The step.
        with_duration: Whether that of a sleep is said.
    """
    occurrence = f" (occurrence {key.count})" if key.count > 1 else ""
    duration = f" of {in_words(key.duration)}" if with_duration and key.duration is not None else ""
    return f"{_CALLS[key.kind]}({key.name!r}){occurrence}{duration}"


def place_text(file: str, line: int) -> str:
    """A place in the source, relative to the working folder where it lies in it."""
    short = os.path.relpath(file)
    return f"{file if short.startswith('..') else short}:{line}"


def _instance(script: FollowedScript) -> str:
    return f"Instance {script.recording.instance_id!r} of {script.workflow!r}"


def _hints(recording: Recording) -> list[str]:
    values = [recording.params, *(step.result for step in recording.steps)]
    hints = []
    if any(map(holds_redacted, values)):
        hints.append("Some recorded values are redacted or unknown, which may lead `run` elsewhere.")
    return hints + guess_of(recording.notes)


def _side_by_side(script: FollowedScript, marked: Step | None) -> list[str]:
    """Both sequences side by side: steps that both have stand in one row, and the first difference is marked."""
    recorded = [(step.key, _recorded_place(step)) for step in script.expected]
    now = [(ask.key, ask.place) for ask in script.asked]
    first = _first_difference(recorded, now, marked)
    start = max(0, first - _AROUND)
    rows = list(zip_longest(recorded[start : first + _AROUND + 1], now[start : first + _AROUND + 1]))
    left = [_cell(one) for one, _ in rows]
    width = min(_MOST_WIDE, max([len("recorded"), *map(len, left)]))
    lines = [f"     {'recorded':<{width}}   now"]
    if start:
        lines.append(f"     ... {start} more as recorded")
    for number, (text, (_, other)) in enumerate(zip(left, rows, strict=True), start):
        mark = "->" if number == first else "  "
        lines.append(f"  {mark} {text:<{width}}   {_cell(other)}".rstrip())
    after = len(recorded) - (first + _AROUND + 1)
    if after > 0:
        lines.append(f"     ... {after} more")
    return lines


def _first_difference(recorded: Sequence[Any], now: Sequence[Any], marked: Step | None) -> int:
    if marked is None:
        return len(now) - 1
    return next((index for index, (key, _) in enumerate(recorded) if key == marked.key), len(now) - 1)


def _recorded_place(step: Step) -> Place | None:
    return None if step.place is None else (step.place.file, step.place.line)


def _cell(entry: tuple[StepKey, Place | None] | None) -> str:
    if entry is None:
        return "-"
    key, place = entry
    return f"{key.kind} {key.label}" + ("" if place is None else f"  {place_text(*place)}")
