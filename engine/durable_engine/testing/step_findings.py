"""Findings of the engine itself, about steps: never awaited, abandoned, or with a misread duration."""

from __future__ import annotations

import warnings

from durable_engine.errors import WorkflowDurationWarning
from durable_engine.model import Place, StepKey
from durable_engine.workflow import Workflow

from .findings import Findings


class StepFindings:
    """The findings about steps of an engine's instances.

    Args:
        findings: Where findings go.

    Attributes:
        refused: The warnings that were errors where they were raised: the test fails at its end for them.
        warned_durations: The misread durations that were warned of; several engines may share it, so that each is
            warned of once.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.refused: list[Warning] = []
        self.warned_durations: set[tuple[str, int, str]] = set()

    def misread_duration(self, text: str, place: Place) -> None:
        """Warn, once a place, of a duration whose unit the platform does not know."""
        file, line = place
        finding = self._findings.add("duration-unit", f"{text!r} counts as milliseconds", place, about=text)
        if finding is None or (file, line, text) in self.warned_durations:
            return
        warning = WorkflowDurationWarning(
            f"{text!r} counts as milliseconds in production: its unit is not one that the platform knows "
            f"({file}:{line}). Use second, minute, hour, day, week, month or year, in lower case."
        )
        try:
            warnings.warn_explicit(warning, WorkflowDurationWarning, file, line)
        except Warning as raised:
            # With warnings as errors: a finding never raises inside user code, the test fails at its end.
            self.refused.append(raised)
        else:
            self.warned_durations.add((file, line, text))

    def abandoned_wait(self, key: StepKey, event_type: str, place: Place, workflow: Workflow) -> None:
        """Keep a finding: a wait whose task was cancelled stays, and takes the next event."""
        self._findings.add(
            "abandoned-wait",
            f"the wait {key.label!r} for the event {event_type!r} was cancelled while it waited",
            place,
            step=key.label,
            workflow=workflow.name,
        )

    def missing_await(self, what: str, place: Place, workflow: Workflow) -> None:
        """Keep a finding: nobody awaited a step."""
        self._findings.add("missing-await", f"{what} was never awaited", place, workflow=workflow.name)
