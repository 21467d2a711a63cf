"""The hooks that run a test several times. Registered beside `plugin.py`, which has a hook of the same name."""

from __future__ import annotations

import bdb
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal
from unittest import SkipTest

import pytest

from pytest_workflows.exploration.explorer import Exploration, Explorer, Tally
from pytest_workflows.exploration.run_plan import PLAIN, RunOutcome, RunPlan
from pytest_workflows.session.property_tests import is_property_test
from pytest_workflows.session.settings import MARKER

if TYPE_CHECKING:
    from pytest_workflows.session.session import WorkflowSession

NAME = "pytest-workflows-exploration"
_When = Literal["setup", "call", "teardown"]
_TALLY = "workflows_exploration"


class ExplorationHooks:
    """Hooks that run tests several times, and report each run that fails as a failure of its own.

    Args:
        config: pytest's configuration.
        session: Our session.
        wanted: The exploration that the command line asks for.
    """

    def __init__(self, config: pytest.Config, session: WorkflowSession, wanted: Exploration) -> None:
        self._config = config
        self._session = session
        self._wanted = wanted
        self._tally = Tally()
        self._pytest: pytest.Session | None = None
        self._is_worker = hasattr(config, "workerinput")

    @property
    def tally(self) -> Tally:
        """The exploration so far."""
        return self._tally

    # -- one test ----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a test as often as there is something to explore; leave any other test to pytest."""
        exploration = self._exploration_of(item)
        if not exploration:
            self._session.plan = RunPlan(seed=exploration.seed) if exploration.seed is not None else PLAIN
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        try:
            self._explore(item, nextitem, Explorer(exploration, self._session.settings.seed or item.nodeid))
        finally:
            self._session.plan = PLAIN
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _exploration_of(self, item: pytest.Item) -> Exploration:
        if is_property_test(item):
            # Each of its examples draws its own faults; every point of every example would be without end.
            self._tally.left_out += bool(self._wanted)
            return Exploration(seed=self._wanted.seed)
        if item.get_closest_marker(MARKER) is None:
            return self._wanted
        try:
            settings = self._session.settings.for_item(item)
        except pytest.UsageError:
            return Exploration()  # the test's setup says so, for that test alone
        crash = self._wanted.crash
        if settings.crash is not None:
            crash = (crash or "all") if settings.crash else None
        seeds = self._wanted.seeds if settings.seed is None else 0
        return Exploration(crash, seeds, self._wanted.seed)

    def _explore(self, item: pytest.Item, nextitem: pytest.Item | None, explorer: Explorer) -> None:
        first = True
        started = 0.0
        while (plan := explorer.next()) is not None:
            outcome = self._run(item, nextitem, plan, explorer, is_first=first)
            if first:
                started = time.perf_counter()
                self._tally.tests += explorer.has_more
            else:
                self._count(item, plan, outcome)
            first = False
        self._tally.seconds += time.perf_counter() - started

    def _count(self, item: pytest.Item, plan: RunPlan, outcome: RunOutcome) -> None:
        if plan.point is None:
            self._tally.schedules += 1
        else:
            self._tally.points += 1
            if outcome.passed and not outcome.struck:
                self._tally.unreached.append((item.nodeid, f"{plan.point}{_under(plan)}"))
        self._tally.failed += not outcome.passed
        self._tally.findings.update(outcome.findings)

    def _run(
        self, item: pytest.Item, nextitem: pytest.Item | None, plan: RunPlan, explorer: Explorer, *, is_first: bool
    ) -> RunOutcome:
        self._session.plan = plan
        if not getattr(item, "_request", True):
            item._initrequest()  # type: ignore[attr-defined]  # as pytest does for an item that is run again
        item._report_sections.clear()
        reports: list[pytest.TestReport] = []
        try:
            reports.append(self._phase(item, "setup"))
            if reports[-1].passed:
                reports.append(self._phase(item, "call"))
            outcome = self._outcome(reports)
            explorer.learn(plan, outcome)
            if item.session.shouldfail or item.session.shouldstop:
                explorer.stop()
            following = _again(item) if explorer.has_more else nextitem
            reports.append(self._phase(item, "teardown", nextitem=following))
        finally:
            if hasattr(item, "_request"):
                item._request = False
                item.funcargs = None  # type: ignore[attr-defined]
            self._session.reported()
        self._report(item, plan, reports, explorer, everything=is_first)
        if item.session.shouldfail or item.session.shouldstop:
            explorer.stop()
        return replace(outcome, passed=outcome.passed and not reports[-1].failed)

    def _phase(self, item: pytest.Item, when: _When, **arguments: Any) -> pytest.TestReport:
        hook = getattr(item.ihook, f"pytest_runtest_{when}")

        def call_hook() -> None:
            __tracebackhide__ = True
            hook(item=item, **arguments)

        through: tuple[type[BaseException], ...] = (pytest.exit.Exception,)
        if not item.config.getoption("usepdb"):
            through += (KeyboardInterrupt,)
        call = pytest.CallInfo.from_call(call_hook, when=when, reraise=through)
        report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
        if call.excinfo is not None and not hasattr(report, "wasxfail"):  # noqa: SIM102 (two different questions)
            if not isinstance(call.excinfo.value, pytest.skip.Exception | SkipTest | bdb.BdbQuit):
                item.ihook.pytest_exception_interact(node=item, call=call, report=report)
        return report

    def _outcome(self, reports: Sequence[pytest.TestReport]) -> RunOutcome:
        running = self._session.running
        passed = len(reports) == 2 and all(report.passed for report in reports)
        if running is None or not running.used:
            return RunOutcome(passed)
        return running.outcome(passed=passed)

    def _report(
        self,
        item: pytest.Item,
        plan: RunPlan,
        reports: Sequence[pytest.TestReport],
        explorer: Explorer,
        *,
        everything: bool,
    ) -> None:
        for report in reports:
            if not everything and not report.failed:
                continue
            if plan.title and report.failed:
                command = plan.command(item.nodeid, explorer.points)
                report.sections.append(("Run it again", command))
            if not everything:
                report.workflows_run = plan.title  # type: ignore[attr-defined]  # xdist carries it along
            item.ihook.pytest_runtest_logreport(report=report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Name a run by its crash point and seed. A worker of xdist must report under the test's own name."""
        title = getattr(report, "workflows_run", None)
        if title is not None and not self._is_worker:
            report.workflows_test = (report.nodeid, title)  # type: ignore[attr-defined]  # for who counts
            report.nodeid += title
            if self._pytest is not None:
                self._pytest.testscollected += 1  # the progress in percent counts reports by their names
            path, line, name = report.location
            report.location = (path, line, name + title)
            report.workflows_run = None  # type: ignore[attr-defined]  # said once

    # -- the session -------------------------------------------------------------------------------------------------

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Know pytest's own session."""
        self._pytest = session

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker hands over what it explored; a point that nothing reached fails the session."""
        if self._is_worker:
            self._config.workeroutput[_TALLY] = self._tally.dump()  # type: ignore[attr-defined]  # xdist's
        elif self._is_missed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over the exploration of a worker."""
        data = getattr(node, "workeroutput", {}).get(_TALLY)
        if data is not None:
            self._tally.add(data)

    @property
    def _is_missed(self) -> bool:
        wanted = self._wanted.crash
        return not (wanted is None or isinstance(wanted, str | int) or self._tally.points)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary of the exploration."""
        if self._is_missed:
            terminalreporter.section("workflow exploration")
            terminalreporter.line(
                f"No test reached the crash point {str(self._wanted.crash)!r}. `--workflows-crash -v` lists none by "
                "name; a failing run's report shows the names of its points, as in 'lost:charge card#1'.",
                red=True,
            )
        elif self._tally.tests or self._tally.left_out:
            terminalreporter.section("workflow exploration")
            for line in self._tally.lines():
                terminalreporter.line(line)


class _Again(pytest.Item):
    """An item for the next run of a test: fixtures of a wider scope live on between runs, as between tests."""

    def runtest(self) -> None:
        """Never called: the test's own item runs."""
        raise AssertionError("a stand-in was run")


def _again(item: pytest.Item) -> pytest.Item:
    assert item.parent is not None
    again: pytest.Item = _Again.from_parent(item.parent, name=item.name)
    return again


def _under(plan: RunPlan) -> str:
    return "" if plan.seed is None else f" (seed {plan.seed})"
