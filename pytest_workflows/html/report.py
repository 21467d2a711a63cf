"""What the page is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pytest_workflows.recordings import Recording
from pytest_workflows.step_coverage import Coverage, KnownWorkflow


@dataclass
class TestRun:
    """A test that created instances.

    Attributes:
        id: Its node id.
        outcome: `"passed"` or `"failed"`.
        worker: The xdist worker that ran it, or None.
        failure: What pytest says of its failure.
        recordings: Its instances.
    """

    __test__ = False  # pytest, this is none of yours

    id: str
    outcome: str = "passed"
    worker: str | None = None
    failure: str | None = None
    recordings: list[Recording] = field(default_factory=list)


@dataclass
class Report:
    """A session.

    Attributes:
        rootdir: What files are relative to.
        tests: The tests that created instances.
        coverage: Their step coverage.
        configured: The workflows that the configuration names.
        command: How pytest was called.
        made_at: When the page is made, as text.
    """

    rootdir: Path
    tests: list[TestRun]
    coverage: Coverage
    configured: list[KnownWorkflow] = field(default_factory=list)
    command: str = ""
    made_at: str = ""

    @property
    def recordings(self) -> list[Recording]:
        """All instances, test by test."""
        return [recording for test in self.tests for recording in test.recordings]
