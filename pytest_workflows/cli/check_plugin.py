"""A plugin that tells `pytest-workflows check` how the tests went, what was explored, and which rules are broken."""

from __future__ import annotations

import json
import os
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

FILE = "PYTEST_WORKFLOWS_CHECK"
"""The environment variable that names the file to write."""
_RULE = re.compile(r"\[(?P<rule>[\w-]+)\] (?P<file>.+?):(?P<line>\d+): (?P<text>.*)", re.DOTALL)
_COLLECTED: dict[str, Any] = {"passed": 0, "failed": 0, "skipped": 0, "failures": [], "findings": []}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count tests, and keep what failed."""
    if report.failed:
        _COLLECTED["failed"] += 1
        sections = dict(report.sections)
        _COLLECTED["failures"].append(
            {"test": report.nodeid, "error": _error(report), "again": sections.get("Run it again", "")}
        )
    elif report.skipped:
        _COLLECTED["skipped"] += 1
    elif report.when == "call":
        _COLLECTED["passed"] += 1


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """What could not be collected."""
    if report.failed:
        _COLLECTED["failed"] += 1
        _COLLECTED["failures"].append({"test": report.nodeid, "error": _error(report), "again": ""})


def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Keep broken rules."""
    from durable_engine import WorkflowRuleWarning

    if not issubclass(warning_message.category, WorkflowRuleWarning):
        return
    found = _RULE.match(str(warning_message.message))
    place = {"file": warning_message.filename, "line": warning_message.lineno}
    finding = {**place, "rule": "duration-unit", "text": str(warning_message.message)}
    if found is not None:
        finding = {**found.groupdict(), "line": int(found["line"])}
    if finding not in _COLLECTED["findings"]:
        _COLLECTED["findings"].append(finding)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write it all down."""
    from pytest_workflows.exploration import NAME

    explored: Any = session.config.pluginmanager.get_plugin(NAME)
    tally = explored.tally.dump() if explored is not None else {}
    Path(os.environ[FILE]).write_text(json.dumps({**_COLLECTED, "explored": tally}), encoding="utf-8")


def _error(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "no message"
