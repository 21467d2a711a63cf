"""Run plans: how one run of a test differs from its plain run, by a crash point and an interleaving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pytest_workflows.messages.short_repr import printable

if TYPE_CHECKING:
    from durable_engine import FaultPoint

    from .source_run import SourceRun
    from .state_difference import Contents


Stage = Literal["probe", "control", "verdict"]
Progress = Mapping[tuple[str, str], frozenset[str] | None]
"""The steps that were over at a run's end, by instance; None for an instance that had ended."""


@dataclass(slots=True, eq=False)
class CommonStart:
    """The common start of all runs of one test, so that they differ in what their plans say alone.

    Attributes:
        entropy: The seed of what the test's own code draws from the system.
        now: Where the clock starts, in epoch milliseconds; None until the plain run has begun.
        seed: The schedule's seed of the plain run.
        left: What the plain run left in the stores; None before its end.
        progress: How far the instances of the plain run came.
        ended_ms: The virtual time at the plain run's end, in milliseconds since 1970.
        today: The runs of today's source from the top, by the schedule's seed, where an upgrade is checked.
        old: The same of the older source, which no other one took the place of.
    """

    entropy: str
    now: int | None = None
    seed: int | None = None
    left: Contents | None = None
    progress: Progress = field(default_factory=dict)
    ended_ms: int = 0
    today: dict[int | None, SourceRun] = field(default_factory=dict)
    old: dict[int | None, SourceRun] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One run of a test.

    Attributes:
        point: The fault point where the engine dies; None for nowhere.
        seed: The schedule's seed; None for the usual order.
        records: Whether the fault points that are reached are kept.
        is_shared: Whether several instances have a point of that name, so that it must be said whose it is.
        upgrade_from: The older source that the run begins on, as the command line names it; at the point, today's is
            deployed. None for a run of today's source alone.
        stage: Of an upgrade: `"probe"` finds out whether anything is wrong, `"control"` whether a crash alone does the
            same, `"verdict"` says it.
        problem: Of a control and a verdict: the kind of what is wrong.
        is_repeated: Whether each slice of the test makes this run, and the first one reports it.
    """

    point: FaultPoint | None = None
    seed: int | None = None
    records: bool = False
    is_shared: bool = False
    upgrade_from: str | None = None
    stage: Stage | None = None
    problem: str = ""
    is_repeated: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether nobody hears of the run itself."""
        return self.is_repeated or self.is_preparation or self.stage in ("probe", "control")

    @property
    def is_preparation(self) -> bool:
        """Whether the run only shows what the older source does, so that nobody hears of it."""
        return self.upgrade_from is not None and self.point is None

    @property
    def title(self) -> str:
        """The text behind the test's name in its report; empty for the plain run."""
        parts = []
        if self.point is not None:
            what = "crash" if self.upgrade_from is None else "upgrade"
            parts.append(f"{what}: {self.point.title}{self.point.where if self.is_shared else ''}")
        if self.seed is not None:
            parts.append(f"seed: {self.seed}")
        if not parts:
            return ""
        return printable(f"[{', '.join(parts)}]")

    def command(self, nodeid: str, points: Sequence[FaultPoint]) -> str:
        """The line that makes this run again.

        Args:
            nodeid: The test.
            points: All points that the test reached, of which the line must name this one alone.
        """
        line = f"pytest {_quoted(nodeid)}"
        if self.upgrade_from is not None:
            line += f" --workflows-upgrade-from={_quoted(printable(self.upgrade_from))}"
        if self.point is not None:
            line += f" --workflows-crash={_quoted(printable(self.point.shortest(points)))}"
        if self.seed is not None:
            line += f" --workflows-seed={self.seed}"
        return line


PLAIN = RunPlan()


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The outcome of a run of a test.

    Attributes:
        passed: Whether setup and call passed.
        points: The fault points that it reached.
        has_choices: Whether several things could have gone first.
        trace: Which of them did.
        struck: Whether the engine died where the plan said.
        findings: The broken rules, as places: rule, file, line.
        has_instances: Whether it had instances that an upgrade can be checked with.
        problem: The kind of what is wrong with an upgrade; empty where nothing is.
        unknown: Why an upgrade at its point could not be judged; empty where it was.
    """

    passed: bool = False
    points: Sequence[FaultPoint] = ()
    has_choices: bool = False
    trace: Sequence[tuple[int, int]] = ()
    struck: bool = False
    findings: Sequence[tuple[str, str, int]] = ()
    has_instances: bool = False
    problem: str = ""
    unknown: str = ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
