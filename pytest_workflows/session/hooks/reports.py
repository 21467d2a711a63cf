"""Report hooks: the HTML page and step coverage of a session. Registered where one of them is wanted."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflows.exploration.run_plan import PLAIN
from pytest_workflows.messages.short_repr import shown_path
from pytest_workflows.session.recording_section import RECORDED

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflows.reporting.coverage import Coverage, KnownWorkflow
    from pytest_workflows.reporting.html import Failure
    from pytest_workflows.reporting.test_runs import TestRuns
    from pytest_workflows.session.report_options import ReportOptions
    from pytest_workflows.session.session import WorkflowSession
    from pytest_workflows.session.testrun import RunningTest

NAME = "pytest-workflows-reports"
_CARRIED = "workflows_runs"
_LEFT = "workflows_left"
_FAILURE = "workflows_failure"


class ReportHooks:
    """Hooks that collect every test's instances, and report on them at the end.

    Args:
        config: pytest's configuration.
        session: Our session.
        options: The report options.
    """

    def __init__(self, config: pytest.Config, session: WorkflowSession, options: ReportOptions) -> None:
        self._config = config
        self._session = session
        self._options = options
        session.record_for_reports()
        self._worker: str | None = getattr(config, "workerinput", {}).get("workerid")
        self._runs: list[TestRuns] = []
        self._failures: dict[str, Failure] = {}
        self._configured: dict[KnownWorkflow, None] = {}
        self._coverage: Coverage | None = None
        self._unwritten: dict[Path, str] = {}
        self._has_failed = False

    # -- in the process that runs tests ------------------------------------------------------------------------------

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note the workflows that the configurations of the collected tests name."""
        from .session_reports import configured_workflows

        self._configured.update(
            dict.fromkeys(configured_workflows(session.items, self._session, self._config.rootpath))
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take the instances of a test that was torn down."""
        report = yield
        self._has_failed = report.failed or (self._has_failed and report.when != "setup")
        running = self._session.running
        if report.failed:
            setattr(report, _FAILURE, _failure_of(report, running))
        if report.when == "teardown" and running is not None and _concerns(running):
            from pytest_workflows.reporting.test_runs import TestRuns, quieten

            quiet = bool(running.plan.title) and not self._has_failed
            recordings = running.recordings() if running.used else []
            if quiet:
                recordings = [quieten(recording) for recording in recordings]
            if recordings or self._has_failed:
                self._runs.append(TestRuns(item.nodeid + running.plan.title, self._worker, quiet, recordings))
        return report

    # -- between processes -------------------------------------------------------------------------------------------

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the records out of a worker's report, and note failures."""
        from pytest_workflows.reporting.test_runs import dump, load

        if self._worker is not None:
            if self._runs:
                setattr(report, _CARRIED, dump(self._runs))
                self._runs.clear()
            return
        carried = getattr(report, _CARRIED, None)
        if carried is not None:
            self._runs += load(carried)
            delattr(report, _CARRIED)
        if report.failed:
            found = getattr(report, _FAILURE, None) or _failure_of(report, None)
            # A run of an exploration is said how to run again when all of its phases are over.
            again = dict(report.sections).get("Run it again", found["command"])
            self._add_failure(found["test"], {**found, "command": again})

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be collected: it has failed too."""
        if report.failed and self._worker is None:
            self._add_failure(report.nodeid, _failure_of(report, None))

    def _add_failure(self, nodeid: str, found: dict[str, Any]) -> None:
        from pytest_workflows.reporting.html import Failure

        failure = self._failures.setdefault(nodeid, Failure(""))
        failure.text = "\n\n".join(filter(None, [failure.text, found["text"]]))
        failure.sentence = failure.sentence or found["sentence"]
        failure.command = failure.command or found["command"]
        failure.recordings = failure.recordings or found["recordings"]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take the records of a worker that has ended."""
        left = getattr(node, "workeroutput", {}).get(_LEFT)
        if left is not None:
            from .session_reports import load_left

            runs, configured = load_left(left)
            self._runs += runs
            self._configured.update(dict.fromkeys(configured))

    # -- the end -----------------------------------------------------------------------------------------------------

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Measure and write; too little coverage fails the session."""
        from . import session_reports

        if self._worker is not None:
            self._config.workeroutput[_LEFT] = session_reports.dump_left(self._runs, list(self._configured))  # type: ignore[attr-defined]  # xdist's
            return
        if self._config.getoption("collectonly"):
            return
        report = session_reports.make_report(self._runs, self._failures, list(self._configured), self._config)
        self._coverage = report.coverage
        self._unwritten = session_reports.write(report, self._options)
        if self._unwritten and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if self._is_below and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @property
    def _is_below(self) -> bool:
        least = self._options.fail_under
        return least is not None and self._coverage is not None and self._coverage.percent < least

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the coverage, and where the page is."""
        if self._coverage is None:
            return
        from pytest_workflows.reporting.coverage import percent, show

        if self._options.terminal:
            terminalreporter.section("workflow step coverage")
            for text, color in show(self._coverage):
                terminalreporter.line(text, **{color: True} if color else {})
        for path in self._options.json:
            if path not in self._unwritten:
                terminalreporter.line(f"Workflow step coverage written to {path}")
        if self._is_below:
            terminalreporter.line(
                f"FAIL workflow step coverage is {percent(self._coverage.percent)}, and "
                f"--workflows-cov-fail-under wants {percent(self._options.fail_under or 0)}",
                red=True,
                bold=True,
            )
        if self._options.html is not None and self._options.html not in self._unwritten:
            terminalreporter.line(f"Workflow report: {self._options.html.as_uri()}")
        for path, reason in self._unwritten.items():
            terminalreporter.line(
                f"FAIL {shown_path(path)} could not be written: {reason}. Name a file in a folder that you may write "
                "to.",
                red=True,
                bold=True,
            )


def _concerns(running: RunningTest) -> bool:
    """Whether a test is one of those that the page shows."""
    return running.used or running.has_fixture


def _failure_of(report: pytest.TestReport | pytest.CollectReport, running: RunningTest | None) -> dict[str, Any]:
    """The page's data of a failure: plain, so that a worker's report can carry it, and redacted."""
    redacted = running.redacted if running is not None and running.used else str
    plan = PLAIN if running is None or not _concerns(running) else running.plan
    return {
        "test": report.nodeid + plan.title,
        "text": _writable(redacted(report.longreprtext)),
        "sentence": _writable(redacted(_sentence(report))),
        "command": _writable(plan.command(report.nodeid, ())),
        "recordings": getattr(report, RECORDED, []),
    }


def _sentence(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The sentence of a failure: the line that says what happened, of several chained errors the last."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = report.longreprtext if crash is None else crash.message
    lines = [line for line in text.splitlines() if line.strip()]
    said = [line[1:].strip() for line in lines if line.startswith("E ")] if crash is None else lines[:1]
    sentence = (said or lines[-1:] or ["pytest does not say why"])[0]
    return re.sub(r"^(?:\w+\.)+(?=\w+(?::|$))", "", sentence)


def _writable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
