"""Waits of a test, and how virtual time moves meanwhile.

One of all waiters leads: it lets everything runnable run, and when nothing can, lets exactly one timer fire. The
others sleep until their condition holds or the lead is handed to them, so a thousand waiters cost no more than one.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Collection
from contextvars import Context
from time import monotonic
from typing import Any, Protocol

from durable_engine.context.asyncio_internals import (
    WAKE,
    is_asyncios,
    ready_handles,
    scope_of,
    sleep_seconds,
    task_context,
    waiting_for,
)
from durable_engine.context.scope import Scope, WorkerCall, open_call
from durable_engine.context.started_tasks import tasks_of
from durable_engine.errors import InvalidArgumentError, NeverHappensError, WaitTimeoutError
from durable_engine.guard.guarded_engine import GuardedEngine, OpenCalls
from durable_engine.guard.loop_guard import answer
from durable_engine.guard.open_code import open_code
from durable_engine.guard.watchdog import WATCHDOG
from durable_engine.instance import Instance

from .asyncio_timers import by_scope, is_asleep
from .clock import Timer, VirtualClock
from .interleaving import Interleaving

IDLE_CHECKS = 6
"""The checks in a row that must see nothing run, on a loop that does not show its queue."""

CHECK_AGAIN = 0.02
"""Seconds between two checks of code that waits for something of which the engine is not notified."""


MOST_HELD_TURNS = 1000
"""Turns of the event loop for which the interleaving holds something while other code runs: it may poll for that."""

PATIENCE = 100
"""Turns of the event loop that tasks of the test get before a timer fires under them, until one of them acts."""

MOST_ROUNDS = 1000
"""Timers in a row, each set by what the one before it called, after which only the test can change anything."""

MOST_ROUNDS_BY_HAND = 100_000
"""The same, while the test moves the clock by hand."""

SOON_MS = 1000
"""Real milliseconds: a task of the test that sleeps for no longer is about to act."""


MOST_SECONDS = 1_000_000_000
"""The longest timeout of a wait: some thirty years, which every timer of every system takes."""


def read_timeout(timeout: float | None, default: float) -> float:
    """Read the limit of a wait, in real seconds.

    Raises:
        InvalidArgumentError: If it is no number above 0, or beyond what timers take.
    """
    if timeout is None:
        return default
    if isinstance(timeout, int | float) and abs(timeout) > MOST_SECONDS:
        # Not by its repr: Python refuses to write an int of many thousand digits.
        raise InvalidArgumentError(
            f"timeout is a number of real seconds above 0 and up to {MOST_SECONDS:,}; this one is beyond that."
        )
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise InvalidArgumentError(f"timeout is a number of real seconds above 0, not {timeout!r}.")
    return timeout


class TimedEngine(GuardedEngine, Protocol):
    """An engine on whose time tests wait."""

    @property
    def clock(self) -> VirtualClock:
        """Virtual time."""
        ...

    @property
    def interleaving(self) -> Interleaving:
        """The interleaving, which chooses the first of several that could go."""
        ...

    @property
    def busy(self) -> Collection[Instance]:
        """The instances that are at work: while there is one, virtual time stands still."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the engine is closed."""
        ...

    @property
    def worker_calls(self) -> TimedCalls:
        """The calls of the Worker's code other than workflows."""
        ...


class TimedCalls(OpenCalls, Protocol):
    """Calls that virtual time stands still for, or moves under."""

    @property
    def open(self) -> Collection[WorkerCall]:
        """Those that are under way."""
        ...

    def tasks(self) -> list[asyncio.Task[Any]]:
        """The unfinished tasks that run their code."""
        ...


class Waiter:
    """A waiter for a condition.

    Args:
        evaluate: Returns whether the condition holds; raises when it can no longer hold.
        describe: Describes the condition and the present state, for the error.
        about: The instance that it is about (workflow and id); None for the whole engine, until it is idle.
        for_step: Whether the end of the execution ends the wait.
        is_patient: Whether it goes on where nothing can run: what it waits for may come from elsewhere.
    """

    def __init__(
        self,
        evaluate: Callable[[], bool],
        describe: Callable[[], str],
        about: tuple[str, str] | None = None,
        for_step: bool = False,
        is_patient: bool = False,
    ) -> None:
        self._evaluate = evaluate
        self.about = about
        self.for_step = for_step
        self.is_patient = is_patient
        self.describe = describe
        self.satisfied = False
        self.error: BaseException | None = None
        self.expired = False
        self.deadline = 0.0
        self.wake: asyncio.Future[None] | None = None
        self.task: asyncio.Task[Any] | None = None

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.satisfied or self.error is not None

    def check(self) -> None:
        """Find out whether the condition holds by now."""
        __tracebackhide__ = True
        if not self.settled:
            try:
                self.satisfied = self._evaluate()
            except Exception as exc:
                self.error = exc
            if self.settled:
                self.rouse()

    def reject(self, error: BaseException) -> None:
        """The wait is over, with this error."""
        if not self.settled:
            self.error = error
            self.rouse()

    def rouse(self) -> None:
        """Let the waiter's task check its condition."""
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(None)


class Waits:
    """All waiters of an engine.

    Args:
        engine: The engine.
        manual: Whether only the test moves the clock.
    """

    def __init__(self, engine: TimedEngine, manual: bool) -> None:
        self._engine = engine
        self._manual = manual
        self._waiters: dict[Waiter, None] = {}
        self._leader: Waiter | None = None
        self._changed: set[tuple[str, str]] = set()
        self._asyncio_due: weakref.WeakKeyDictionary[asyncio.TimerHandle, tuple[int, int]] = weakref.WeakKeyDictionary()
        self._progress: asyncio.Future[None] | None = None
        self._real_time: asyncio.TimerHandle | None = None
        self._idle_checks = 0
        self._letting_go: asyncio.Handle | None = None
        self._held_turns = 0
        self._patience = PATIENCE
        self._waited_for: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._round = self._first_round = 0
        self._endless: str | None = None

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
        expiry = loop.call_later(timeout, self._expire, waiter)
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
                    await self._lead(waiter)
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

    async def _lead(self, leader: Waiter) -> None:
        """Lead one round: let everything runnable run, then let one timer fire."""
        self._asyncio_timers()  # the sooner a timer is seen, the more exactly is known when it was started
        self._check_waiters()
        if leader.settled:
            return
        if self._settled or self.runnable():
            # A waiter whose condition holds goes on with the test before any further timer fires.
            await asyncio.sleep(0)
            return
        if self._is_held():
            # Code that awaits something foreign may go on to an asyncio timer without our notice.
            await self._until_progress()
            return
        if self._manual or not (await self._let_test_act() or self.fire_next()):
            await self._nothing_left(leader)

    async def _until_progress(self, within: float = CHECK_AGAIN) -> None:
        """Wait until something happens, for a little while at most: not everything notifies the engine."""
        loop = self._engine.loop
        self._progress = progress = loop.create_future()
        again = loop.call_later(within, self.progress)
        try:
            await progress
        finally:
            self._progress = None
            again.cancel()

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
        if changed:
            for waiter in list(self._waiters):
                if waiter.about is None or waiter.about in changed:
                    waiter.check()

    @property
    def _settled(self) -> bool:
        return any(waiter.settled for waiter in self._waiters)

    def reject(self, error: BaseException) -> None:
        """End every wait with this error."""
        for waiter in list(self._waiters):
            waiter.reject(error)
        self.progress()

    async def until_idle(self, timeout: float) -> None:
        """Wait until nothing can run and no timer is left (with a manual clock: until nothing can run)."""
        await self.wait(Waiter(lambda: False, self._describe_idle), timeout)

    def _describe_idle(self) -> str:
        busy = [repr(instance.row.id) for instance in self._engine.busy]
        busy += [call.what for call in self._engine.worker_calls.open]
        return f"Waiting until nothing can run. Still at work: {', '.join(busy) or 'no instance'}."

    def reject_steps(self, about: tuple[str, str], error: BaseException) -> None:
        """End every wait for a step of that instance with this error."""
        for waiter in list(self._waiters):
            if waiter.for_step and waiter.about == about:
                waiter.reject(error)

    async def until_over(self, call: WorkerCall) -> None:
        """Let virtual time move until a call of the Worker's code is over, or its time is."""
        about = ("", f"{call.what} {id(call)}")
        waiter = Waiter(lambda: not call.is_open, lambda: f"{call.what} goes on.", about, is_patient=True)
        await self.wait(waiter, self._engine.timeout)

    async def _nothing_left(self, leader: Waiter) -> None:
        endless, self._endless = self._endless, None
        for waiter in list(self._waiters):
            if waiter.about is None and endless is None:
                waiter.satisfied = True
                waiter.rouse()
        if leader.settled:
            return
        if leader.is_patient or self._others_may_act():
            # Such a task may create an instance, send an event, or move the clock, which is progress. If it ends
            # without doing so, nothing notifies us.
            await self._until_progress()
            return
        why = (
            "Nothing can run, and the clock is manual: move it with `await workflow_clock.advance(...)`."
            if self._manual and self._engine.clock.next_timer() is not None
            else "Nothing can run, and no timer is left: it will never happen."
            if endless is None
            else f"Nothing else can run, and this has set itself off {MOST_ROUNDS} times in a row: {endless}. Let it "
            "stop in the test, or move the clock as far as you need: `await workflow_clock.advance(...)`."
        )
        for waiter in [one for one in self._waiters if not one.is_patient]:
            waiter.reject(NeverHappensError(f"{waiter.describe()}\n{why}"))

    async def _let_test_act(self) -> bool:
        """Give tasks of the test the time to do what they are about to: no timer fires under them.

        Those that spin or sleep over and over and never act do not stop time.

        Returns:
            Whether there were any.
        """
        if self._patience and self._test_is_ready():
            self._patience -= 1
            await asyncio.sleep(0)
            return True
        sleepers = self._sleepers()
        if not sleepers:
            return False
        loop = self._engine.loop
        self._waited_for.update(sleepers)  # a task that acts when it wakes is taken out again
        await self._until_progress(within=max(0, min(sleepers.values()) - loop.time()))
        self._waited_for.difference_update(task for task, due in sleepers.items() if due > loop.time())
        return True

    def acted(self) -> None:
        """Note that the test did something to an instance: its tasks get the time to do more."""
        self._first_round = self._round
        self._patience = PATIENCE
        task = asyncio.current_task(self._engine.loop)
        if task is not None:
            self._waited_for.discard(task)

    def _test_is_ready(self) -> bool:
        """Whether a task of the test is about to run; asked where nothing of an instance is."""
        handles = ready_handles(self._engine.loop)
        if handles is not None:
            return any(not handle._cancelled and handle._callback is not answer for handle in handles)
        return any(future is None or future.done() for future in map(waiting_for, self._tasks_of_test()))

    def _sleepers(self) -> dict[asyncio.Task[Any], float]:
        """The tasks of the test that wake soon from an `asyncio.sleep`, with the loop's time of that."""
        loop = self._engine.loop
        soon = loop.time() + SOON_MS / 1000
        due = {
            handle._args[0]: handle.when()
            for handle in getattr(loop, "_scheduled", ())
            if handle._callback is WAKE and handle.when() <= soon and not handle._cancelled
        }
        if not due:
            return {}
        found = {task: due.get(waiting_for(task)) for task in self._tasks_of_test() if task not in self._waited_for}
        return {task: when for task, when in found.items() if when is not None}

    def _tasks_of_test(self) -> list[asyncio.Task[Any]]:
        """The tasks that are no instance's and no call's, except those that wait for the engine."""
        waiting: set[Any] = {waiter.task for waiter in self._waiters}
        tasks = asyncio.all_tasks(self._engine.loop) - waiting
        return [task for task in tasks if not self._is_workers(task_context(task))]

    def _is_workers(self, context: Context | None) -> bool:
        """Whether a context belongs to code of the Worker: of an instance, or of a call that is under way."""
        return scope_of(context) is not None or open_call(context, self._engine) is not None

    def _others_may_act(self) -> bool:
        """Whether a task of the test exists that does not itself wait for the engine."""
        waiting: set[Any] = {waiter.task for waiter in self._waiters}
        return any(not _waits_for(task, waiting) for task in self._tasks_of_test())

    # -- what can run ------------------------------------------------------------------------------------------------

    def runnable(self) -> bool:
        """Whether code of an instance is about to run, or waits for its turn."""
        return self._engine.interleaving.holds or self._ready()

    def let_go_in_turn(self) -> None:
        """Let go what the interleaving holds, one by one, each when nothing else can run."""
        if self._letting_go is None:
            # In a context of its own: in the running one it would count as code of an instance.
            self._letting_go = self._engine.loop.call_soon(self._let_go, context=Context())

    def _let_go(self) -> None:
        self._letting_go = None
        if not self._engine.closed and self._engine.interleaving.holds:
            self._held_turns += 1
            if not self._ready() or self._held_turns > MOST_HELD_TURNS:
                self._held_turns = 0
                self._engine.interleaving.let_one_go()
            self.let_go_in_turn()

    def _ready(self) -> bool:
        engine = self._engine
        handles = ready_handles(engine.loop)
        if handles is None:
            return self._runnable_tasks()
        return any(not handle._cancelled and self._is_ours(handle._context) for handle in handles)

    def _is_ours(self, context: Context | None) -> bool:
        """Whether a context belongs to code of one of the engine's instances, or of a call that is under way."""
        engine, scope = self._engine, scope_of(context)
        if scope is not None:
            return scope.instance.belongs_to(engine)
        return bool(engine.worker_calls.open) and open_call(context, engine) is not None

    def _runnable_tasks(self) -> bool:
        """Runnable tasks of a loop that does not show its queue: those that wait for nothing unfinished."""
        for task in asyncio.all_tasks(self._engine.loop):
            context = task_context(task)
            scope = scope_of(context)
            if self._is_ours(context) and not (scope is not None and scope.instance.closed):
                future = waiting_for(task)
                if future is None or future.done() or _is_finished_gathering(future):
                    self._idle_checks = 0
                    return True
        # A task that has not started yet, or a callback between two tasks, cannot be seen here: check a few times more.
        self._idle_checks = (self._idle_checks + 1) % IDLE_CHECKS
        return self._idle_checks != 0

    # -- time --------------------------------------------------------------------------------------------------------

    def fire_next(self, until: int | None = None) -> bool:
        """Let the timer that is due first fire, if there is one (due at `until` or before)."""
        virtual = self._asyncio_timers()
        together = self._engine.clock.due_first()
        timer = together[0] if together else None
        first_virtual = min(virtual, default=None, key=lambda entry: (entry[0], entry[1].when()))
        if first_virtual is not None and (timer is None or first_virtual[0] < timer.due):
            due, handle = first_virtual
            if until is not None and due > until:
                return False
            self._engine.clock.move_to(max(due, self._engine.clock.now_ms))
            self._engine.loop.call_soon(handle._callback, *handle._args, context=handle._context)
            handle.cancel()
            return True
        if timer is None or (until is not None and timer.due > until) or self._is_endless(timer, until is not None):
            return False
        timer = self._engine.interleaving.choose(together)
        self._round = max(self._round, timer.round or 0)
        self._engine.clock.fire(timer)
        return True

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
        if any(other.round is None or other.round <= most for other in self._engine.clock.pending()):
            return False
        self._endless = timer.what
        return True

    async def move_to(self, target: int) -> None:
        """Move the clock to a time (epoch milliseconds); every timer that is due by then fires at its own."""
        self._first_round = self._round
        await self.settle()
        while self.fire_next(until=target):
            await self.settle()
        clock = self._engine.clock
        clock.move_to(max(target, clock.now_ms))

    def _is_held(self) -> bool:
        """Whether something is at work that may wait for something foreign, so that virtual time stands still."""
        engine = self._engine
        if engine.busy and not self._parked_on_asyncio():
            # What waits for a call waits for what the call does. Its own short timers are of real time.
            return not engine.worker_calls.open or self._has_real_timers() or self._calls_are_held()
        return bool(engine.worker_calls.open) and self._calls_are_held()

    def _has_real_timers(self) -> bool:
        return any(not scope.is_virtual for scope in self._timers_by_scope())

    def _calls_are_held(self) -> bool:
        """Whether calls wait for more than time, and something foreign could answer."""
        if not self._is_foreign_at_work():
            return False
        timers = [(length, handle) for _, length, handle in self._timers_of_calls()]
        return not is_asleep(timers, self._engine.worker_calls.tasks())

    def _is_foreign_at_work(self) -> bool:
        """Whether a thread or a connection exists that may answer to what code awaits."""
        engine = self._engine
        # Checked in CPython 3.11 to 3.14: the selector of a loop has its own pipe alone where nothing is connected.
        # Of a loop without it (uvloop) nothing is known; what it reads would not hold virtual time.
        selector = getattr(engine.loop, "_selector", None)
        connected = () if selector is None else selector.get_map() or ()
        return len(connected) > 1 or engine.threads.are_at_work

    def _parked_on_asyncio(self) -> bool:
        """Whether all that is busy waits for timers of asyncio that run on virtual time."""
        parked = {scope_of(handle._context) for _, handle in self._asyncio_timers()}
        if not parked:
            return False
        at_work: dict[Instance, set[Scope]] = {instance: set() for instance in self._engine.busy}
        scopes = [scope for scope in self._tasks_by_scope() if scope.open == 0]
        for scope in [*scopes, *self._timers_by_scope()]:
            root = scope.instance.root
            # Where `run` waits for no step, what else there is are callbacks that have timed out.
            if scope.instance in at_work and (scope is root or root.open):
                at_work[scope.instance].add(scope)
        # An instance of which nothing is seen is at work in a way that cannot be seen.
        return all(scopes and scopes <= parked for scopes in at_work.values())

    def _tasks_by_scope(self) -> dict[Scope, list[asyncio.Task[Any]]]:
        """The unfinished tasks of what is busy."""
        return by_scope(tasks_of(self._engine.loop, self._engine.busy))

    def _asyncio_timers(self) -> list[tuple[int, Any]]:
        """Timers of asyncio itself that run on virtual time, and when.

        They are those of `run` and of delay functions, and of steps that only sleep.
        """
        engine = self._engine
        timers = self._timers_by_scope()
        has_steps = any(not scope.is_virtual for scope in timers)
        tasks = self._tasks_by_scope() if has_steps else {}
        found = []
        for scope, handles in timers.items():
            if scope.is_virtual:
                found += [(due, handle) for due, _, handle in handles if is_asyncios(handle._callback)]
            elif scope.instance in engine.busy and is_asleep([one[1:] for one in handles], tasks.get(scope, ())):
                found += [(due, handle) for due, _, handle in handles]
        calls = self._timers_of_calls()
        if calls and not self._calls_are_held():
            found += [(due, handle) for due, _, handle in calls if is_asyncios(handle._callback)]
        return found

    def _timers_of_calls(self) -> list[tuple[int, int, Any]]:
        """The timers that code of calls has set on the loop: when due in virtual time, how long, the handle."""
        engine = self._engine
        if not engine.worker_calls.open:
            return []
        return [
            (*self._virtual_due(handle), handle)
            for handle in getattr(engine.loop, "_scheduled", ())
            if not handle._cancelled
            and scope_of(handle._context) is None
            and open_call(handle._context, engine) is not None
        ]

    def _timers_by_scope(self) -> dict[Scope, list[tuple[int, int, Any]]]:
        """The timers that code of instances has set on the loop: when due in virtual time, how long, the handle."""
        engine = self._engine
        found: dict[Scope, list[tuple[int, int, Any]]] = {}
        for handle in getattr(engine.loop, "_scheduled", ()):
            scope = scope_of(handle._context)
            if scope is not None and not handle._cancelled and scope.instance.belongs_to(engine):
                found.setdefault(scope, []).append((*self._virtual_due(handle), handle))
        return found

    def _virtual_due(self, handle: Any) -> tuple[int, int]:
        """When a timer of the loop is due in virtual time, and how long it was when it was set."""
        # It was started at the virtual time that still is: none passes while code runs.
        engine = self._engine
        known = self._asyncio_due.get(handle)
        if known is None:
            seconds = sleep_seconds(handle)
            length = _whole_ms(handle.when() - engine.loop.time()) if seconds is None else round(seconds * 1000)
            known = self._asyncio_due[handle] = (engine.clock.now_ms + length, length)
        return known

    def arm_real_time(self) -> None:
        """Let a timer also fire when its duration has passed in real time."""
        if self._manual:
            return
        loop = self._engine.loop
        timer = self._engine.clock.next_in_real_time()
        if timer is None:
            return
        if self._real_time is not None:
            if self._real_time.when() <= timer.real_due:
                return  # the timer that is set comes first, and checks again
            self._real_time.cancel()
        # In a context of its own: the running one may be an instance's, whose timers go when it ends.
        self._real_time = loop.call_at(timer.real_due, self._real_time_passed, context=Context())

    def _real_time_passed(self) -> None:
        self._real_time = None
        loop = self._engine.loop
        timer = self._engine.clock.next_in_real_time()
        if timer is not None and timer.real_due <= loop.time():
            if self.runnable():
                self._real_time = loop.call_later(0, self._real_time_passed, context=Context())
                return
            first = self._engine.clock.next_timer()
            assert first is not None
            # Virtual time never goes back: whatever is due before it in virtual time goes first, unless held.
            self._engine.clock.fire(first if first.held is None or not first.held() else timer)
            self.progress()
        self.arm_real_time()

    def close(self) -> None:
        """Stop the real-time timers."""
        if self._real_time is not None:
            self._real_time.cancel()
            self._real_time = None

    async def settle(self, most: int | None = None) -> None:
        """Let everything runnable run, without waiting for callbacks that wait for something foreign.

        Args:
            most: For so many turns of the event loop; None until nothing runs.
        """
        turns = 0
        await asyncio.sleep(0)
        while self.runnable() and turns != most:
            turns += 1
            await asyncio.sleep(0)


def _whole_ms(seconds: float) -> int:
    """The duration that an asyncio timer was started with: a long one to the next hundredth of a second."""
    ms = max(0, round(seconds * 1000))
    return ms if ms < 1000 else -(-ms // 10) * 10


def _is_finished_gathering(future: Any) -> bool:
    # Checked in CPython 3.11 to 3.14: the future of a `gather` has `_children`. Without it, on a loop that does not
    # show its queue, code whose steps have all ended would count as waiting, and virtual time would move under it.
    children: list[Any] = getattr(future, "_children", None) or []
    return bool(children) and all(child.done() for child in children)


def _waits_for(task: asyncio.Task[Any], waiting: set[Any]) -> bool:
    """Whether a task can go on only after one of these has: it awaits it, or a gathering of such."""
    future = waiting_for(task)
    while future is not None:
        if future in waiting:
            return True
        # Without it (see above) a task of the test that gathers waits would count as about to act, and a wait for
        # something that never happens would end by its timeout alone.
        children = getattr(future, "_children", None)
        if children:
            pending = [child for child in children if not child.done()]
            return all(child in waiting or _waits_for(child, waiting) for child in pending)
        if not isinstance(future, asyncio.Task):
            return False
        future = waiting_for(future)
    return False
