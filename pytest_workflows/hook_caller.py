"""Tells other plugins what happens on an engine, through our hooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from durable_engine import Finding, Instance, Observer, StepKey

from . import hookspecs

_HOOKS = {
    name.removeprefix("pytest_workflows_").replace("finding", "found"): name
    for name in vars(hookspecs)
    if name.startswith("pytest_workflows_") and name != "pytest_workflows_report"
}
"""Our hooks, by what an observer is told of."""


def hook_callers(item: pytest.Item) -> list[HookCaller]:
    """One for each plugin and conftest that has a hook of ours, in the order in which pluggy calls them.

    Args:
        item: The test that the engine belongs to.
    """
    plugins = [impl.plugin for name in _HOOKS.values() for impl in reversed(getattr(item.ihook, name).get_hookimpls())]
    return [HookCaller(item.config, plugin) for plugin in {id(one): one for one in plugins}.values()]


def title_of(config: pytest.Config, plugin: object) -> str:
    """What a plugin is called in a report: its name, or the path of a conftest."""
    name = config.pluginmanager.get_name(plugin) or type(plugin).__qualname__
    if Path(name).is_relative_to(config.rootpath):
        name = Path(name).relative_to(config.rootpath).as_posix()
    return f"plugin {name!r}"


class HookCaller(Observer):
    """Calls one plugin's hooks of `hookspecs.py`: what it raises is its own failure, and no other plugin's.

    Args:
        config: pytest's.
        plugin: The plugin or conftest.
    """

    def __init__(self, config: pytest.Config, plugin: object) -> None:
        manager = config.pluginmanager
        others = manager.get_plugins() - {plugin}
        self._title = title_of(config, plugin)
        self.wanted = tuple(told for told, name in _HOOKS.items() if hasattr(plugin, name))
        self._calls = {told: manager.subset_hook_caller(_HOOKS[told], others) for told in self.wanted}

    @property
    def title(self) -> str:
        """The plugin's name."""
        return self._title

    def instance_created(self, instance: Instance) -> None:
        """Call the hook."""
        self._calls["instance_created"](instance=instance)

    def instance_finished(self, instance: Instance) -> None:
        """Call the hook."""
        self._calls["instance_finished"](instance=instance)

    def step_started(self, instance: Instance, step: StepKey) -> None:
        """Call the hook."""
        self._calls["step_started"](instance=instance, step=step)

    def step_finished(self, instance: Instance, step: StepKey) -> None:
        """Call the hook."""
        self._calls["step_finished"](instance=instance, step=step)

    def found(self, finding: Finding) -> None:
        """Call the hook."""
        self._calls["found"](finding=finding)


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
