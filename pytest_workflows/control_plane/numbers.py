"""The numbers of what runs: instances by status and by day, where the time went, the slowest steps."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from durable_engine import Engine, Execution, HistoryRow, RealClock, StepKey, StepRow, to_datetime
from durable_engine.history import ATTEMPT_KINDS, ATTEMPT_START
from pytest_workflows.recordings.stats import Spread, spread_of

By = Literal["day", "hour", "workflow"]

_SLICE = 50
"""How many instances are counted in one turn of the engine's loop."""

_SLOWEST = 10


class StepNumbers(msgspec.Struct, frozen=True):
    """The steps of one workflow, kind and name.

    Attributes:
        workflow: The workflow's binding.
        kind: `"do"`, `"sleep"` or `"wait_for_event"`.
        name: Their name.
        runs: How many there were.
        failed: How many failed for good.
        retries: Attempts beyond the first.
        working: The time of their attempts, in milliseconds of the engine's clock.
        virtual: From their start to their end, likewise.
    """

    workflow: str
    kind: str
    name: str
    runs: int
    failed: int
    retries: int
    working: Spread
    virtual: Spread


class PartNumbers(msgspec.Struct, frozen=True):
    """The instances of a day, an hour or a workflow.

    Attributes:
        name: The day as `2026-11-29`, the hour as `2026-11-29T19`, or the workflow's binding.
        instances: How many were created then.
        statuses: How many of them stand in each status.
        steps: How many steps they have started.
        retries: Attempts beyond the first.
        wall: From creation to the end, or to now, in real time; only where that is known.
        virtual: The same by the engine's clock.
        working_ms: The time of their steps' attempts, by the engine's clock.
    """

    name: str
    instances: int
    statuses: dict[str, int]
    steps: int
    retries: int
    wall: Spread
    virtual: Spread
    working_ms: float


class Numbers(msgspec.Struct, frozen=True):
    """The numbers of everything that is stored.

    Attributes:
        by: What the parts are.
        now: The time of the engine's clock, in milliseconds since 1970.
        total: All instances.
        parts: The parts, those of an earlier day first.
        slowest: The steps whose attempts took longest.
        longest: The steps that took longest from start to end, waits included.
    """

    by: By
    now: int
    total: PartNumbers
    parts: list[PartNumbers]
    slowest: list[StepNumbers]
    longest: list[StepNumbers]


class _StepTimes(msgspec.Struct, frozen=True):
    """What is counted of one step."""

    key: StepKey
    failed: bool
    retries: int
    working: float
    virtual: float


class Counted(msgspec.Struct, frozen=True):
    """What is counted of one instance."""

    workflow: str
    created: int
    status: str
    virtual: float
    wall: float | None
    steps: tuple[_StepTimes, ...]


WallTimes = Callable[[str, str], float | None]
"""The real milliseconds of an instance so far, by its workflow and id; None where they are not known."""


class Census:
    """What is counted of all instances of an engine. One that has ended is counted once.

    Args:
        engine: The engine.
        wall: Gives real durations.
    """

    def __init__(self, engine: Engine, wall: WallTimes) -> None:
        self._engine = engine
        self._wall = wall
        self._ended: dict[int, tuple[int, Counted]] = {}

    async def count(self) -> list[Counted]:
        """Count, on the engine's loop, a few instances a turn."""
        counted = []
        instances = self._engine.instances
        for first in range(0, len(instances), _SLICE):
            counted += [self._of(instance) for instance in instances[first : first + _SLICE]]
            await asyncio.sleep(0)
        if len(self._ended) > len(instances):
            kept = {instance.row.key for instance in instances}
            self._ended = {key: one for key, one in self._ended.items() if key in kept}
        return counted

    def _of(self, instance: Execution) -> Counted:
        row = instance.row
        ended_at, found = self._ended.get(row.key, (None, None))
        if found is None or ended_at != row.ended_at:
            found = self._counted(instance)
            if row.ended_at is not None:
                self._ended[row.key] = (row.ended_at, found)
        return found

    def _counted(self, instance: Execution) -> Counted:
        row, store = instance.row, self._engine.store
        until = self._engine.clock.now_ms if row.ended_at is None else row.ended_at
        wall = self._wall(instance.workflow.name, instance.id)
        if wall is None and isinstance(self._engine.clock, RealClock) and not self._engine.clock.moved_ms:
            wall = until - row.created_at  # of another process, and the clock has been real all the time
        working = _working(store.history(row.key), until)
        return Counted(
            workflow=instance.workflow.name,
            created=row.created_at,
            status=instance.status,
            virtual=until - row.created_at,
            wall=wall,
            steps=tuple(_times(step, working, until) for step in store.steps(row.key)),
        )


def _working(history: Sequence[HistoryRow], until: int) -> dict[StepKey, float]:
    """How long the attempts of each step took together."""
    took: Counter[StepKey] = Counter()
    began: dict[StepKey, int] = {}
    for line in history:
        if line.key is None or line.kind not in ATTEMPT_KINDS:
            continue
        if line.kind == ATTEMPT_START:
            began[line.key] = line.at
        elif line.key in began:
            took[line.key] += line.at - began.pop(line.key)
    for key, at in began.items():
        took[key] += until - at
    return dict(took)


def _times(step: StepRow, working: dict[StepKey, float], until: int) -> _StepTimes:
    return _StepTimes(
        step.key,
        step.status == "errored",
        max(0, step.attempts - 1),
        working.get(step.key, 0),
        (until if step.ended_at is None else step.ended_at) - step.started_at,
    )


def numbers_of(counted: Iterable[Counted], by: By, now: int) -> Numbers:
    """The numbers.

    Args:
        counted: What was counted of each instance.
        by: What their parts are.
        now: The time of the engine's clock, in milliseconds since 1970.
    """
    everything = list(counted)
    parts: dict[str, list[Counted]] = {}
    for one in everything:
        parts.setdefault(_part(one, by), []).append(one)
    steps = _steps(everything)
    return Numbers(
        by=by,
        now=now,
        total=_numbers("total", everything),
        parts=[_numbers(name, parts[name]) for name in sorted(parts)],
        slowest=_first(steps, lambda step: step.working.longest),
        longest=_first(steps, lambda step: step.virtual.longest),
    )


def _part(one: Counted, by: By) -> str:
    if by == "workflow":
        return one.workflow
    return to_datetime(one.created).strftime("%Y-%m-%d" if by == "day" else "%Y-%m-%dT%H")


def _numbers(name: str, counted: list[Counted]) -> PartNumbers:
    steps = [step for one in counted for step in one.steps]
    return PartNumbers(
        name=name,
        instances=len(counted),
        statuses=dict(sorted(Counter(one.status for one in counted).items())),
        steps=len(steps),
        retries=sum(step.retries for step in steps),
        wall=spread_of(one.wall for one in counted),
        virtual=spread_of(one.virtual for one in counted),
        working_ms=sum(step.working for step in steps),
    )


def _steps(counted: Iterable[Counted]) -> list[StepNumbers]:
    found: dict[tuple[str, str, str], list[_StepTimes]] = {}
    for one in counted:
        for step in one.steps:
            found.setdefault((one.workflow, step.key.kind, step.key.name), []).append(step)
    return [
        StepNumbers(
            workflow=workflow,
            kind=kind,
            name=name,
            runs=len(steps),
            failed=sum(step.failed for step in steps),
            retries=sum(step.retries for step in steps),
            working=spread_of(step.working for step in steps),
            virtual=spread_of(step.virtual for step in steps),
        )
        for (workflow, kind, name), steps in found.items()
    ]


def _first(steps: Iterable[StepNumbers], size: Callable[[StepNumbers], float]) -> list[StepNumbers]:
    return sorted((step for step in steps if size(step) > 0), key=lambda step: -size(step))[:_SLOWEST]
