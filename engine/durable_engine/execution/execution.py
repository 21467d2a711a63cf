"""An execution of an instance: from its start or recovery until it ends, pauses, or is killed.

A new execution starts empty and is filled from the store; nothing else is remembered from one to the next.
"""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

import msgspec

from durable_engine.context.scope import Scope, context_for, current_scope
from durable_engine.dismantling import Dismantled
from durable_engine.errors import LOST_ATTEMPT, InternalError
from durable_engine.guard.unwinding import GiveWay
from durable_engine.history import (
    ATTEMPT_FAILURE,
    FINAL_STATUSES,
    INSTANCE_CHANGES,
    INSTANCE_ENDS,
    WORKFLOW_START,
    FinalStatus,
    HistoryKind,
    InstanceStatus,
    StepEventKind,
    StoredStatus,
)
from durable_engine.model import Ask, Effect, Place, StepKey
from durable_engine.rows import HistoryRow, InstanceRow, StepRow
from durable_engine.time.sleep_future import SleepFuture
from durable_engine.values.boundary import cross, decode, encode, is_coroutine
from durable_engine.values.datetimes import to_datetime
from durable_engine.values.failures import ErrorInfo, instance_error, original_of, rebuild
from durable_engine.values.js_values import JsDict
from durable_engine.workflow import Workflow

from .fault_gate import FaultGate
from .inbox import Inbox
from .services import Services
from .step_ledger import StepLedger

StepEvent = tuple[StepEventKind, dict[str, Any] | None, bytes | None]
"""What history says about a step: the kind, what belongs to it, and a value that crossed the boundary."""


class OpenOperation(Protocol):
    """A step that is under way, as its execution knows it."""

    row: StepRow
    future: asyncio.Future[Any]
    scope: Scope

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a time that has not come."""
        ...

    def cancel_timer(self) -> None:
        """Forget the timer, if there is one."""

    def give_back(self) -> None:
        """Take back what a modification answered: the memory is lost while the operation is under way."""

    def hasten(self) -> None:
        """Let what the step waits for be now."""


class Steps(Protocol):
    """What `run` gets as `step`, as its execution knows it."""

    def forget(self) -> None:
        """The execution is over."""


class Execution(Dismantled):
    """An execution of an instance.

    Args:
        engine: Its engine.
        workflow: What it runs.
        row: Its state in the store.
        make_steps: Makes what `run` gets as `step`.

    Attributes:
        replaying: Whether `run` is only replayed for a check, so that nothing may have an effect.
        engine: As given.
        workflow: As given.
        row: As given.
        ledger: Its steps.
        modifications: What a test changed about the instance.
        faults: The fault points that it passes.
        inbox: Its events, and the waits for them.
        usage: What the instance has used of what the platform limits.
        root: The scope of `run`.
        operations: The steps that are under way.
        started_tasks: The tasks that its code has started.
        killed: Whether it was stopped from outside.
        aborted_by: What it was stopped for that is meant for the test; None where it was not.
    """

    replaying = False
    _was: InstanceStatus | None = None

    def __init__(
        self, engine: Services, workflow: Workflow, row: InstanceRow, make_steps: Callable[[Execution], Steps]
    ) -> None:
        self.engine = engine
        self.workflow = workflow
        self.row = row
        self._make_steps = make_steps
        self._clock = engine.clock
        self._store = engine.store
        self._observers = engine.observers
        self._activity = engine.activity
        self._turns = engine.turns
        self._lifecycle = engine.lifecycle
        self._paths = engine.paths
        self._hazards = engine.hazards
        self.ledger = StepLedger(engine.store.steps(row.key))
        self.modifications = engine.lifecycle.modifications_of(workflow, row.id)
        self.faults = FaultGate(self, engine, self.modifications)
        self.inbox = Inbox(self, engine, self.modifications, self.faults)
        self.usage = engine.usage_of(row.key)
        self.root = Scope(self, self._parked_or_busy, is_virtual=True)
        self.operations: dict[StepKey, OpenOperation] = {}
        self.started_tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self.killed = False
        self.aborted_by: BaseException | None = None
        self._has_begun = False
        self._withheld: list[Callable[[], None]] | None = None
        self._callbacks = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sleeps: list[SleepFuture] = []
        self._path: list[Ask] = []
        self._branches: dict[asyncio.Task[Any] | None, int] = {}

    def __repr__(self) -> str:
        return f"<Instance {self.row.id!r} of {self.workflow.name!r}: {self.status}>"

    # -- what it is --------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The instance's id."""
        return self.row.id

    @property
    def key(self) -> tuple[str, str]:
        """The instance's identity: its workflow's binding name, and its id."""
        return self.workflow.name, self.row.id

    @property
    def scope(self) -> Scope:
        """Where the code belongs that runs now: a callback of this execution, or `run`."""
        scope = current_scope.get()
        return scope if scope is not None and scope.instance is self else self.root

    def belongs_to(self, engine: object) -> bool:
        """Whether an engine is its own."""
        return self.engine is engine

    @property
    def now_ms(self) -> int:
        """The virtual time that its code sees, in epoch milliseconds."""
        return self._clock.now_ms

    @property
    def finished(self) -> bool:
        """Whether it has reached a final status."""
        return self.row.status in FINAL_STATUSES

    @property
    def closed(self) -> bool:
        """Whether no code of this execution may do anything any more."""
        return self.killed or self.row.status in FINAL_STATUSES

    @property
    def status(self) -> InstanceStatus:
        """The status as the platform reports it; `waiting` while `run` is parked on sleeps and events alone."""
        if self._was is not None:
            return self._was
        if self.row.status == "running" and self.root.parked:
            mine = [operation for operation in self.operations.values() if operation.scope is self.root]
            if all(operation.row.key.kind != "do" for operation in mine):
                return "waiting"
        return self.row.status

    # -- its course ----------------------------------------------------------------------------------------------------

    def note_begun(self) -> None:
        """History has the start of an earlier execution: this one goes on with it."""
        self._has_begun = True

    def start(self) -> None:
        """Begin to run, from the top."""
        self._path = self._paths.begin(self.row.key)
        self.usage.begin()
        self._hazards.begin(self.row)
        if self.row.status == "queued":
            if not self._has_begun:
                self._record(WORKFLOW_START)
            self.change_status("running")
        self._note_lost_attempts()
        self._activity.mark(self, True)
        context = context_for(self.root)
        # What `run` does is based on what is stored, such as its own creation.
        self._store.when_stored(lambda: self._turns.take(self, lambda: self._start(context)))

    def _start(self, context: contextvars.Context) -> None:
        if self.killed:
            return  # before its beginning was stored
        self._branches[self.start_task(self._run(), context)] = 0

    async def _run(self) -> None:
        steps = self._make_steps(self)
        try:
            event = self._event()
            if not self.replaying:
                self._observers.execution_started(self, event)
            result = self.workflow.run(event, steps)
            if is_coroutine(result):
                result = await result
            output = encode(result)
        except self.engine.passthrough as exc:
            self.abort(exc)
        except BaseException as exc:
            if not self.closed and not self.faults.reach("end"):
                self._fail(exc)
        else:
            if not self.closed and not self.faults.reach("end"):
                self._end("complete", value=output)
        finally:
            steps.forget()

    def _event(self) -> JsDict:
        others: JsDict = cross(
            {
                "timestamp": to_datetime(self.row.created_at),
                "payload": None,
                "instanceId": self.row.id,
                "workflowName": self.workflow.workflow_name,
            }
        )
        others["payload"] = decode(self.row.params)
        trigger = self.row.trigger
        if trigger is not None:
            others["schedule"] = cross({"cron": trigger.cron, "scheduledTime": trigger.scheduled_time})
        return others

    def comes_of_unprovided(self, error: BaseException | None) -> bool:
        """Whether what ends an attempt, or this, comes of something that is not provided; if so, that is kept."""
        pending = self.engine.pending_errors
        return pending.comes_of_unprovided(error, self)

    def _fail(self, exc: BaseException) -> None:
        self.comes_of_unprovided(exc)
        if not self.engine.is_live:  # it holds on to every frame that it went through
            self.engine.exceptions[self.row.key] = original_of(exc)
        error = instance_error(exc, self.engine.root)
        self.row.fail(msgspec.msgpack.encode(error))
        self._end("errored", {"error": error})

    def end_at_once(self, info: ErrorInfo) -> None:
        """End with this error without asking `run`; nothing of this execution runs again."""
        self.row.fail(msgspec.msgpack.encode(info.public()))
        self._end("errored", {"error": info.public()})
        self.kill()

    def terminate(self) -> None:
        """End now; nothing of this execution runs again."""
        self._end("terminated", {"trigger": {"source": 0}})
        self.kill()

    def _end(self, status: FinalStatus, detail: dict[str, Any] | None = None, value: bytes | None = None) -> None:
        self.row.note_end(self._clock.now_ms, value)
        if status != "terminated":
            self._paths.check(self.row.key, self.workflow.name, self._path, is_complete=status == "complete")
        if status == "complete":
            self.report_abandoned_waits()
            self._report_unused_sleeps()
        self._observers.execution_ended(self)
        self.change_status(status)
        self._record(INSTANCE_ENDS[status], detail, value)
        self.drop_timers()
        self.modifications.drop_timers()
        self._activity.mark(self, False)
        self._observers.instance_finished(self)
        self._lifecycle.free_slots(self.workflow, [self.id])
        if self.engine.is_live:
            self.forget_course()

    def forget_course(self) -> None:
        """Hold on to nothing of the execution's course, which nobody asks for where no test does."""
        self._paths.forget(self.row.key)
        self.ledger = StepLedger(())
        self._branches.clear()
        self._sleeps.clear()

    @property
    def is_still(self) -> bool:
        """Whether no code of it is left that could run: neither `run` and callbacks, nor tasks that they started."""
        return not self._tasks and all(task.done() for task in self.started_tasks)

    def dismantle(self) -> None:
        """Let go of what knows this execution, which no code runs of any more: it goes at once.

        Whoever has kept it can read what it was: its id, its row, its status.
        """
        self._was = self.status
        self._branches.clear()
        self._tasks.clear()
        self.operations.clear()
        self.let_go_of("faults", "inbox", "root")

    def report_abandoned_waits(self) -> None:
        """Keep findings of the waits that were cancelled while they waited.

        That is not done when it happens: where a failure cancels them and ends the instance, they swallow nothing.
        """
        self.inbox.report_abandoned()

    def _report_unused_sleeps(self) -> None:
        for sleep in self._sleeps:
            if not sleep.used:
                self.engine.step_findings.missing_await(f"step.sleep({sleep.name!r})", sleep.place, self.workflow)

    def abort(self, exc: BaseException) -> None:
        """Stop here and hand the test an exception that was raised in user code and is meant for it.

        Raises:
            KeyboardInterrupt: As it is, where this execution has been stopped before: no test waits for it any more.
        """
        if self.killed and isinstance(exc, KeyboardInterrupt):
            raise exc
        error = exc.unwinding.take() if isinstance(exc, GiveWay) else exc
        if error is None:
            return  # the test has got the error
        self.aborted_by = error
        self.engine.abort(error)
        self.kill()

    def abort_soon(self, error: BaseException) -> None:
        """Hand an observer's exception that is meant for the test on; the step that it was about is not over yet."""
        self.aborted_by = error
        self.engine.abort(error)
        self.engine.loop.call_soon(self.kill, context=contextvars.Context())

    def kill(self) -> None:
        """End as a crash does: nothing of this execution runs again while the test can see it."""
        self.put_down()
        self.engine.stop_tasks([self])

    def put_down(self) -> None:
        """Count as stopped from here on. Its tasks are stopped by whoever calls this."""
        if not self.closed:
            self.report_abandoned_waits()
            self._observers.execution_ended(self)
        if not self.killed:
            self._turns.operations_closed(len(self.operations))
        self.killed = True
        self.drop_timers()
        self._activity.forget(self)

    def give_back(self) -> None:
        """The memory is about to be lost: what modifications answered for attempts under way, they answer again."""
        for operation in self.operations.values():
            operation.give_back()

    def drop_timers(self) -> None:
        """Take everything of this execution out of the clock."""
        for operation in self.operations.values():
            operation.cancel_timer()

    def _parked_or_busy(self, root: Scope) -> None:
        self._activity.mark(self, not root.parked)

    def note_effect(self, effect: Effect) -> None:
        """Notify observers of a call that its code made."""
        self._observers.effect(self, effect)

    def call_done(self, step: StepKey, attempt: int | None, call: str) -> bool:
        """Pass the fault point of a call that a step's callback made, before the callback knows that it is done.

        Args:
            step: The step.
            attempt: The attempt of it.
            call: Which call: `DB.run#2`.

        Returns:
            Whether the engine has died here: the callback must go no further.
        """
        return not self.closed and self.faults.reach("call", step, attempt, call)

    def hold(self) -> asyncio.Future[None]:
        """A future that is never done, for code that may go no further."""
        return self.engine.loop.create_future()

    def end_replay(self) -> None:
        """A replay comes to something that it cannot answer; for an execution that is none, nothing."""

    # -- pausing -----------------------------------------------------------------------------------------------------

    def request_pause(self) -> None:
        """Pause once no callback runs; until then no outcome reaches `run`."""
        self._withheld = []
        self.change_status("waitingForPause")
        if self._callbacks:
            self._activity.progress(self)
        else:
            self._pause()

    def cancel_pause(self) -> None:
        """Go on: the pause had not taken hold."""
        withheld, self._withheld = self._withheld or [], None
        self.change_status("running")
        for go_on in withheld:
            if not self.closed:  # one of the outcomes may have come to a fault point
                go_on()
        self._activity.progress(self)

    def withholds(self, scope: Scope) -> bool:
        """Whether a pause is about to take hold of `run`; what a callback does inside goes on until it has ended."""
        return self._withheld is not None and scope is self.root

    def withhold(self, action: Callable[[], None]) -> None:
        """Do something only if the pause does not take hold after all."""
        assert self._withheld is not None
        self._withheld.append(action)

    def callback_started(self) -> None:
        """Note that a step's callback begins to run."""
        self._callbacks += 1

    def callback_ended(self) -> None:
        """Note that a callback has ended, in whatever way."""
        self._callbacks -= 1
        if self.closed or self.engine.closed:
            return
        self._activity.progress(self)
        if self._withheld is not None and not self._callbacks:
            self._pause()

    def _pause(self) -> None:
        self.row.note_pause(self._clock.now_ms)
        self.change_status("paused")
        self.kill()
        self._activity.progress(self)

    # -- steps -------------------------------------------------------------------------------------------------------

    def ask(self, key: StepKey, place: Place) -> None:
        """Note that `run` asks for a step."""
        self._observers.step_asked(self, self._note_ask(key, place))

    def _note_ask(self, key: StepKey, place: Place) -> Ask:
        task = asyncio.current_task()
        ask = Ask(key, place, self._branches.setdefault(task, len(self._branches)))
        self._path.append(ask)
        return ask

    @property
    def path(self) -> list[Ask]:
        """The steps that `run` has asked for in this execution."""
        return self._path

    def sleeps_until(self, key: StepKey, until: int, place: Place) -> None:
        """Note that `run` asks for a sleep until a time (epoch milliseconds)."""
        if self._hazards.has_passed(self, key, until, self.find_step(key)):
            self._hazards.report_passed(self, key, place)

    def sleep_by_name(self, key: StepKey) -> int | None:
        """The occurrence of its name that a sleep is, whatever its duration; None for any other step."""
        return self.ledger.sleep_by_name(key)

    def distinguishing_duration(self, key: StepKey) -> int | None:
        """A sleep's duration, where its count alone does not distinguish it from another sleep of its name."""
        return self.ledger.distinguishing_duration(key)

    def takes_no_time(self, sleep: StepKey) -> bool:
        """Whether a test disabled that sleep."""
        return self.modifications.disables_sleep(self.ledger.selected(sleep))

    def open_row(self, key: StepKey) -> StepRow:
        """The step's row: as an earlier execution left it, or new."""
        return self.ledger.open(key, self._clock.now_ms)

    def find_step(self, key: StepKey) -> StepRow | None:
        """A step of this execution, or of an earlier one whose outcome is remembered; None if it was not asked for."""
        return self.ledger.find(key)

    def remembered(self, key: StepKey) -> StepRow | None:
        """A step whose outcome an earlier execution has stored, or None."""
        return self.ledger.remembered(key)

    def answer(self, row: StepRow) -> asyncio.Future[Any]:
        """The stored outcome of a step; as on the platform, it is not there in the same turn."""
        future = self.engine.loop.create_future()
        self._soon(lambda: settle_answer(future, row))
        return future

    def answer_sleep(self, row: StepRow, place: Place) -> asyncio.Future[None]:
        """A sleep that is over is over at once."""
        future = self.new_sleep(row.key.name, place)
        future.set_result(None)
        return future

    def new_sleep(self, name: str, place: Place) -> SleepFuture:
        """What code of this execution gets for a sleep that it asks for."""
        future = SleepFuture(name, place, loop=self.engine.loop)
        self._sleeps.append(future)
        return future

    def _soon(self, action: Callable[[], None]) -> None:
        """Call something in the next turn of the loop, or when the interleaving chooses it."""
        if self._turns.seeded:
            self._turns.take(self, action)
        else:
            self.engine.loop.call_soon(action, context=context_for(self.root))

    def _note_lost_attempts(self) -> None:
        for step in self.ledger.lost_attempts():
            detail = {
                "attempt": step.attempts,
                "error": {"name": "WorkflowInternalError", "message": LOST_ATTEMPT},
            }
            self._record(ATTEMPT_FAILURE, detail, key=step.key)
            self._observers.attempt_lost(self, step.key, step.attempts)

    # -- operations --------------------------------------------------------------------------------------------------

    def open_operation(self, key: StepKey, operation: OpenOperation) -> None:
        """A step is under way from now on."""
        self.operations[key] = operation
        self._turns.operation_opened()

    def close_operation(self, key: StepKey) -> None:
        """A step is under way no longer: `run` gets its outcome."""
        del self.operations[key]
        self._turns.operations_closed(1)

    def step_started(self, key: StepKey) -> None:
        """Notify observers: a step has started for the first time."""
        self._observers.step_started(self, key)

    def step_finished(self, key: StepKey) -> None:
        """Notify observers: a step has its outcome."""
        self._observers.step_finished(self, key)

    def wait_started(self, key: StepKey, event_type: str, place: Place) -> None:
        """Notify observers: a wait begins to look for events."""
        self._observers.wait_started(self, key, event_type, place)

    def await_late_events(self, event_type: str) -> None:
        """A wait has begun for the first time: mocked events of its type that come later are on their way."""
        self._lifecycle.await_late_events(self.key, event_type)

    def record_step(self, row: StepRow, events: Iterable[StepEvent]) -> None:
        """Store a step's row as it stands, and lines of history about it."""
        now = self._clock.now_ms
        lines = [HistoryRow(kind, row.key, now, detail, value) for kind, detail, value in events]
        self._store.record(self.row.key, lines, row)
        self._activity.recorded(self)

    def progress(self) -> None:
        """Something changed that somebody may wait for."""
        self._activity.progress(self)

    @property
    def is_turn_open(self) -> bool:
        """Whether what is ready may have to wait for its turn: a seed decides who goes first."""
        return self._turns.seeded

    def take_turn(self, action: Callable[[], None], *, dropped: Callable[[], object] | None = None) -> None:
        """Do something at once, or when its turn comes; `dropped` is called in its place if this ends before."""
        self._turns.take(self, action, dropped=dropped)

    def start_task(self, coroutine: Coroutine[Any, Any, None], context: contextvars.Context) -> asyncio.Task[None]:
        """Run something of this execution, and hold on to its task: asyncio itself only holds weak references."""
        if self.workflow.setup is not None:
            context.run(self.workflow.setup)
        task = self.engine.loop.create_task(coroutine, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- storage -----------------------------------------------------------------------------------------------------

    def change_status(self, status: StoredStatus) -> None:
        """Go on to another status, and store the row as it stands.

        Raises:
            InternalError: If that status cannot follow the present one; the test gets it as well.
        """
        before = self.row.status
        try:
            self.row.change_status(status)
        except InternalError as error:
            self.engine.abort(error)  # nobody asks for the outcome of the task or the callback that this may be in
            raise
        kind = INSTANCE_CHANGES.get(status)
        if kind is not None and status != before:
            self._record(kind)
        self._store.save_instance(self.row)

    def _record(
        self,
        kind: HistoryKind,
        detail: dict[str, Any] | None = None,
        value: bytes | None = None,
        key: StepKey | None = None,
    ) -> None:
        self._store.record(self.row.key, [HistoryRow(kind, key, self._clock.now_ms, detail, value)])
        self._activity.recorded(self)


def settle_answer(future: asyncio.Future[Any], row: StepRow) -> None:
    """Give a stored outcome to whoever waits for it, if anybody still does; a sleep has no result."""
    if future.done():
        return
    if row.error is not None:
        future.set_exception(rebuild(ErrorInfo.load(row.error)))
        future.exception()  # an execution that is killed before it hears of this would be complained of
    else:
        future.set_result(None if row.result is None else decode(row.result))
