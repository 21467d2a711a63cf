"""overlapping-attempts: a retry begins while the callback of the attempt that timed out still runs."""

from __future__ import annotations

from durable_engine import CallbackRun, Instance

from .base import RuleObserver
from .registry import register


@register(
    "overlapping-attempts",
    consequence="the platform does not cancel a callback that timed out: two attempts run at once",
    remedy="give what the callback waits for a timeout of its own, shorter than the step's",
)
class OverlappingAttempts(RuleObserver):
    """An observer of overlaps, which the engine has as the platform: it does not cancel a callback either."""

    def attempt_overlapped(self, instance: Instance, run: CallbackRun) -> None:
        """Add a finding if the callback that still runs is the Worker's."""
        if self.is_workers(run):
            message = (
                f"a retry of step {run.key.label!r} begins, and the callback of attempt {run.attempt}, "
                "which timed out, still runs"
            )
            self.report(message, run.place, instance.workflow, step=run.key.label)
