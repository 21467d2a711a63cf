"""The data model of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_workflows.recordings import Recording
from pytest_workflows.reporting.coverage import Coverage
from pytest_workflows.reporting.kept_sources import Sources, SourcesOnDisk


@dataclass
class Failure:
    """The failure of a test.

    Attributes:
        text: pytest's text of it.
        sentence: The one line of it that says what happened.
        command: The line that runs the test again, as the terminal shows it.
        recordings: The files of its recordings, relative to rootdir, in the order of its instances.
    """

    text: str
    sentence: str = ""
    command: str = ""
    recordings: list[str] = field(default_factory=list)

    def joined_with(self, later: Failure) -> Failure:
        """This failure and that of a later phase of the same test, as one."""
        return Failure(
            text="\n\n".join(filter(None, [self.text, later.text])),
            sentence=self.sentence or later.sentence,
            command=self.command or later.command,
            recordings=self.recordings or later.recordings,
        )


@dataclass
class ReportedTest:
    """A test that created instances, or that failed with the plugin's fixtures.

    Attributes:
        id: Its node id.
        outcome: `"passed"` or `"failed"`.
        worker: The xdist worker that ran it, or None.
        failure: How it failed.
        recordings: Its instances.
    """

    __test__ = False  # pytest must not collect the class

    id: str
    outcome: str = "passed"
    worker: str | None = None
    failure: Failure | None = None
    recordings: list[Recording] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Exploration:
    """The summary of what was explored.

    Attributes:
        upgrade_from: The older source that tests began on; None for crash points and schedules.
        lines: The summary as the terminal shows it.
    """

    upgrade_from: str | None
    lines: list[str]


@dataclass
class Report:
    """The report of a session.

    Attributes:
        rootdir: What files are relative to.
        tests: The tests that created instances, and those that failed with the plugin's fixtures.
        coverage: Their step coverage.
        command: How pytest was called; of several sessions, a line each.
        made_at: When the page is made, as text.
        others: The node ids of what else failed: tests that use no workflow, and files that cannot be collected.
        commit: What git has checked out; None outside of a repository.
        parts: How many sessions it is of.
        exploration: What was explored; None for nothing.
        sources: The sources; None reads them from rootdir.
        folders: What stands for folders of the machine; empty for this one's.
    """

    rootdir: Path
    tests: list[ReportedTest]
    coverage: Coverage
    command: str = ""
    made_at: str = ""
    others: list[str] = field(default_factory=list)
    commit: str | None = None
    parts: int = 1
    exploration: Exploration | None = None
    sources: Sources | None = None
    folders: Mapping[str, str] = field(default_factory=dict)

    @property
    def read_sources(self) -> Sources:
        """The sources, from where they are."""
        return self.sources or SourcesOnDisk(self.rootdir)

    @property
    def recordings(self) -> list[Recording]:
        """The recordings of all instances, test by test."""
        return [recording for test in self.tests for recording in test.recordings]
