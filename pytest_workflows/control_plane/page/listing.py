"""The list of instances: a line each, and which of them changed since when."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from durable_engine import (
    FINAL_STATUSES,
    CallbackRun,
    Engine,
    Execution,
    Instance,
    InstanceRow,
    Observer,
    StepKey,
    StoreError,
    error_of,
)
from pytest_workflows.messages.short_repr import cut, last_line

Key = tuple[str, str]

_SLICE = 100
"""How many lines are made in one turn of the engine's loop."""

_COMPARED_AT_ONCE = 2000
"""How many instances are looked at in one turn at the most, where that is quicker than to wait for others."""

_COMPARED = 1000
"""How many instances are looked at in one turn, where few lines are made."""

_FRESH = 0.2
"""For how many seconds a look at the engine holds for everybody who asks."""

_WHOLE = 5.0
"""After so many seconds all instances are compared: those that come back with a store are notified of by nobody."""

_LONGEST_ERROR = 200

_MOST_GONE = 10_000
"""How many deleted instances are remembered: whoever has not asked for so long is told everything."""


class Line(msgspec.Struct, frozen=True):
    """An instance in the list.

    Attributes:
        workflow: The binding's name.
        id: The instance's id.
        status: Its status.
        created: When it was created, in milliseconds since 1970.
        ended: When it ended, likewise; None while it has not.
        steps: How many steps have started.
        retries: Attempts beyond the first.
        at: The step that it is at; None where it is at none.
        error: The last line of the error that it ended with.
        revision: When it changed, by the count of the list's changes.
    """

    workflow: str
    id: str
    status: str
    created: int
    ended: int | None
    steps: int
    retries: int
    at: str | None
    error: str | None
    revision: int


class Changes(msgspec.Struct, frozen=True):
    """What changed in the list.

    Attributes:
        lines: The instances that changed, those that changed first first.
        gone: The workflow and id of the instances that were deleted.
        revision: What to ask with for what changes from then on.
        are_all: Whether the lines are all that there are.
    """

    lines: list[Line]
    gone: list[Key]
    revision: int
    are_all: bool = False


class Listing(Observer):
    """The instances of an engine as a list. It is looked after on the engine's loop.

    A change of a status is seen by comparing, of the instances that have not ended; everything else is notified.

    Args:
        engine: The engine.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lines: dict[Key, Line] = {}
        self._statuses: dict[Key, str] = {}
        self._counts: dict[str, Counter[str]] = {}
        self._under_way: dict[Key, None] = {}
        self._gone: dict[Key, int] = {}
        self._changed: dict[Key, None] = {}
        self._uncounted: dict[Key, None] = {}  # of those, what counts do not find among the instances under way
        self._discarded: dict[Key, None] = {}
        self._revision = 1  # whoever has seen nothing asks with 0
        self._drawn_at = self._counted_at = self._compared_at = -math.inf
        self._forgotten = 0  # of what was deleted until then, not all is remembered
        self._looks = self._stored_look = 0
        self._look: asyncio.Future[None] | None = None
        engine.observers.add(self)

    # -- what happens ------------------------------------------------------------------------------------------------

    def instance_created(self, instance: Instance) -> None:
        """It has a line to be made."""
        self._changed[instance.key] = self._uncounted[instance.key] = None

    def instance_finished(self, instance: Instance) -> None:
        """Its line has changed."""
        self._changed[instance.key] = None

    def instance_discarded(self, row: InstanceRow) -> None:
        """Its line goes."""
        key = (row.workflow, row.id)
        self._changed.pop(key, None)
        self._uncounted.pop(key, None)
        if key in self._statuses:
            self._discarded[key] = None

    def restarted(self, instance: Instance, *, whole: bool) -> None:
        """Its line has changed."""
        self._changed[instance.key] = self._uncounted[instance.key] = None

    def step_started(self, instance: Instance, step: StepKey) -> None:
        """Its line has changed."""
        self._changed[instance.key] = None

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """Its line has changed."""
        self._changed[instance.key] = None

    def callback_started(self, instance: Instance, run: CallbackRun) -> None:
        """Its line has changed: an attempt has begun."""
        self._changed[instance.key] = None

    def callback_ended(self, instance: Instance, run: CallbackRun) -> None:
        """Its line has changed: an attempt has ended."""
        self._changed[instance.key] = None

    # -- what is asked -----------------------------------------------------------------------------------------------

    async def look(self, fresh: float = _FRESH) -> None:
        """Look at the engine, unless somebody has just done so.

        Args:
            fresh: For how many seconds a look holds.
        """
        while self._look is not None:
            await asyncio.shield(self._look)
        if time.monotonic() - self._drawn_at >= fresh:
            await self._begin_look(are_counts_enough=False)
            self._drawn_at = self._counted_at

    async def count(self, fresh: float) -> None:
        """The same for the counts alone: no line is made.

        Args:
            fresh: For how many seconds a look holds.
        """
        while self._look is not None:
            await asyncio.shield(self._look)
        if time.monotonic() - self._counted_at >= fresh:
            await self._begin_look(are_counts_enough=True)

    def count_at_once(self, fresh: float) -> bool:
        """The same without waiting for anything.

        Args:
            fresh: For how many seconds a look holds.

        Returns:
            False if that would take too long, or a look is under way: then nothing was done.
        """
        if self._look is not None:
            return False
        if time.monotonic() - self._counted_at < fresh:
            return True
        if self._is_whole_due or len(self._uncounted) + len(self._under_way) > _COMPARED_AT_ONCE:
            return False
        self._looks += 1
        for _ in self._compare(self._uncounted, self._discarded, are_counts_enough=True):
            """All in this turn."""
        self._uncounted, self._discarded = {}, {}
        self._note_counted()
        return True

    @property
    def are_counts_stored(self) -> bool:
        """Whether what the last look has seen is on disk; False as well while one is changing the counts."""
        return self._stored_look == self._looks

    def _note_stored(self, problem: StoreError | None, look: int) -> None:
        if problem is None:
            self._stored_look = look

    def _note_counted(self) -> None:
        self._counted_at = time.monotonic()
        look = self._looks
        self._engine.store.once_stored(lambda problem: self._note_stored(problem, look))

    async def _begin_look(self, *, are_counts_enough: bool) -> None:
        self._look = asyncio.get_running_loop().create_future()
        self._looks += 1
        try:
            await self._look_again(are_counts_enough)
            self._note_counted()
        finally:
            self._look.set_result(None)
            self._look = None

    async def lines(self) -> list[Line]:
        """All lines, those that changed last last."""
        await self.look()
        return list(self._lines.values())

    async def since(self, revision: int) -> Changes:
        """What changed since a revision; 0 for everything.

        Args:
            revision: What the last answer said.
        """
        await self.look()
        if revision < self._forgotten:
            revision = 0
        changed: list[Line] = []
        for line in reversed(self._lines.values()):
            if line.revision <= revision:
                break
            changed.append(line)
        gone = [key for key, when in self._gone.items() if when > revision] if revision else []
        return Changes(changed[::-1], gone, self._revision, are_all=not revision)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many instances of each workflow stand in each status, as of the last look."""
        counted: dict[str, dict[str, int]] = {name: {} for name in self._engine.bindings}
        for name, statuses in self._counts.items():
            counted[name] = {status: count for status, count in statuses.items() if count}
        return counted

    # -- a look ------------------------------------------------------------------------------------------------------

    async def _look_again(self, are_counts_enough: bool) -> None:
        changed: dict[Key, None] = {}
        if not are_counts_enough:
            changed, self._changed = self._changed, {}
        uncounted, self._uncounted = self._uncounted, {}
        discarded, self._discarded = self._discarded, {}
        noted = uncounted if are_counts_enough else changed
        try:
            for _ in self._compare(noted, discarded, are_counts_enough=are_counts_enough):
                await asyncio.sleep(0)
        except BaseException:  # whoever asked has gone: the next one is to be told all the same
            self._changed = {**changed, **self._changed}
            self._uncounted = {**uncounted, **self._uncounted}
            self._discarded = {**discarded, **self._discarded}
            raise

    @property
    def _is_whole_due(self) -> bool:
        return time.monotonic() - self._compared_at > _WHOLE

    def _compare(
        self, noted: dict[Key, None], discarded: dict[Key, None], *, are_counts_enough: bool
    ) -> Iterator[None]:
        """Compare what may have changed with what was seen; gives the turn back now and then."""
        is_whole = self._is_whole_due
        shown = self._engine.instances if is_whole else self._found({**noted, **self._under_way})
        drawn = 0
        for place, instance in enumerate(shown, start=1):
            is_other = self._note_status(instance)
            if are_counts_enough:
                if is_other:
                    self._changed[instance.key] = None  # for a look at the lines
            elif is_other or instance.key in noted or instance.key not in self._lines:
                self._draw(instance)
                drawn += 1
            if drawn == _SLICE or place % _COMPARED == 0:
                drawn = 0
                yield
        if is_whole:
            self._compared_at = time.monotonic()
            kept = {instance.key for instance in self._engine.instances}
            discarded.update((key, None) for key in self._statuses if key not in kept)
        self._forget(key for key in discarded if not self._found({key: None}))

    def _found(self, keys: Iterable[Key]) -> list[Execution]:
        bindings = self._engine.bindings
        found = (
            self._engine.find(bindings[workflow].workflow, id) for workflow, id in list(keys) if workflow in bindings
        )
        return [instance for instance in found if instance is not None]

    def _note_status(self, instance: Execution) -> bool:
        """Count an instance where it stands; returns whether it stands elsewhere than when it was last seen."""
        key, status = instance.key, instance.status
        before = self._statuses.get(key)
        if before == status:
            return False
        counts = self._counts.setdefault(key[0], Counter())
        counts[status] += 1
        if before is not None:
            counts[before] -= 1
        self._statuses[key] = status
        if status in FINAL_STATUSES:
            self._under_way.pop(key, None)
        else:
            self._under_way[key] = None
        return True

    def _draw(self, instance: Execution) -> None:
        self._revision += 1
        self._lines.pop(instance.key, None)  # what changed last is the last
        self._gone.pop(instance.key, None)
        self._lines[instance.key] = _line(self._engine, instance, self._revision)

    def _forget(self, keys: Iterable[Key]) -> None:
        for key in list(keys):
            self._under_way.pop(key, None)
            if (status := self._statuses.pop(key, None)) is not None:
                self._counts[key[0]][status] -= 1
            if self._lines.pop(key, None) is not None:
                self._revision += 1
                self._gone[key] = self._revision
        for key in list(self._gone)[:-_MOST_GONE]:
            self._forgotten = self._gone.pop(key)


def _line(engine: Engine, instance: Execution, revision: int) -> Line:
    row = instance.row
    steps = engine.store.steps(row.key)
    error = error_of(row)
    under_way: Any = [step for step in steps if step.ended_at is None]
    return Line(
        workflow=instance.workflow.name,
        id=instance.id,
        status=instance.status,
        created=row.created_at,
        ended=row.ended_at,
        steps=len(steps),
        retries=sum(max(0, step.attempts - 1) for step in steps),
        at=under_way[-1].key.label if under_way and row.ended_at is None else None,
        error=None if error is None else _shortened(error["message"]),
        revision=revision,
    )


def _shortened(message: str) -> str:
    return cut(last_line(message) if message.strip() else message, _LONGEST_ERROR)
