"""Hazards: where the vendor's newest local engine departs from the documentation, and a workflow would be hurt.

An instance goes on here as documented, and a finding `engine-hazard` says what that engine would do. What it does was
found by running it; docs/reference/rules/engine-hazard.md shows each of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import msgspec

from durable_engine.errors import PAST_SLEEP
from durable_engine.instance import ClockReader, Instance
from durable_engine.model import Place, StepKey
from durable_engine.rows import EventRow, InstanceRow, StepRow
from durable_engine.storage.store import Store

from .findings import Findings
from .observers import Observer

RULE = "engine-hazard"
ENGINE = "miniflare 5.20261117.0-beta (workerd 1.20261117.1, wrangler 4.164.0)"
_PAGE = "docs/reference/rules/engine-hazard.md"


class Hazard(msgspec.Struct, frozen=True):
    """A behaviour of the vendor's engine that its documentation does not mention.

    Attributes:
        name: The heading of its section on the rule's page.
        effect: The engine's behaviour, a clause that goes on from its name.
        remedy: How to write it instead, a clause.
    """

    name: str
    effect: str
    remedy: str


SLEEP_UNTIL = Hazard(
    "sleep-until",
    f'ends the instance with "{PAST_SLEEP}"; so does the engine of vitest-pool-workers 0.23.0',
    "let a step return the milliseconds that are left, and give them to step.sleep: a replay finds a sleep again by "
    "its name and duration",
)
EVENT_TWICE = Hazard(
    "event-twice",
    "delivers an event to it that another wait has taken",
    'give each wait an event type of its own, such as f"approval-{round}"',
)
EVENT_ORDER = Hazard(
    "event-order",
    "delivers more than ten kept events in the order 0, 1, 10, 11, 2 and so on",
    "send what belongs together as one event, or give each wait an event type of its own",
)
RESTART_ENDS_SLEEP = Hazard(
    "restart-ends-sleep",
    "ends that sleep at once",
    "await the sleep before the step that is restarted from, or restart from the sleep itself",
)
PAUSE_REJECTS = Hazard(
    "pause-rejects",
    'lets it raise "Aborting engine: User called pause", so that what is caught runs on while the instance is paused, '
    "and after the resume `run` goes on as if nothing had been raised",
    'let the pause pass, with `if "User called pause" in str(error): raise`',
)
EVENT_LOST = Hazard(
    "event-lost",
    "accepts it, and nobody ever learns of it",
    "look at `await instance.status()` before, give every event a type, and tell the sender that it came too late",
)

HAZARDS = (SLEEP_UNTIL, EVENT_TWICE, EVENT_ORDER, RESTART_ENDS_SLEEP, PAUSE_REJECTS, EVENT_LOST)
"""The hazards, in the order of the rule's page."""


class _Events(msgspec.Struct):
    """The events of an instance as that engine keeps them.

    Attributes:
        memory: The events that waits can take, by type, oldest first.
        storage: The stored events, by type and place in the queue. A place is written anew, but never cleared.
        taken: The events that waits have taken.
        shortened: The types whose queues have got shorter since they were stored.
        apart: The types of which that engine has delivered another event than we.
        places: Where each wait stands in the source.
        is_lost: Whether a pause or a crash has emptied the memory.
    """

    memory: dict[str, deque[int]] = msgspec.field(default_factory=dict)
    storage: dict[str, dict[int, int]] = msgspec.field(default_factory=dict)
    taken: set[int] = msgspec.field(default_factory=set)
    shortened: set[str] = msgspec.field(default_factory=set)
    apart: set[str] = msgspec.field(default_factory=set)
    places: dict[StepKey, Place] = msgspec.field(default_factory=dict)
    is_lost: bool = False

    def keep(self, event_type: str, event: int) -> None:
        """Keep an event that has arrived: every queue is stored as it stands."""
        queue = self.memory.setdefault(event_type, deque())
        queue.append(event)
        self.storage.setdefault(event_type, {})[len(queue) - 1] = event
        for changed in self.shortened:
            self.storage[changed].update(enumerate(self.memory[changed]))
        self.shortened.clear()

    def recover(self) -> None:
        """Read the queues back from storage, in the order of its keys, which are texts."""
        self.memory = {
            event_type: deque(events[place] for place in sorted(events, key=str))
            for event_type, events in self.storage.items()
        }
        self.shortened.clear()
        self.is_lost = False

    def first(self, event_type: str) -> int | None:
        """The event that a wait for that type would get now."""
        queue = self.memory.get(event_type)
        return queue[0] if queue else None

    def take(self, event_type: str) -> None:
        """Hand the first event to a wait."""
        self.taken.add(self.memory[event_type].popleft())
        self.shortened.add(event_type)


class Hazards(Observer):
    """An observer that notices where the vendor's engine would do something else.

    Args:
        findings: Where findings go.
        clock: The engine's clock.
        store: The engine's storage.
    """

    def __init__(self, findings: Findings, clock: ClockReader, store: Store) -> None:
        self._findings = findings
        self._clock = clock
        self._store = store
        self._events: dict[int, _Events] = {}
        self._until: dict[int, dict[StepKey, int]] = {}
        self._reported: set[tuple[str, Place]] = set()

    def report(self, hazard: Hazard, noticed: str, place: Place, *, workflow: str, step: StepKey | None = None) -> None:
        """Keep a finding, one for each hazard and place.

        Args:
            hazard: The hazard.
            noticed: The object of the hazard, a clause.
            place: File and line of the user's source.
            workflow: The workflow's binding name.
            step: The step that it is about.
        """
        if (hazard.name, place) in self._reported:
            return
        self._reported.add((hazard.name, place))
        self._findings.add(
            RULE,
            f"{noticed}: {ENGINE} {hazard.effect}",
            place,
            step=None if step is None else step.label,
            workflow=workflow,
            about=hazard.name,
            remedy=f"{hazard.remedy} ({_PAGE}#{hazard.name})",
        )

    # -- sleep_until -------------------------------------------------------------------------------------------------

    def has_passed(self, instance: Instance, key: StepKey, until: int, row: StepRow | None) -> bool:
        """Whether a `sleep_until` comes too late: it was asked for before, and its time has passed since.

        Args:
            instance: The instance whose `run` asks for it.
            key: The sleep.
            until: The time, in epoch milliseconds.
            row: The row that an earlier execution has stored; None where none has asked for it.
        """
        if row is None:
            self._until.setdefault(instance.row.key, {})[key] = until
            return False
        now, asked_for = self._clock.now_ms, self._until.get(instance.row.key, {}).get(key)
        # What is over is replayed later than its time, however fast the clock of a test was.
        return until < now or (row.status == "complete" and until in (now, asked_for))

    def report_passed(self, instance: Instance, key: StepKey, place: Place) -> None:
        """Keep a finding: a `sleep_until` comes too late."""
        noticed = f"the time of sleep_until {key.label!r} has passed when `run` is replayed"
        self.report(SLEEP_UNTIL, noticed, place, workflow=instance.workflow.name, step=key)

    def forget(self, key: int) -> None:
        """Forget an instance, by the key of its row: it is gone."""
        self._until.pop(key, None)
        self._events.pop(key, None)

    # -- events ------------------------------------------------------------------------------------------------------

    def execution_ended(self, instance: Instance) -> None:
        """Forget the memory of an execution, whatever ended it."""
        self._events_of(instance.row).is_lost = True

    def begin(self, row: InstanceRow) -> None:
        """Begin an execution: read back the events that an earlier one had in memory."""
        events = self._events_of(row)
        if events.is_lost:
            events.recover()

    def instance_finished(self, instance: Instance) -> None:
        """Forget the instance: no wait takes an event any more."""
        self._events.pop(instance.row.key, None)

    def event_kept(self, row: InstanceRow, event_type: str, event: int) -> None:
        """Keep an event that has arrived."""
        self._events_of(row).keep(event_type, event)

    def wait_started(self, instance: Instance, wait: StepKey, event_type: str, place: Place) -> None:
        """Note that a wait begins, which gets a kept event at once."""
        events = self._events_of(instance.row)
        events.places[wait] = place
        if events.first(event_type) in events.taken:
            self._report_other(instance, wait, event_type, events)

    def recovered(self, row: InstanceRow, events: Iterable[EventRow]) -> None:
        """Take down the events of an instance that an earlier process has kept.

        Args:
            row: The instance.
            events: Its events that nothing has taken, oldest first.
        """
        kept = self._events_of(row)
        for event in events:
            kept.keep(event.type, event.seq)
        kept.is_lost = True

    def event_taken(self, instance: Instance, wait: StepKey, event_type: str, event: int) -> None:
        """Compare the event that a wait takes here with the first of the other engine's queue."""
        events = self._events_of(instance.row)
        if event_type in events.apart:
            return
        if events.first(event_type) == event:
            events.take(event_type)
        else:
            self._report_other(instance, wait, event_type, events)

    def _report_other(self, instance: Instance, wait: StepKey, event_type: str, events: _Events) -> None:
        """Keep a finding: the wait would get another event. What later waits would get is not known any more."""
        if event_type in events.apart:
            return
        events.apart.add(event_type)
        is_twice = events.first(event_type) in events.taken
        what = "was taken" if is_twice else "was kept with ten others"
        self.report(
            EVENT_TWICE if is_twice else EVENT_ORDER,
            f"the wait {wait.label!r} for {event_type!r} begins after a pause or a crash before which an event of that "
            f"type {what}",
            events.places[wait],
            workflow=instance.workflow.name,
            step=wait,
        )

    def _events_of(self, row: InstanceRow) -> _Events:
        return self._events.setdefault(row.key, _Events())

    def event_lost(self, instance: Instance, event_type: str | None, place: Place) -> None:
        """Keep a finding: an event was sent that no wait can take."""
        if event_type is None:
            noticed = f"an event without a type was sent to instance {instance.id!r}"
        else:
            status = instance.row.status
            noticed = f"the event {event_type!r} was sent to instance {instance.id!r}, which has ended ({status})"
        self.report(EVENT_LOST, noticed, place, workflow=instance.workflow.name)

    # -- restart -----------------------------------------------------------------------------------------------------

    def restarted(self, instance: Instance, *, whole: bool) -> None:
        """Forget the kept events; sleeps before the step that are under way stay."""
        key = instance.row.key
        self._events.pop(key, None)
        if whole:
            return
        places = {ask.key: ask.place for ask in instance.path}
        for step in self._store.steps(key):
            if step.key.kind == "sleep" and step.status == "waiting" and step.key in places:
                noticed = (
                    f"the sleep {step.key.label!r} is under way while the instance is restarted from a step behind it"
                )
                self.report(
                    RESTART_ENDS_SLEEP, noticed, places[step.key], workflow=instance.workflow.name, step=step.key
                )
