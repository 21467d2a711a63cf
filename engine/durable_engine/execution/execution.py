"""One execution of an instance: from its start or recovery until it ends, pauses, or is killed.

A new execution starts from an empty `Execution` that is filled from the store; nothing else outlives an execution.
"""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from durable_engine.context.scope import Scope, context_for, current_scope
from durable_engine.errors import LOST_ATTEMPT, InternalError
from durable_engine.guard.unwinding import GiveWay
from durable_engine.history import (
    ATTEMPT_FAILURE,
    FINAL_STATUSES,
    FINAL_STEP_STATUSES,
    INSTANCE_CHANGES,
    INSTANCE_ENDS,
    WORKFLOW_START,
    FinalStatus,
    HistoryKind,
    InstanceStatus,
    StepKind,
    StoredStatus,
)
from durable_engine.model import Ask, Effect, Place, StepKey
from durable_engine.rows import FORGOTTEN, HistoryRow, InstanceRow, StepRow
from durable_engine.testing.faults import FaultKind, FaultPoint, point_of
from durable_engine.time.sleep_future import SleepFuture
from durable_engine.values.boundary import JsDict, cross, decode, encode, is_coroutine
from durable_engine.values.datetimes import to_datetime
from durable_engine.values.failures import ErrorInfo, instance_error, original_of, rebuild
from durable_engine.workflow import Workflow

from .inbox import Inbox
from .services import Services


class OpenOperation(Protocol):
    """A step that is under way, as its execution knows it."""

    row: StepRow
    future: asyncio.Future[Any]
    scope: Scope

    def cancel_timer(self) -> None:
        """Forget the timer, if there is one."""

    def give_back(self) -> None:
        """Take back what a modification answered: the memory is lost while the operation is under way."""


class Execution:
    """An execution of an instance.

    Args:
        engine: Its engine.
        workflow: The workflow that it runs.
        row: Its state in the store.
        make_steps: Makes what `run` gets as `step`.

    Attributes:
        replaying: Whether `run` is only replayed for a check, so that nothing may have an effect (replay.py).
        has_begun: Whether history has the start of an earlier execution, so that this one goes on.
    """

    replaying = False

    def __init__(
        self, engine: Services, workflow: Workflow, row: InstanceRow, make_steps: Callable[[Execution], object]
    ) -> None:
        self._make_steps = make_steps
        self.engine = engine
        self.workflow = workflow
        self.row = row
        self.modifications = engine.lifecycle.modifications_of(workflow, row.id)
        self.root = Scope(self, self._parked_or_busy, is_virtual=True)
        self.operations: dict[StepKey, OpenOperation] = {}
        self.inbox = Inbox(self, engine, self.modifications, self._dies_at_event)
        self.withheld: list[Callable[[], None]] | None = None
        self.killed = False
        self.aborted_by: BaseException | None = None
        self.steps_run = 0
        self.has_begun = False
        self._callbacks = 0
        self._counts: dict[tuple[StepKind, str, int | None], int] = {}
        self._sleeps_by_name: dict[StepKey, int] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.started_tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._steps = {step.key: step for step in engine.store.steps(row.key)}
        self._forgotten = {key: row for key, row in self._steps.items() if row.flags & FORGOTTEN}
        self.stored = sum(len(step.result or b"") for step in self._steps.values())
        self._next_seq = max((step.seq for step in self._steps.values()), default=0) + 1
        self._sleeps: list[SleepFuture] = []
        self._stored_ends = _ends_of_sleeps(self._steps.values())
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
        """The scope of the running code: a callback of this execution, or `run`."""
        scope = current_scope.get()
        return scope if scope is not None and scope.instance is self else self.root

    def belongs_to(self, engine: object) -> bool:
        """Whether an engine is its own."""
        return self.engine is engine

    @property
    def now_ms(self) -> int:
        """The virtual time that its code sees, in epoch milliseconds."""
        return self.engine.clock.now_ms

    @property
    def finished(self) -> bool:
        """Whether it has reached a final status."""
        return self.row.status in FINAL_STATUSES

    @property
    def closed(self) -> bool:
        """Whether code of this execution may do nothing any more."""
        return self.killed or self.finished

    @property
    def status(self) -> InstanceStatus:
        """The status as the platform reports it; `waiting` while `run` is parked on sleeps and events alone."""
        if self.row.status == "running" and self.root.parked:
            mine = [operation for operation in self.operations.values() if operation.scope is self.root]
            if all(operation.row.key.kind != "do" for operation in mine):
                return "waiting"
        return self.row.status

    # -- execution ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to run, from the top."""
        self._path = self.engine.paths.begin(self.row.key)
        self.engine.hazards.begin(self.row)
        if self.row.status == "queued":
            if not self.has_begun:
                self._record(WORKFLOW_START)
            self.change_status("running")
        self._note_lost_attempts()
        self.engine.activity.mark(self, True)
        context = context_for(self.root)
        self.engine.turns.take(self, lambda: self._start(context))

    def _start(self, context: contextvars.Context) -> None:
        task = self.engine.loop.create_task(self._run(), context=context)
        self._branches[task] = 0
        self.keep(task)

    async def _run(self) -> None:
        try:
            event = self._event()
            if not self.replaying:
                self.engine.observers.execution_started(self, event)
            result = self.workflow.run(event, self._make_steps(self))
            if is_coroutine(result):
                result = await result
            output = encode(result)
        except self.engine.passthrough as exc:
            self.abort(exc)
        except BaseException as exc:
            if not self.closed and not self.reach("end"):
                self._fail(exc)
        else:
            if not self.closed and not self.reach("end"):
                self._end("complete", value=output)

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

    def _fail(self, exc: BaseException) -> None:
        self.engine.pending_errors.comes_of_unprovided(exc, self)
        self.engine.exceptions[self.row.key] = original_of(exc)
        error = instance_error(exc, self.engine.root)
        self.row.error = msgspec.msgpack.encode(error)
        self._end("errored", {"error": error})

    def end_at_once(self, info: ErrorInfo) -> None:
        """End with this error without asking `run`; nothing of this execution runs again."""
        self.row.error = msgspec.msgpack.encode(info.public())
        self._end("errored", {"error": info.public()})
        self.kill()

    def terminate(self) -> None:
        """End now; nothing of this execution runs again."""
        self._end("terminated", {"trigger": {"source": 0}})
        self.kill()

    def _end(self, status: FinalStatus, detail: dict[str, Any] | None = None, value: bytes | None = None) -> None:
        self.row.output = value
        self.row.ended_at = self.engine.clock.now_ms
        if status != "terminated":
            self.engine.paths.check(self.row.key, self.workflow.name, self._path, is_complete=status == "complete")
        if status == "complete":
            self.report_abandoned_waits()
            self._report_unused_sleeps()
        self.engine.observers.execution_ended(self)
        self.change_status(status)
        self._record(INSTANCE_ENDS[status], detail, value)
        self.drop_timers()
        self.modifications.drop_timers()
        self.engine.activity.mark(self, False)
        self.engine.observers.instance_finished(self)
        self.engine.lifecycle.free_slots(self.workflow, [self.id])

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
            KeyboardInterrupt: As it is, where this execution was stopped before: no test waits for it any more.
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
            self.engine.observers.execution_ended(self)
        if not self.killed:
            self.engine.turns.operations_closed(len(self.operations))
        self.killed = True
        self.drop_timers()
        self.engine.activity.forget(self)

    def give_back(self) -> None:
        """The memory is about to be lost: what modifications answered for attempts under way, they answer again."""
        for operation in self.operations.values():
            operation.give_back()

    def drop_timers(self) -> None:
        """Take the timers of this execution out of the clock."""
        for operation in self.operations.values():
            operation.cancel_timer()

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Hold on to a task: asyncio itself only holds weak references."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _parked_or_busy(self) -> None:
        self.engine.activity.mark(self, not self.root.parked)

    def note_effect(self, effect: Effect) -> None:
        """Notify observers of a call that its code made."""
        self.engine.observers.effect(self, effect)

    def hold(self) -> asyncio.Future[None]:
        """A future that is never done, for code that may go no further."""
        return self.engine.loop.create_future()

    def end_replay(self) -> None:
        """End a replay, which has come to something that it cannot answer; any other execution goes on."""

    # -- pausing -----------------------------------------------------------------------------------------------------

    def request_pause(self) -> None:
        """Pause once no callback runs; until then no outcome reaches `run`."""
        self.withheld = []
        self.change_status("waitingForPause")
        if self._callbacks:
            self.engine.activity.progress(self)
        else:
            self._pause()

    def cancel_pause(self) -> None:
        """Go on: the pause had not taken hold."""
        withheld, self.withheld = self.withheld or [], None
        self.change_status("running")
        for go_on in withheld:
            if not self.closed:  # one of the outcomes may have come to a fault point
                go_on()
        self.engine.activity.progress(self)

    def callback_started(self) -> None:
        """Note that a step's callback begins to run."""
        self._callbacks += 1

    def callback_ended(self) -> None:
        """Note that a callback has ended, in whatever way."""
        self._callbacks -= 1
        if self.closed or self.engine.closed:
            return
        self.engine.activity.progress(self)
        if self.withheld is not None and not self._callbacks:
            self._pause()

    def _pause(self) -> None:
        self.row.paused_at = self.engine.clock.now_ms
        self.change_status("paused")
        self.kill()
        self.engine.activity.progress(self)

    # -- fault points ------------------------------------------------------------------------------------------------

    def reach(self, kind: FaultKind, key: StepKey | None = None, attempt: int | None = None) -> bool:
        """Pass a fault point.

        Returns:
            Whether the engine has died here: a new execution has begun, and this one must go no further.
        """
        if not self._faulty or self.closed:
            return False
        point = point_of(self, kind, key, attempt)
        if self.engine.faults.pass_by(point) is None and not self.modifications.crashes_at(point):
            return False
        self.engine.lifecycle.crash(self.workflow, self.id, point)
        return True

    def reach_inside(self, kind: FaultKind, key: StepKey, attempt: int | None = None) -> None:
        """Pass a fault point that lies in the middle of something that takes time."""
        if not self._faulty or self.closed:
            return
        point = point_of(self, kind, key, attempt)
        armed = self.engine.faults.pass_by(point)
        if armed is None and not self.modifications.crashes_at(point):
            return
        if armed is not None and armed.after:
            due = self.engine.clock.now_ms + armed.after
            self.engine.schedule(due, lambda: self._die(point), what=f"the crash at {point.short!r}")
        else:
            # Code that has just begun to sleep may go on to something else before it awaits that.
            self.engine.loop.call_soon(self._die, point, context=contextvars.Context())

    def note_length(self, kind: FaultKind, key: StepKey, attempt: int | None, began: int) -> None:
        """Keep how long a sleep, a delay or a wait took, for a crash in its middle."""
        if self.engine.faults.recording:
            ms = self.engine.clock.now_ms - began
            self.engine.faults.note_length(point_of(self, kind, key, attempt), ms)

    @property
    def _faulty(self) -> bool:
        return self.engine.faults.active or self.modifications.has_crashes

    def _die(self, point: FaultPoint) -> None:
        if not self.closed and not self.engine.closed:
            self.engine.lifecycle.crash(self.workflow, self.id, point)

    # -- steps -------------------------------------------------------------------------------------------------------

    def ask(self, key: StepKey, place: Place) -> None:
        """Note that `run` asks for a step."""
        self.engine.observers.step_asked(self, self._note_ask(key, place))

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
        if self.engine.hazards.has_passed(self, key, until, self.find_step(key)):
            self.engine.hazards.report_passed(self, key, place)

    def count_step(self, kind: StepKind, name: str) -> StepKey:
        """The identity of the step that `run` asks for now."""
        return StepKey(kind, name, self._count(kind, name))

    def count_sleep(self, name: str, duration: int, until: int | None = None) -> StepKey:
        """The identity of the sleep that `run` asks for now.

        Args:
            name: Its name.
            duration: How long it is, in milliseconds.
            until: Where `run` names its end: that end, in epoch milliseconds.
        """
        stored = self._stored_sleep(name, until)
        if stored is None:
            key = StepKey("sleep", name, self._count("sleep", name, duration), duration)
        else:
            key = stored
            counted: tuple[StepKind, str, int | None] = ("sleep", name, key.duration)
            self._counts[counted] = max(self._counts.get(counted, 0), key.count)
        self._sleeps_by_name[key] = self._count("sleep", name)
        return key

    def _count(self, kind: StepKind, name: str, duration: int | None = None) -> int:
        count = self._counts.get((kind, name, duration), 0) + 1
        self._counts[kind, name, duration] = count
        return count

    def has_slept_until(self, name: str, until: int) -> bool:
        """Whether an earlier execution began a sleep of that name and end that this one has not asked for yet."""
        return self._stored_sleep(name, until) is not None

    def _stored_sleep(self, name: str, until: int | None) -> StepKey | None:
        """The stored sleep until a point in time: the rest of it grows shorter, and it is the same sleep."""
        ends = () if until is None else self._stored_ends.get((name, until), ())
        return next((key for key in ends if key not in self._sleeps_by_name), None)

    def sleep_by_name(self, key: StepKey) -> int | None:
        """The occurrence of its name that a sleep is, whatever its duration; None for any other step."""
        return self._sleeps_by_name.get(key)

    def distinguishing_duration(self, key: StepKey) -> int | None:
        """A sleep's duration, where its count alone does not distinguish it from another sleep of its name."""
        return key.duration if self._sleeps_by_name.get(key, key.count) != key.count else None

    def takes_no_time(self, sleep: StepKey) -> bool:
        """Whether a test disabled that sleep: its selectors count by the name alone."""
        selected = StepKey(sleep.kind, sleep.name, self._sleeps_by_name[sleep])
        return self.modifications.disables_sleep(selected)

    def open_row(self, key: StepKey) -> StepRow:
        """The step's row: as an earlier execution left it, or new."""
        row = self._steps.get(key)
        if row is None or row.flags & FORGOTTEN:
            row = StepRow(key, self._next_seq, self.engine.clock.now_ms)
            self._next_seq += 1
            self._steps[key] = row
        return row

    def find_step(self, key: StepKey) -> StepRow | None:
        """A step of this execution, or of an earlier one whose outcome is remembered; None if none has asked for it."""
        row = self._steps.get(key)
        return None if row is self._forgotten.get(key) else row

    def remembered(self, key: StepKey) -> StepRow | None:
        """A step whose outcome an earlier execution has stored, or None."""
        row = self._steps.get(key)
        if row is None or row.flags & FORGOTTEN or row.status not in FINAL_STEP_STATUSES:
            return None
        return row

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
        """The future for a sleep that code of this execution asks for."""
        future = SleepFuture(loop=self.engine.loop)
        future.name, future.place = name, place
        self._sleeps.append(future)
        return future

    def _soon(self, action: Callable[[], None]) -> None:
        """Call something in the next turn of the loop, or when the interleaving chooses it."""
        if self.engine.turns.seeded:
            self.engine.turns.take(self, action)
        else:
            self.engine.loop.call_soon(action, context=context_for(self.root))

    def _dies_at_event(self, event_type: str, wait: StepKey) -> bool:
        if not self._faulty or not self.engine.store.has_event(self.row.key, event_type):
            return False
        return self.reach("event", wait)

    def _note_lost_attempts(self) -> None:
        for step in self._steps.values():
            if step.key.kind == "do" and step.status == "running" and step.attempts:
                detail = {
                    "attempt": step.attempts,
                    "error": {"name": "WorkflowInternalError", "message": LOST_ATTEMPT},
                }
                self._record(ATTEMPT_FAILURE, detail, key=step.key)
                self.engine.observers.attempt_lost(self, step.key, step.attempts)

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
        self.engine.store.save_instance(self.row)

    def _record(
        self,
        kind: HistoryKind,
        detail: dict[str, Any] | None = None,
        value: bytes | None = None,
        key: StepKey | None = None,
    ) -> None:
        self.engine.store.record(self.row.key, [HistoryRow(kind, key, self.engine.clock.now_ms, detail, value)])
        self.engine.activity.recorded(self)


def _ends_of_sleeps(steps: Iterable[StepRow]) -> dict[tuple[str, int], list[StepKey]]:
    """The stored sleeps, in order of their start, by their name and the point in time that they last until."""
    ends: dict[tuple[str, int], list[StepKey]] = {}
    for step in steps:
        if step.key.duration is not None:
            ends.setdefault((step.key.name, step.started_at + step.key.duration), []).append(step.key)
    return ends


def settle_answer(future: asyncio.Future[Any], row: StepRow) -> None:
    """Give a stored outcome to whoever waits for it, if anybody still does; a sleep has no result."""
    if future.done():
        return
    if row.error is not None:
        future.set_exception(rebuild(ErrorInfo.load(row.error)))
        future.exception()  # asyncio would complain if the execution was killed before it has seen this
    else:
        future.set_result(None if row.result is None else decode(row.result))
