"""effect-outside-step: `run` calls a service itself, so that every replay calls it again."""

from __future__ import annotations

from durable_engine import Effect, Instance

from .analysis.call_names import shown
from .base import RuleObserver


class EffectOutsideStep(RuleObserver):
    """Looks at calls that no callback makes."""

    rule = "effect-outside-step"

    def effect(self, instance: Instance, effect: Effect) -> None:
        """A service was called."""
        if effect.step is not None:
            return
        place = self._sources.place_of_caller()
        if place is not None:
            called = shown(effect)
            self.report(f"`run` calls {called} outside of a step", place, instance, about=called)
