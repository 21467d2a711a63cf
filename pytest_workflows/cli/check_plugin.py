"""A plugin that reports to `pytest-workflows check`: the tests' outcomes, the exploration, and the broken rules."""

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
_COLLECTED: dict[str, Any] = {"uncollected": 0, "failures": [], "findings": []}
_TESTS: dict[str, str] = {}
"""The outcome of each test's plain run: one of the words below, the worst of its phases'."""
_OUTCOMES = ("passed", "skipped", "failed")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how a test ends as it is, and keep each of its runs that failed, whichever of its phases did."""
    from pytest_workflows.session.hooks.exploration import EXPLORED_TEST
    from pytest_workflows.session.xdist_channel import attached

    test, run = attached(report, EXPLORED_TEST) or (report.nodeid, "")
    if not run:
        _TESTS[test] = max(_TESTS.get(test, "passed"), report.outcome, key=_OUTCOMES.index)
    if not report.failed:
        return
    phase = {"when": report.when, "error": _error(report)}
    again = dict(report.sections).get("Run it again", "")
    for failure in _COLLECTED["failures"]:
        if failure["test"] == report.nodeid:
            failure["phases"].append(phase)
            failure["again"] = failure["again"] or again
            return
    failure = {"test": report.nodeid, "of": test, "run": run, "error": phase["error"], "phases": [phase]}
    _COLLECTED["failures"].append({**failure, "again": again})


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Keep a file that could not be collected."""
    if report.failed:
        _COLLECTED["uncollected"] += 1
        phase = {"when": "collect", "error": _error(report)}
        failure = {"test": report.nodeid, "of": report.nodeid, "run": "", "error": phase["error"], "phases": [phase]}
        _COLLECTED["failures"].append({**failure, "again": ""})


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
    """Write the file."""
    from pytest_workflows.session.hooks.exploration import NAME

    explored: Any = session.config.pluginmanager.get_plugin(NAME)
    tally = explored.tally.dump() if explored is not None else {}
    counts = {outcome: list(_TESTS.values()).count(outcome) for outcome in _OUTCOMES}
    Path(os.environ[FILE]).write_text(json.dumps({**counts, **_COLLECTED, "explored": tally}), encoding="utf-8")


def _error(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "no message"
