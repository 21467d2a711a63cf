"""The instances in flight at a deploy: what the new source does with the steps that the old one had begun."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import zip_longest
from math import inf
from typing import TYPE_CHECKING, Any

import msgspec

from durable_engine import Observer
from durable_engine.history import FINAL_STATUSES, STEP_ENDS, STEP_STARTS
from pytest_workflows.exploration.branches import Branches
from pytest_workflows.exploration.in_flight import InFlight, put_in_flight
from pytest_workflows.exploration.judgement import BegunStep

if TYPE_CHECKING:
    from pathlib import Path

    from durable_engine import Ask, Engine, Instance, InstanceRow, Place, StepKey
    from pytest_workflows.exploration.judgement import PathDifference

Key = tuple[str, str]
_MOST = 200
_AROUND = 5
_WIDEST = 60


class Divergence(msgspec.Struct, frozen=True):
    """An instance that went another way than before, after a deploy.

    Attributes:
        version: The number of the version that was deployed.
        at: When it was noticed, in milliseconds since 1970.
        workflow: Its workflow's binding.
        id: Its id.
        summary: What is different, in a sentence.
        table: The steps before and after the deploy, side by side.
    """

    version: int
    at: int
    workflow: str
    id: str
    summary: str
    table: str


class Flights(Observer):
    """Follows the instances through deploys.

    Args:
        engine: The engine.
        root: The folder that places are shown from.
        notify: Called with each divergence, once an instance.

    Attributes:
        divergences: The last ones, the oldest first.
    """

    def __init__(self, engine: Engine, root: Path, notify: Callable[[Divergence], None]) -> None:
        self._engine = engine
        self._root = root
        self._notify = notify
        self._version = 0
        self._branches: dict[Key, Branches] = {}
        self._flights: dict[Key, InFlight] = {}
        self.divergences: list[Divergence] = []

    def before_deploy(self) -> None:
        """Note where each instance stands, before it loses its memory."""
        live = [one for one in self._engine.instances if not one.finished]
        self._flights = {
            one.key: put_in_flight(self._engine, one, self._branches.get(one.key, Branches())) for one in live
        }
        self._branches = {}

    def before_recovery(self, version: int) -> None:
        """Note where stored instances stand, whose source has changed since the process before.

        Args:
            version: The number of the version that goes on with them.
        """
        self._version = version
        live = [row for row in self._engine.store.all_instances() if row.status not in FINAL_STATUSES]
        self._flights = {(row.workflow, row.id): _stored_flight(self._engine, row) for row in live}

    def after_deploy(self, version: int, bound: set[str]) -> None:
        """Say what becomes of instances whose workflow is not there any more.

        Args:
            version: The number of the version that was deployed.
            bound: The bindings that it has.
        """
        self._version = version
        for key in [key for key in self._flights if key[0] not in bound]:
            flight = self._flights.pop(key)
            summary = "its workflow is not in the new source; it goes on with the source that it has"
            self._add(key, summary, _table(flight, self._root))

    # -- what happens --------------------------------------------------------------------------------------------------

    def execution_started(self, instance: Instance, event: Any) -> None:
        """An execution begins."""
        flight = self._flights.get(instance.key)
        if flight is not None:
            flight.begin()
        self._branches[instance.key] = Branches()

    def step_asked(self, instance: Instance, ask: Ask) -> None:
        """The source asks for a step."""
        if instance.replaying:
            return
        self._branches.setdefault(instance.key, Branches()).ask(ask)
        flight = self._flights.get(instance.key)
        if flight is not None:
            flight.ask(ask)
            self._check(instance.key, flight)

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """A step has an outcome."""
        self._branches.setdefault(instance.key, Branches()).answer(step)
        flight = self._flights.get(instance.key)
        if flight is not None:
            flight.answer(step)

    def instance_finished(self, instance: Instance) -> None:
        """An instance goes no further: what it has not asked for by now, it never will."""
        self._branches.pop(instance.key, None)
        flight = self._flights.pop(instance.key, None)
        if flight is not None and instance.status != "terminated":
            flight.finish()
            self._check(instance.key, flight)

    def restarted(self, instance: Instance, *, whole: bool) -> None:
        """An instance begins anew, with the new source."""
        self._flights.pop(instance.key, None)

    def instance_discarded(self, row: InstanceRow) -> None:
        """An instance is deleted: another one of its id has a path of its own."""
        self._branches.pop((row.workflow, row.id), None)
        self._flights.pop((row.workflow, row.id), None)

    def _check(self, key: Key, flight: InFlight) -> None:
        if flight.difference is not None:
            self._flights.pop(key, None)
            self._add(key, _summary(flight.difference), _table(flight, self._root, flight.difference))

    def _add(self, key: Key, summary: str, table: str) -> None:
        found = Divergence(self._version, self._engine.clock.now_ms, *key, summary, table)
        self.divergences.append(found)
        del self.divergences[:-_MOST]
        self._notify(found)


def _stored_flight(engine: Engine, row: InstanceRow) -> InFlight:
    """What storage alone knows of an instance: not which steps callbacks asked for, and those are no part of its path.

    A callback's steps begin and end within its own step; so does now and then one that ran beside it, which is left out
    as well.
    """
    store = engine.store
    starts, ends = store.ranks(row.key, STEP_STARTS), store.ranks(row.key, STEP_ENDS)
    steps = [
        BegunStep(step.key, starts.get(step.key, -inf), ends.get(step.key, inf))
        for step in store.steps(row.key)
        if step.key.kind != "do" or step.attempts
    ]
    callbacks = [step for step in steps if step.key.kind == "do"]
    begun = [one for one in steps if not any(step.began < one.began and one.ended < step.ended for step in callbacks)]
    return InFlight(begun, frozenset(), {}, Branches())


def _summary(difference: PathDifference) -> str:
    old, new = difference.old, difference.new
    now = "" if new is None else _named(new)
    if difference.kind == "renamed":
        return f"{_named(old)} was begun; the new source does not ask for it, and does {now} in its place"
    if difference.kind == "changed sleep":
        return f"{_named(old)} was begun; the new source asks for a sleep of another length, and sleeps again"
    if difference.kind == "lost":
        return f"{_named(old)} was begun, and the new source never asks for it"
    if difference.kind == "reordered":
        return f"{_named(old)} was done first, and the new source asks for {now} before it"
    return f"{_named(old)} was begun; the new source wants {now} before it, and does it only now"


def _table(flight: InFlight, root: Path, difference: PathDifference | None = None) -> str:
    """Both sequences side by side, the first difference marked."""
    before = [(step.key, flight.old_places.get(step.key)) for step in flight.begun]
    after = list(flight.new_places.items())
    first = _first_difference([key for key, _ in before], [key for key, _ in after], difference)
    start = max(0, first - _AROUND)
    rows = list(zip_longest(before[start : first + _AROUND + 1], after[start : first + _AROUND + 1]))
    left = [_cell(one, root) for one, _ in rows]
    width = min(_WIDEST, max([len("before the deploy"), *map(len, left)]))
    lines = [f"   {'before the deploy':<{width}}   now"]
    if start:
        lines.append(f"   ... {start} more alike")
    for number, (text, (_, other)) in enumerate(zip(left, rows, strict=True), start):
        mark = "->" if number == first else "  "
        lines.append(f"{mark} {text:<{width}}   {_cell(other, root)}".rstrip())
    return "\n".join(lines)


def _first_difference(before: list[StepKey], after: list[StepKey], difference: PathDifference | None) -> int:
    if difference is not None and difference.old in before:
        return before.index(difference.old)
    pairs = enumerate(zip_longest(before, after))
    return next((number for number, (old, new) in pairs if old != new), len(before))


def _cell(entry: tuple[StepKey, Place | None] | None, root: Path) -> str:
    if entry is None:
        return "-"
    key, place = entry
    return _named(key) + ("" if place is None else f"  {_place(place, root)}")


def _named(key: StepKey) -> str:
    from pytest_workflows.recordings.playback.divergence import call

    return call(key, with_duration=True)


def _place(place: Place, root: Path) -> str:
    file, line = place
    return f"{os.path.relpath(file, root) if file.startswith(str(root)) else file}:{line}"
