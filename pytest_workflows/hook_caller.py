"""Tells other plugins what happens on an engine, through our hooks."""

from __future__ import annotations

import pytest

from durable_engine import Finding, Instance, Observer, StepKey

from . import hookspecs

_HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("pytest_workflows_"))


class HookCaller(Observer):
    """Calls the hooks of `hookspecs.py`.

    Args:
        item: The test that the engine belongs to.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._hook = item.ihook

    @property
    def is_heard(self) -> bool:
        """Whether any plugin or conftest listens to one of the hooks."""
        return any(getattr(self._hook, name).get_hookimpls() for name in _HOOKS)

    def instance_created(self, instance: Instance) -> None:
        """Call the hook."""
        self._hook.pytest_workflows_instance_created(instance=instance)

    def instance_finished(self, instance: Instance) -> None:
        """Call the hook."""
        self._hook.pytest_workflows_instance_finished(instance=instance)

    def step_started(self, instance: Instance, step: StepKey) -> None:
        """Call the hook."""
        self._hook.pytest_workflows_step_started(instance=instance, step=step)

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """Call the hook."""
        self._hook.pytest_workflows_step_finished(instance=instance, step=step)

    def found(self, finding: Finding) -> None:
        """Call the hook."""
        self._hook.pytest_workflows_finding(finding=finding)


class FindingKeeper(Observer):
    """Keeps findings for the end of the session.

    Args:
        findings: Where they go.
    """

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings

    def found(self, finding: Finding) -> None:
        """Keep it."""
        self._findings.append(finding)
