"""Waits of a test, and how virtual time moves meanwhile. Those of real time are in `live_waits.py`.

One of all waiters leads: it lets everything runnable run, and when nothing can, lets exactly one timer fire. The
others sleep until their condition holds or the lead is handed to them, so a thousand waiters cost no more than one.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from time import monotonic

from durable_engine.context.loop_timers import timers_of
from durable_engine.context.scope import WorkerCall
from durable_engine.errors import NeverHappensError, WaitTimeoutError
from durable_engine.guard.open_code import open_code
from durable_engine.guard.watchdog import WATCHDOG

from .asyncio_timers import AsyncioTimers
from .clock import Timer, VirtualClock
from .patience import CHECK_AGAIN, Patience
from .timed_engine import TimedEngine
from .waiter import Waiter
from .waiters import Waiters
from .world import World

MOST_ROUNDS = 1000
"""Timers in a row, each set by what the one before it called, after which only the test can change anything."""

MOST_ROUNDS_BY_HAND = 100_000
"""The same, while the test moves the clock by hand."""


class Waits(Waiters):
    """All waiters of an engine in virtual time.

    Args:
        engine: The engine.
        clock: Its clock.
        manual: Whether only the test moves the clock.
    """

    def __init__(self, engine: TimedEngine, clock: VirtualClock, manual: bool) -> None:
        super().__init__(engine)
        self._clock = clock
        self._manual = manual
        self._leader: Waiter | None = None
        self._changed: set[tuple[str, str]] = set()
        self._world = World(engine, lambda: {waiter.task for waiter in self._waiters})
        self._patience = Patience(engine, self._world, self._until_progress)
        self._progress: asyncio.Future[None] | None = None
        self._real_time: asyncio.TimerHandle | None = None
        self._real_due = 0.0
        self._round = self._first_round = 0
        self._endless: str | None = None

    def dismantle(self) -> None:
        """Let go of what knows the waits: nobody waits any more."""
        del self._world, self._patience

    # -- waiting -----------------------------------------------------------------------------------------------------

    async def wait(self, waiter: Waiter, timeout: float) -> None:
        """Wait until the waiter's condition holds.

        Args:
            waiter: The waiter.
            timeout: Real seconds.

        Raises:
            NeverHappensError: If nothing can run, no timer is left, and nobody else could change that.
            WaitTimeoutError: If the timeout has passed.
        """
        __tracebackhide__ = True  # a test's report shows the test, not how it waited
        loop = self._engine.loop
        waiter.deadline = monotonic() + timeout
        self._waiters[waiter] = None
        if len(self._waiters) == 1:
            WATCHDOG.put_off()
            self._first_round = self._round
        waiter.task = asyncio.current_task()
        expiry = loop.call_later(timeout, self._expire, waiter, context=Context())  # it is nobody's code
        try:
            waiter.check()
            while not waiter.settled:
                if waiter.expired:
                    raise WaitTimeoutError(
                        f"{waiter.describe()}\nIt did not happen within {timeout:g} real seconds."
                        f"{open_code(self._engine, waiter.about)}"
                    )
                if self._leader is None:
                    self._leader = waiter
                if self._leader is waiter:
                    await self._lead(waiter, loop)
                else:
                    waiter.wake = loop.create_future()
                    await waiter.wake
            if waiter.error is not None:
                raise waiter.error
        finally:
            expiry.cancel()
            del self._waiters[waiter]
            if self._leader is waiter:
                self._leader = None
                for other in self._waiters:
                    if not other.settled:
                        other.rouse()
                        break

    def next_deadline(self) -> float | None:
        """The time (`time.monotonic`) by which the first of the waits must have ended; asked from another thread."""
        return min((waiter.deadline for waiter in list(self._waiters) if not waiter.settled), default=None)

    def _expire(self, waiter: Waiter) -> None:
        waiter.expired = True
        waiter.rouse()
        self.progress()

    async def _lead(self, leader: Waiter, loop: asyncio.AbstractEventLoop) -> None:
        """Lead one round: let everything runnable run, then let one timer fire."""
        if self._changed:
            self._check_waiters()
        if leader.settled:
            return
        if (len(self._waiters) > 1 and self._settled) or self.ready.runnable(loop):
            # A waiter whose condition holds goes on with the test before any further timer fires.
            await asyncio.sleep(0)
            return
        timers = AsyncioTimers(self._engine, self._world)
        if self._engine.clients.asking or timers.hold() or self._is_limit_held_up(timers):
            # Code that awaits something foreign may go on to an asyncio timer without our notice.
            await self._until_progress()
            return
        if self._manual or not (await self._patience.let_test_act() or self.fire_next(timers)):
            await self._nothing_left(leader)

    async def _until_progress(self, within: float = CHECK_AGAIN) -> None:
        """Wait until something happens, for a little while at most: not everything notifies the engine."""
        loop = self._engine.loop
        self._progress = progress = loop.create_future()
        again = loop.call_later(within, self.progress, context=Context())
        try:
            await progress
        finally:
            self._progress = None
            again.cancel()

    @property
    def is_time_moving(self) -> bool:
        """Whether virtual time moves now: a waiter leads, and waits for nothing real."""
        return self._leader is not None and self._progress is None

    def progress(self) -> None:
        """Note that something happened that a waiter may be interested in."""
        if self._progress is not None and not self._progress.done():
            self._progress.set_result(None)

    def changed(self, workflow: str, id: str) -> None:
        """Note that something changed about an instance."""
        self._changed.add((workflow, id))
        self.progress()

    def _check_waiters(self) -> None:
        """Let those waiters check their condition that wait for something that changed."""
        changed, self._changed = self._changed, set()
        for waiter in list(self._waiters):
            if waiter.about is None or waiter.about in changed:
                waiter.check()

    @property
    def _settled(self) -> bool:
        return any(waiter.settled for waiter in self._waiters)

    async def until_idle(self, timeout: float) -> None:
        """Wait until nothing can run and no timer is left (with a manual clock: until nothing can run)."""
        await self.wait(Waiter(lambda: False, self._describe_idle), timeout)

    def _describe_idle(self) -> str:
        busy = [repr(instance.row.id) for instance in self._engine.busy]
        busy += [call.what for call in self._engine.worker_calls.open]
        return f"Waiting until nothing can run. Still at work: {', '.join(busy) or 'no instance'}."

    async def until_over(self, call: WorkerCall) -> None:
        """Let virtual time move until a call of the Worker's code is over, or its time is."""
        about = ("", f"{call.what} {id(call)}")
        waiter = Waiter(lambda: not call.is_open, lambda: f"{call.what} goes on.", about, is_patient=True)
        await self.wait(waiter, self._engine.timeout)

    async def _nothing_left(self, leader: Waiter) -> None:
        endless, self._endless = self._endless, None
        for waiter in list(self._waiters):
            if waiter.about is None and endless is None:
                waiter.satisfy()
        if leader.settled:
            return
        if leader.is_patient or self._engine.clients.are_served or self._world.may_act:
            # Such a task or client may create an instance, send an event, or move the clock, which is progress. If it
            # ends without doing so, nothing notifies us.
            await self._until_progress()
            return
        why = (
            "Nothing can run, and the clock is manual: move it with `await workflow_clock.advance(...)`."
            if self._manual and self._clock.next_timer() is not None
            else "Nothing can run, and no timer is left: it will never happen."
            if endless is None
            else f"Nothing else can run, and this has set itself off {MOST_ROUNDS} times in a row: {endless}. Let it "
            "stop in the test, or move the clock as far as you need: `await workflow_clock.advance(...)`."
        )
        for waiter in [one for one in self._waiters if not one.is_patient]:
            waiter.reject(NeverHappensError(f"{waiter.describe()}\n{why}"))

    def acted(self) -> None:
        """Note that the test did something to an instance: its tasks get the time to do more."""
        self._first_round = self._round
        self._patience.acted()

    # -- time --------------------------------------------------------------------------------------------------------

    def fire_next(self, timers: AsyncioTimers, until: int | None = None) -> bool:
        """Let the timer that is due first fire, if there is one (due at `until` or before)."""
        together = self._clock.due_first()
        timer = together[0] if together else None
        of_asyncio = timers.first()
        if of_asyncio is not None and (timer is None or of_asyncio.due < timer.due):
            if until is not None and of_asyncio.due > until:
                return False
            self._clock.move_to(max(of_asyncio.due, self._clock.now_ms))
            timers.fire(of_asyncio)
            return True
        if timer is None or (until is not None and timer.due > until) or self._is_endless(timer, until is not None):
            return False
        timer = self._engine.interleaving.choose(together)
        self._round = max(self._round, timer.round or 0)
        self._clock.fire(timer)
        return True

    def _is_limit_held_up(self, timers: AsyncioTimers) -> bool:
        """Whether the next timer ends an attempt that waits for a step, and for something foreign beside it."""
        together = self._clock.due_first()
        limited = [timer.scope for timer in together if timer.scope is not None and timer.scope.parked]
        if not any(map(timers.hold_up, limited)):
            return False
        before = timers.first()
        return before is None or before.due >= together[0].due

    def _is_endless(self, timer: Timer, is_by_hand: bool) -> bool:
        """Whether only calls are left that set themselves off anew, over and over.

        Raises:
            NeverHappensError: If the test moves the clock by hand, and so does not get where it wants.
        """
        most = self._first_round + (MOST_ROUNDS_BY_HAND if is_by_hand else MOST_ROUNDS)
        if timer.round is None or timer.round <= most:
            return False
        if is_by_hand:
            raise NeverHappensError(
                f"The clock was moved by hand, and this set itself off {MOST_ROUNDS_BY_HAND} times on the way: "
                f"{timer.what}."
            )
        if any(other.round is None or other.round <= most for other in self._clock.pending()):
            return False
        self._endless = timer.what
        return True

    async def move_to(self, target: int) -> None:
        """Move the clock to a time (epoch milliseconds); every timer that is due by then fires at its own."""
        self._first_round = self._round
        await self.settle()
        while self.fire_next(AsyncioTimers(self._engine, self._world), until=target):
            await self.settle()
        self._clock.move_to(max(target, self._clock.now_ms))

    def arm_real_time(self) -> None:
        """Let a timer also fire when its duration has passed in real time."""
        if self._manual:
            return
        loop = self._engine.loop
        timer = self._clock.next_in_real_time()
        if timer is None:
            return
        if self._real_time is not None:
            if self._real_due <= timer.real_due:
                return  # the timer that is set comes first, and checks again
            self._real_time.cancel()
        # In a context of its own: the running one may be an instance's, whose timers go when it ends. By its length:
        # the loop's times count virtual time for code of an instance.
        self._real_due = timer.real_due
        left = max(0, timer.real_due - timers_of(loop).real_time())
        self._real_time = loop.call_later(left, self._real_time_passed, context=Context())

    def _real_time_passed(self) -> None:
        self._real_time = None
        loop = self._engine.loop
        timer = self._clock.next_in_real_time()
        if timer is not None and timer.real_due <= timers_of(loop).real_time():
            if self.ready.runnable(loop):
                self._real_due = timer.real_due
                self._real_time = loop.call_later(0, self._real_time_passed, context=Context())
                return
            first = self._clock.next_timer()
            assert first is not None
            # Virtual time never goes back: whatever is due before it in virtual time goes first, unless held.
            self._clock.fire(first if first.held is None or not first.held() else timer)
            self.progress()
        self.arm_real_time()

    def close(self) -> None:
        """Stop the real-time timers."""
        if self._real_time is not None:
            self._real_time.cancel()
            self._real_time = None
