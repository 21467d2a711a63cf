"""Waits of an engine in real time, which passes by itself: its timers, and how time is moved by hand."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextvars import Context
from time import monotonic

from durable_engine.context.loop_timers import timers_of
from durable_engine.errors import WaitTimeoutError
from durable_engine.guard.open_code import open_code
from durable_engine.instance import Instance

from .asyncio_timers import AsyncioTimers
from .real_clock import RealClock
from .timed_engine import TimedEngine
from .waiter import Waiter
from .waiters import Waiters
from .world import World

LONGEST = 10.0
"""Seconds after which the next timer is asked for again: the machine may sleep, or its clock be set."""

SLICE = 0.003
"""Seconds that timers get in one turn of the loop, however many are due."""

AGAIN = 0.002
"""Seconds between two checks of whether code has come to rest, while time is moved by hand."""

REST = 1.0
"""Seconds that code at work gets to come to rest before time is moved on under it."""


class LiveWaits(Waiters):
    """All waiters of an engine in real time.

    Args:
        engine: The engine.
        clock: Its clock.
        stored: Waits until what was written is where it is kept.
    """

    is_time_moving = False
    """Whether time moves without real time: never by itself."""

    def __init__(self, engine: TimedEngine, clock: RealClock, stored: Callable[[], Awaitable[None]]) -> None:
        super().__init__(engine)
        self._clock = clock
        self._stored = stored
        self._changed: set[tuple[str, str]] = set()
        self._checking: asyncio.Handle | None = None
        self._armed: asyncio.TimerHandle | None = None
        self._armed_due = 0
        self._world = World(engine, lambda: {waiter.task for waiter in self._waiters})
        self._moving = asyncio.Lock()

    # -- waiting -----------------------------------------------------------------------------------------------------

    async def wait(self, waiter: Waiter, timeout: float) -> None:
        """Wait until the waiter's condition holds.

        Args:
            waiter: The waiter.
            timeout: Seconds; infinity for as long as it takes.

        Raises:
            WaitTimeoutError: If the timeout has passed.
        """
        __tracebackhide__ = True
        loop = self._engine.loop
        self._waiters[waiter] = None
        waiter.task = asyncio.current_task()
        expiry = None
        if timeout < math.inf:
            expiry = loop.call_later(timeout, self._expire, waiter, context=Context())
        try:
            waiter.check()
            while not waiter.settled:
                if waiter.expired:
                    raise WaitTimeoutError(
                        f"{waiter.describe()}\nIt did not happen within {timeout:g} seconds."
                        f"{open_code(self._engine, waiter.about)}"
                    )
                waiter.wake = loop.create_future()
                await waiter.wake
            if waiter.error is not None:
                raise waiter.error
        finally:
            del self._waiters[waiter]
            if expiry is not None:
                expiry.cancel()

    def _expire(self, waiter: Waiter) -> None:
        waiter.expired = True
        waiter.rouse()

    def changed(self, workflow: str, id: str) -> None:
        """Note that something changed about an instance."""
        if self._waiters:
            self._changed.add((workflow, id))
            if self._checking is None:
                self._checking = self._engine.loop.call_soon(self._check_waiters, context=Context())

    def _check_waiters(self) -> None:
        self._checking = None
        changed, self._changed = self._changed, set()
        for waiter in list(self._waiters):
            if waiter.about is None or waiter.about in changed:
                waiter.check()

    async def until_idle(self, timeout: float) -> None:
        """Wait until no instance and no call is at work; timers may be left, which time comes to by itself."""
        await self.wait(Waiter(self._is_at_rest, self._describe_idle), timeout)

    def _is_at_rest(self) -> bool:
        return not (self._engine.busy or self._engine.worker_calls.open)

    def _describe_idle(self) -> str:
        busy = [repr(instance.row.id) for instance in self._engine.busy]
        busy += [call.what for call in self._engine.worker_calls.open]
        return f"Waiting until nothing is at work. Still at work: {', '.join(busy)}."

    def acted(self) -> None:
        """Note that somebody did something to an instance, which real time does not wait for."""

    def next_deadline(self) -> float | None:
        """None: nothing is ended because it takes long."""
        return None

    # -- time --------------------------------------------------------------------------------------------------------

    def arm_real_time(self) -> None:
        """Let the timer that is due first fire in its time."""
        timer = self._clock.next_timer()
        if timer is None:
            return
        if self._armed is not None:
            if self._armed_due <= timer.due:
                return  # the timer that is set comes first, and arms the next
            self._armed.cancel()
        self._armed_due = timer.due
        # A millisecond more, since the clock's are whole ones: it would be asked just before.
        left = min(LONGEST, max(0, timer.due - self._clock.now_ms + 1) / 1000)
        self._armed = self._engine.loop.call_later(left, self._fire_due, context=Context())

    def _fire_due(self) -> None:
        """Fire what is due, as much as one turn of the loop has time for."""
        self._armed = None
        ends = monotonic() + SLICE
        try:
            while self._fire_first() and monotonic() < ends:
                pass
        finally:
            self.arm_real_time()

    def _fire_first(self) -> bool:
        timer = self._clock.next_timer()
        if timer is None or timer.due > self._clock.now_ms:
            return False
        self._clock.fire(timer)
        return True

    async def move_to(self, target: int) -> None:
        """Move the clock by hand to a time (epoch milliseconds); every timer that is due by then fires at its own.

        What is at work gets the real time that it needs, for a moment. What the code of a step waits for beside time,
        such as an answer from the network, does not come nearer, and nor do the limits of that.
        """
        busy_for_long: set[Instance] = set()
        async with self._moving:
            await self._come_to_rest(busy_for_long)
            while self._move_to_next(target):
                await self._come_to_rest(busy_for_long)
            self._move(target, AsyncioTimers(self._engine, self._world))

    def _move_to_next(self, target: int) -> bool:
        """Move to the timer that is due first, and fire it; returns whether there was one by that time."""
        clock, timers = self._clock, AsyncioTimers(self._engine, self._world)
        timer, of_asyncio = clock.next_by_hand(), timers.first()
        if of_asyncio is not None and of_asyncio.due <= target and (timer is None or of_asyncio.due < timer.due):
            self._move(of_asyncio.due, timers)
            timers.fire(of_asyncio)
        elif timer is not None and timer.due <= target:
            self._move(timer.due, timers)
            clock.fire(timer)
        else:
            return False
        return True

    def _move(self, target: int, timers: AsyncioTimers) -> None:
        moved = target - self._clock.now_ms
        if moved > 0:
            handles = [timer.handle for timer in timers.virtual()]
            self._clock.move_to(target)
            timers_of(self._engine.loop).bring_nearer(handles, moved)
            if self._armed is not None:
                self._armed.cancel()
                self._armed = None
            self.arm_real_time()

    async def _come_to_rest(self, busy_for_long: set[Instance]) -> None:
        """Wait until all code waits for time, an event or something foreign, for a moment at most.

        Args:
            busy_for_long: The instances that were waited for in vain, and are not waited for again.
        """
        ends = monotonic() + REST
        await asyncio.sleep(0)
        await self._stored()
        while self.ready.runnable() or self._is_at_work(busy_for_long):
            if monotonic() > ends:
                busy_for_long.update(self._engine.busy)
                return
            await asyncio.sleep(0 if self.ready.runnable() else AGAIN)
            await self._stored()

    def _is_at_work(self, but: set[Instance]) -> bool:
        return not but.issuperset(self._engine.busy) and AsyncioTimers(self._engine, self._world).hold()

    def close(self) -> None:
        """Stop the timers of the loop."""
        for handle in (self._armed, self._checking):
            if handle is not None:
                handle.cancel()
        self._armed = self._checking = None
