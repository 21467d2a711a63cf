"""effect-outside-step: `run` calls a service outside of its steps, so that every replay calls it again."""

from __future__ import annotations

from durable_engine import Effect, Instance

from .base import RuleObserver
from .registry import register


@register(
    "effect-outside-step",
    consequence="every replay of `run` does it again",
    remedy="do it inside a step",
)
class EffectOutsideStep(RuleObserver):
    """An observer of the calls on services that no callback makes."""

    def effect(self, instance: Instance, effect: Effect) -> None:
        """Add a finding if the call on a service is no step's."""
        if effect.step is not None:
            return
        place = self._sources.place_of_caller()
        if place is not None:
            from .analysis.call_names import describe_call

            called = describe_call(effect)
            self.report(f"`run` calls {called} outside of a step", place, instance.workflow, about=called)
