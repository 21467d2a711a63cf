"""The engine: it owns the clock, the store and the instances, and decides what happens to them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextvars import Context
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

from .api.binding import WorkflowBinding, read_retention
from .context.scope import current_scope
from .context.started_tasks import register_tasks, stop_registering, tasks_of
from .errors import (
    ALREADY_EXISTS,
    CANNOT_RESTART,
    CANNOT_TERMINATE,
    NOT_FOUND,
    EngineClosedError,
    EngineError,
    InstanceEndedError,
    InvalidArgumentError,
    JsException,
    StepFailedError,
    UnreachableStatusError,
    WaitTimeoutError,
    WorkflowDurationWarning,
)
from .execution.concurrency import Slots
from .execution.execution import Execution
from .execution.step import Step
from .guard.loop_guard import LoopGuard
from .guard.task_teardown import StoppedTasks, kill
from .guard.threads import WorkerThreads
from .guard.unwinding import GiveWay
from .guard.watchdog import WATCHDOG
from .instance import Instance
from .limits import Limits
from .model import CronTrigger, Place, StepKey
from .replay.playback import PlayedExecution, Script
from .replay.replay import check_by_replay
from .rows import HistoryRow, InstanceRow
from .storage.inspection import error_of, outputs_of
from .storage.store import Store
from .testing.effects import is_over
from .testing.faults import FaultPoint, Faults
from .testing.findings import Finding, Findings, Rule
from .testing.hazards import Hazards
from .testing.modifications import InstanceModifications, Modification
from .testing.observers import Observers
from .testing.paths import Paths
from .testing.unawaited_calls import Calls
from .testing.unprovided import UnprovidedUses
from .time.clock import Timer, VirtualClock
from .time.interleaving import Interleaving
from .time.waits import Waiter, Waits
from .values.boundary import JsDict, decode, encode, to_json
from .values.datetimes import PLAIN_DATETIME, read_now, to_datetime, to_ms
from .values.durations import duration_ms
from .workflow import DEFAULT_STEP_LIMIT, KEPT, Retention, Workflow

DEFAULT_TIMEOUT = 5.0
_IN_VAIN = (StepFailedError, UnreachableStatusError, WaitTimeoutError)
"""The exceptions of a wait whose condition does not come true."""
MOST_SECONDS = 1_000_000_000
"""The longest timeout of a wait: some thirty years, which every timer of every system takes."""
_STEP_KINDS = {"do": "do", "sleep": "sleep", "waitForEvent": "wait_for_event"}


class Engine:
    """A durable-execution engine, in memory, for the length of a test.

    Args:
        now: Where virtual time starts: a `datetime` or an ISO 8601 text; the real time, cut to the second, by default.
        seed: The seed of the ids that the engine makes; the same seed gives the same ids.
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

    Example:
        ```python
        async with Engine(now="2026-01-01T00:00:00Z") as engine:
            orders = engine.bind("ORDERS", workflow)
            instance = await orders.create({"params": {"sku": "A1"}})
            await engine.run_until_idle()
        ```
    """

    def __init__(
        self,
        *,
        now: datetime | str | None = None,
        seed: int | str = 0,
        timeout: float = DEFAULT_TIMEOUT,
        manual_clock: bool = False,
        passthrough: tuple[type[BaseException], ...] = (),
        unprovided: tuple[type[BaseException], ...] = (),
        limits: Limits | None = None,
        ignore_rules: Iterable[str] = (),
        rules: Mapping[str, Rule] | None = None,
        schedule_seed: int | None = None,
        root: Path | None = None,
    ) -> None:
        self.clock = VirtualClock(None if now is None else read_now(now))
        self.store = Store()
        self.timeout = timeout
        self.limits = limits or Limits()
        self.root = root
        self.passthrough: tuple[type[BaseException], ...] = (KeyboardInterrupt, SystemExit, GiveWay, *passthrough)
        self.unprovided = UnprovidedUses(unprovided)
        self.observers = Observers(self.passthrough)
        self.observers.abort = self._abort_soon
        self.exceptions: dict[int, BaseException] = {}
        self.busy: dict[Instance, None] = {}
        self.calls = Calls()
        self.findings = Findings(self.observers.found, ignore_rules, rules)
        self.hazards = Hazards(self.findings, self.clock, self.store)
        self.observers.add(self.hazards)
        self.refused: list[Warning] = []
        # The misread durations that a warning has named; several engines may share it, so that each is named once.
        self.warned_durations: set[tuple[str, int, str]] = set()
        self.stopped_tasks = StoppedTasks()
        self.faults = Faults()
        self.interleaving = Interleaving(schedule_seed)
        self.paths = Paths(self.findings)
        self.closed = False
        self.on_create: list[Callable[[WorkflowBinding, str, InstanceModifications], None]] = []
        # The data that layers above keep for as long as the engine exists, by its type: a table whose values know
        # the engine would keep every engine alive.
        self.attached: dict[type[Any], Any] = {}
        self._open_operations = 0
        self._replayed: weakref.WeakKeyDictionary[Execution, None] = weakref.WeakKeyDictionary()
        self.scripts: dict[tuple[str, str], Script] = {}
        self.manual_clock = manual_clock
        self._waits = Waits(self, manual_clock)
        self._random = random.Random(seed)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bindings: dict[str, WorkflowBinding] = {}
        self._slots: dict[str, Slots] = {}
        self._executions: dict[tuple[str, str], Execution] = {}
        self._modifications: dict[tuple[str, str], InstanceModifications] = {}
        self._restarts: Counter[int] = Counter()
        self._listeners: dict[tuple[str, str], list[asyncio.Future[None]]] = {}
        self._watchers = 0
        self._aborted: BaseException | None = None
        self._delivered: list[tuple[BaseException, asyncio.Task[Any]]] = []
        self._guard = LoopGuard(self)
        self.threads = WorkerThreads(self, root)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        self.stopped_tasks.close()

    def close(self) -> None:
        """Stop every instance and drop the database. The stopped tasks stay in `stopped_tasks` until it is closed."""
        if self.closed:
            return
        self.closed = True
        self._guard.finish()
        WATCHDOG.unwatch(self._guard)
        self.threads.close()
        self._waits.close()
        for instance in self._executions.values():
            instance.put_down()
        if self._loop is not None and not self._loop.is_closed():
            kill(self._loop, lambda scope: scope.instance.belongs_to(self), self.stopped_tasks)
        if self._loop is not None:
            stop_registering(self._loop)
        self._executions.clear()
        self.busy.clear()
        self._waits.reject(EngineClosedError("The engine was closed while this wait went on."))
        self.store.close()

    # -- checks ------------------------------------------------------------------------------------------------------

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

        before, self._loop = self._loop, asyncio.new_event_loop()
        register_tasks(self._loop)
        try:
            self._loop.run_until_complete(check())
        finally:
            self._loop.close()
            self._loop = before

    async def settle(self, *, most: int | None = None) -> None:
        """Let everything of the instances that can run do so, at the present time.

        Args:
            most: For so many turns of the event loop; None until nothing runs.
        """
        await self._waits.settle(most)

    # -- bindings ----------------------------------------------------------------------------------------------------

    @property
    def bindings(self) -> Mapping[str, WorkflowBinding]:
        """The workflow bindings by name."""
        return dict(self._bindings)

    @property
    def instances(self) -> list[Execution]:
        """Every instance that is kept, in order of creation."""
        found = (self._executions.get((row.workflow, row.id)) for row in self.store.all_instances())
        now = self.clock.now_ms
        return [instance for instance in found if instance is not None and not instance.row.is_expired(now)]

    def bind(
        self,
        name: str,
        workflow: Callable[[Any, Any], Any],
        *,
        workflow_name: str | None = None,
        step_limit: int = DEFAULT_STEP_LIMIT,
        implicit_dependencies: bool = True,
        preserves_non_retryable: bool = True,
        concurrency: int | None = None,
        retention: Mapping[str, Any] | None = None,
    ) -> WorkflowBinding:
        """Bind a workflow to a name.

        Args:
            name: The binding's name, `ORDERS`.
            workflow: A callable `(event, step) -> result`, plain or async, called for each execution of an instance.
            workflow_name: The workflow's own name, as events carry it; the binding's by default.
            step_limit: How many `do` steps an execution may ask for.
            implicit_dependencies: Whether a callback's parameters name its dependencies.
            preserves_non_retryable: Whether an attempt that a `NonRetryableError` ended shows that error.
            concurrency: How many instances run at a time, from 1 on; further ones are queued. None for any number.
            retention: For how long instances are kept after their end that are created without saying so:
                `{"successRetention": "1 day", "errorRetention": "7 days"}`, or one of the two.

        Raises:
            InvalidArgumentError: If the name is taken or empty, the workflow cannot be called, or a setting of it
                cannot be read.
        """
        self.check_open()
        if not isinstance(name, str) or not name:
            raise InvalidArgumentError(f"A binding's name is a text such as 'ORDERS', not {name!r}.")
        if name in self._bindings:
            raise InvalidArgumentError(f"The binding {name!r} exists already: {self._bindings[name]!r}.")
        if not callable(workflow):
            raise InvalidArgumentError(f"A workflow is a callable (event, step) -> result, not {workflow!r}.")
        if concurrency is not None and (
            isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1
        ):
            raise InvalidArgumentError(f"concurrency is a number of instances from 1 on, or None, not {concurrency!r}.")
        binding = WorkflowBinding(
            self,
            Workflow(
                name,
                workflow_name or name,
                workflow,
                step_limit,
                implicit_dependencies,
                preserves_non_retryable,
                concurrency,
                read_retention(retention),
            ),
        )
        self._bindings[name] = binding
        self._slots[name] = Slots(concurrency)
        return binding

    def set_scene(self, now_ms: int, seed: int | str | None = None) -> None:
        """Put the clock elsewhere, and let ids come from another seed, before anything happens.

        Args:
            now_ms: The virtual time, in epoch milliseconds.
            seed: The seed of the ids that the engine makes; None leaves it as it is.

        Raises:
            EngineError: If that would be a step back in time for something that is under way.
        """
        self.check_open()
        if now_ms < self.clock.now_ms and (self._executions or self.clock.next_timer() is not None):
            raise EngineError(
                f"The clock cannot go back from {self.clock.now.isoformat()} to {to_datetime(now_ms).isoformat()}: "
                "instances exist on this engine. Dispose of them first, or use a test of its own."
            )
        self.clock.move_to(now_ms)
        if seed is not None:
            self._random = random.Random(seed)

    # -- the loop ----------------------------------------------------------------------------------------------------

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The engine's event loop: the one that was running when the engine was first used."""
        if self._loop is None or not self._loop.is_running():
            self.check_open()
            try:
                running = asyncio.get_running_loop()
            except RuntimeError:
                raise EngineError(
                    "Workflows run on asyncio, as on the platform, and no asyncio loop is running here. Await in an "
                    'async test; with anyio\'s plugin let the fixture anyio_backend return "asyncio".'
                ) from None
            if self._loop is not None:  # that loop does not run, so the present one is another
                raise EngineError(
                    "This engine was used on another event loop before. Await everything of a test on one loop: one "
                    "asyncio.run for all of it, and for its async fixtures the same loop_scope as the test."
                )
            register_tasks(running)
            self._loop = running
            WATCHDOG.watch(self._guard)
            self.threads.open()
        return self._loop

    @property
    def running_loop(self) -> asyncio.AbstractEventLoop | None:
        """The engine's event loop, while it runs."""
        return self._loop if self._loop is not None and self._loop.is_running() else None

    def next_deadline(self) -> float | None:
        """The time (`time.monotonic`) by which the first of the waits must have ended; None where there is none."""
        return self._waits.next_deadline()

    def check_loop(self) -> None:
        """Make sure that the engine's own event loop runs: its end stopped the engine.

        Raises:
            EngineError: If the engine's loop does not run.
        """
        assert self._loop is None or self.loop

    def check_open(self) -> None:
        """Make sure that the engine is open.

        Raises:
            EngineClosedError: If it is closed.
        """
        if self.closed:
            raise EngineClosedError(
                "This belongs to a test that has ended (its engine is closed). Make bindings, handles and "
                "introspectors anew in each test."
            )

    def schedule(
        self, due: int, callback: Callable[[], None], *, what: str, held: Callable[[], bool] | None = None
    ) -> Timer:
        """Let `callback` be called when the clock reaches `due` (epoch milliseconds)."""
        timer = self.clock.schedule(due, self.loop.time(), callback, what=what, held=held)
        self._waits.arm_real_time()
        return timer

    def release(self, timer: Timer) -> None:
        """Let a timer fire that was held back."""
        self.clock.release(timer)
        self._waits.arm_real_time()

    def in_turn(
        self, instance: Instance, action: Callable[[], None], *, dropped: Callable[[], object] | None = None
    ) -> None:
        """Do something that could as well come after something else: at once, or when the interleaving chooses it.

        Args:
            instance: The execution that it belongs to; when that is over, the action is dropped.
            action: What to do.
            dropped: Called in its place when it is dropped.
        """
        if not self.interleaving.seeded:
            action()
            return

        def act() -> None:
            if not instance.closed:
                action()
            elif dropped is not None:
                dropped()

        self.interleaving.hold(act)
        self._waits.let_go_in_turn()

    def operation_opened(self) -> None:
        """Count a step that has begun, of whatever instance: of two that are open, either may be the first to end."""
        self._open_operations += 1
        if self._open_operations > 1:
            self.interleaving.has_choices = True

    def operations_closed(self, count: int) -> None:
        """Count steps that are no longer under way."""
        self._open_operations -= count

    def mark_busy(self, instance: Instance, busy: bool) -> None:
        """Note whether an instance is at work: while one is, virtual time stands still."""
        if busy:
            self.busy[instance] = None
        else:
            self.busy.pop(instance, None)
        self.progress(instance)

    def forget_busy(self, instance: Instance) -> None:
        """Note that an execution is stopped, and is not at work any more."""
        self.busy.pop(instance, None)

    def progress(self, instance: Instance) -> None:
        """Note that something changed about an instance that somebody may wait for."""
        self._waits.changed(instance.workflow.name, instance.row.id)
        if self._listeners:
            for listener in self._listeners.pop((instance.workflow.name, instance.row.id), ()):
                if not listener.done():
                    listener.set_result(None)

    def recorded(self, instance: Instance) -> None:
        """Note that history has grown, which matters to subscriptions alone."""
        if self._watchers or self._listeners:
            self.progress(instance)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """A block in which somebody waits for history to grow."""
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1

    def next_change(self, about: tuple[str, str]) -> asyncio.Future[None]:
        """A future that is done when something changes about an instance (its workflow's binding name and its id)."""
        listener: asyncio.Future[None] = self.loop.create_future()
        self._listeners.setdefault(about, []).append(listener)
        return listener

    def restarts_of(self, key: int) -> int:
        """The number of restarts of an instance, by the key of its row."""
        return self._restarts[key]

    # -- instances ---------------------------------------------------------------------------------------------------

    def exists(self, workflow: Workflow, id: str) -> bool:
        """Whether the workflow has an instance of that id."""
        self.check_loop()
        return self.find(workflow, id) is not None

    def find(self, workflow: Workflow, id: str) -> Execution | None:
        """The instance's present execution, or None."""
        self.check_open()
        instance = self._executions.get((workflow.name, id))
        if instance is not None and instance.row.is_expired(self.clock.now_ms):
            self.discard(workflow, [id])
            return None
        return instance

    def require(self, workflow: Workflow, id: str) -> Execution:
        """The instance's present execution.

        Raises:
            JsException: `Error: instance.not_found`.
        """
        self.check_loop()
        instance = self.find(workflow, id)
        if instance is None:
            raise JsException("Error", NOT_FOUND)
        return instance

    def create(
        self,
        workflow: Workflow,
        id: str | None,
        params: bytes,
        retention: Retention = KEPT,
        trigger: CronTrigger | None = None,
    ) -> str:
        """Create an instance and let it run.

        Args:
            workflow: The workflow that it runs.
            id: Its id; None lets the engine make a UUID.
            params: The event's payload, stored.
            retention: For how long it is kept after its end, where its workflow's default does not hold.
            trigger: The cron trigger that makes it, if one does.

        Returns:
            Its id.

        Raises:
            JsException: If the id is taken.
        """
        self._waits.acted()  # a wrong loop is refused before anything is stored
        if id is None:
            id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        if self.exists(workflow, id):
            self.observers.create_refused(workflow, id)
            raise JsException("Error", ALREADY_EXISTS.format(id=id))
        modifications = self.modifications_of(workflow, id)
        for listener in list(self.on_create):
            listener(self._bindings[workflow.name], id, modifications)
        kept = retention.or_else(workflow.retention)
        row = self.store.add_instance(workflow.name, id, self.clock.now_ms, params, kept, trigger)
        self._record_queued(row)
        instance = self._new_execution(workflow, row)
        instance.inbox.keep_mocked()
        self.observers.instance_created(instance)
        self._admit(instance)
        return id

    def create_scheduled(self, workflow: Workflow, cron: str, scheduled_time: int) -> str:
        """Create the instance that a cron trigger makes.

        Args:
            workflow: The workflow that it runs.
            cron: The cron expression, as the configuration has it.
            scheduled_time: When it is due, in epoch milliseconds.

        Returns:
            Its id.

        Raises:
            InvalidArgumentError: If the trigger made its instance of that time already.
        """
        trigger = CronTrigger(cron, scheduled_time)
        if self.exists(workflow, trigger.instance_id):
            raise InvalidArgumentError(
                f"The cron {cron!r} has started {workflow.name!r} for {to_datetime(scheduled_time).isoformat()} "
                f"already: instance {trigger.instance_id!r} exists. A trigger comes once at a time: give another "
                "scheduled_time, or move the clock."
            )
        return self.create(workflow, trigger.instance_id, encode({}), trigger=trigger)

    def _admit(self, instance: Execution) -> None:
        """Let an instance run, once its workflow has a slot for it."""
        if self._slots[instance.workflow.name].take(instance.id):
            instance.start()
        else:
            self.progress(instance)

    def _admit_again(self, old: Execution, *, has_begun: bool) -> None:
        """Let an instance run again, once it has a slot: a new execution, from what is stored.

        Args:
            old: The execution before.
            has_begun: Whether it goes on, so that its start is in history already.
        """
        old.row.status = "queued"
        self.store.save_instance(old.row)
        instance = self._restore_execution(old)
        instance.has_begun = has_begun
        self._admit(instance)

    def free_slots(self, workflow: Workflow, ids: Iterable[str]) -> None:
        """Free the slots of instances that run no more: as many go on that are queued."""
        for id in self._slots[workflow.name].release(ids):
            self._executions[workflow.name, id].start()

    def slot_holders(self, workflow: Workflow, id: str) -> list[Execution]:
        """The instances that keep one queued: those that hold its workflow's slots; none where it is not queued."""
        slots = self._slots[workflow.name]
        if not slots.is_queued(id):
            return []
        return [self._executions[workflow.name, holder] for holder in slots.holders]

    def _record_queued(self, row: InstanceRow) -> None:
        detail = {"trigger": {"source": 0 if row.cron is None else "cron"}}
        self.store.record(row.key, [HistoryRow("WORKFLOW_QUEUED", None, self.clock.now_ms, detail, row.params)])

    def _new_execution(self, workflow: Workflow, row: InstanceRow) -> Execution:
        script = self.scripts.get((workflow.name, row.id))
        instance = (
            Execution(self, workflow, row, Step) if script is None else PlayedExecution(self, workflow, row, script)
        )
        self._executions[workflow.name, row.id] = instance
        return instance

    def _restore_execution(self, old: Execution) -> Execution:
        """A new execution from what is stored."""
        row = self.store.find_instance(old.workflow.name, old.row.id)
        assert row is not None
        return self._new_execution(old.workflow, row)

    def stop(self) -> None:
        """Stop every instance that has not ended where it stands; its stored state stays.

        Tasks that an ended instance left running are stopped as well: the end of the event loop waits for none of them.
        """
        self._guard.stopped()
        self.kill(instance for instance in self._executions.values() if not instance.finished)
        if self._loop is not None and not self._loop.is_closed():
            kill(self._loop, lambda scope: scope.instance.belongs_to(self), self.stopped_tasks)
            self.threads.leave_behind(self._loop)

    def kill(self, instances: Iterable[Execution]) -> None:
        """Stop executions as a crash does: nothing of them runs again while the test can see it."""
        stopped = set(instances)
        for instance in stopped:
            instance.put_down()
        self.stop_tasks(stopped)

    def stop_tasks(self, instances: Iterable[Instance]) -> None:
        """Stop every task of these executions, which have ended: nothing of their code runs again."""
        stopped = set(instances)
        if stopped and self._loop is not None and not self._loop.is_closed():
            kill(self._loop, lambda scope: scope.instance in stopped, self.stopped_tasks, tasks_of(self._loop, stopped))
            scope = current_scope.get()
            if scope is not None and scope.instance in stopped and self._loop.is_running():
                # Their code runs just now: until its next await it goes on, and may start tasks on its way. One that
                # runs eagerly (`asyncio.eager_task_factory`) gets into asyncio's register only then.
                self._loop.call_soon(self._sweep, context=Context())

    def _sweep(self) -> None:
        assert self._loop is not None
        kill(self._loop, lambda scope: scope.instance.belongs_to(self) and scope.instance.killed, self.stopped_tasks)

    def crash(self, workflow: Workflow, id: str, point: FaultPoint | None = None) -> None:
        """Lose an instance's memory and recover it from storage; one that has ended or is queued has nothing to lose.

        Args:
            workflow: The instance's workflow.
            id: Its id.
            point: The fault point that it has come to, for reports.
        """
        instance = self.require(workflow, id)
        if instance.finished or instance.row.status == "paused" or self._slots[workflow.name].is_queued(id):
            return
        for operation in instance.operations.values():
            operation.give_back()
        self.paths.lost(instance.row.key, self.clock.now_ms, point)
        self.kill([instance])
        self.observers.crashed(instance)
        restored = self._restore_execution(instance)
        if restored.row.status == "waitingForPause":
            restored.request_pause()
        else:
            self._admit(restored)
        self.progress(restored)

    def pause(self, workflow: Workflow, id: str) -> None:
        """Pause an instance once no callback of it runs; one that has ended stays as it is."""
        self._waits.acted()
        instance = self.require(workflow, id)
        if not instance.finished and instance.row.status not in ("paused", "waitingForPause"):
            is_queued = instance.row.status == "queued"
            instance.request_pause()
            if is_queued:
                self.free_slots(workflow, [id])

    def resume(self, workflow: Workflow, id: str) -> None:
        """Let a paused instance go on; its timers go on from where they were."""
        self._waits.acted()
        instance = self.require(workflow, id)
        if instance.row.status == "waitingForPause":
            instance.cancel_pause()
        elif instance.row.status == "paused":
            self._end_pause(instance.row)
            # An execution that was paused before it began has no start in history yet.
            has_begun = any(line.kind == "WORKFLOW_START" for line in self.store.history(instance.row.key))
            self._admit_again(instance, has_begun=has_begun)

    def _end_pause(self, row: InstanceRow) -> None:
        """Timers go on from where they were, if they stood still."""
        if row.paused_at is None:
            return
        for step in self.store.steps(row.key):
            if step.due is not None:
                step.due += self.clock.now_ms - row.paused_at
                self.store.record(row.key, [], step)
        row.paused_at = None

    def restart(self, workflow: Workflow, id: str, options: JsDict) -> None:
        """Run an instance again, from the top or from a step on.

        Raises:
            JsException: If it never ran that step.
        """
        self._waits.acted()
        instance = self.require(workflow, id)
        if options.keys() - {"from"}:
            raise InvalidArgumentError(f"restart takes {{'from': {{...}}}} or nothing, not {dict(options)!r}.")
        first = self._restart_point(instance, options.get("from"))
        self.kill([instance])
        self._reject_steps(instance, "restart")
        self.paths.forget(instance.row.key)
        row = instance.row
        self._restarts[row.key] += 1
        self.store.forget_steps(row.key, first)
        self.store.delete_events(row.key)
        self.exceptions.pop(row.key, None)
        row.output = row.error = row.ended_at = None
        self._end_pause(row)
        if not first:
            self._record_queued(row)
        instance.modifications.forget_answers({step.key for step in self.store.steps(row.key)})
        self.observers.restarted(instance, whole=not first)
        instance.inbox.keep_mocked()
        self._admit_again(instance, has_begun=bool(first))

    def _restart_point(self, instance: Execution, point: object) -> int:
        if point is None:
            return 0
        if not isinstance(point, JsDict) or not isinstance(point.get("name"), str):
            raise InvalidArgumentError(
                f"restart takes {{'from': {{'name': ..., 'count': 1, 'type': 'do'}}}}, not {point!r}."
            )
        kind = _STEP_KINDS.get(point.get("type", "do"))
        if kind is None:
            raise InvalidArgumentError(
                f"{point['type']!r} is no type of step to restart from. Use one of: {', '.join(_STEP_KINDS)}."
            )
        count = point.get("count", 1)
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise InvalidArgumentError(f"{count!r} is no occurrence of a step; the first one is 1.")
        # As the newest engine does, it counts by the name alone: sleeps of different durations are counted together.
        steps = self.store.steps(instance.row.key)
        found = [step for step in steps if (step.key.kind, step.key.name) == (kind, point["name"])]
        if len(found) < count:
            raise JsException("Error", CANNOT_RESTART.format(name=point["name"]))
        return found[count - 1].seq

    def terminate(self, workflow: Workflow, id: str) -> None:
        """End an instance now.

        Raises:
            JsException: If it has ended already.
        """
        self._waits.acted()
        instance = self.require(workflow, id)
        if instance.finished:
            raise JsException("Error", CANNOT_TERMINATE)
        self._end_pause(instance.row)
        instance.terminate()
        self._reject_steps(instance, "terminate")

    def delete(self, workflow: Workflow, id: str) -> None:
        """Delete an instance and everything that is stored of it, its modifications included."""
        self._waits.acted()
        self.discard(workflow, [id])

    def discard(self, workflow: Workflow, ids: Iterable[str]) -> None:
        """Stop instances and leave nothing of them; ids that do not exist lose their modifications."""
        if self.closed:
            return
        wanted = [(workflow.name, id) for id in ids]
        stopped = [self._executions.pop(key) for key in wanted if key in self._executions]
        self.kill(stopped)
        self.store.delete_instances([instance.row.key for instance in stopped])
        for instance in stopped:
            self.exceptions.pop(instance.row.key, None)
            self._restarts.pop(instance.row.key, None)
            self.paths.forget(instance.row.key)
            self._reject_steps(instance, "delete")
            self.progress(instance)
        for key in wanted:
            modifications = self._modifications.pop(key, None)
            if modifications is not None:
                modifications.drop_timers()
            self.scripts.pop(key, None)
        self.free_slots(workflow, [id for _, id in wanted])

    def send_event(
        self, workflow: Workflow, id: str, event_type: str, payload: bytes, place: Place | None = None
    ) -> None:
        """Send an event: to a wait for its type, else kept for one. An instance that has ended takes none.

        Args:
            workflow: The instance's workflow.
            id: Its id.
            event_type: The event's type.
            payload: Its payload, stored.
            place: File and line of the user's source that sends it; None where a tool does.
        """
        self._waits.acted()
        instance = self.require(workflow, id)
        if not instance.finished:
            self.observers.event_sent(instance, event_type, payload)
            instance.inbox.receive(event_type, payload, mocked=False)
        elif place is not None:
            self.observers.event_lost(instance, event_type, place)

    def await_late_events(self, key: tuple[str, str], event_type: str) -> None:
        """A wait has begun: mocked events of its type that come later are on their way from now on.

        Args:
            key: The instance: its workflow's binding name, and its id.
            event_type: The type that is waited for.
        """

        def schedule(ms: int, action: Callable[[], None]) -> Timer:
            return self.schedule(self.clock.now_ms + ms, action, what=f"the mocked event {event_type!r}")

        def send(payload: bytes) -> None:
            self._executions[key].inbox.receive(event_type, payload, mocked=True)

        self._modifications[key].wait_began(event_type, schedule, send)

    def status(self, workflow: Workflow, id: str) -> JsDict:
        """The answer of a handle's `status()`."""
        return self.status_of(self.require(workflow, id))

    def status_of(self, instance: Execution) -> JsDict:
        """The answer of `status()` for an instance that is at hand, also where no loop runs."""
        row = instance.row
        return JsDict(
            {
                "status": instance.status,
                "__LOCAL_DEV_STEP_OUTPUTS": [to_json(output) for output in outputs_of(self.store, row)],
                "output": None if row.output is None else to_json(decode(row.output)),
                "error": None if row.error is None else JsDict(error_of(row) or {}),
            }
        )

    # -- modifications -----------------------------------------------------------------------------------------------

    def modifications_of(self, workflow: Workflow, id: str) -> InstanceModifications:
        """The modifications of an instance, which need not exist yet."""
        return self._modifications.setdefault((workflow.name, id), InstanceModifications())

    def modify(self, workflow: Workflow, id: str, modifications: Iterable[Modification]) -> None:
        """Put modifications of one instance in force, all together.

        Raises:
            ModificationError: If one contradicts those in force; none has taken effect then.
        """
        instance = self.find(workflow, id)  # an expired instance takes its own modifications with it, not these
        mine = self.modifications_of(workflow, id)
        mine.add_all(list(modifications))
        if instance is not None:
            for one in modifications:
                if one.kind == "event":
                    instance.inbox.receive(*one.payload, mocked=True)
                elif one.kind == "late_event" and instance.inbox.has_wait(one.payload[0]):
                    self.await_late_events(instance.key, one.payload[0])

    # -- waiting, and time -------------------------------------------------------------------------------------------

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
            timeout: Real seconds; the engine's by default.
            about: The instance (workflow's binding name and id) whose changes matter.
            step: Whether it is a step that is awaited, so that a restart ends the wait.
        """
        __tracebackhide__ = True
        self._deliver_aborted()
        instance = self._executions.get(about)
        if instance is not None and instance.aborted_by is not None:
            raise instance.aborted_by
        await self._wait(self._waits.wait(Waiter(evaluate, describe, about, step), self._seconds(timeout)), about)

    def _seconds(self, timeout: float | None) -> float:
        if timeout is None:
            return self.timeout
        if isinstance(timeout, int | float) and abs(timeout) > MOST_SECONDS:
            # Not by its repr: Python refuses to write an int of many thousand digits.
            raise InvalidArgumentError(
                f"timeout is a number of real seconds above 0 and up to {MOST_SECONDS:,}; this one is beyond that."
            )
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
            raise InvalidArgumentError(f"timeout is a number of real seconds above 0, not {timeout!r}.")
        return timeout

    async def run_until_idle(self, *, timeout: float | None = None) -> None:
        """Let virtual time move until nothing can run and no timer is left.

        Args:
            timeout: Real seconds; the engine's by default.
        """
        __tracebackhide__ = True
        await self._wait(self._waits.until_idle(self._seconds(timeout)))
        self._deliver_aborted()

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

    async def _move_to(self, target: int) -> None:
        self.check_open()
        assert self.loop
        await self._waits.settle()
        while self._waits.fire_next(until=target):
            await self._waits.settle()
        self.clock.move_to(max(target, self.clock.now_ms))

    def _reject_steps(self, instance: Execution, call: str) -> None:
        self._waits.reject_steps(
            (instance.workflow.name, instance.row.id),
            InstanceEndedError(
                f"The wait for a step of instance {instance.row.id!r} is over: {call}() was called, which ended the "
                "lifetime that it belonged to. Wait again for the step of the new one."
            ),
        )
        self.progress(instance)

    # -- what the test must know -------------------------------------------------------------------------------------

    def abort(self, error: BaseException) -> None:
        """Hand an exception of user code that is meant for the test to whoever waits."""
        if self._aborted is None:
            self._aborted = error
        self._waits.reject(error)

    def _abort_soon(self, instance: Instance, error: BaseException) -> None:
        """Hand an observer's exception that is meant for the test on; the step that it was about is not over yet."""
        instance.abort_soon(error)

    async def _wait(self, wait: Coroutine[Any, Any, None], about: tuple[str, str] | None = None) -> None:
        __tracebackhide__ = True
        try:
            await wait
        except BaseException as error:
            if error is self._aborted:
                self._deliver_aborted()
            use = self.unprovided.behind(about) if isinstance(error, _IN_VAIN) else None
            if use is None:
                raise
        else:
            return
        self.unprovided.report(use)
        self._raise_in_test(use)

    def keep_unprovided(self, error: BaseException) -> None:
        """Keep a use of something that is not provided by the running code, unless that was stopped.

        Args:
            error: One of the exceptions that `unprovided` names, which is about to be raised there.
        """
        scope = current_scope.get()
        if not is_over():
            self.unprovided.keep(error, None if scope is None else scope.instance.key)

    def comes_of_unprovided(self, error: BaseException | None, instance: Instance) -> bool:
        """Whether the error of an attempt or an instance comes of something unprovided; if so, that use is kept."""
        use = self.unprovided.find(error)
        if use is not None and not instance.replaying:
            self.unprovided.keep(use, instance.key)
        return use is not None

    def _deliver_aborted(self) -> None:
        """Raise a kept exception in the task of the test that waits now; that task may catch it."""
        __tracebackhide__ = True
        error = self.take_aborted()
        if error is not None:
            self._raise_in_test(error)

    def _raise_in_test(self, error: BaseException) -> NoReturn:
        __tracebackhide__ = True
        task = asyncio.current_task()
        assert task is not None
        self._delivered.append((error, task))
        raise error

    def raise_aborted(self) -> None:
        """Raise a kept exception if the test has not got it: nobody waited, or a lost task did."""
        __tracebackhide__ = True
        for error, task in self._delivered:
            # Checked in CPython 3.11 to 3.14: a task clears this when its outcome is asked for. Without it, an
            # exception that the test has caught would be raised once more.
            if task.done() and task._log_traceback:
                raise error
        if self._aborted is not None:
            raise self._aborted

    def take_aborted(self) -> BaseException | None:
        """Take the exception that user code raised for the test, if any; the caller hands it to the test."""
        aborted, self._aborted = self._aborted, None
        return aborted

    def take_findings(self) -> list[Finding]:
        """The findings since the last time, in the order in which they were noticed."""
        for instance in self._executions.values():
            if not instance.closed:
                instance.report_abandoned_waits()
        return self.findings.take()

    def report_duration(self, text: str, place: Place) -> None:
        """Warn, once a place, of a duration whose unit the platform does not know."""
        file, line = place
        finding = self.findings.add("duration-unit", f"{text!r} counts as milliseconds", place, about=text)
        if finding is None or (file, line, text) in self.warned_durations:
            return
        warning = WorkflowDurationWarning(
            f"{text!r} counts as milliseconds in production: its unit is not one that the platform knows "
            f"({file}:{line}). Use second, minute, hour, day, week, month or year, in lower case."
        )
        try:
            warnings.warn_explicit(warning, WorkflowDurationWarning, file, line)
        except Warning as raised:
            # With warnings as errors: a finding never raises inside user code, the test fails at its end.
            self.refused.append(raised)
        else:
            self.warned_durations.add((file, line, text))

    def report_abandoned_wait(self, key: StepKey, event_type: str, place: Place, workflow: Workflow) -> None:
        """Keep a finding: a wait whose task was cancelled stays, and takes the next event."""
        self.findings.add(
            "abandoned-wait",
            f"the wait {key.label!r} for the event {event_type!r} was cancelled while it waited",
            place,
            step=key.label,
            workflow=workflow.name,
        )

    def report_missing_await(self, what: str, place: Place, workflow: Workflow) -> None:
        """Keep a finding: nobody awaited a step."""
        self.findings.add("missing-await", f"{what} was never awaited", place, workflow=workflow.name)


def engine_of(binding: WorkflowBinding) -> Engine:
    """The engine that a binding's instances live on."""
    engine = binding.engine
    assert isinstance(engine, Engine)
    return engine
