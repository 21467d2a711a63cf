"""Data of the hook `pytest_workflows_report`: kept test by test, sent by workers of xdist, handed over at the end."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from durable_engine import Finding
    from pytest_workflows.timeline.text import Run

_KEPT = "pytest_workflows_kept"
"""The attribute of a test's last report; a text, since that is what every reader of reports can take."""


@dataclass(slots=True)
class Kept:
    """The data of a test.

    Attributes:
        runs: The runs of its instances.
        findings: Its findings.
    """

    runs: list[Run] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def is_awaited(config: pytest.Config) -> bool:
    """Whether a plugin implements the hook."""
    return bool(config.hook.pytest_workflows_report.get_hookimpls())


def hand_over(report: pytest.TestReport, kept: Kept) -> None:
    """Attach the data of a test to its last report."""
    if kept.runs or kept.findings:
        import msgspec

        data = msgspec.msgpack.encode([[_parts(run) for run in kept.runs], kept.findings])
        setattr(report, _KEPT, base64.b64encode(data).decode())


def _parts(run: Run) -> tuple[Any, ...]:
    return (run.id, run.workflow, run.status, run.now, run.row, run.steps, run.history, run.events, run.executions)


def _read(text: str) -> Kept:
    import msgspec

    from durable_engine import ExecutionRecord, Finding, HistoryRow, InstanceRow, StepRow
    from pytest_workflows.timeline.text import Run

    parts = tuple[
        str, str, str, datetime, InstanceRow, list[StepRow], list[HistoryRow], list[str], list[ExecutionRecord]
    ]
    runs, findings = msgspec.msgpack.decode(base64.b64decode(text), type=tuple[list[parts], list[Finding]])
    return Kept(
        [Run(*run) for run in runs],
        findings,
    )


class RunCollector:
    """A plugin that collects the data of tests, and calls the hook.

    Args:
        config: pytest's configuration.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._kept: dict[str, Kept] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the data of a test."""
        text = getattr(report, _KEPT, None)
        if text is not None:
            self._kept[report.nodeid] = _read(text)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Call the hook `pytest_workflows_report`."""
        if not is_awaited(self._config) or hasattr(self._config, "workerinput"):
            return
        runs = {nodeid: kept.runs for nodeid, kept in self._kept.items() if kept.runs}
        findings = {nodeid: kept.findings for nodeid, kept in self._kept.items() if kept.findings}
        from durable_engine import ObserverFailure

        from .hook_caller import call_hook, title_of

        hook = self._config.hook.pytest_workflows_report
        for impl in reversed(hook.get_hookimpls()):
            try:
                call_hook(impl, config=self._config, runs=runs, findings=findings)
            except Exception as error:
                ObserverFailure(title_of(self._config, impl.plugin), hook.name, error).warn()
