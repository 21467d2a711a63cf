"""many-effects-in-one-step: one attempt of a step calls more than one service."""

from __future__ import annotations

from durable_engine import CallbackRun, Effect, Engine, Instance, Place, StepKey
from pytest_workflows.sources.worker_code import Sources

from .base import RuleObserver
from .calls import shown


class ManyEffectsInOneStep(RuleObserver):
    """Remembers the first call of each attempt."""

    rule = "many-effects-in-one-step"

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._calls: dict[tuple[int, StepKey, int | None], Effect] = {}
        self._reported: set[Place] = set()

    def effect(self, instance: Instance, effect: Effect) -> None:
        """A service was called."""
        if effect.step is None:
            return
        place = self._sources.place_of_caller()
        if place is None:
            return
        first = self._calls.setdefault((instance.row.key, effect.step, effect.attempt), effect)
        # Of a step that a loop declares, and of the further calls of an attempt, one finding says all.
        if first.service != effect.service and first.place not in self._reported:
            self._reported.add(first.place)
            message = f"one attempt of step {effect.step.label!r} calls {shown(first)} and {shown(effect)}"
            self.report(message, place, instance, step=effect.step.label)

    def callback_ended(self, instance: Instance, run: CallbackRun) -> None:
        """The attempt is over."""
        self._calls.pop((instance.row.key, run.key, run.attempt), None)
