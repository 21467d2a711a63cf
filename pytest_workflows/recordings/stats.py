"""Statistics of many recordings, a workflow each: how they ended, where the time went, which steps are slow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from statistics import median

import msgspec

from durable_engine import STATUSES

from .format.model import Recording, Step

Interval = tuple[datetime, datetime]


class Spread(msgspec.Struct, frozen=True):
    """The spread of a duration over instances or runs of a step, in milliseconds.

    Attributes:
        count: How many are known.
        total: Their sum.
        median: Their median.
        longest: The longest.
    """

    count: int = 0
    total: float = 0
    median: float = 0
    longest: float = 0


class StepStats(msgspec.Struct, frozen=True):
    """The steps of one kind and name.

    Attributes:
        kind: `"do"`, `"sleep"` or `"wait_for_event"`.
        name: Their name.
        runs: How many there were.
        mocked: How many of them were answered by a mock.
        failed: How many failed for good.
        retries: Attempts beyond the first.
        virtual: From start to end, in virtual time.
        working: The time of their attempts: in real time, or in production's.
    """

    kind: str
    name: str
    runs: int
    mocked: int
    failed: int
    retries: int
    virtual: Spread
    working: Spread


class WorkflowStats(msgspec.Struct, frozen=True):
    """The recordings of one workflow.

    Attributes:
        workflow: The binding, or the workflow's name, or `"unknown"`.
        instances: How many recordings.
        statuses: How many ended, or stand, in each status.
        wall: From creation to the end in real time; of production's recordings in production's.
        virtual: The same in virtual time.
        waiting_ms: Virtual time in which something was waited for (sleeps, events, retry delays) while no step worked.
        working_ms: The time of steps' attempts: in real time, or in production's.
        steps: How many steps started.
        retries: Attempts beyond the first.
        by_step: Each kind and name of step, in order of their first start.
    """

    workflow: str
    instances: int
    statuses: dict[str, int]
    wall: Spread
    virtual: Spread
    waiting_ms: float
    working_ms: float
    steps: int
    retries: int
    by_step: tuple[StepStats, ...]

    def slowest(self, most: int = 5) -> list[StepStats]:
        """The steps whose work took longest, those that took no time at all left out."""
        slow = [step for step in self.by_step if step.working.longest > 0]
        return sorted(slow, key=lambda step: -step.working.longest)[:most]

    def longest(self, most: int = 5) -> list[StepStats]:
        """The steps that took most virtual time, those that took none left out."""
        long = [step for step in self.by_step if step.virtual.longest > 0]
        return sorted(long, key=lambda step: -step.virtual.longest)[:most]


def stats_of(recordings: Iterable[Recording]) -> list[WorkflowStats]:
    """The recordings' statistics, a workflow each, in the order in which the workflows first come."""
    by_workflow: dict[str, list[Recording]] = {}
    for recording in recordings:
        by_workflow.setdefault(workflow_of(recording), []).append(recording)
    return [_workflow(name, mine) for name, mine in by_workflow.items()]


def workflow_of(recording: Recording) -> str:
    """The name of a recording's workflow: its binding, else its own name, else `"unknown"`."""
    return recording.binding or recording.workflow or "unknown"


def wall_ms(recording: Recording) -> float | None:
    """The duration of a run in real time; None where that is not known."""
    return recording.real_ms if recording.source == "test" else virtual_ms(recording)


def virtual_ms(recording: Recording) -> float | None:
    """The duration of a run by its own clock, up to now for one that has not ended; None where that is not known."""
    start = recording.created_at or recording.started_at
    end = recording.ended_at or recording.recorded_at
    return None if start is None or end is None else _ms(start, end)


def working_ms(recording: Recording, step: Step) -> float | None:
    """The duration of a step's attempts in real time; None where that is not known."""
    if step.kind != "do":
        return None
    if recording.source == "test":
        known = [attempt.real_ms for attempt in step.attempts if attempt.real_ms is not None]
    else:
        known = [
            _ms(attempt.started_at, attempt.ended_at)
            for attempt in step.attempts
            if attempt.started_at is not None and attempt.ended_at is not None
        ]
    return sum(known) if known else None


def waiting_ms(recording: Recording) -> float:
    """Virtual time in which something was waited for while no attempt ran."""
    now = recording.ended_at or recording.recorded_at
    waits: list[Interval] = []
    works: list[Interval] = []
    for step in recording.steps:
        if step.kind != "do":
            waits += _interval(step.started_at, step.ended_at or now)
        for attempt in step.attempts:
            works += _interval(attempt.started_at, attempt.ended_at or now)
            if attempt.retry_delay_ms and attempt.ended_at is not None:
                waits += _interval(attempt.ended_at, _retried_at(step, attempt.number, now))
    return _length([*waits, *works]) - _length(works)


def _retried_at(step: Step, number: int, now: datetime | None) -> datetime | None:
    later = (attempt.started_at for attempt in step.attempts if attempt.number > number)
    return next(later, None) or now


def _interval(start: datetime | None, end: datetime | None) -> list[Interval]:
    return [] if start is None or end is None or end <= start else [(start, end)]


def _length(intervals: list[Interval]) -> float:
    """The time that intervals cover, in milliseconds; overlaps count once."""
    covered = timedelta()
    until: datetime | None = None
    for start, end in sorted(intervals):
        if until is None or start > until:
            covered += end - start
            until = end
        elif end > until:
            covered += end - until
            until = end
    return covered / timedelta(milliseconds=1)


def _workflow(name: str, recordings: list[Recording]) -> WorkflowStats:
    counts = Counter(recording.status for recording in recordings)
    order = [*STATUSES, *sorted(counts.keys() - set(STATUSES))]
    by_step = tuple(_steps(recordings))
    return WorkflowStats(
        workflow=name,
        instances=len(recordings),
        statuses={status: counts[status] for status in order if counts[status]},
        wall=spread_of(wall_ms(recording) for recording in recordings),
        virtual=spread_of(virtual_ms(recording) for recording in recordings),
        waiting_ms=sum(waiting_ms(recording) for recording in recordings),
        working_ms=sum(step.working.total for step in by_step),
        steps=sum(step.runs for step in by_step),
        retries=sum(step.retries for step in by_step),
        by_step=by_step,
    )


def _steps(recordings: list[Recording]) -> Iterator[StepStats]:
    found: dict[tuple[str, str], list[tuple[Recording, Step]]] = {}
    for recording in recordings:
        for step in recording.steps:
            found.setdefault((step.kind, step.name), []).append((recording, step))
    for (kind, name), runs in found.items():
        steps = [step for _, step in runs]
        yield StepStats(
            kind=kind,
            name=name,
            runs=len(steps),
            mocked=sum(step.mocked for step in steps),
            failed=sum(step.status == "errored" for step in steps),
            retries=sum(max(0, len(step.attempts) - 1) for step in steps),
            virtual=spread_of(_virtual(recording, step) for recording, step in runs),
            working=spread_of(working_ms(recording, step) for recording, step in runs),
        )


def _virtual(recording: Recording, step: Step) -> float | None:
    end = step.ended_at or recording.ended_at or recording.recorded_at
    return None if step.started_at is None or end is None else _ms(step.started_at, end)


def spread_of(durations: Iterable[float | None]) -> Spread:
    """The spread of durations, those left out that are not known."""
    known = [duration for duration in durations if duration is not None]
    return Spread(len(known), sum(known), median(known), max(known)) if known else Spread()


def _ms(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(milliseconds=1)
