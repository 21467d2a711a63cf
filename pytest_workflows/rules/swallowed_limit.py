"""swallowed-limit: a step caught the error of a subrequest that was one too many, and succeeded without it."""

from __future__ import annotations

from typing import Any

from durable_engine import CallbackRun, Instance

from .base import RuleObserver
from .registry import register

_WORDS = {"fetch": "request", "service": "call of a binding"}


@register(
    "swallowed-limit",
    consequence="every further request of the instance is refused as well, and what they were for is missing without a "
    "word",
    remedy="let the error end the step, and do less in one instance: create further ones for parts of the work, ask "
    "for several things in one request, or raise limits.subrequests of the wrangler configuration",
)
class SwallowedLimit(RuleObserver):
    """An observer that looks, when a callback returns, whether one of its requests was refused."""

    def callback_returned(self, instance: Instance, run: CallbackRun, value: Any, data: bytes) -> None:
        """Add a finding if one was."""
        refused = instance.usage.refused.get((run.key, run.attempt))
        if refused is None:
            return
        kind, place = refused
        message = (
            f"step {run.key.label!r} succeeds, though a {_WORDS[kind]} of it was refused: the instance may make "
            f"{self._engine.limits.of_subrequests[kind]:,}, and the error was caught"
        )
        self.report(message, place, instance.workflow, step=run.key.label)
