"""The virtual clock: an integer of milliseconds, timers by when they are due, and observers of its moves.

The clock never moves by itself. The engine decides when a timer may fire (engine.py); this file only knows the order.
What an engine needs of any clock is here too; the other one is in `real_clock.py`.
"""

from __future__ import annotations

import bisect
import heapq
import itertools
import operator
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from durable_engine.context.scope import Scope
from durable_engine.values.datetimes import to_datetime

_seq = operator.attrgetter("seq")


class Timer:
    """An entry of the clock: something happens at `due`, unless it is cancelled before.

    Attributes:
        scope: Of a timer that ends an attempt: the callback that it is a limit for.
    """

    __slots__ = ("_callback", "_drop", "cancelled", "due", "held", "real_due", "round", "scope", "seq", "what")

    def __init__(
        self,
        due: int,
        seq: int,
        real_due: float,
        callback: Callable[[], None],
        held: Callable[[], bool] | None,
        what: str,
        drop: Callable[[Timer], None],
        round: int | None = None,
    ) -> None:
        self._drop = drop
        self.due = due
        self.seq = seq
        self.real_due = real_due
        self._callback: Callable[[], None] | None = callback
        self.held = held
        self.what = what
        self.round = round
        self.scope: Scope | None = None
        self.cancelled = False

    def cancel(self) -> None:
        """Take the timer out of the clock; it will not fire, and holds on to nothing."""
        self.take()

    def take(self) -> Callable[[], None] | None:
        """Take the timer out of the clock, and return what it was to call; None where it was taken before."""
        if self.cancelled:
            return None
        self.cancelled = True
        self._drop(self)
        callback, self._callback, self.held, self.scope = self._callback, None, None, None
        return callback


class Clock(Protocol):
    """The time of an engine: virtual, or real.

    Attributes:
        observers: Called with the time when it was moved, by hand or by the engine.
        is_real: Whether it passes by itself.
    """

    observers: list[Callable[[datetime], None]]
    is_real: bool

    @property
    def now_ms(self) -> int:
        """The time in epoch milliseconds."""
        ...

    @property
    def started_ms(self) -> int:
        """When the clock was made, in its own time."""
        ...

    @property
    def now(self) -> datetime:
        """The time: aware, UTC."""
        ...

    @property
    def elapsed_ms(self) -> int:
        """The milliseconds that have passed on it beside those of real time."""
        ...

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
        """Let `callback` be called when the clock reaches `due` (epoch milliseconds)."""
        ...

    def next_timer(self) -> Timer | None:
        """The timer that is due first, or None."""
        ...

    def release(self, timer: Timer) -> None:
        """Let real time fire a timer again that was held back."""

    def move_to(self, now_ms: int) -> None:
        """Set the clock and notify the observers."""


class VirtualClock:
    """Virtual time.

    Args:
        now_ms: Where it starts, in epoch milliseconds; None takes the real time, cut to the second.
    """

    is_real = False

    def __init__(self, now_ms: int | None = None) -> None:
        self.now_ms = int(time.time()) * 1000 if now_ms is None else now_ms
        self.started_ms = self.now_ms
        self.observers: list[Callable[[datetime], None]] = []
        # Timers by when they are due, in the order in which they were started, and a heap of those times: thousands of
        # instances often wait for the same moment. A time stays in the heap until its timers are gone.
        self._timers: dict[int, list[Timer]] = {}
        self._dues: list[int] = []
        self._by_real_time: list[tuple[float, int, Timer]] = []
        self._seq = itertools.count()

    @property
    def now(self) -> datetime:
        """The virtual time: aware, UTC."""
        return to_datetime(self.now_ms)

    @property
    def elapsed_ms(self) -> int:
        """The milliseconds that have passed on it."""
        return self.now_ms - self.started_ms

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
            due: When, in epoch milliseconds of virtual time.
            real_now: The event loop's time in seconds; after as much real time the timer is due as well.
            callback: Called once, with the clock at `due`.
            what: The timer's purpose, for reports.
            held: Whether real time must not fire it just now.
            round: Of a timer that calls code of the Worker: how many timers led to it, each set by the call before.
        """
        real_due = real_now + max(0, due - self.now_ms) / 1000
        timer = Timer(due, next(self._seq), real_due, callback, held, what, self._drop, round)
        if due not in self._timers:
            self._timers[due] = []
            heapq.heappush(self._dues, due)
        self._timers[due].append(timer)
        heapq.heappush(self._by_real_time, (real_due, timer.seq, timer))
        return timer

    def _drop(self, timer: Timer) -> None:
        together = self._timers[timer.due]
        del together[bisect.bisect_left(together, timer.seq, key=_seq)]

    def next_timer(self) -> Timer | None:
        """The timer that is due first, or None."""
        together = self.due_first()
        return together[0] if together else None

    def due_first(self) -> Sequence[Timer]:
        """The timers that are due first, all at the same time, in the order in which they were started.

        It is the clock's own list, which changes when one of them fires.
        """
        while self._dues:
            together = self._timers[self._dues[0]]
            if together:
                return together
            del self._timers[heapq.heappop(self._dues)]
        return ()

    def pending(self) -> Iterator[Timer]:
        """The timers that have not fired, in no particular order."""
        return itertools.chain.from_iterable(self._timers.values())

    def next_in_real_time(self) -> Timer | None:
        """The timer whose duration has passed first in real time and that nothing holds back, or None."""
        queue = self._by_real_time
        while queue:
            timer = queue[0][2]
            if not timer.cancelled and not (timer.held is not None and timer.held()):
                return timer
            heapq.heappop(queue)  # a held one comes back when it is released
        return None

    def release(self, timer: Timer) -> None:
        """Let real time fire a timer again that was held back."""
        heapq.heappush(self._by_real_time, (timer.real_due, next(self._seq), timer))

    def fire(self, timer: Timer) -> None:
        """Move to the timer's due time and call it."""
        callback = timer.take()
        assert callback is not None
        self.move_to(max(self.now_ms, timer.due))
        callback()

    def move_to(self, now_ms: int) -> None:
        """Set the clock and notify the observers."""
        if now_ms == self.now_ms:
            return
        self.now_ms = now_ms
        now = self.now
        for observer in self.observers:
            observer(now)
