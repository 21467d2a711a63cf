"""effect-outside-step: `run` calls a service itself, so that every replay calls it again."""

from __future__ import annotations

from durable_engine import Effect, Instance

from .analysis.call_names import shown
from .base import RuleObserver
from .registry import register


@register(
    "effect-outside-step",
    consequence="every replay of `run` does it again",
    remedy="do it inside a step",
)
class EffectOutsideStep(RuleObserver):
    """Looks at calls that no callback makes."""

    def effect(self, instance: Instance, effect: Effect) -> None:
        """A service was called."""
        if effect.step is not None:
            return
        place = self._sources.place_of_caller()
        if place is not None:
            called = shown(effect)
            self.report(f"`run` calls {called} outside of a step", place, instance.workflow, about=called)
