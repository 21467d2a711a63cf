"""Rule warnings: a session's warnings of broken rules and of mistakes in a configuration, once a place."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from durable_engine import Engine, Finding, ObserverFailure


_WHY = (
    "Warnings are errors in this session: by -W error, or by filterwarnings in the configuration. To leave these "
    'warnings, put @pytest.mark.filterwarnings("default::pytest_workflows.WorkflowRuleWarning") on the test; where the '
    "code is meant so, @pytest.mark.workflow(ignore_rules={rules}) or ini workflows_ignore_rules."
)


_WHY_OF_CONFIGURATION = (
    "Warnings are errors in this session: by -W error, or by filterwarnings in the configuration. Correct the wrangler "
    'configuration, or leave them warnings with filterwarnings = "default::pytest_workflows.WorkflowConfigWarning".'
)


def as_error(refused: list[Warning]) -> Warning:
    """The error of warnings that a filter made errors, which says so.

    Args:
        refused: The warnings, one at least.
    """
    from durable_engine import WorkflowRuleWarning

    kind = type(refused[0]) if len(refused) == 1 else WorkflowRuleWarning
    rules = sorted({_rule_of(warning) for warning in refused})
    return kind("\n".join([*map(str, refused), _WHY.format(rules=rules)]))


def _rule_of(warning: Warning) -> str:
    from durable_engine import WorkflowDurationWarning

    return "duration-unit" if isinstance(warning, WorkflowDurationWarning) else str(warning)[1:].partition("]")[0]


def configuration_error(refused: list[Warning]) -> Warning:
    """The error of warnings of a configuration that a filter made errors, which says so.

    Args:
        refused: The warnings, one at least.
    """
    from pytest_workflows.errors import WorkflowConfigWarning

    return WorkflowConfigWarning("\n".join([*map(str, refused), _WHY_OF_CONFIGURATION]))


class RuleWarnings:
    """The warnings of a session: of broken rules, of mistakes in a configuration, and of observers that raised.

    Attributes:
        durations: Misread durations, of which the engine warns: file, line and text.
        switched_off: The observers that raised, by their titles: no later test's engine notifies them.
    """

    def __init__(self) -> None:
        self._places: set[tuple[str, str, int, str | None]] = set()
        self._configurations: set[tuple[Path, int, str]] = set()
        self.durations: set[tuple[str, int, str]] = set()
        self.switched_off: set[str] = set()
        self._failures: list[ObserverFailure] = []

    def attach(self, engine: Engine) -> None:
        """Let an engine of the session warn of nothing that was warned of before."""
        engine.step_findings.warned_durations = self.durations
        engine.observers.off, engine.observers.report = self.switched_off, self.keep

    def keep(self, failure: ObserverFailure) -> None:
        """Keep the failure of an observer, to warn of it when its test is over and cannot see the warning."""
        self._failures.append(failure)

    def warn_of_failures(self) -> None:
        """Warn of the observers that raised."""
        while self._failures:
            self._failures.pop(0).warn()

    def warn(self, findings: Iterable[Finding], hide: Callable[[str], str] = str) -> list[Warning]:
        """Warn of findings, each place once.

        A misread duration is left out: the engine warned of it when it was read.

        Args:
            findings: The findings.
            hide: Gives a text without secrets.

        Returns:
            The warnings that are errors here, by the filters in force; the caller raises them. Of advice none is.
        """
        __tracebackhide__ = True
        from durable_engine import WorkflowRuleWarning

        refused: list[Warning] = []
        for finding in findings:
            place = (finding.rule, finding.file, finding.line, finding.remedy)
            if finding.rule == "duration-unit" or place in self._places:
                continue
            warning = WorkflowRuleWarning(hide(str(finding)))
            try:
                warnings.warn_explicit(warning, WorkflowRuleWarning, finding.file, finding.line)
            except Warning as raised:
                if not finding.is_advice:
                    refused.append(raised)
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("always", WorkflowRuleWarning)
                    warnings.warn_explicit(warning, WorkflowRuleWarning, finding.file, finding.line)
            self._places.add(place)
        return refused

    def warn_of_configuration(self, path: Path, found: Iterable[tuple[int, str]]) -> list[Warning]:
        """Pass on wrangler's warnings of a configuration, each once.

        Args:
            path: The configuration.
            found: Lines of it, and what is wrong there.

        Returns:
            The warnings that are errors here, by the filters in force; the caller raises them.
        """
        from pytest_workflows.errors import WorkflowConfigWarning

        refused: list[Warning] = []
        for line, what in found:
            if (path, line, what) in self._configurations:
                continue
            warning = WorkflowConfigWarning(f"{path}:{line}: {what}")
            try:
                warnings.warn_explicit(warning, WorkflowConfigWarning, str(path), line)
            except Warning as raised:
                refused.append(raised)
            else:
                self._configurations.add((path, line, what))
        return refused
