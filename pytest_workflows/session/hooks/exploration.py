"""The hooks that run a test several times. Registered beside `plugin.py`, which has a hook of the same name."""

from __future__ import annotations

import bdb
import os
import random
import time
import warnings
from collections.abc import Generator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from unittest import SkipTest

import pytest

from pytest_workflows.exploration.explorer import Exploration, Explorer, Tally
from pytest_workflows.exploration.run_plan import PLAIN, CommonStart, RunOutcome, RunPlan
from pytest_workflows.exploration.slices import WHOLE
from pytest_workflows.messages.short_repr import brief, last_line, shown_path
from pytest_workflows.session.property_tests import is_property_test
from pytest_workflows.session.report_options import EXPLORED
from pytest_workflows.session.slices import HELD, RUN, SLICE, SLICING, Held, Shares, test_of
from pytest_workflows.session.use_signs import MARKER
from pytest_workflows.session.xdist_channel import CHANNEL, Message, attach, converted, detach

if TYPE_CHECKING:
    from pytest_workflows.session.session import WorkflowSession

NAME = "pytest-workflows-exploration"
_When = Literal["setup", "call", "teardown"]
TALLY = Message("tally", converted(lambda: Tally))
"""What one process explored, when it has run its tests."""
TEST = Message("test", str)
"""The test's node id, in a report that has the one of a slice."""
EXPLORED_TEST: Message[tuple[str, str]] = Message("explored_test", tuple)
"""For who counts tests: the node id of the test, and what stands behind it in this report's node id."""


class ExplorationHooks:
    """Hooks that run tests several times, and report each run that fails as a failure of its own.

    Args:
        config: pytest's configuration.
        session: Our session.
        wanted: The exploration that the command line asks for.

    Attributes:
        tally: What was explored: in a worker of xdist by itself, elsewhere in the whole session, once it finishes.
    """

    def __init__(self, config: pytest.Config, session: WorkflowSession, wanted: Exploration) -> None:
        self._config = config
        self._session = session
        self._wanted = wanted
        self.tally = config.stash[EXPLORED] = Tally()
        self._mine = Tally(upgrade_from=wanted.upgrade_from)
        self._pytest: pytest.Session | None = None
        self._piece, self._name = WHOLE, ""
        self._runs: dict[str, str] = {}  # of the further runs that are reported: their tests
        self._channel = config.stash[CHANNEL]
        self._channel.receive(TALLY, self.tally.add)

    # -- one test ----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a test as often as there is something to explore; leave any other test to pytest."""
        test = test_of(item)
        exploration = self.exploration_of(test)
        if not exploration:
            self._mine.count_left_out(bool(self._wanted) and is_property_test(test))
            self._session.plan_runs(RunPlan(seed=exploration.seed) if exploration.seed is not None else PLAIN)
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        piece = item.stash.get(SLICE, WHOLE)
        self._piece, self._name = piece, item.nodeid
        explorer = Explorer(exploration, self._session.settings.seed or test.nodeid, piece)
        try:
            if piece.is_first or piece.number <= (self._shares.of(test.nodeid) or piece.total):
                self._explore(test, nextitem, explorer)
            else:
                self._pass_over(test, nextitem, explorer)
        finally:
            self._session.plan_runs(PLAIN)
        # By the test's own name: some versions of pytest count it as a test that was reported.
        item.ihook.pytest_runtest_logfinish(nodeid=test.nodeid, location=item.location)
        return True

    def exploration_of(self, item: pytest.Item) -> Exploration:
        """What is explored of a test."""
        if is_property_test(item):
            # Each of its examples draws its own faults; every point of every example would be without end.
            return Exploration(seed=self._wanted.seed)
        if item.get_closest_marker(MARKER) is None:
            return self._wanted
        try:
            settings = self._session.settings_of(item)
        except pytest.UsageError:
            return Exploration()  # the test's setup says so, for that test alone
        wanted = self._wanted if settings.seed is None else replace(self._wanted, seeds=0)
        if wanted.upgrade_from is not None:
            return wanted if settings.upgrade else Exploration()
        if settings.crash is None:
            return wanted
        return replace(wanted, crash=(wanted.crash or "all") if settings.crash else None)

    def _explore(self, item: pytest.Item, nextitem: pytest.Item | None, explorer: Explorer) -> None:
        first = True
        started = 0.0
        is_one_of_many, before = self._piece.total > 1, random.getstate()
        start, state = self._start_of(item)
        while (plan := explorer.next()) is not None:
            random.setstate(state)
            if first:
                start.seed = plan.seed
            self._session.plan_runs(plan, start)
            with warnings.catch_warnings(record=True) if plan.is_repeated else nullcontext():
                outcome = self._run(item, nextitem, plan, explorer, is_first=first)
            if first:
                started = time.perf_counter()
                self._mine.count_test(is_explored=explorer.has_more and self._piece.is_first)
            elif not plan.is_repeated:
                self._mine.count_run(item.nodeid, plan, outcome)
            if plan.is_preparation and self._piece.is_first and (outcome.unknown or not explorer.points):
                self._mine.note_not_judged(item.nodeid, outcome.unknown or "it has no instances on the older source")
            if is_one_of_many and self._piece.is_first and (first or plan.is_preparation) and not explorer.prepares:
                self._shares.note(item.nodeid, explorer.shares)
            first = False
        self._mine.count_seconds(time.perf_counter() - started)
        if is_one_of_many:
            random.setstate(before)
            self._mine.note_share(item.nodeid, self._piece, explorer.digest)

    @cached_property
    def _shares(self) -> Shares:
        return Shares(self._channel.started_with(SLICING).folder)

    def _pass_over(self, item: pytest.Item, nextitem: pytest.Item | None, explorer: Explorer) -> None:
        """Leave out a slice that has nothing to do. Wider fixtures end where the next item needs them no more."""
        setups = item.session._setupstate
        call = pytest.CallInfo.from_call(lambda: setups.teardown_exact(nextitem), when="teardown")
        report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
        if report.failed:
            self._report(item, PLAIN, [report], explorer, everything=True)

    def _start_of(self, item: pytest.Item) -> tuple[CommonStart, Any]:
        """What all runs of a test start with, in each of its slices: entropy, and the state of `random`."""
        if self._piece.total == 1:
            return CommonStart(os.urandom(16).hex()), random.getstate()
        entropy = f"{self._channel.started_with(SLICING).entropy} {item.nodeid}"
        return CommonStart(entropy), random.Random(entropy).getstate()

    def _has_older(self, item: pytest.Item) -> bool:
        """Whether a test can begin on the older source."""
        upgrades = self._session.upgrades
        reason = upgrades.reason_against(item.path)
        if not self._piece.is_first:
            pass  # the first slice says so
        elif reason is not None:
            self._mine.note_not_judged(item.nodeid, reason)
        elif not upgrades.has_test(item):
            self._mine.new_tests.append(item.nodeid)
        return reason is None

    def _run(
        self, item: pytest.Item, nextitem: pytest.Item | None, plan: RunPlan, explorer: Explorer, *, is_first: bool
    ) -> RunOutcome:
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
            if is_first and explorer.prepares and not self._has_older(item):
                explorer.stop()  # before the teardown, which must know whether there is a further run
            if item.session.shouldfail or item.session.shouldstop:
                explorer.stop()
            following = _again(item) if explorer.has_more or nextitem is item else nextitem
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
        test_run = self._session.test_run
        passed = len(reports) == 2 and all(report.passed for report in reports)
        if test_run is None or not test_run.used:
            return RunOutcome(passed)
        if len(reports) == 1 and test_run.plan.is_preparation:
            return RunOutcome(passed, unknown=f"its setup fails there: {_error_line(reports[0])}")
        return test_run.outcome(passed=passed)

    def _report(
        self,
        item: pytest.Item,
        plan: RunPlan,
        reports: Sequence[pytest.TestReport],
        explorer: Explorer,
        *,
        everything: bool,
    ) -> None:
        if plan.is_silent and not plan.is_repeated:
            return
        for report in reports:
            if not report.failed and (plan.is_repeated or not everything):
                continue
            if plan.title and report.failed:
                command = plan.command(item.nodeid, explorer.points)
                report.sections.append(("Run it again", command))
            if plan.is_repeated:
                self._hold(item, plan, report)
                continue
            if not everything:
                attach(report, RUN, plan.title)
            if report.nodeid != self._name:  # a worker of xdist must report under the name that it was given
                attach(report, TEST, report.nodeid)
                report.nodeid = self._name
            item.ihook.pytest_runtest_logreport(report=report)

    def _hold(self, item: pytest.Item, plan: RunPlan, report: pytest.TestReport) -> None:
        """Hand over a failure that the first slice should report too; in the end it is known whether it did."""
        data = item.ihook.pytest_report_to_serializable(config=self._config, report=report)
        self._channel.send(HELD, Held(report.nodeid, plan.title, self._piece.title, data))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Name a run by its crash point and seed. A worker of xdist must report under the test's own name."""
        if self._channel.is_worker:
            return
        test = detach(report, TEST)
        if test is not None:  # pytest keeps a parsed node id, and its copy with each report that is named anew
            report.nodeid = test
        title = detach(report, RUN)
        if title is not None:
            attach(report, EXPLORED_TEST, (report.nodeid, title))
            self._runs[f"{report.nodeid}{title}"] = report.nodeid
            report.nodeid += title
            if self._pytest is not None:
                self._pytest.testscollected += 1  # the progress in percent counts reports by their names
            path, line, name = report.location
            report.location = (path, line, name + title)

    # -- the session -------------------------------------------------------------------------------------------------

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Know pytest's own session."""
        self._pytest = session

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Hand over what was explored here; in the end, a point that nothing reached fails the session."""
        self._channel.send(TALLY, self._mine)
        yield
        if not self._channel.is_worker:
            self._note_last_failed()
        if self._is_missed and session.exitstatus == pytest.ExitCode.OK and not self._channel.is_worker:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _note_last_failed(self) -> None:
        """Let `--lf` run a test again of which a further run failed: no test has that run's name."""
        cache = getattr(self._config, "cache", None)
        if cache is None or not self._runs:
            return
        failed = dict.fromkeys(self._runs.get(nodeid, nodeid) for nodeid in cache.get("cache/lastfailed", {}))
        cache.set("cache/lastfailed", dict.fromkeys(failed, True))

    @property
    def _is_missed(self) -> bool:
        wanted = self._wanted.crash
        return not (wanted is None or isinstance(wanted, str | int) or self.tally.points)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary of the exploration."""
        if self._is_missed:
            terminalreporter.section("workflow exploration")
            terminalreporter.line(
                f"No test reached the crash point {str(self._wanted.crash)!r}. `--workflows-crash -v` lists none by "
                "name; a failing run's report shows the names of its points, as in 'lost:charge card#1'.",
                red=True,
            )
        elif self.tally.explored or self.tally.left_out or self.tally.not_judged:
            older = self._wanted.upgrade_from
            terminalreporter.section("workflow exploration" if older is None else f"upgrade from {shown_path(older)}")
            for line in self.tally.lines():
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


def _error_line(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return brief(last_line(str(report.longrepr)))
    return brief(str(crash.message).strip().partition("\n")[0])
