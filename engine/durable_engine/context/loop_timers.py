"""The timers that a Worker's code sets on an event loop: when they are due, and what time the loop shows to that code.

While an engine uses a loop, three methods of it are replaced on that one object: `call_later` and `call_at` take down
when in virtual time a timer of the Worker's code is due, which a timer itself does not know, and `time` counts virtual
time too, so that a deadline which code computes from it comes. Timers of all other code, and its time, are what they
were. asyncio shows the timers that are set (`_scheduled`); a loop that does not (uvloop) gets a record of each.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import sys
from collections.abc import Callable, Iterable
from contextvars import Context, copy_context
from typing import Any, NamedTuple
from weakref import ref

from .scope import current_call, current_scope, running_engine

FOREVER_MS = 100 * 365 * 86_400_000
"""A timer that is as long never fires in virtual time: `asyncio.sleep(math.inf)` is how code waits to be cancelled."""

MOST_LATE = 0.5
"""Seconds after which a timer fires in real time though virtual time moves: other code may spin until it does."""

CHECK_AGAIN = 0.005
"""Seconds until a timer that virtual time is to fire asks again whether it still moves."""

_METHODS = ("call_at", "call_later", "time")


class Due(NamedTuple):
    """When a timer is due in virtual time.

    Attributes:
        at: When, in milliseconds since the engine's start.
        length: How long it was when it was set, in milliseconds.
        file: The file whose code has set it.
        number: Of two that are due at once, the one of the smaller number was set first.
    """

    at: int
    length: int
    file: str
    number: int


class EngineTime(NamedTuple):
    """The virtual time of an engine.

    Attributes:
        elapsed_ms: Gives the milliseconds that have passed on it.
        is_moving: Says whether it moves now: what is due fires without real time.

    Of an engine in real time it is what was added to real time by hand, and never moves by itself.
    """

    elapsed_ms: Callable[[], int]
    is_moving: Callable[[], bool]


class ShownTimer(asyncio.TimerHandle):
    """A timer of a Worker's code on a loop of asyncio's. While virtual time moves it does not fire in real time.

    A machine that stops for longer than a sleep takes would else fire it before its turn, with the clock where it was.

    Args:
        when: When it fires, in the loop's real time.
        callback: What it calls.
        args: With what.
        loop: The loop.
        context: In which context; None for the running one.
        clock: The virtual time that it belongs to.
    """

    __slots__ = ("_clock", "_latest")
    _loop: Any

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: Any,
        context: Context | None,
        clock: EngineTime,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self._clock = clock
        self._latest = when + MOST_LATE
        self._put(when)

    def come_nearer(self, seconds: float) -> None:
        """Be due earlier by so much; the loop's order of timers is to be made anew."""
        self._when -= seconds
        self._latest -= seconds

    def _put(self, when: float) -> None:
        # Checked in CPython 3.11 to 3.14: it is what `call_at` does with a timer.
        self._when = when
        heapq.heappush(self._loop._scheduled, self)
        self._scheduled = True

    def _run(self) -> None:
        now = timers_of(self._loop).real_time() if self._clock.is_moving() else self._latest
        if now < self._latest:
            self._put(now + CHECK_AGAIN)
        else:
            super()._run()


class RecordedTimer:
    """A timer of a loop that does not show its timers; it has the attributes of asyncio's own.

    Args:
        when: When it fires, in the loop's real time.
        callback: What it calls.
        args: With what.
        context: In which context.
    """

    def __init__(self, when: float, callback: Callable[..., object], args: tuple[Any, ...], context: Context) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._context = context
        self.handle: Any = None

    @property
    def _cancelled(self) -> bool:
        return bool(self.handle.cancelled())

    def when(self) -> float:
        """When it fires, in the loop's real time."""
        return self._when

    def cancel(self) -> None:
        """Let it not fire."""
        self.handle.cancel()


class LoopTimers:
    """The replaced methods of a loop.

    Args:
        loop: The loop.
    """

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._call_at, self._call_later, self._time = (getattr(loop, name) for name in _METHODS)
        self._clocks: dict[object, EngineTime] = {}
        # By identity: asyncio's timers are equal where their ends, callbacks and arguments are.
        self._due: dict[int, tuple[ref[Any], Due]] = {}
        self._recorded: dict[RecordedTimer, None] = {}
        self._is_shown = hasattr(loop, "_scheduled")
        self._shown = self._shown_before = (0.0, 0)
        self._numbers = itertools.count()
        for name in _METHODS:
            setattr(loop, name, getattr(self, name))

    def add(self, engine: object, clock: EngineTime) -> None:
        """A further engine uses the loop.

        Args:
            engine: The engine, to be compared.
            clock: Its virtual time.
        """
        self._clocks[engine] = clock

    def remove(self, engine: object) -> bool:
        """An engine uses it no longer; after the last one the loop has its own methods.

        Returns:
            Whether it was the last one.
        """
        self._clocks.pop(engine, None)
        if self._clocks:
            return False
        for name in _METHODS:
            # Somebody may have put a method of his own around ours since: that goes on to the loop's through ours.
            if self._loop.__dict__.get(name) == getattr(self, name):
                delattr(self._loop, name)
        return True

    def time(self) -> float:
        """The loop's time, in seconds: real time, and for code of a Worker virtual time on top of it."""
        clock = None
        if current_scope.get() is not None or current_call.get() is not None:
            clock = self._clocks.get(running_engine())
        if clock is None:
            real: float = self._time()  # the loop itself asks, each turn
            return real
        virtual = clock.elapsed_ms()
        self._shown_before, self._shown = self._shown, (self.real_time() + virtual / 1000, virtual)
        return self._shown[0]

    def real_time(self) -> float:
        """The loop's own time, in seconds."""
        real: float = self._time()
        return real

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Any:
        """Set a timer by its length, in seconds."""
        clock = self._clocks.get(running_engine(context))
        if clock is None or delay is None:  # which the loop refuses
            return self._call_later(delay, callback, *args, context=context)
        when, file = self.real_time() + delay, sys._getframe(1).f_code.co_filename
        return self._set(clock, self._due_in(clock.elapsed_ms(), _in_ms(delay), file), when, callback, args, context)

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None) -> Any:
        """Set a timer by its end, in the seconds of `time`."""
        shown_to = self._clocks.get(running_engine())
        real = when if shown_to is None else when - shown_to.elapsed_ms() / 1000
        clock = self._clocks.get(running_engine(context))
        if clock is None:
            return self._call_at(real, callback, *args, context=context)
        # `asyncio.timeout(60)` asks for the time, adds 60 and comes here: since then the machine has had its pauses.
        virtual = clock.elapsed_ms()
        # anyio looks at the time once more before it comes here. Each look of uvloop's is a whole millisecond: of two
        # lengths, the one that somebody would write is meant.
        shown = [when - at for at, elapsed in (self._shown, self._shown_before) if elapsed == virtual]
        exact = [_in_ms(length) for length in shown if _is_whole(length)] if shown_to is clock else []
        length = min(exact, key=_is_odd) if exact else _rounded(real - self.real_time())
        due = self._due_in(virtual, length, sys._getframe(1).f_code.co_filename)
        return self._set(clock, due, real, callback, args, context)

    def _due_in(self, now: int, length: int, file: str) -> Due:
        return Due(now + length, length, file, next(self._numbers))

    def _set(
        self,
        clock: EngineTime,
        due: Due,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None,
    ) -> Any:
        if self._is_shown:
            self._loop._check_closed()
            shown = ShownTimer(when, callback, args, self._loop, context, clock)
            self._keep(shown, due)
            return shown
        recorded = RecordedTimer(when, callback, args, copy_context() if context is None else context)
        left = max(0, when - self.real_time())
        recorded.handle = self._call_later(left, self._fire, recorded, context=recorded._context)
        self._recorded[recorded] = None
        self._keep(recorded, due)
        return recorded.handle

    def _keep(self, timer: Any, due: Due) -> None:
        key = id(timer)
        self._due[key] = ref(timer, lambda _: self._due.pop(key, None)), due

    def _fire(self, recorded: RecordedTimer) -> None:
        self._recorded.pop(recorded, None)
        recorded._callback(*recorded._args)

    def pending(self) -> Iterable[Any]:
        """The timers that may fire: all of an asyncio loop, and of another one those of Workers' code."""
        if self._is_shown:
            shown: Iterable[Any] = self._loop._scheduled
            return shown
        for recorded in [one for one in self._recorded if one._cancelled]:
            del self._recorded[recorded]
        return self._recorded

    def left_ms(self, timer: Any) -> int:
        """The milliseconds until a timer fires in real time."""
        left: float = timer.when() - self.real_time()
        return max(0, math.ceil(left * 1000))

    def bring_nearer(self, timers: Iterable[Any], ms: int) -> None:
        """Let timers fire earlier by so much; those of a loop that does not show its timers stay as they are."""
        shown = [timer for timer in timers if isinstance(timer, ShownTimer)]
        for timer in shown:
            timer.come_nearer(ms / 1000)
        if shown:
            # Checked in CPython 3.11 to 3.14: a heap of the timers, by when they fire.
            heapq.heapify(self._loop._scheduled)

    def due(self, timer: Any, elapsed_ms: int) -> Due:
        """When a timer is due, counted from the engine's start.

        Args:
            timer: The timer.
            elapsed_ms: The milliseconds that have passed, of which one counts that was set past the loop's methods.
        """
        known = self._due.get(id(timer))
        if known is not None:
            return known[1]
        length = _rounded(timer.when() - self.real_time())
        code = getattr(timer._callback, "__code__", None)
        file = "<unknown>" if code is None else code.co_filename
        due = self._due_in(elapsed_ms, length, file)
        self._keep(timer, due)
        return due


def timers_of(loop: Any) -> LoopTimers:
    """The timers of a loop that engines use."""
    timers: LoopTimers = loop._worker_timers
    return timers


def pending_timers(loop: Any) -> Iterable[Any]:
    """The timers of a loop that may fire, as far as it shows them, whether engines use it or not."""
    timers: LoopTimers | None = getattr(loop, "_worker_timers", None)
    shown: Iterable[Any] = getattr(loop, "_scheduled", ()) if timers is None else timers.pending()
    return shown


def watch_timers(loop: Any, engine: object, clock: EngineTime) -> None:
    """Take down the timers of an engine's code on a loop, until `stop_watching`.

    Args:
        loop: The loop.
        engine: The engine, to be compared.
        clock: Its virtual time.
    """
    # The loop itself keeps it: a table of ours would keep every loop alive.
    if "_worker_timers" not in loop.__dict__:
        loop._worker_timers = LoopTimers(loop)
    loop._worker_timers.add(engine, clock)


def stop_watching(loop: Any, engine: object) -> None:
    """Take back a `watch_timers`; the last one gives the loop its methods back."""
    if timers_of(loop).remove(engine):
        del loop._worker_timers


def _in_ms(seconds: float) -> int:
    ms = seconds * 1000
    return FOREVER_MS if not ms < FOREVER_MS else max(0, round(ms))


def _rounded(seconds: float) -> int:
    """What is left of a timer that has its end alone: of a longer one to the next hundredth of a second."""
    ms = _in_ms(seconds)
    return ms if ms < 1000 else -(-ms // 10) * 10


def _is_odd(ms: int) -> bool:
    return ms % 10 != 0


def _is_whole(seconds: float) -> bool:
    """Whether it is a number of milliseconds, as far as a float of this size can tell."""
    ms = seconds * 1000
    return math.isfinite(ms) and abs(ms - round(ms)) < 1e-3
