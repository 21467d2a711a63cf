"""The hooks that divide the exploration of a test among a session's processes, or among machines."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import pytest

from pytest_workflows.exploration.slices import FEWEST, count_later
from pytest_workflows.session.slices import HELD, RUN, SLICING, Held, Slicing, divide, in_rounds, test_of
from pytest_workflows.session.use_signs import MARKER, OUR_FIXTURES
from pytest_workflows.session.xdist_channel import CHANNEL, Worker, attach

if TYPE_CHECKING:
    from pytest_workflows.exploration.explorer import Exploration

NAME = "pytest-workflows-slices"
_DIVIDING = ("load", "loadgroup", "worksteal")
"""The modes of xdist's `--dist` in which items of one file may run in several processes, and each of them once."""


class SliceHooks:
    """Hooks that make slices of the tests that are explored, and put together what they report.

    Args:
        config: pytest's configuration.
        wanted: How many slices the command line asks for; None for as many as there are processes.
        exploration_of: Gives the exploration of a test.
        explores_all: Whether the command line asks for exploration, and not a test's marker alone.
    """

    def __init__(
        self,
        config: pytest.Config,
        wanted: int | None,
        exploration_of: Callable[[pytest.Item], Exploration],
        *,
        explores_all: bool,
    ) -> None:
        self._config = config
        self._wanted = wanted
        self._exploration_of = exploration_of
        self._explores_all = explores_all
        self._folder = ""
        self._entropy = "" if wanted is not None else os.urandom(16).hex()
        self._channel = config.stash[CHANNEL]
        self._channel.at_start(SLICING, self._slicing_of)
        self._channel.receive(HELD, self._take)
        self._later = 0
        self._held: list[Held] = []
        self._failed: set[str] = set()
        self._pytest: pytest.Session | None = None

    def _slicing_of(self, worker: Worker) -> Slicing:
        is_divided = self._config.getoption("dist", "no") in _DIVIDING
        total = self._wanted or (worker.total if is_divided else 1)
        if self._explores_all and total > 1 and worker.id is not None and not self._folder:
            self._folder = tempfile.mkdtemp(prefix="pytest-workflows-slices-")
        return Slicing(total, self._entropy, self._folder)

    # -- collection --------------------------------------------------------------------------------------------------

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Know pytest's own session; last-failed tests are chosen among tests, and not among slices."""
        self._pytest = session
        if self._config.getoption("lf", False) or self._config.getoption("failedfirst", False):
            self._config.pluginmanager.register(_WholeTests(), f"{NAME}-of-last-failed")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Make slices of what was selected. A plugin that divides the tests of a session comes after this."""
        total = self._channel.started_with(SLICING).total
        if total == 1:
            return
        counts = {item: count for item in items if (count := self._count(item, total)) > 1}
        # Where there are fewer tests than slices, even a few further runs are worth a plain run.
        fewest = FEWEST if len(counts) >= total else 1
        slices = {item: divide(item, count, fewest) for item, count in counts.items()}
        before = len(items)
        items[:] = in_rounds(items, slices)
        later: list[pytest.Item | pytest.Collector] = [item for item in items if test_of(item) is not item]
        if len(items) > before and not self._channel.is_worker:
            # Or who deselects slices would leave fewer tests than were collected.
            report = pytest.CollectReport(nodeid="", outcome="passed", longrepr=None, result=later)
            config.hook.pytest_collectreport(report=report)

    def _count(self, item: pytest.Item, total: int) -> int:
        if not OUR_FIXTURES.intersection(getattr(item, "fixturenames", ())) and not item.get_closest_marker(MARKER):
            return 1  # most likely it runs no workflow
        is_grouped = self._config.getoption("loadgroup", False) and item.get_closest_marker("xdist_group")
        if is_grouped and self._wanted is None:
            return 1  # all of it runs in one process
        exploration = self._exploration_of(item)
        return exploration.slices(total) if exploration else 1

    # -- the session -------------------------------------------------------------------------------------------------

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the later slices."""
        self._later = sum(test_of(item) is not item for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Count the later slices; pytest counts what each worker collects, one that takes another's place included."""
        self._later = count_later(frozenset(ids))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Leave later slices out of the progress in percent: no report has their names."""
        session = self._pytest
        if session is not None and self._later and not self._channel.is_worker:
            session.testscollected = max(1, session.testscollected - self._later)
            self._later = 0

    def _take(self, held: Held) -> None:
        self._held.append(held)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what failed."""
        if report.failed:
            self._failed.add(report.nodeid)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Report a failure in a later slice of what the first one saw pass, or did not see."""
        for held in self._held:
            if f"{held.test}{held.run}" not in self._failed:
                report = self._config.hook.pytest_report_from_serializable(config=self._config, data=held.report)
                report.nodeid = held.test
                attach(report, RUN, f"{held.run}{held.piece}")
                self._config.hook.pytest_runtest_logreport(report=report)
                if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                    session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return (yield)

    def pytest_unconfigure(self) -> None:
        """Remove what the processes shared."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


class _WholeTests:
    """Lets pytest choose among tests by what failed last, and the slices of those that it chooses follow.

    pytest takes for a hook only what begins with its name.
    """

    def __init__(self) -> None:
        self._slices: dict[pytest.Item, list[pytest.Item]] = {}

    @pytest.hookimpl(wrapper=True, specname="pytest_collection_modifyitems")
    def pytest_put_together(self, items: list[pytest.Item]) -> Generator[None]:
        """Before pytest chooses, which it does in a wrapper of its own around this one: the tests."""
        yield
        for item in items:
            self._slices.setdefault(test_of(item), []).append(item)
        items[:] = self._slices

    @pytest.hookimpl(wrapper=True, tryfirst=True, specname="pytest_collection_modifyitems")
    def pytest_take_apart(self, items: list[pytest.Item]) -> Generator[None]:
        """When pytest has chosen: the slices."""
        yield
        items[:] = in_rounds(items, self._slices)
