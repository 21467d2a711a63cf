"""The order of a recording's steps: the begin and the outcome of each, as places in one sequence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from durable_engine import StepKey
from durable_engine.history import STEP_ENDS, STEP_STARTS
from pytest_workflows.recordings import Recording, Step, line_keys

_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Span:
    """A step with its places in the sequence.

    Attributes:
        step: The step.
        start: Where it started, among all that happened.
        end: Where it had its outcome; infinite for one that has none.
    """

    step: Step
    start: float
    end: float


def spans_of(recording: Recording) -> list[Span]:
    """The recording's steps with their places: from its history, else from their times."""
    if recording.history:
        starts: dict[StepKey | None, int] = {}
        ends: dict[StepKey | None, int] = {}
        for at, (line, key) in enumerate(zip(recording.history, line_keys(recording), strict=True)):
            if line.kind in STEP_STARTS:
                starts[key] = at
            elif line.kind in STEP_ENDS:
                ends[key] = at
        steps = enumerate(recording.steps)
        return [Span(step, starts.get(step.key, at), ends.get(step.key, _NEVER)) for at, step in steps]
    spans = []
    for step in recording.steps:
        start = step.started_at.timestamp() if step.started_at is not None else 0.0
        spans.append(Span(step, start, step.ended_at.timestamp() if step.ended_at is not None else _NEVER))
    return spans


def latest(spans: Iterable[Span], before: float) -> list[Span]:
    """The spans which ended last before a place: no other one lies between them and it."""
    ended = [span for span in spans if span.end <= before]
    newest = max((span.start for span in ended), default=0.0)
    return [span for span in ended if span.end > newest or span.start == newest]
