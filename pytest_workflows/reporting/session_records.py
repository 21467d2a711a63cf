"""The records of a session: all that the reports at its end are made of."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pytest_workflows.exploration.explorer import Tally
from pytest_workflows.recordings import Recording

from .coverage import KnownWorkflow, measure
from .html import Failure, Report, ReportedTest
from .html.report import Exploration
from .kept_sources import KeptSources, SourcesOnDisk
from .run_records import TestRuns


class Share(msgspec.Struct, frozen=True, order=True):
    """Which share of all tests a session was given.

    Attributes:
        total: How many shares there are.
        number: Which one, from 1 on.
    """

    total: int
    number: int

    def __str__(self) -> str:
        return f"{self.number} of {self.total}"


class Part(msgspec.Struct):
    """One session of pytest.

    Attributes:
        id: Distinguishes it from any other session.
        command: How pytest was called.
        share: The share of the tests that pytest-split gave it; None where it is not asked to.
        slices: The slices of tests that it was given, by the test; of a test that is not divided, nothing.
        stopped: Why it ended before its last test; empty where it did not.
        collected: What all the tests that it collected, its own or not, and their order are recognised by.
    """

    id: str
    command: str = ""
    share: Share | None = None
    slices: dict[str, list[Share]] = {}
    stopped: str = ""
    collected: str = ""


class SessionRecords(msgspec.Struct):
    """What the reports at the end of a session are made of.

    Attributes:
        parts: The session, or those that were merged.
        made_by: The version of pytest-workflows.
        made_at: When it ended, as text.
        commit: What git has checked out; None outside of a repository.
        folder: pytest's rootdir in the repository, `shop/`; empty for the repository's own folder.
        runs: The instances of each run of a test.
        failures: How tests failed, by their node ids with what their run differed in.
        configured: The workflows that the configurations of the collected tests name.
        exploration: What was explored.
        sources: The sources, where they are kept.
        folders: What stands on the page for folders of the machine.
    """

    parts: list[Part]
    made_by: str = ""
    made_at: str = ""
    commit: str | None = None
    folder: str = ""
    runs: list[TestRuns] = []
    failures: dict[str, Failure] = {}
    configured: list[KnownWorkflow] = []
    exploration: Tally = msgspec.field(default_factory=Tally)
    sources: KeptSources | None = None
    folders: dict[str, str] = {}

    @property
    def recordings(self) -> list[Recording]:
        """The recordings of all runs."""
        return [recording for run in self.runs for recording in run.recordings]

    @property
    def shown(self) -> list[Recording]:
        """The recordings that the page shows one by one."""
        return [recording for run in self.runs if not run.quiet for recording in run.recordings]


def report_of(records: SessionRecords, rootdir: Path) -> Report:
    """Put the records of a session together: tests that failed come first, else they stand in the order of the files.

    Args:
        records: The records.
        rootdir: What files are relative to, where the sources are not kept.
    """
    tests: dict[str, ReportedTest] = {}
    for run in records.runs:
        if not run.quiet:
            failure = records.failures.get(run.test)
            outcome = "passed" if failure is None else "failed"
            test = tests.setdefault(run.test, ReportedTest(run.test, outcome, run.worker, failure))
            test.recordings.extend(run.recordings)
    sources = records.sources or SourcesOnDisk(rootdir)
    return Report(
        rootdir=rootdir,
        tests=sorted(tests.values(), key=lambda test: test.outcome != "failed"),
        coverage=measure(records.recordings, records.configured, sources.find, rootdir),
        others=[nodeid for nodeid in records.failures if nodeid not in tests],
        command="\n".join(part.command for part in records.parts),
        made_at=records.made_at,
        commit=records.commit,
        parts=len(records.parts),
        exploration=_explored(records.exploration),
        sources=sources,
        folders=records.folders,
    )


def _explored(tally: Tally) -> Exploration | None:
    has_news = tally.explored or tally.left_out or tally.not_judged
    return Exploration(tally.upgrade_from, tally.lines()) if has_news else None
