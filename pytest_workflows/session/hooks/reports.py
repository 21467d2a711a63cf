"""The hooks of the reports at the end of a session, the HTML page and step coverage. Registered where one is wanted."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_workflows.exploration.run_plan import PLAIN
from pytest_workflows.messages.short_repr import shown_path
from pytest_workflows.reporting.html import Failure
from pytest_workflows.reporting.run_records import TestRuns, quieten
from pytest_workflows.reporting.session_records import report_of
from pytest_workflows.session.recording_section import RECORDED
from pytest_workflows.session.xdist_channel import CHANNEL, Message, attach, attached, converted

from . import session_reports

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_workflows.reporting.coverage import Coverage
    from pytest_workflows.session.report_options import ReportOptions
    from pytest_workflows.session.session import WorkflowSession
    from pytest_workflows.session.testrun import TestRun

NAME = "pytest-workflows-reports"
RUNS = Message("runs", converted(lambda: TestRuns))
"""The instances of one run of a test."""
COLLECTED = Message("collected", converted(lambda: session_reports.Collected))
"""What the reports need to know of the tests that a process collected."""
FAILURE = Message("failure", converted(lambda: tuple[str, Failure]))
"""What the page says of a failure: the test, and how it failed."""


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
        self._channel = config.stash[CHANNEL]
        self._runs: list[TestRuns] = []
        self._failures: dict[str, Failure] = {}
        self._places: dict[str, int] = {}
        self._collected: list[session_reports.Collected] = []
        self._coverage: Coverage | None = None
        self._unwritten: dict[Path, str] = {}
        self._has_failed = False
        self._channel.receive(RUNS, self._runs.append)
        self._channel.receive(COLLECTED, self._collected.append)

    # -- in the process that runs tests ------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note the order of the tests, before any is left to another job, or moved."""
        self._places = {item.nodeid: place for place, item in enumerate(items)}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what the reports need to know of the collected tests."""
        found = session_reports.collected(session.items, self._places, self._session, self._config.rootpath)
        self._channel.send(COLLECTED, found)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take the instances of a test that was torn down."""
        report = yield
        self._has_failed = report.failed or (self._has_failed and report.when != "setup")
        test_run = self._session.test_run
        if report.failed:
            attach(report, FAILURE, _failure_of(report, test_run))
        if report.when == "teardown" and test_run is not None and _concerns(test_run) and not test_run.plan.is_repeated:
            self._send_runs(item, test_run)
        return report

    def _send_runs(self, item: pytest.Item, test_run: TestRun) -> None:
        quiet = bool(test_run.plan.title) and not self._has_failed
        recordings = test_run.recordings.recordings() if test_run.used else []
        if quiet:
            recordings = [quieten(recording) for recording in recordings]
        if recordings or self._has_failed:
            kept = None if quiet else test_run.recordings.kept_steps
            place = self._places.get(item.nodeid, 0)
            self._channel.send(RUNS, TestRuns(test_run.title, self._channel.worker_id, quiet, recordings, place, kept))

    # -- in the process that shows them ------------------------------------------------------------------------------

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed and not self._channel.is_worker:
            test, failure = attached(report, FAILURE) or _failure_of(report, None)
            # A run of an exploration is said how to run again when all of its phases are over.
            again = dict(report.sections).get("Run it again", failure.command)
            self._add_failure(test, replace(failure, command=again))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be collected: it has failed too."""
        if report.failed and not self._channel.is_worker:
            self._add_failure(*_failure_of(report, None))

    def _add_failure(self, nodeid: str, failure: Failure) -> None:
        known = self._failures.get(nodeid)
        self._failures[nodeid] = failure if known is None else known.joined_with(failure)

    # -- the end -----------------------------------------------------------------------------------------------------

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Measure and write; too little coverage fails the session."""
        if self._channel.is_worker or self._config.getoption("collectonly"):
            return
        records = session_reports.make_records(self._runs, self._failures, self._collected, session)
        report = report_of(records, self._config.rootpath)
        self._coverage = report.coverage
        self._unwritten = session_reports.write(records, report, self._collected, self._options)
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
        if self._options.records is not None and self._options.records not in self._unwritten:
            terminalreporter.line(f"Workflow report as JSON: {self._options.records}")
        if self._options.html is not None and self._options.html not in self._unwritten:
            terminalreporter.line(f"Workflow report: {self._options.html.as_uri()}")
        for path, reason in self._unwritten.items():
            terminalreporter.line(
                f"FAIL {shown_path(path)} could not be written: {reason}. Name a file in a folder that you may write "
                "to.",
                red=True,
                bold=True,
            )


def _concerns(test_run: TestRun) -> bool:
    """Whether a test is one of those that the page shows."""
    return test_run.used or test_run.has_fixture


def _failure_of(report: pytest.TestReport | pytest.CollectReport, test_run: TestRun | None) -> tuple[str, Failure]:
    """What the page says of a failure, without what is redacted."""
    redacted = test_run.secrets.redact if test_run is not None and test_run.used else str
    plan = PLAIN if test_run is None or not _concerns(test_run) else test_run.plan
    failure = Failure(
        text=_writable(redacted(report.longreprtext)),
        sentence=_writable(redacted(_sentence(report))),
        command=_writable(plan.command(report.nodeid, ())),
        recordings=attached(report, RECORDED) or [],
    )
    return report.nodeid + plan.title, failure


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
