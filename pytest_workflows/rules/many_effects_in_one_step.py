"""many-effects-in-one-step: one attempt of a step calls more than one service."""

from __future__ import annotations

from durable_engine import CallbackRun, Effect, Engine, Instance, StepKey
from pytest_workflows.bindings.call_log import is_standin
from pytest_workflows.sources.worker_code import Sources

from .base import RuleObserver
from .registry import register


@register(
    "many-effects-in-one-step",
    consequence="when the second call fails, the retry makes the first one again",
    remedy="make a step of each call",
)
class ManyEffectsInOneStep(RuleObserver):
    """An observer that keeps the first call of each attempt, and compares the further ones with it."""

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._calls: dict[tuple[int, StepKey, int | None], Effect] = {}

    def effect(self, instance: Instance, effect: Effect) -> None:
        """Add a finding if an earlier call of the attempt was on another service."""
        if effect.step is None:
            return
        from .analysis.call_names import describe_call
        from .analysis.idempotency import classify_call

        if is_standin(self._engine, effect.service) and classify_call(effect) == "harmless":
            return  # an upsert and a put under the same key leave what one of each leaves
        place = self._sources.place_of_caller()
        if place is None:
            return
        first = self._calls.setdefault((instance.row.key, effect.step, effect.attempt), effect)
        if first.service != effect.service and self.is_first_of(first.place):
            message = (
                f"one attempt of step {effect.step.label!r} calls {describe_call(first)} and {describe_call(effect)}"
            )
            self.report(message, place, instance.workflow, step=effect.step.label)

    def callback_ended(self, instance: Instance, run: CallbackRun) -> None:
        """Forget the attempt, which is over."""
        self._calls.pop((instance.row.key, run.key, run.attempt), None)
