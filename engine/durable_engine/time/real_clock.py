"""The real clock: the time of the machine, and what was added to it by hand.

It passes by itself and never goes back: where the machine's clock is set back, it goes on from where it was. It keeps
its timers in one heap, out of which cancelled ones are swept: an engine that runs for weeks sets and cancels millions.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from datetime import datetime

from durable_engine.values.datetimes import to_datetime

from .clock import Timer

FEW = 64
"""The cancelled timers that are left where they are."""


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _steady_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class RealClock:
    """Real time.

    Args:
        moved_ms: By how many milliseconds it was moved by hand before.
        wall_ms: Reads the machine's clock, in epoch milliseconds.
        steady_ms: Reads a clock that nobody sets, in milliseconds.

    Attributes:
        moved_ms: By how many milliseconds it was moved by hand.
        started_ms: When it was made, in epoch milliseconds.
        observers: Called with the time when it was moved by hand.
    """

    is_real = True

    def __init__(
        self,
        moved_ms: int = 0,
        *,
        wall_ms: Callable[[], int] = _wall_ms,
        steady_ms: Callable[[], int] = _steady_ms,
    ) -> None:
        self.moved_ms = moved_ms
        self.observers: list[Callable[[datetime], None]] = []
        self._wall_ms = wall_ms
        self._steady_ms = steady_ms
        self._latest = wall_ms() + moved_ms
        self._read_at = steady_ms()
        self.started_ms = self._latest
        self._timers: list[tuple[int, int, Timer]] = []
        self._cancelled = 0
        self._seq = itertools.count()

    @property
    def now_ms(self) -> int:
        """The time in epoch milliseconds."""
        read_at = self._steady_ms()
        if read_at == self._read_at:
            return self._latest  # it is asked some ten times for each step
        # The machine may have slept, or its clock been set: forward it is followed.
        self._latest = max(self._wall_ms() + self.moved_ms, self._latest + read_at - self._read_at)
        self._read_at = read_at
        return self._latest

    @property
    def now(self) -> datetime:
        """The time: aware, UTC."""
        return to_datetime(self.now_ms)

    @property
    def elapsed_ms(self) -> int:
        """The milliseconds that have passed on it beside those of real time: by how much it was moved by hand."""
        return self.moved_ms

    # -- timers ------------------------------------------------------------------------------------------------------

    def schedule(
        self,
        due: int,
        real_now: float,
        callback: Callable[[], None],
        *,
        what: str,
        held: Callable[[], bool] | None = None,
        round: int | None = None,
    ) -> Timer:
        """Let `callback` be called when the clock reaches `due` (epoch milliseconds).

        Args:
            due: When, in epoch milliseconds.
            real_now: The event loop's time, by which virtual time measures real time.
            callback: Called once.
            what: The timer's purpose, for reports.
            held: Whether it comes later by as much, where the clock is moved by hand just now.
            round: Of a timer that calls code of the Worker: how many timers led to it, each set by the call before.
        """
        timer = Timer(due, next(self._seq), real_now, callback, held, what, self._drop, round)
        heapq.heappush(self._timers, (due, timer.seq, timer))
        return timer

    def _drop(self, timer: Timer) -> None:
        self._cancelled += 1
        if self._cancelled > max(FEW, len(self._timers) // 2):
            self._put(self.pending())

    def _put(self, timers: Iterator[Timer]) -> None:
        self._timers = [(timer.due, timer.seq, timer) for timer in timers]
        heapq.heapify(self._timers)
        self._cancelled = 0

    def pending(self) -> Iterator[Timer]:
        """The timers that have not fired, in no particular order."""
        return (timer for _, _, timer in self._timers if not timer.cancelled)

    def next_timer(self) -> Timer | None:
        """The timer that is due first, or None."""
        timers = self._timers
        while timers:
            timer = timers[0][2]
            if not timer.cancelled:
                return timer
            heapq.heappop(timers)
            self._cancelled -= 1
        return None

    def next_by_hand(self) -> Timer | None:
        """The timer that comes first where the clock is moved by hand: one that is held comes later by as much."""
        free = (timer for timer in self.pending() if timer.held is None or not timer.held())
        return min(free, default=None, key=lambda timer: (timer.due, timer.seq))

    def release(self, timer: Timer) -> None:
        """Do nothing: real time is held back for no timer."""

    def fire(self, timer: Timer) -> None:
        """Call a timer now."""
        callback = timer.take()
        assert callback is not None
        callback()

    # -- by hand -----------------------------------------------------------------------------------------------------

    def move_to(self, now_ms: int) -> None:
        """Move the clock forward by hand, and notify the observers; a time that has passed is no move."""
        moved = now_ms - self.now_ms
        if moved <= 0:
            return
        self.moved_ms += moved
        self._latest += moved
        # What is at work needs real time: its limit does not come nearer.
        for timer in self.pending():
            if timer.held is not None and timer.held():
                timer.due += moved
        self._put(self.pending())
        now = self.now
        for observer in self.observers:
            observer(now)
