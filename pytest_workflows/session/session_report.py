"""What the hook `pytest_workflows_report` gets: kept test by test, and handed over at the end of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy
import pytest

from .xdist_channel import Message, attach, attached, converted

if TYPE_CHECKING:
    from durable_engine import Engine, Finding
    from pytest_workflows.timeline.run import Run


def _kept_types() -> type[tuple[list[Run], list[Finding]]]:
    from durable_engine import Finding
    from pytest_workflows.timeline.run import Run

    return tuple[list[Run], list[Finding]]


KEPT = Message("kept", converted(_kept_types))


class KeptRuns:
    """What is kept of a test for the end of the session: the runs of its instances, and what was found in it."""

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self._findings: list[Finding] = []

    def attach(self, engine: Engine) -> None:
        """Keep all runs and findings of an engine."""
        from pytest_workflows.introspection.registry import registry_of

        from .hook_caller import FindingKeeper

        registry_of(engine).keep_all_runs()
        engine.observers.add(FindingKeeper(self._findings))

    def keep(self, engine: Engine) -> None:
        """Keep the runs of an engine that is about to be closed."""
        from pytest_workflows.introspection.registry import runs_of

        self._runs = runs_of(engine)

    def hand_over(self, report: pytest.TestReport) -> None:
        """Attach what was kept to the test's last report."""
        if self._runs or self._findings:
            attach(report, KEPT, (self._runs, self._findings))


def is_awaited(config: pytest.Config) -> bool:
    """Whether any plugin or conftest has the hook."""
    return bool(_hook(config).get_hookimpls())


def _hook(config: pytest.Config) -> pluggy.HookCaller:
    return config.hook.pytest_workflows_report


class RunCollector:
    """A plugin that collects the data of tests, and calls the hook.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._kept: dict[str, tuple[list[Run], list[Finding]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the data of a test."""
        kept = attached(report, KEPT)
        if kept is not None:
            self._kept[report.nodeid] = kept

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Call the hook, once for the whole session."""
        if not is_awaited(self._config) or hasattr(self._config, "workerinput"):
            return
        runs = {nodeid: runs for nodeid, (runs, _) in self._kept.items() if runs}
        findings = {nodeid: findings for nodeid, (_, findings) in self._kept.items() if findings}
        from durable_engine import ObserverFailure

        from .hook_caller import call_hook, title_of

        hook = _hook(self._config)
        for impl in reversed(hook.get_hookimpls()):
            try:
                call_hook(impl, config=self._config, runs=runs, findings=findings)
            except Exception as error:
                ObserverFailure(title_of(self._config, impl.plugin), hook.name, error).warn()
