"""The engine: the owner of everything, and the entry point for tests and tools."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .api.binding import WorkflowBinding, read_retention
from .context.loop_timers import timers_of
from .dismantling import ENDED, Dismantled
from .errors import EngineClosedError, EngineError, InvalidArgumentError
from .execution.execution import Execution
from .expiry import Expiry
from .guard.engine_loop import EngineLoop
from .guard.live_teardown import LiveStoppedTasks
from .guard.task_teardown import StoppedTasks
from .guard.threads import WorkerThreads
from .guard.unwinding import GiveWay
from .instance import Instance
from .lifecycle import Lifecycle
from .limits import Limits
from .model import StepKey
from .replay.replay import check_by_replay
from .storage.store import Store
from .testing.faults import FaultPoint, Faults
from .testing.findings import Finding, Findings, Rule
from .testing.hazards import Hazards
from .testing.modifications import Modification
from .testing.observers import Observers
from .testing.paths import Paths
from .testing.pending_errors import PendingErrors
from .testing.step_findings import StepFindings
from .testing.unawaited_calls import Call, Calls
from .testing.unprovided import UnprovidedUses
from .time.activity import Activity
from .time.clients import Clients
from .time.clock import Clock, Timer, VirtualClock
from .time.interleaving import Interleaving
from .time.live_waits import LiveWaits
from .time.pace import Pace, PacedTurns
from .time.real_clock import RealClock
from .time.turns import Turns
from .time.waiter import Waiter, read_timeout
from .time.waits import Waits
from .time.worker_calls import WorkerCalls
from .usage import InstanceUsage, Subrequests
from .values.datetimes import PLAIN_DATETIME, read_now, to_datetime, to_ms
from .values.durations import DAY, duration_ms
from .workflow import Workflow

DEFAULT_TIMEOUT = 5.0

KEPT_LIVE = 30 * DAY
"""Milliseconds for which an ended instance is kept in real time of which nobody said for how long."""

MOST_LIVE_FINDINGS = 1000
"""The findings that are kept in real time, the newest ones."""

MOST_LIVE_PATHS = 4
"""The executions of an instance whose paths are kept in real time, the newest ones."""

_log = logging.getLogger("durable_engine")


class Engine(Dismantled):
    """A durable-execution engine: in memory and in virtual time, for the length of a test, unless others are given.

    With a real clock it is *live*, for a process that runs for weeks: nothing is ended because it takes long, waits
    have no limit of their own, and what only a test would ask for is not kept.

    Args:
        now: Where virtual time starts: a `datetime` or an ISO 8601 text; the real time, cut to the second, by default.
        seed: The seed of the ids that the engine makes; the same seed gives the same ids. By default it is 0, and in
            real time a new one each time.
        timeout: How long a wait may take, in real seconds, unless it says otherwise.
        manual_clock: Whether only `advance` and `travel_to` move the clock.
        passthrough: Exceptions that are meant for the test: a workflow never sees them.
        unprovided: Exceptions that say that something is not provided here, and so are no error of the workflow: a step
            that fails with one is not retried, a wait that fails for one raises it, and it is kept for the test's end.
        limits: The platform's limits, or lower ones.
        ignore_rules: Names of rules that are not checked.
        rules: The rules by their names, with what findings say of them; of any other a finding says only what was
            noticed.
        schedule_seed: The seed of the interleaving: the order of what could happen in any order; by default it is
            the order in which they became ready.
        root: The project's folder: recorded errors show the paths of its files from there.
        clock: Its time; virtual time from `now` on by default.
        store: Where it keeps instances; a store in memory by default. `recover` goes on with what it has.

    Example:
        ```python
        async with Engine(now="2026-01-01T00:00:00Z") as engine:
            orders = engine.bind("ORDERS", workflow)
            instance = await orders.create({"params": {"sku": "A1"}})
            await engine.run_until_idle()
        ```

    Attributes:
        clock: Virtual time, or real.
        is_live: Whether time is real.
        store: The storage.
        when_stored: Does something once everything written so far is where it is kept, and its turn has come.
        timeout: As given.
        limits: As given.
        root: As given.
        passthrough: As given, and what ends the session or a loop.
        manual_clock: As given.
        closed: Whether the engine is closed; everything that belongs to it is closed with it.
        is_deploying: Whether another source is being deployed, whose workflows take the place of those that are bound.
        lifecycle: The instances, and what the calls of bindings and handles do with them.
        observers: Notified of what happens.
        findings: The broken rules that were noticed.
        step_findings: Those that the steps give reason to find.
        hazards: Notices where the vendor's engine would do something else.
        faults: The fault points.
        paths: Which steps `run` asked for, in each execution.
        exceptions: What instances failed with, by the key of their row.
        unprovided: The uses of unprovided things.
        pending_errors: What the test must get.
        calls: The calls of the test that must be awaited.
        waits: Everybody who waits.
        activity: Which instances are at work, and who listens to their changes.
        order: The interleaving: who goes first of several that could.
        turns: When something happens that could as well come after something else.
        clients: The clients of the Worker in other threads and processes, where it is served to such.
        worker_calls: The calls of the Worker's code other than workflows: of handlers, objects, alarms, consumers.
        threads: The threads that code of the instances has started.
        stopped_tasks: The stopped tasks, until they are closed.
        attached: The data that layers above keep for as long as the engine exists, by its type: a table whose
            values know the engine would keep every engine alive.
    """

    def __init__(
        self,
        *,
        now: datetime | str | None = None,
        seed: int | str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        manual_clock: bool = False,
        passthrough: tuple[type[BaseException], ...] = (),
        unprovided: tuple[type[BaseException], ...] = (),
        limits: Limits | None = None,
        ignore_rules: Iterable[str] = (),
        rules: Mapping[str, Rule] | None = None,
        schedule_seed: int | None = None,
        root: Path | None = None,
        clock: VirtualClock | RealClock | None = None,
        store: Store | None = None,
    ) -> None:
        if clock is None:
            clock = VirtualClock(None if now is None else read_now(now))
        self.clock: Clock = clock
        self.is_live = clock.is_real
        self.store = Store() if store is None else store
        self.timeout = timeout
        self.limits = limits or Limits()
        self.root = root
        self.manual_clock = manual_clock
        # In a process that serves, code of a Worker ends nothing but its own step.
        ends_all = () if self.is_live else (KeyboardInterrupt, SystemExit, GiveWay)
        self.passthrough: tuple[type[BaseException], ...] = (*ends_all, *passthrough)
        self.closed = False
        self.is_deploying = False
        self._is_recovered = False
        self._deployed: set[str] = set()
        self.exceptions: dict[int, BaseException] = {}
        self._usage: dict[int, InstanceUsage] = {}
        self.attached: dict[type[Any], Any] = {}
        self.observers = Observers(self.passthrough)
        most_findings, most_paths = (MOST_LIVE_FINDINGS, MOST_LIVE_PATHS) if self.is_live else (None, None)
        self.findings = Findings(self.observers.found, ignore_rules, rules, most_findings)
        self.step_findings = StepFindings(self.findings)
        self.hazards = Hazards(self.findings, self.clock, self.store)
        self.observers.add(self.hazards)
        self.faults = Faults()
        self.paths = Paths(self.findings, most_paths)
        self.unprovided = UnprovidedUses(unprovided, keeps=not self.is_live)
        self.calls = Calls(self._report_lost if self.is_live else None)
        self.threads = WorkerThreads(self, root)
        self._loop = EngineLoop(self, self.check_open)
        self.interleaving = Interleaving(schedule_seed)
        self.clients = Clients()
        self.waits: Waits | LiveWaits
        self._pace = Pace(self._loop.get)
        if isinstance(clock, VirtualClock):
            self.waits = Waits(self, clock, manual_clock)
            self.stopped_tasks = StoppedTasks()
            self.turns = Turns(self.interleaving, self.waits.ready.let_go_in_turn)
            self.worker_calls = WorkerCalls(self, self.waits.until_over)
            self.when_stored = self.store.when_stored
        else:
            clock.move_to(clock.now_ms + self.store.moved_ms - clock.moved_ms)
            clock.observers.append(lambda _: self.store.note_moved(clock.moved_ms))
            self.waits = LiveWaits(self, clock, self.store.stored)
            self.stopped_tasks = LiveStoppedTasks(lambda: self.running_loop)
            self.turns = PacedTurns(self.interleaving, self.waits.ready.let_go_in_turn, self._pace)
            self.worker_calls = WorkerCalls(self, None)
            self.when_stored = lambda action: self.store.when_stored(partial(self._pace.soon, action))
        self.activity = Activity(self.waits.changed, self._loop.get)
        self.pending_errors = PendingErrors(self.unprovided, self.waits.reject)
        if seed is None:
            seed = secrets.randbits(64) if self.is_live else 0
        self.seed = seed
        self.lifecycle = Lifecycle(self, seed)
        if self.is_live:
            kept = KEPT_LIVE if self.limits.kept is None else self.limits.kept
            self.expiry = Expiry(self, kept, self.lifecycle.row_of, self.lifecycle.expire)
            self.observers.add(self.expiry)
        self._bindings: dict[str, WorkflowBinding] = {}
        self._replayed: weakref.WeakKeyDictionary[Execution, None] = weakref.WeakKeyDictionary()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        self.stopped_tasks.close()
        self.observers.clear()

    def close(self) -> None:
        """Stop every instance and drop what is stored. The stopped tasks stay in `stopped_tasks` until it is closed."""
        if self.closed:
            return
        self.closed = True
        actions = (
            self._loop.unwatch,
            self.threads.close,
            self.waits.close,
            self._pace.close,
            self.lifecycle.put_down,
            self._loop.stop_all,
            self._loop.leave,
            self.activity.busy.clear,
            self.lifecycle.clear,
            self._reject_waits,
            self.store.close,
        )
        _do_all(iter(actions))

    def dismantle(self) -> None:
        """Let go of all that the closed engine is made from, once its stopped tasks are closed as well.

        What outlives the test (a thread of the Worker's, a callback on a loop that tests share, the watchdog) still has
        the time and its limits. A live engine is its process's, and ends with it.
        """
        if self.is_live or self.is_dismantled:
            return
        self.observers.clear()
        self.lifecycle.dismantle()
        assert isinstance(self.waits, Waits)
        self.waits.dismantle()
        self.let_go("clock", "closed", "is_live", "limits", "root", "seed", "timeout")

    def _reject_waits(self) -> None:
        self.waits.reject(EngineClosedError("The engine was closed while this wait went on."))

    def stop(self) -> None:
        """Stop every instance that has not ended where it stands; its stored state stays.

        Tasks that an ended instance left running are stopped as well: the end of the event loop waits for none of them.
        """
        self._loop.test_ended()
        self.worker_calls.stop()
        self.lifecycle.stop()
        self._loop.stop_all()
        self._loop.leave_threads()

    def check_open(self) -> None:
        """Make sure that the engine is open.

        Raises:
            EngineClosedError: If it is closed.
        """
        if self.closed:
            raise EngineClosedError(ENDED)

    # -- bindings ----------------------------------------------------------------------------------------------------

    @property
    def bindings(self) -> Mapping[str, WorkflowBinding]:
        """The workflow bindings by name."""
        return dict(self._bindings)

    def bind(
        self,
        name: str,
        workflow: Callable[[Any, Any], Any],
        *,
        workflow_name: str | None = None,
        step_limit: int | None = None,
        implicit_dependencies: bool = True,
        preserves_non_retryable: bool = True,
        concurrency: int | None = None,
        retention: Mapping[str, Any] | None = None,
        setup: Callable[[], object] | None = None,
    ) -> WorkflowBinding:
        """Bind a workflow to a name; while another source is deployed, to one that is bound already as well.

        Args:
            name: The binding's name, `ORDERS`.
            workflow: A callable `(event, step) -> result`, plain or async, called for each execution of an instance.
            workflow_name: The workflow's own name, as events carry it; the binding's by default.
            step_limit: How many `do` steps an execution may ask for; as many as the limits allow by default.
            implicit_dependencies: Whether a callback's parameters name its dependencies.
            preserves_non_retryable: Whether an attempt that a `NonRetryableError` ended shows that error.
            concurrency: How many instances run at a time, from 1 on; further ones are queued. None for any number.
            retention: For how long instances are kept after their end that are created without saying so:
                `{"successRetention": "1 day", "errorRetention": "7 days"}`, or one of the two.
            setup: Called in the context of each task that runs code of an instance, to set context variables.

        Raises:
            InvalidArgumentError: If the name is taken or empty, the workflow cannot be called, or a setting of it
                cannot be read.
        """
        self.check_open()
        if not isinstance(name, str) or not name:
            raise InvalidArgumentError(f"A binding's name is a text such as 'ORDERS', not {name!r}.")
        if name in self._bindings and not self.is_deploying:
            raise InvalidArgumentError(f"The binding {name!r} exists already: {self._bindings[name]!r}.")
        if not callable(workflow):
            raise InvalidArgumentError(f"A workflow is a callable (event, step) -> result, not {workflow!r}.")
        if concurrency is not None and (
            isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1
        ):
            raise InvalidArgumentError(f"concurrency is a number of instances from 1 on, or None, not {concurrency!r}.")
        bound = Workflow(
            name,
            workflow_name or name,
            workflow,
            self.limits.steps_of(step_limit),
            implicit_dependencies,
            preserves_non_retryable,
            concurrency,
            read_retention(retention),
            setup,
        )
        if name in self._bindings:
            self._bindings[name].workflow.become(bound)
        else:
            self._bindings[name] = WorkflowBinding(self, bound)
            self.lifecycle.open(bound)
            if self._is_recovered:
                self._recover(bound)
        self._deployed.add(name)
        return self._bindings[name]

    @contextlib.contextmanager
    def deploying(self) -> Iterator[set[str]]:
        """A block in which another source is deployed: `bind` takes names that are bound, whose instances go on.

        Yields:
            The names that are bound in the block.
        """
        self._deployed = set()
        self.is_deploying = True
        try:
            yield self._deployed
        finally:
            self.is_deploying = False

    def set_scene(self, now_ms: int, seed: int | str | None = None) -> None:
        """Put the clock elsewhere, and let ids come from another seed, before anything happens.

        Args:
            now_ms: The virtual time, in epoch milliseconds.
            seed: The seed of the ids that the engine makes; None leaves it as it is.

        Raises:
            EngineError: If that would be a step back in time for something that is under way.
        """
        self.check_open()
        if now_ms < self.clock.now_ms and (not self.lifecycle.is_empty or self.clock.next_timer() is not None):
            raise EngineError(
                f"The clock cannot go back from {self.clock.now.isoformat()} to {to_datetime(now_ms).isoformat()}: "
                "instances exist on this engine. Dispose of them first, or use a test of its own."
            )
        self.clock.move_to(now_ms)
        if seed is not None:
            self.seed = seed
            self.lifecycle.seed(seed)

    def recover(self) -> None:
        """Go on with the instances that an earlier process has stored, once their workflows are bound.

        No step that has its outcome runs again. Sleeps, waits and retries that came due meanwhile are over. What is
        paused stays so, and what is queued is admitted in its order. Instances of a workflow that is bound later go on
        then; those of one that is not bound any more stay stored.
        """
        self.check_open()
        self._is_recovered = True
        self.lifecycle.seed(f"{self.seed} after {self.store.last_key}")  # an id that was given is not made once more
        for binding in self._bindings.values():
            self._recover(binding.workflow)

    def _recover(self, workflow: Workflow) -> None:
        for ended in self.lifecycle.recover(workflow):
            if self.is_live:
                self.expiry.note(ended)

    # -- instances ---------------------------------------------------------------------------------------------------

    @property
    def instances(self) -> list[Execution]:
        """Every instance that is kept, in order of creation; none of a closed engine."""
        return [] if self.is_dismantled else self.lifecycle.instances

    def exists(self, workflow: Workflow, id: str) -> bool:
        """Whether the workflow has an instance of that id."""
        return self.lifecycle.exists(workflow, id)

    def find(self, workflow: Workflow, id: str) -> Execution | None:
        """The instance in its present execution, or None."""
        return self.lifecycle.find(workflow, id)

    def require(self, workflow: Workflow, id: str) -> Execution:
        """The instance in its present execution.

        Raises:
            JsException: `Error: instance.not_found`.
        """
        return self.lifecycle.require(workflow, id)

    def send_event(self, workflow: Workflow, id: str, event_type: str, payload: bytes) -> None:
        """Send an event to an instance, with its payload as stored."""
        self.lifecycle.send_event(workflow, id, event_type, payload)

    def crash(self, workflow: Workflow, id: str, point: FaultPoint | None = None) -> None:
        """Lose an instance's memory and recover it from storage."""
        self.lifecycle.crash(workflow, id, point)

    def discard(self, workflow: Workflow, ids: Iterable[str]) -> None:
        """Stop instances and leave nothing of them; ids that do not exist lose their modifications."""
        self.lifecycle.discard(workflow, ids)

    def modify(self, workflow: Workflow, id: str, modifications: Iterable[Modification]) -> None:
        """Put modifications of one instance in force, all together.

        Raises:
            ModificationError: If one contradicts those in force; none has taken effect then.
        """
        self.lifecycle.modify(workflow, id, modifications)

    def usage_of(self, key: int) -> InstanceUsage:
        """What an instance has used of what the platform limits, by the key of its row."""
        if key not in self._usage:
            self._usage[key] = InstanceUsage(self.limits.of_subrequests)
        return self._usage[key]

    def forget(self, key: int) -> None:
        """Forget what is known of an instance that is gone, by the key of its row."""
        self.hazards.forget(key)
        if self.is_live:  # a test asks for it at its end
            self._usage.pop(key, None)

    @property
    def is_time_moving(self) -> bool:
        """Whether virtual time moves now: what is due fires without real time."""
        return self.waits.is_time_moving

    def new_subrequests(self) -> Subrequests:
        """The count of the subrequests of one call of the Worker's code."""
        return Subrequests(self.limits.of_subrequests)

    # -- the loop and its time ---------------------------------------------------------------------------------------

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The engine's event loop: the one that was running when the engine was first used."""
        return self._loop.get()

    def once_on_loop(self, action: Callable[[], object]) -> None:
        """Do something now where an event loop runs, or else when the engine is first used on one."""
        if self._loop.running is not None or asyncio._get_running_loop() is not None:
            action()
        else:
            self._loop.on_first_use.append(action)

    @property
    def running_loop(self) -> asyncio.AbstractEventLoop | None:
        """The engine's event loop, while it runs. The watchdog's thread asks, until the very end."""
        loop: EngineLoop | None = vars(self).get("_loop")
        return None if loop is None else loop.running

    def check_loop(self) -> None:
        """Make sure that the engine's own event loop runs: its end stopped the engine.

        Raises:
            EngineError: If the engine's loop does not run.
        """
        self._loop.check()

    def stop_tasks(self, instances: Iterable[Instance]) -> None:
        """Stop every task of these executions, which have ended: nothing of their code runs again."""
        self._loop.stop_tasks(instances)

    @property
    def busy(self) -> Mapping[Instance, None]:
        """The instances that are at work; none of a closed engine."""
        return {} if self.is_dismantled else self.activity.busy

    def schedule(
        self,
        due: int,
        callback: Callable[[], None],
        *,
        what: str,
        held: Callable[[], bool] | None = None,
        round: int | None = None,
    ) -> Timer:
        """Let `callback` be called when the clock reaches `due` (epoch milliseconds)."""
        real_now = timers_of(self.loop).real_time()
        timer = self.clock.schedule(due, real_now, callback, what=what, held=held, round=round)
        self.waits.arm_real_time()
        return timer

    def release(self, timer: Timer) -> None:
        """Let a timer fire that was held back."""
        self.clock.release(timer)
        self.waits.arm_real_time()

    def next_deadline(self) -> float | None:
        """The time (`time.monotonic`) by which the first of the waits must have ended; None where there is none.

        The watchdog's thread asks, until the very end.
        """
        waits: Waits | LiveWaits | None = vars(self).get("waits")
        return None if waits is None else waits.next_deadline()

    async def settle(self, *, most: int | None = None) -> None:
        """Let everything of the instances that can run do so, at the present time.

        Args:
            most: For so many turns of the event loop; None until nothing runs.
        """
        await self.waits.settle(most)

    async def wait(
        self,
        evaluate: Callable[[], bool],
        describe: Callable[[], str],
        *,
        about: tuple[str, str],
        timeout: float | None = None,
        step: bool = False,
    ) -> None:
        """Wait while virtual time moves, until `evaluate` returns True.

        Args:
            evaluate: Checks the condition; an exception that it raises ends the wait.
            describe: Describes the condition, for errors.
            timeout: Real seconds; the engine's by default, and any number of them where it is live.
            about: The instance (workflow's binding name and id) whose changes matter.
            step: Whether it is a step that is awaited, so that a restart ends the wait.
        """
        __tracebackhide__ = True
        self.pending_errors.raise_now()
        error = self.lifecycle.aborted_by(about)
        if error is not None:
            raise error
        wait = self.waits.wait(Waiter(evaluate, describe, about, step), self._read_timeout(timeout))
        await self.pending_errors.during(wait, about)

    async def run_until_idle(self, *, timeout: float | None = None) -> None:
        """Let virtual time move until nothing can run and no timer is left; in real time until nothing is at work.

        Args:
            timeout: Real seconds; the engine's by default, and any number of them where it is live.
        """
        __tracebackhide__ = True
        await self.pending_errors.during(self.waits.until_idle(self._read_timeout(timeout)))
        self.pending_errors.raise_now()

    def _read_timeout(self, timeout: float | None) -> float:
        return read_timeout(timeout, math.inf if self.is_live else self.timeout)

    async def advance(self, duration: object) -> None:
        """Move the clock forward by hand; every timer that comes due on the way fires at its time.

        Args:
            duration: A `timedelta`, milliseconds, or a text such as `"3 days"`.
        """
        await self._move_to(self.clock.now_ms + duration_ms(duration, "The duration to advance by"))

    async def travel_to(self, when: datetime) -> None:
        """Move the clock forward by hand, to a point in time.

        Args:
            when: A `datetime`; a naive one is UTC.

        Raises:
            InvalidArgumentError: If that is in the past, or no `datetime`.
        """
        if not isinstance(when, PLAIN_DATETIME):
            raise InvalidArgumentError(f"travel_to takes a datetime, not {when!r}.")
        target = to_ms(when)
        if target < self.clock.now_ms:
            raise InvalidArgumentError(
                f"Cannot travel back to {when.isoformat()}: it is {self.clock.now.isoformat()}, and virtual time only "
                "moves forward."
            )
        await self._move_to(target)

    def hasten(self, workflow: Workflow, id: str, key: StepKey) -> None:
        """Let what a step waits for be now: a sleep is over, the next attempt begins, a wait times out.

        Args:
            workflow: The instance's workflow.
            id: The instance's id.
            key: The step.

        Raises:
            JsException: If there is no such instance.
            EngineError: If the step waits for nothing; its text says what it does.
        """
        self.lifecycle.hasten(workflow, id, key)

    async def _move_to(self, target: int) -> None:
        self.check_open()
        assert self.loop
        await self.waits.move_to(target)

    # -- what the test must know -------------------------------------------------------------------------------------

    def abort(self, error: BaseException) -> None:
        """Hand an exception of user code that is meant for the test to whoever waits; where none does, log it."""
        if self.is_live:
            _log.error("Code of the Worker raised what nothing of it gets.", exc_info=error)
        else:
            self.pending_errors.add(error)

    def _report_lost(self, call: Call) -> None:
        """Keep a finding: code of the Worker made a call that nobody can await any more."""
        self.findings.add("missing-await", f"{call.what} was never awaited", call.place)

    def raise_aborted(self) -> None:
        """Raise a kept exception if the test has not got it: nobody waited, or a lost task did."""
        __tracebackhide__ = True
        self.pending_errors.raise_lost()

    def take_findings(self) -> list[Finding]:
        """The findings since the last time, in the order in which they were noticed."""
        self.lifecycle.report_abandoned()
        return self.findings.take()

    async def check_by_replay(self, instance: Execution) -> None:
        """Replay an instance that has ended from its own storage, once; a changed path becomes a finding."""
        if instance not in self._replayed:
            self._replayed[instance] = None
            await check_by_replay(self, instance)

    def check_all_by_replay(self) -> None:
        """Replay every instance that has ended, where no event loop runs any more."""
        instances = [one for one in self.instances if one.finished and one not in self._replayed]
        if not instances:
            return

        async def check() -> None:
            for instance in instances:
                await self.check_by_replay(instance)

        with self._loop.replaced() as loop:
            loop.run_until_complete(check())


def _do_all(actions: Iterator[Callable[[], object]]) -> None:
    """Do one thing after the other; whatever one of them raises, the others are done."""
    try:
        for action in actions:
            action()
    except BaseException:
        _do_all(actions)
        raise


def engine_of(binding: WorkflowBinding) -> Engine:
    """The engine of a binding's instances."""
    engine = binding.engine
    assert isinstance(engine, Engine)
    return engine
