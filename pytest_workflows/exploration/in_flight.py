"""An instance that is in flight when today's source is deployed, and what today's source asks for when it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from durable_engine.history import STEP_ENDS, STEP_STARTS

from .branches import Branches
from .judgement import BegunStep, Judgement, PathDifference
from .source_run import places_of

if TYPE_CHECKING:
    from durable_engine import Ask, Engine, Instance, Place, StepKey


@dataclass(eq=False)
class InFlight:
    """An instance that is in flight when today's source is deployed.

    Attributes:
        begun: The steps that the older source had begun, in order.
        lost: Those of them that were under way, whose attempts are made again.
        old_places: Where the older source has its steps.
        old_branches: The branches of the older source's execution.
        new_places: Where today's source has its steps.
        judgement: The judgement of the steps that today's source asks for.
        branches: The branches of today's execution.
        answered: The new steps that have an outcome.
        difference: The first step that is not taken up as it was left.
        is_orphan: Whether today's source has no such workflow.
    """

    begun: list[BegunStep]
    lost: frozenset[StepKey]
    old_places: Mapping[StepKey, Place]
    old_branches: Branches
    new_places: dict[StepKey, Place] = field(default_factory=dict)
    judgement: Judgement = field(init=False)
    branches: Branches = field(init=False)
    answered: list[StepKey] = field(default_factory=list)
    difference: PathDifference | None = None
    is_orphan: bool = False

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """An execution of today's source begins."""
        self.judgement = Judgement(self.begun, self.old_branches.may_wait)
        self.branches = Branches()
        self.answered = []

    def ask(self, ask: Ask) -> None:
        """Today's source asks for a step."""
        self.new_places.setdefault(ask.key, ask.place)
        self.branches.ask(ask)
        answered = [key for key in self.answered if self.branches.may_wait(ask.key, key)]
        difference = self.judgement.ask(ask.key, answered)
        self.difference = self.difference or difference

    def finish(self) -> None:
        """Today's source goes no further."""
        # What is never asked for says more than an order, which a crash alone may change as well.
        self.difference = self.judgement.finish() or self.difference

    def answer(self, key: StepKey) -> None:
        """A step has an outcome."""
        self.branches.answer(key)
        if key in self.judgement.new and key not in self.answered:
            self.answered.append(key)


def put_in_flight(engine: Engine, instance: Instance, branches: Branches) -> InFlight:
    """What is known of an instance at the moment when today's source is deployed.

    Args:
        engine: The engine.
        instance: The instance, which has not ended.
        branches: The branches of its execution so far.
    """
    key, store = instance.row.key, engine.store
    places = places_of(engine.paths.executions(key))
    starts, ends = store.ranks(key, STEP_STARTS), store.ranks(key, STEP_ENDS)
    steps = store.steps(key)
    begun = [
        BegunStep(step.key, starts.get(step.key, float("-inf")), ends.get(step.key, float("inf")))
        for step in steps
        if step.key in places and (step.key.kind != "do" or step.attempts)
    ]
    lost = [step.key for step in steps if step.status == "running" and step.attempts]
    return InFlight(begun, frozenset(lost), places, branches)
