"""Observers that call other plugins' hooks of ours."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pluggy
import pytest

from durable_engine import Finding, Instance, Observer, StepKey
from pytest_workflows import hookspecs

_HOOKS = {
    name.removeprefix("pytest_workflows_").replace("finding", "found"): name
    for name in vars(hookspecs)
    if name.startswith("pytest_workflows_") and name != "pytest_workflows_report"
}
"""Our hooks, by what an observer is notified of."""


def hook_callers(item: pytest.Item) -> list[HookCaller]:
    """The hook callers: one for each plugin and conftest that has a hook of ours, in pluggy's order.

    Args:
        item: The test that the engine belongs to.
    """
    found: dict[int, HookCaller] = {}
    hooks = item.ihook
    for event, name in _HOOKS.items():
        for impl in reversed(getattr(hooks, name).get_hookimpls()):
            caller = found.setdefault(id(impl.plugin), HookCaller(title_of(item.config, impl.plugin)))
            caller.add(event, impl)
    return list(found.values())


def call_hook(impl: pluggy.HookImpl, **arguments: Any) -> None:
    """Call one plugin's hook by itself, with those of the arguments that it takes.

    Args:
        impl: The hook; a wrapper has nothing in it.
        arguments: The arguments that hooks of that name get.
    """
    outcome: Any = impl.function(*(arguments[name] for name in impl.argnames))
    if impl.wrapper or impl.hookwrapper:
        next(outcome)
        with suppress(StopIteration):
            outcome.send([] if impl.wrapper else pluggy.Result([], None))


def title_of(config: pytest.Config, plugin: object) -> str:
    """The title of a plugin in a report: its name, or the path of a conftest."""
    name = config.pluginmanager.get_name(plugin) or type(plugin).__qualname__
    if Path(name).is_relative_to(config.rootpath):
        name = Path(name).relative_to(config.rootpath).as_posix()
    return f"plugin {name!r}"


class HookCaller(Observer):
    """An observer that calls one plugin's hooks of `hookspecs.py`, whose exceptions are its own failures.

    Args:
        title: The plugin's title in reports.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._impls: dict[str, list[pluggy.HookImpl]] = {}
        self.wanted = ()

    def add(self, event: str, impl: pluggy.HookImpl) -> None:
        """Add a hook that the plugin has.

        Args:
            event: What an observer is notified of.
            impl: The hook.
        """
        self._impls.setdefault(event, []).append(impl)
        self.wanted = tuple(self._impls)

    @property
    def title(self) -> str:
        """The plugin's name."""
        return self._title

    def instance_created(self, instance: Instance) -> None:
        """Call the hook."""
        self._call("instance_created", instance=instance)

    def instance_finished(self, instance: Instance) -> None:
        """Call the hook."""
        self._call("instance_finished", instance=instance)

    def step_started(self, instance: Instance, step: StepKey) -> None:
        """Call the hook."""
        self._call("step_started", instance=instance, step=step)

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """Call the hook."""
        self._call("step_finished", instance=instance, step=step)

    def found(self, finding: Finding) -> None:
        """Call the hook."""
        self._call("found", finding=finding)

    def _call(self, event: str, **arguments: Any) -> None:
        for impl in self._impls[event]:
            call_hook(impl, **arguments)


class FindingKeeper(Observer):
    """An observer that keeps findings for the end of the session.

    Args:
        findings: Where they go.
    """

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = findings

    def found(self, finding: Finding) -> None:
        """Keep a finding."""
        self._findings.append(finding)
