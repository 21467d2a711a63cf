"""A pytest plugin: each test's outcome as a line of JSON, in the file that SDK_OUTCOMES names."""

import json
import os

import pytest

_order = ("failed", "skipped", "passed")


class Outcomes:
    """Collects the worst outcome of the phases of each test, and the text of its failure."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a phase's outcome."""
        known = self._seen.setdefault(report.nodeid, {"test": report.nodeid, "outcome": "passed", "text": ""})
        if _order.index(report.outcome) < _order.index(known["outcome"]):
            known.update(outcome=report.outcome, text=_text(report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep a file that could not be collected."""
        if report.failed:
            self._seen[report.nodeid] = {"test": report.nodeid, "outcome": "failed", "text": _text(report)}

    def pytest_sessionfinish(self) -> None:
        """Write what was kept."""
        with open(os.environ["SDK_OUTCOMES"], "w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(one)}\n" for one in self._seen.values())


def _text(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The line that says what went wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return f"{os.path.basename(crash.path)}:{crash.lineno}: {crash.message.splitlines()[0]}"
    lines = [line for line in str(report.longrepr).splitlines() if line.strip()]
    return lines[-1] if lines else ""


def pytest_configure(config: pytest.Config) -> None:
    """Begin to collect."""
    config.pluginmanager.register(Outcomes())
