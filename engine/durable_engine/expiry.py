"""The expiry of ended instances in real time: nobody else asks for them, and memory must not grow for ever."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import NamedTuple, Protocol

from .instance import Instance
from .rows import InstanceRow
from .testing.observers import Observer
from .time.clock import Clock, Timer

AT_ONCE = 50
"""The instances that are discarded in one turn of the loop."""

APART_MS = 1000
"""Milliseconds between two sweeps."""


class _End(NamedTuple):
    at: int
    key: int
    instance: tuple[str, str]


class ExpiringEngine(Protocol):
    """The engine of the instances."""

    @property
    def clock(self) -> Clock:
        """Its time."""
        ...

    def schedule(self, due: int, callback: Callable[[], None], *, what: str) -> Timer:
        """Let `callback` be called when the clock reaches `due` (epoch milliseconds)."""
        ...


class Expiry(Observer):
    """The instances that have ended, by when they are kept no longer.

    Args:
        engine: Their engine.
        kept: For how many milliseconds one is kept of which nobody said for how long.
        find: Finds an instance's row by its workflow's binding name and its id.
        discard: Leaves nothing of these instances.
    """

    def __init__(
        self,
        engine: ExpiringEngine,
        kept: int,
        find: Callable[[tuple[str, str]], InstanceRow | None],
        discard: Callable[[list[tuple[str, str]]], None],
    ) -> None:
        self._engine = engine
        self._kept = kept
        self._find = find
        self._discard = discard
        self._ends: list[_End] = []
        self._sweep: Timer | None = None

    def instance_finished(self, instance: Instance) -> None:
        """An instance has ended."""
        self.note(instance.row)

    def note(self, row: InstanceRow) -> None:
        """Note until when an instance is kept, if it has ended."""
        at = row.expires_at(self._kept)
        if at is not None:
            heapq.heappush(self._ends, _End(at, row.key, (row.workflow, row.id)))
            self._arm(max(self._ends[0].at, self._engine.clock.now_ms + APART_MS))

    def _arm(self, due: int) -> None:
        if self._sweep is not None:
            if self._sweep.due <= due:
                return
            self._sweep.cancel()
        self._sweep = self._engine.schedule(due, self._sweep_now, what="the end of the retention of ended instances")

    def _sweep_now(self) -> None:
        self._sweep = None
        now, ends = self._engine.clock.now_ms, self._ends
        gone: list[tuple[str, str]] = []
        while ends and ends[0].at <= now and len(gone) < AT_ONCE:
            end = heapq.heappop(ends)
            row = self._find(end.instance)
            # It may be gone already, or run again.
            if row is not None and row.key == end.key and row.expires_at(self._kept) == end.at:
                gone.append(end.instance)
        self._discard(gone)
        if ends:
            self._arm(max(ends[0].at, now if len(gone) == AT_ONCE else now + APART_MS))
