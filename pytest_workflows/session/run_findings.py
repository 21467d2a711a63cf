"""The findings of one test's run: broken rules become warnings, or the test's failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rule_warnings import as_error, configuration_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from durable_engine import Engine, Finding
    from pytest_workflows.project.worker_project import Project

    from .rule_warnings import RuleWarnings

_FAILING = frozenset({"different-state"})
"""The rules that fail a run, whatever the settings say."""


class RunFindings:
    """The findings of one run of a test, and the mistakes in its Worker's configuration.

    Args:
        project: The test's project, whose configuration may have mistakes.
        rule_warnings: What the session was warned of.
        redact: Gives a text without secrets.
        is_strict: Whether a broken rule fails the test.
    """

    def __init__(
        self, project: Project | None, rule_warnings: RuleWarnings, redact: Callable[[str], str], *, is_strict: bool
    ) -> None:
        self._project = project
        self._is_strict = is_strict
        self._rule_warnings = rule_warnings
        self._redact = redact
        self._found: list[Finding] = []
        self._refused: list[Warning] = []

    @property
    def found(self) -> Sequence[Finding]:
        """The broken rules that were taken from the engine so far."""
        return self._found

    def attach(self, engine: Engine) -> None:
        """Warn of the configuration's mistakes, and let the engine warn as the session does: of one thing once.

        With warnings as errors the test fails at its end, and no user code does.
        """
        if self._project is not None and self._project.readable:
            config = self._project.config
            self._refused = self._rule_warnings.warn_of_configuration(config.path, config.warnings)
        self._rule_warnings.attach(engine)

    def check_configuration(self) -> None:
        """Fail for the mistakes in the configuration where warnings are errors.

        Raises:
            WorkflowConfigWarning: If there are such.
        """
        __tracebackhide__ = True
        if self._refused:
            raise configuration_error(self._refused)

    def settle(self, engine: Engine) -> None:
        """At the end of a run that passed: warn of broken rules, or fail for them.

        Raises:
            WorkflowRuleError: If rules are broken, and the settings are strict; if one is that fails the run anyway.
            Warning: If warnings are errors here.
        """
        __tracebackhide__ = True
        from durable_engine import WorkflowRuleError

        found = self._take(engine)
        failures = [one for one in found if (self._is_strict and not one.is_advice) or one.rule in _FAILING]
        warned = [one for one in found if one not in failures]
        refused = [*engine.step_findings.refused, *self._rule_warnings.warn(warned, self._redact)]
        if failures:
            raise WorkflowRuleError("\n".join([f"{len(failures)} broken rule(s):", *map(str, failures)]))
        if refused:
            raise as_error(refused)

    def warn(self, engine: Engine) -> None:
        """Warn of broken rules at the end of a call that failed. They stand in the report, and raise nothing."""
        self._rule_warnings.warn(self._take(engine), self._redact)

    def _take(self, engine: Engine) -> list[Finding]:
        found = engine.take_findings()
        self._found += found
        return found
