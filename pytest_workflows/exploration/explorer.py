"""Exploration: a test is run once as it is, and then once for each place where the engine may die, in each order.

`Explorer` decides which runs there are, from what the runs before them showed. It knows nothing of pytest.
"""

from __future__ import annotations

import random
import zlib
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_workflows.messages.short_repr import counted

from .run_plan import RunOutcome, RunPlan, Stage
from .slices import WHOLE, Slice

if TYPE_CHECKING:
    from durable_engine import FaultPoint

ALL = "all"
MOST_NAMED = 3
"""How many tests the summary names for one reason."""


@dataclass(frozen=True, slots=True)
class Exploration:
    """The exploration that the options ask for.

    Attributes:
        crash: `"all"` fault points, a number of them that is drawn by seed, one of them; None for none.
        seeds: How many schedules, beside the usual order.
        seed: The one schedule that is to be followed.
        upgrade_from: The older source that each test begins on; at the fault points of `crash`, all where there is
            none, today's is deployed. None for none.
    """

    crash: str | int | FaultPoint | None = None
    seeds: int = 0
    seed: int | None = None
    upgrade_from: str | None = None

    def __bool__(self) -> bool:
        return self.explores_points or self.seeds > 0

    @property
    def explores_points(self) -> bool:
        """Whether there are runs with a fault point, and not with other orders alone."""
        return self.crash is not None or self.upgrade_from is not None

    def slices(self, wanted: int) -> int:
        """Into how many slices a test's exploration is divided: no more than have anything to do.

        Args:
            wanted: How many processes or machines there are.
        """
        if not self.explores_points:
            return max(1, min(wanted, self.seeds))
        if self.crash is None or self.crash == ALL:
            return wanted
        return min(wanted, self.crash) if isinstance(self.crash, int) else 1


class Explorer:
    """The runs of one test.

    Args:
        exploration: The exploration that is asked for.
        seed: The seed of draws.
        piece: The test's slice whose runs these are.

    Attributes:
        points: The fault points that the plain run reached, where the engine is killed one after the other.
        shares: How many slices of the test have anything to do; 1 as long as there are no further runs.
    """

    def __init__(self, exploration: Exploration, seed: object, piece: Slice = WHOLE) -> None:
        self._exploration = exploration
        self._seed = seed
        self._piece = piece
        plain = RunPlan(seed=exploration.seed, records=True, is_repeated=not piece.is_first)
        self._waiting: deque[RunPlan] = deque([plain])
        self._schedules: set[tuple[tuple[int, int], ...]] = set()
        self._plain = True
        self._titles = 0
        self._shared = 0
        self.points: Sequence[FaultPoint] = ()
        self.shares = 1

    def next(self) -> RunPlan | None:
        """The plan of the next run, or None."""
        return self._waiting.popleft() if self._waiting else None

    @property
    def has_more(self) -> bool:
        """Whether there is a further run."""
        return bool(self._waiting)

    @property
    def digest(self) -> str:
        """The same for two slices of a test that saw the same points; empty where there is no further run."""
        return f"{self._titles:08x}" if self._shared else ""

    @property
    def prepares(self) -> bool:
        """Whether the next run is one of an older source, from the top."""
        return bool(self._waiting) and self._waiting[0].is_preparation

    def learn(self, plan: RunPlan, outcome: RunOutcome) -> None:
        """Decide which runs follow from the outcome of this one."""
        plain, self._plain = self._plain, False
        if plan.point is not None:
            self._look_closer(plan, outcome)
            return
        if plan.is_preparation:
            if not outcome.unknown:
                self._plan_points(plan, outcome)
            return
        schedule = tuple(outcome.trace)
        if not outcome.passed or schedule in self._schedules:
            return  # or another seed, and the same order
        self._schedules.add(schedule)
        older = self._exploration.upgrade_from
        if older is None:
            self._plan_points(plan, outcome)
        elif outcome.has_instances:
            self._waiting.append(replace(plan, records=True, upgrade_from=older, is_repeated=False))
        if plain and outcome.has_choices and self._exploration.seed is None:
            self._plan_schedules()

    def _plan_schedules(self) -> None:
        """Plan runs in other orders. Where each has points, all slices make them: two may turn out to be the same."""
        plans = [RunPlan(seed=seed, records=True) for seed in range(1, self._exploration.seeds + 1)]
        if self._exploration.explores_points:
            self._waiting.extend(replace(plan, is_repeated=not self._piece.is_first) for plan in plans)
        else:
            self._divide(plans)

    def _divide(self, plans: Sequence[RunPlan]) -> None:
        """Plan what is this slice's of further runs."""
        if not self._shared:
            self.shares = self._piece.shares(len(plans))  # no later plan changes that
        for place, plan in enumerate(plans, self._shared):
            if place % self.shares == self._piece.number - 1:
                self._waiting.append(plan)
        self._shared += len(plans)

    def _look_closer(self, plan: RunPlan, outcome: RunOutcome) -> None:
        """Plan what follows from a run with a fault point: of an upgrade that goes wrong, what a crash alone does."""
        if plan.stage == "probe" and outcome.problem:
            self._waiting.appendleft(replace(plan, stage="control", problem=outcome.problem))
        elif plan.stage == "control" and outcome.problem != plan.problem:
            self._waiting.appendleft(replace(plan, stage="verdict"))

    def _plan_points(self, plan: RunPlan, outcome: RunOutcome) -> None:
        self.points = outcome.points
        names = Counter(point.title for point in outcome.points)
        stage: Stage | None = None if plan.upgrade_from is None else "probe"
        further = []
        for point in self._drawn(outcome.points):
            is_shared = names[point.title] > 1
            further.append(
                replace(plan, point=point, records=False, is_shared=is_shared, stage=stage, is_repeated=False)
            )
            short = f"{point.short}\n"  # without the instance, whose id may be random
            self._titles = zlib.crc32(short.encode("utf-8", "surrogatepass"), self._titles)
        self._divide(further)

    def stop(self) -> None:
        """Plan no further run."""
        self._waiting.clear()

    def _drawn(self, points: Sequence[FaultPoint]) -> Sequence[FaultPoint]:
        wanted: Any = self._exploration.crash
        if wanted is None and self._exploration.upgrade_from is None:
            return ()
        if wanted is None or wanted == ALL:
            return points
        if isinstance(wanted, int):
            drawn = random.Random(f"{self._seed}").sample(range(len(points)), min(wanted, len(points)))
            return [points[index] for index in sorted(drawn)]
        return [point for point in points if wanted.covers(point)]


@dataclass(slots=True)
class Tally:
    """The exploration of a session, in numbers.

    Attributes:
        tests: How many tests.
        points: How many crash points were run.
        schedules: How many schedules, beside the usual order.
        seconds: Real seconds, plain runs left out.
        failed: How many of the runs failed.
        unreached: The runs whose point did not come again: test and point.
        findings: Places where a rule is broken: rule, file, line.
        left_out: How many property tests were left out.
        upgrade_from: The older source that today's took the place of at the points; None for none.
        by_crash_alone: At how many points something is wrong with an upgrade, and with a crash alone too.
        new_tests: The tests that the older source does not have.
        not_judged: The tests, with their points where it is about one, that say nothing of an upgrade, by the reason.
        shares: Of tests that are divided into slices: what each slice saw, as a digest, by the slice.
    """

    tests: int = 0
    points: int = 0
    schedules: int = 0
    seconds: float = 0.0
    failed: int = 0
    unreached: list[tuple[str, str]] = field(default_factory=list)
    findings: set[tuple[str, str, int]] = field(default_factory=set)
    left_out: int = 0
    upgrade_from: str | None = None
    by_crash_alone: int = 0
    new_tests: list[str] = field(default_factory=list)
    not_judged: dict[str, list[str]] = field(default_factory=dict)
    shares: dict[str, dict[str, str]] = field(default_factory=dict)

    def count_left_out(self, is_left_out: bool) -> None:
        """A property test was met, which is left out if anything is to be explored."""
        self.left_out += is_left_out

    def count_test(self, *, is_explored: bool) -> None:
        """A test ran as it is, and has further runs or not."""
        self.tests += is_explored

    def count_run(self, test: str, plan: RunPlan, outcome: RunOutcome) -> None:
        """A further run of a test is over.

        Args:
            test: The test's node id.
            plan: How the run differed from the plain one.
            outcome: What it showed.
        """
        if plan.is_preparation:
            return
        if plan.stage == "control":
            self.by_crash_alone += outcome.problem == plan.problem
        elif plan.point is None:
            self.schedules += 1
        elif plan.stage != "verdict":  # its probe was counted
            self.points += 1
            if outcome.unknown:
                self.note_not_judged(f"{test}{plan.title}", outcome.unknown)
            elif outcome.passed and not outcome.struck:
                under = "" if plan.seed is None else f" (seed {plan.seed})"
                self.unreached.append((test, f"{plan.point}{under}"))
        self.failed += not outcome.passed and not plan.is_silent
        self.findings.update(outcome.findings)

    def note_not_judged(self, test: str, reason: str) -> None:
        """A test, or a run of it, says nothing of an upgrade."""
        self.not_judged.setdefault(reason, []).append(test)

    def note_share(self, test: str, piece: Slice, digest: str) -> None:
        """A slice of a test is over.

        Args:
            test: The test's node id.
            piece: The slice.
            digest: The same for slices that saw the same points; empty where it has no further runs.
        """
        self.shares.setdefault(test, {})[str(piece)] = digest

    def count_seconds(self, seconds: float) -> None:
        """Further runs took so long."""
        self.seconds += seconds

    @property
    def explored(self) -> int:
        """How many tests were explored: also those of which others, on another machine, have the first slice."""
        return self.tests + sum(any(digests.values()) and not _has_first(digests) for digests in self.shares.values())

    def dump(self) -> dict[str, Any]:
        """As plain data, for a file."""
        return {
            "tests": self.tests,
            "points": self.points,
            "schedules": self.schedules,
            "seconds": self.seconds,
            "failed": self.failed,
            "unreached": [list(entry) for entry in self.unreached],
            "findings": [list(place) for place in sorted(self.findings)],
            "left_out": self.left_out,
            "upgrade_from": self.upgrade_from,
            "by_crash_alone": self.by_crash_alone,
            "new_tests": self.new_tests,
            "not_judged": self.not_judged,
            "shares": self.shares,
        }

    def add(self, other: Tally) -> None:
        """Add the exploration of another process."""
        self.tests += other.tests
        self.points += other.points
        self.schedules += other.schedules
        self.seconds = max(self.seconds, other.seconds)  # the processes ran side by side
        self.failed += other.failed
        self.unreached += other.unreached
        self.findings |= other.findings
        self.left_out += other.left_out
        self.upgrade_from = self.upgrade_from or other.upgrade_from
        self.by_crash_alone += other.by_crash_alone
        self.new_tests += other.new_tests
        for reason, tests in other.not_judged.items():
            self.not_judged.setdefault(reason, []).extend(tests)
        for test, digests in other.shares.items():
            self.shares.setdefault(test, {}).update(digests)

    def lines(self) -> list[str]:
        """The summary for the terminal."""
        is_upgrade = self.upgrade_from is not None
        explored = [counted(self.points, "upgrade" if is_upgrade else "crash point")]
        if self.schedules:
            explored.append(counted(self.schedules, "schedule"))
        lines = [
            f"{counted(self.explored, 'test')}, {', '.join(explored)} in {self.seconds:.2f} s: "
            f"{self.failed or 'none'} failed" + ("" if is_upgrade else f", {counted(len(self.findings), 'finding')}")
        ]
        if self.by_crash_alone:
            lines.append(
                f"not counted: {counted(self.by_crash_alone, 'upgrade')} at a point where a crash alone does the same "
                "(see --workflows-crash)"
            )
        if self.new_tests:
            lines.append(f"not in {self.upgrade_from}, but run on it: {_named(self.new_tests)}")
        lines += [f"not judged: {_named(tests)} ({reason})" for reason, tests in self.not_judged.items()]
        lines += [
            f"not reached again: {point} in {test} (its runs differ: is something random or timed in the test?)"
            for test, point in self.unreached
        ]
        different = [test for test, digests in self.shares.items() if len(set(digests.values())) > 1]
        if different:
            lines.append(
                f"not the same points in each slice: {_named(different)} (its runs differ: is something random or "
                "timed in the test? With -n0 it is explored in one process)"
            )
        if self.left_out:
            lines.append(f"left out: {counted(self.left_out, 'property test')} (they draw their own: `fault_plans()`)")
        return lines


def _has_first(digests: Mapping[str, str]) -> bool:
    return any(piece.startswith("1/") for piece in digests)


def _named(tests: Sequence[str]) -> str:
    more = f" and {len(tests) - MOST_NAMED} more" if len(tests) > MOST_NAMED else ""
    return f"{', '.join(tests[:MOST_NAMED])}{more}"
