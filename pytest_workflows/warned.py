"""Which broken rules were warned of: once a place in a session, however many tests come past it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from durable_engine import Finding


class Warned:
    """The places of a session that were warned of.

    Attributes:
        durations: Misread durations, of which the engine warns: file, line and text.
    """

    def __init__(self) -> None:
        self._places: set[tuple[str, str, int, str | None]] = set()
        self.durations: set[tuple[str, int, str]] = set()

    def warn(self, findings: Iterable[Finding]) -> list[Warning]:
        """Warn of what was not warned of before.

        A misread duration is left out: the engine warned of it when it was read.

        Returns:
            The warnings that are errors here, by the filters in force; the caller raises them.
        """
        __tracebackhide__ = True
        from durable_engine import WorkflowRuleWarning

        refused: list[Warning] = []
        for finding in findings:
            place = (finding.rule, finding.file, finding.line, finding.remedy)
            if finding.rule == "duration-unit" or place in self._places:
                continue
            try:
                warnings.warn_explicit(
                    WorkflowRuleWarning(str(finding)), WorkflowRuleWarning, finding.file, finding.line
                )
            except Warning as raised:
                refused.append(raised)
            else:
                self._places.add(place)
        return refused
