"""The lifecycle of instances: the work behind the calls of bindings and handles."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from .dismantling import Dismantled
from .errors import (
    ALREADY_EXISTS,
    CANNOT_RESTART,
    CANNOT_TERMINATE,
    NOT_FOUND,
    EngineError,
    InstanceEndedError,
    InvalidArgumentError,
    JsException,
    with_fact,
)
from .execution.concurrency import Slots
from .execution.execution import Execution
from .execution.services import Services
from .execution.step import Step
from .history import WORKFLOW_QUEUED, WORKFLOW_RUNNING, WORKFLOW_START, HistoryKind, StepKind
from .instance import Instance
from .model import CronTrigger, Place, StepKey
from .replay.playback import PlayedExecution, Script
from .rows import HistoryRow, InstanceRow
from .storage.inspection import status_answer
from .testing.changes import MockEvent, MockLateEvent
from .testing.faults import FaultPoint
from .testing.modifications import InstanceModifications, Modification
from .time.clock import Timer
from .time.live_waits import LiveWaits
from .time.waits import Waits
from .values.boundary import encode
from .values.datetimes import to_datetime
from .values.durations import in_words
from .values.js_values import JsDict
from .workflow import KEPT, Retention, Workflow

_STEP_KINDS: dict[str, StepKind] = {"do": "do", "sleep": "sleep", "waitForEvent": "wait_for_event"}
"""The kinds of steps, by the words that `restart` takes for them."""

_UNDER_WAY = ("running", "waitingForPause")
"""The statuses of instances that have a slot and are not paused."""

CreateListener = Callable[[Workflow, str, InstanceModifications], None]
"""Called with the workflow, the id and the modifications of an instance that is about to be created."""


class LifecycleEngine(Services, Protocol):
    """The protocol of an engine that the lifecycle of its instances needs."""

    @property
    def waits(self) -> Waits | LiveWaits:
        """All waiters of the engine."""
        ...

    def forget(self, key: int) -> None:
        """Forget what is known of an instance that is gone, by the key of its row."""

    def check_open(self) -> None:
        """Raise if the engine is closed."""

    def check_loop(self) -> None:
        """Raise if the engine's event loop does not run."""


class Lifecycle(Dismantled):
    """The instances of an engine, each in its present execution.

    Args:
        engine: Their engine.
        seed: The seed of the ids that the engine makes.

    Attributes:
        on_create: Called with each instance that is about to be created.
        scripts: What instances are played from, by their workflow's binding name and their id.
    """

    def __init__(self, engine: LifecycleEngine, seed: int | str) -> None:
        self._engine = engine
        self._store = engine.store
        self._clock = engine.clock
        self._observers = engine.observers
        self._paths = engine.paths
        self._activity = engine.activity
        self._waits = engine.waits
        self._exceptions = engine.exceptions
        self.on_create: list[CreateListener] = []
        self.scripts: dict[tuple[str, str], Script] = {}
        self._seed = seed
        self._random: random.Random | None = None
        self._workflows: list[Workflow] = []
        self._slots: dict[str, Slots] = {}
        self._executions: dict[tuple[str, str], Execution] = {}
        self._left: list[Execution] = []
        self._modifications: dict[tuple[str, str], InstanceModifications] = {}
        self._restarts: Counter[int] = Counter()

    def open(self, workflow: Workflow) -> None:
        """Take instances of a workflow from now on."""
        self._workflows.append(workflow)
        self._slots[workflow.name] = Slots(workflow.concurrency)

    def seed(self, seed: int | str) -> None:
        """Let ids come from another seed from now on."""
        self._seed, self._random = seed, None

    # -- which there are ---------------------------------------------------------------------------------------------

    @property
    def instances(self) -> list[Execution]:
        """Every instance that is kept, in order of creation."""
        now = self._clock.now_ms
        return [instance for instance in self._executions.values() if not instance.row.is_expired(now)]

    @property
    def is_empty(self) -> bool:
        """Whether there is no instance, nor has been one that is still stored."""
        return not self._executions

    def exists(self, workflow: Workflow, id: str) -> bool:
        """Whether the workflow has an instance of that id."""
        self._engine.check_loop()
        instance = self.find(workflow, id)
        kept = self._engine.limits.kept
        if instance is not None and kept is not None and instance.row.is_unclaimed(self._clock.now_ms, kept):
            # The test sees it until now: what it waits for may come long after the end of what it asks of then.
            self.discard(workflow, [id])
            return False
        return instance is not None

    def find(self, workflow: Workflow, id: str) -> Execution | None:
        """The instance's present execution, or None."""
        self._engine.check_open()
        instance = self._executions.get((workflow.name, id))
        if instance is not None and instance.row.is_expired(self._clock.now_ms):
            self.discard(workflow, [id])
            return None
        return instance

    def require(self, workflow: Workflow, id: str) -> Execution:
        """The instance's present execution.

        Raises:
            JsException: `Error: instance.not_found`.
        """
        self._engine.check_loop()
        instance = self.find(workflow, id)
        if instance is None:
            raise JsException("Error", NOT_FOUND)
        kept = self._engine.limits.kept
        if kept is not None and instance.row.is_unclaimed(self._clock.now_ms, kept):
            raise with_fact(
                NOT_FOUND,
                f"Instance {id!r} ended {in_words(kept)} ago or earlier, and nobody said for how long it is kept: "
                "`retention` of create does, or default_retention of the wrangler configuration.",
            )
        return instance

    def aborted_by(self, key: tuple[str, str]) -> BaseException | None:
        """The error for the test that an instance was stopped for; None where it was not."""
        instance = self._executions.get(key)
        return None if instance is None else instance.aborted_by

    def restarts_of(self, key: int) -> int:
        """The number of restarts of an instance, by the key of its row."""
        return self._restarts[key]

    def report_abandoned(self) -> None:
        """Keep findings of the waits that were cancelled while they waited."""
        for instance in self._executions.values():
            if not instance.closed:
                instance.report_abandoned_waits()

    # -- their begin -------------------------------------------------------------------------------------------------

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
        self._acted()  # a wrong loop is refused before anything is stored
        if id is None:
            if self._random is None:  # most tests name their instances, and a generator takes its time to make
                self._random = random.Random(self._seed)
            id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        if self.exists(workflow, id):
            self._observers.create_refused(workflow, id)
            raise JsException("Error", ALREADY_EXISTS.format(id=id))
        modifications = self.modifications_of(workflow, id)
        for listener in list(self.on_create):
            listener(workflow, id, modifications)
        kept = retention.or_else(workflow.retention).at_most(self._engine.limits.longest_kept)
        row = self._store.add_instance(workflow.name, id, self._clock.now_ms, params, kept, trigger)
        self._record_queued(row)
        instance = self._execute(workflow, row)
        instance.inbox.keep_mocked()
        self._observers.instance_created(instance)
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

    def note_source(self, workflow: Workflow, id: str, source: str) -> None:
        """Note who created an instance, where that was neither a binding nor a cron trigger.

        Args:
            workflow: The instance's workflow.
            id: Its id; one that exists no more is let be.
            source: Who did: `api`.
        """
        instance = self.find(workflow, id)
        if instance is not None:
            instance.row.source = source
            self._store.save_instance(instance.row)

    def _record_queued(self, row: InstanceRow) -> None:
        detail = {"trigger": {"source": 0 if row.cron is None else "cron"}}
        self._store.record(row.key, [HistoryRow(WORKFLOW_QUEUED, None, self._clock.now_ms, detail, row.params)])

    def _execute(self, workflow: Workflow, row: InstanceRow) -> Execution:
        script = self.scripts.get((workflow.name, row.id))
        engine = self._engine
        execution = (
            Execution(engine, workflow, row, Step) if script is None else PlayedExecution(engine, workflow, row, script)
        )
        self._executions[workflow.name, row.id] = execution
        return execution

    def _execute_again(self, old: Execution) -> Execution:
        """A new execution from what is stored."""
        row = self._store.find_instance(old.workflow.name, old.row.id)
        assert row is not None
        return self._execute(old.workflow, row)

    # -- slots -------------------------------------------------------------------------------------------------------

    def _admit(self, instance: Execution) -> None:
        """Let an instance run, once its workflow has a slot for it."""
        if self._slots[instance.workflow.name].take(instance.id):
            instance.start()
        else:
            self._activity.progress(instance)

    def _admit_again(self, old: Execution, *, has_begun: bool) -> None:
        """Let an instance run again, once it has a slot: a new execution, from what is stored.

        Args:
            old: The execution before.
            has_begun: Whether it goes on, so that its start is in history already.
        """
        old.change_status("queued")
        instance = self._execute_again(old)
        if has_begun:
            instance.note_begun()
        self._admit(instance)

    def free_slots(self, workflow: Workflow, ids: Iterable[str]) -> None:
        """Free the slots of instances that run no more: as many go on that are queued."""
        for id in self._slots[workflow.name].release(ids):
            self._executions[workflow.name, id].start()

    def _resize_slots(self) -> list[Workflow]:
        """Let workflows have as many slots as their new source says; returns those that have more or fewer."""
        resized = [one for one in self._workflows if one.concurrency != self._slots[one.name].limit]
        for workflow in resized:
            mine = [one for one in self._executions.values() if one.workflow is workflow]
            holders = [one.id for one in mine if self._holds_slot(one)]
            self._slots[workflow.name].resize(workflow.concurrency, holders)
        return resized

    def _holds_slot(self, instance: Execution) -> bool:
        """Whether an instance has a slot, by what is stored of it."""
        status = instance.row.status
        return status in _UNDER_WAY or (status == "paused" and self._has_run(instance))

    def slot_holders(self, workflow: Workflow, id: str) -> list[Execution]:
        """The instances that keep one queued: those that hold its workflow's slots; none where it is not queued."""
        slots = self._slots[workflow.name]
        if not slots.is_queued(id):
            return []
        return [self._executions[workflow.name, holder] for holder in slots.holders]

    # -- what stops them ---------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop every instance that has not ended where it stands; its stored state stays."""
        self._kill([instance for instance in self._executions.values() if not instance.finished])

    def put_down(self) -> None:
        """Count every instance as stopped."""
        for instance in self._executions.values():
            instance.put_down()

    def clear(self) -> None:
        """Forget every instance: the engine is closed."""
        self._left += self._executions.values()
        self._executions.clear()

    def dismantle(self) -> None:
        """Let the executions go that were there when the engine was closed; no code of them runs any more."""
        for execution in self._left:
            execution.dismantle()
        self.let_go("_engine")

    def _kill(self, instances: Iterable[Execution]) -> None:
        """Stop executions as a crash does: nothing of them runs again while the test can see it."""
        stopped = list(instances)
        for instance in stopped:
            instance.put_down()
        self._engine.stop_tasks(stopped)

    def crash(self, workflow: Workflow, id: str, point: FaultPoint | None = None) -> None:
        """Lose an instance's memory and recover it from storage; one that has ended or is queued has nothing to lose.

        Args:
            workflow: The instance's workflow.
            id: Its id.
            point: The fault point that it has come to, for reports.
        """
        instance = self.require(workflow, id)
        if self._is_in_memory(instance):
            self._lose([instance], point)
            self._recover(instance)

    def deploy(
        self, replace: Callable[[], None], first: Instance | None = None, point: FaultPoint | None = None
    ) -> None:
        """Deploy another source: every instance loses its memory, and recovers with that source.

        Args:
            replace: Puts the other source in place of the present one, while no instance is in memory.
            first: The instance that has come to a fault point, and recovers first; None for the usual order.
            point: The fault point, for reports.
        """
        lost = [one for one in self._executions.values() if self._is_in_memory(one)]
        lost.sort(key=lambda one: one is not first)
        self._lose(lost, point)
        self._paths.replaced()
        replace()
        resized = self._resize_slots()
        for instance in lost:
            self._recover(instance)
        for workflow in resized:
            self.free_slots(workflow, [])

    def _is_in_memory(self, instance: Execution) -> bool:
        """Whether an instance has anything to lose."""
        is_queued = self._slots[instance.workflow.name].is_queued(instance.id)
        return not (instance.finished or instance.row.status == "paused" or is_queued)

    def _lose(self, instances: Iterable[Execution], point: FaultPoint | None) -> None:
        for instance in instances:
            instance.give_back()
            self._paths.lost(instance.row.key, self._clock.now_ms, point)
            instance.kill()
            self._observers.crashed(instance)

    def _recover(self, instance: Execution) -> None:
        self._go_on(self._execute_again(instance))

    def _go_on(self, restored: Execution) -> None:
        if restored.row.status == "waitingForPause":
            restored.request_pause()
        else:
            self._admit(restored)
        self._activity.progress(restored)

    def recover(self, workflow: Workflow) -> list[InstanceRow]:
        """Go on with the instances of a workflow that an earlier process has stored.

        Those that ended are there, and those that are paused stay so. The others run again from the top, and get the
        outcomes that are stored; those that were queued do so in their order, as far as there are slots.

        Returns:
            Those that have ended.
        """
        now = self._clock.now_ms
        rows = [row for row in self._store.all_instances() if row.workflow == workflow.name]
        self._store.delete_instances([row.key for row in rows if row.is_expired(now)])
        stored = {row.key: self._execute(workflow, row) for row in rows if not row.is_expired(now)}
        waiting = [stored[row.key] for row in self._store.queued() if row.key in stored]
        for one in stored.values():
            if one.finished and self._engine.is_live:
                one.forget_course()
            if self._holds_slot(one):
                self._slots[workflow.name].restore(one.id)
            if not one.finished:
                self._engine.hazards.recovered(one.row, self._store.events(one.row.key))
        for one in stored.values():
            if one.row.status in _UNDER_WAY:
                self._go_on(one)
        for one in waiting:
            if self._has_begun(one):
                one.note_begun()
            self._admit(one)
        return [one.row for one in stored.values() if one.finished]

    def _has_begun(self, instance: Instance) -> bool:
        """Whether history has its start: an execution that was paused before it began has none yet."""
        return self._has_line(instance, WORKFLOW_START)

    def _has_run(self, instance: Instance) -> bool:
        """Whether it has had a slot since it was created or restarted last: a restart leaves its start in history."""
        return self._has_line(instance, WORKFLOW_RUNNING)

    def _has_line(self, instance: Instance, kind: HistoryKind) -> bool:
        return any(line.kind == kind for line in self._store.lines(instance.row.key))

    # -- the calls of a handle ---------------------------------------------------------------------------------------

    def status(self, workflow: Workflow, id: str) -> JsDict:
        """The answer of a handle's `status()`."""
        return self.status_of(self.require(workflow, id))

    def status_of(self, instance: Instance) -> JsDict:
        """The answer of `status()` for an instance that is at hand, also where no loop runs."""
        return status_answer(instance.row, instance.status, self._store.lines(instance.row.key))

    def pause(self, workflow: Workflow, id: str) -> None:
        """Pause an instance once no callback of it runs; one that has ended stays as it is."""
        self._acted()
        instance = self.require(workflow, id)
        if not instance.finished and instance.row.status not in ("paused", "waitingForPause"):
            is_queued = instance.row.status == "queued"
            instance.request_pause()
            if is_queued:
                self.free_slots(workflow, [id])

    def resume(self, workflow: Workflow, id: str) -> None:
        """Let a paused instance go on; its timers go on from where they were."""
        self._acted()
        instance = self.require(workflow, id)
        if instance.row.status == "waitingForPause":
            instance.cancel_pause()
        elif instance.row.status == "paused":
            self._end_pause(instance.row)
            self._admit_again(instance, has_begun=self._has_begun(instance))

    def _end_pause(self, row: InstanceRow) -> None:
        """Let timers go on from where they were, if they stood still."""
        began = row.end_pause()
        if began is None:
            return
        for step in self._store.steps(row.key):
            if step.due is not None:
                step.shift(self._clock.now_ms - began)
                self._store.record(row.key, [], step)

    def restart(self, workflow: Workflow, id: str, options: JsDict) -> None:
        """Run an instance again, from the top or from a step on.

        Raises:
            JsException: If it never ran that step.
        """
        self._acted()
        instance = self.require(workflow, id)
        if options.keys() - {"from"}:
            raise InvalidArgumentError(f"restart takes {{'from': {{...}}}} or nothing, not {dict(options)!r}.")
        first = self._restart_point(instance, options.get("from"))
        instance.kill()
        self._reject_steps(instance, "restart")
        self._paths.forget(instance.row.key)
        row = instance.row
        self._restarts[row.key] += 1
        self._store.forget_steps(row.key, first)
        self._store.delete_events(row.key)
        self._exceptions.pop(row.key, None)
        row.begin_anew()
        self._end_pause(row)
        if not first:
            self._record_queued(row)
        instance.modifications.forget_answers({step.key for step in self._store.steps(row.key)})
        self._observers.restarted(instance, whole=not first)
        instance.inbox.keep_mocked()
        self._admit_again(instance, has_begun=bool(first))

    def _restart_point(self, instance: Instance, point: object) -> int:
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
        steps = self._store.steps(instance.row.key)
        found = [step for step in steps if (step.key.kind, step.key.name) == (kind, point["name"])]
        if len(found) < count:
            raise JsException("Error", CANNOT_RESTART.format(name=point["name"]))
        return found[count - 1].seq

    def terminate(self, workflow: Workflow, id: str) -> None:
        """End an instance now.

        Raises:
            JsException: If it has ended already.
        """
        self._acted()
        instance = self.require(workflow, id)
        if instance.finished:
            raise JsException("Error", CANNOT_TERMINATE)
        self._end_pause(instance.row)
        instance.terminate()
        self._reject_steps(instance, "terminate")

    def delete(self, workflow: Workflow, id: str) -> None:
        """Delete an instance and everything that is stored of it, its modifications included."""
        self._acted()
        self.discard(workflow, [id])

    def discard(self, workflow: Workflow, ids: Iterable[str]) -> None:
        """Stop instances and leave nothing of them; ids that do not exist lose their modifications."""
        if self._engine.closed:
            return
        wanted = [(workflow.name, id) for id in ids]
        gone = [self._executions.pop(key) for key in wanted if key in self._executions]
        self._kill(gone)
        self._store.delete_instances([instance.row.key for instance in gone])
        for instance in gone:
            self._exceptions.pop(instance.row.key, None)
            self._restarts.pop(instance.row.key, None)
            self._paths.forget(instance.row.key)
            self._engine.forget(instance.row.key)
            self._reject_steps(instance, "delete")
            self._activity.progress(instance)
            self._observers.instance_discarded(instance.row)
            if not self._engine.is_live and instance.is_still:
                instance.dismantle()
        for key in wanted:
            modifications = self._modifications.pop(key, None)
            if modifications is not None:
                modifications.drop_timers()
            self.scripts.pop(key, None)
        self.free_slots(workflow, [id for _, id in wanted])

    def row_of(self, key: tuple[str, str]) -> InstanceRow | None:
        """The state of an instance, by its workflow's binding name and its id; None where there is none."""
        instance = self._executions.get(key)
        return None if instance is None else instance.row

    def expire(self, keys: Iterable[tuple[str, str]]) -> None:
        """Discard instances that are kept no longer, by their workflow's binding name and their id."""
        by_workflow: dict[Workflow, list[str]] = {}
        for key in keys:
            by_workflow.setdefault(self._executions[key].workflow, []).append(key[1])
        for workflow, ids in by_workflow.items():
            self.discard(workflow, ids)

    # -- time by hand ------------------------------------------------------------------------------------------------

    def hasten(self, workflow: Workflow, id: str, key: StepKey) -> None:
        """Let what a step waits for be now: a sleep is over, the next attempt begins, a wait times out.

        Raises:
            JsException: If there is no such instance.
            EngineError: If the step waits for nothing.
        """
        self._acted()
        instance = self.require(workflow, id)
        operation = instance.operations.get(key)
        if instance.closed or operation is None or not operation.is_waiting:
            raise EngineError(_why_not_hastened(instance, key))
        operation.hasten()
        self._activity.progress(instance)

    def _acted(self) -> None:
        self._waits.acted()

    def _reject_steps(self, instance: Instance, call: str) -> None:
        self._waits.reject_steps(
            instance.key,
            InstanceEndedError(
                f"The wait for a step of instance {instance.id!r} is over: {call}() was called, which ended the "
                "run that it belonged to. Wait again for the step of the new one."
            ),
        )
        self._activity.progress(instance)

    # -- events ------------------------------------------------------------------------------------------------------

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
        self._acted()
        instance = self.require(workflow, id)
        if not instance.finished:
            self._observers.event_sent(instance, event_type, payload)
            instance.inbox.receive(event_type, payload, mocked=False)
        elif place is not None:
            self._observers.event_lost(instance, event_type, place)

    def await_late_events(self, key: tuple[str, str], event_type: str) -> None:
        """Note that a wait has begun: mocked events of its type that come later are on their way from now on.

        Args:
            key: The instance: its workflow's binding name, and its id.
            event_type: The type that is waited for.
        """

        def schedule(ms: int, action: Callable[[], None]) -> Timer:
            return self._engine.schedule(self._clock.now_ms + ms, action, what=f"the mocked event {event_type!r}")

        def send(payload: bytes) -> None:
            self._executions[key].inbox.receive(event_type, payload, mocked=True)

        self._modifications[key].wait_began(event_type, schedule, send)

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
                change = one.change
                if isinstance(change, MockEvent):
                    instance.inbox.receive(change.event_type, change.payload, mocked=True)
                elif isinstance(change, MockLateEvent) and instance.inbox.has_wait(change.event_type):
                    self.await_late_events(instance.key, change.event_type)


def _why_not_hastened(instance: Execution, key: StepKey) -> str:
    """The reason why a step of an instance waits for nothing that could be now."""
    what = f"Step {key.label!r} of instance {instance.id!r} waits for nothing that could come now: "
    status = instance.row.status
    if instance.finished:
        return f"{what}the instance has ended ({status})."
    if status in ("paused", "queued"):
        return f"{what}the instance is {status}."
    row, operation = instance.ledger.stored(key), instance.operations.get(key)
    if row is None:
        waiting = [repr(one.row.key.label) for one in instance.operations.values() if one.is_waiting]
        return f"{what}the instance has not asked for it. Those that wait: {', '.join(waiting) or 'none'}."
    if operation is None and row.ended_at is None:
        return f"{what}`run` has not asked for it since it was last begun anew, by a deploy or a start."
    if operation is None:
        return f"{what}it is over ({row.status})."
    return f"{what}{'it has come already' if row.status == 'waiting' else f'attempt {row.attempts} is at work'}."
