"""cpu-limit: a step's own code keeps the processor busy for longer than the plan allows."""

from __future__ import annotations

from durable_engine import CallbackRun, Instance

from .base import RuleObserver
from .registry import register


@register(
    "cpu-limit",
    consequence="the platform ends the step there, with `Worker exceeded CPU time limit.`; its Python is slower than "
    "this one, so that it takes more there",
    remedy="make several steps of it, have a service do it, or on the paid plan raise limits.cpu_ms of the wrangler "
    "configuration",
    is_advice=True,
)
class CpuLimit(RuleObserver):
    """An observer that compares what each attempt took with the limit, once a place."""

    def callback_ended(self, instance: Instance, run: CallbackRun) -> None:
        """Add a finding if the attempt took more."""
        limit = self._engine.limits.cpu_ms
        took = instance.usage.cpu_ns[run.key] / 1_000_000
        if limit is not None and took > limit and self.is_first_of(run.place):
            message = (
                f"step {run.key.label!r} took {took:,.0f} ms of processor time here, {took / limit:,.1f} times "
                f"the {limit:,} ms of its limit"
            )
            self.report(message, run.place, instance.workflow, step=run.key.label)
