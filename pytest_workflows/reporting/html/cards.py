"""The cards of the page, one a workflow, drawn without its script: numbers, steps, and the graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from pytest_workflows.recordings import Recording, StepStats, WorkflowStats, stats_of
from pytest_workflows.reporting.coverage import (
    KnownWorkflow,
    StepCoverage,
    WorkflowCoverage,
    known_by,
    what_happened,
)
from pytest_workflows.reporting.graph import build_graph, to_mermaid, to_svg
from pytest_workflows.sources import SourceWorkflow, family

from .pills import Pills
from .report import Report

_WORDS = {"real": "ran for real", "timed_out": "timed out", "exhausted": "retried to the end", "retried": "retried"}


@dataclass
class Line:
    """A step of a workflow.

    Attributes:
        covered: Its coverage by the tests.
        runs: Its statistics, by name.
        pills: By what happened to it the number of the pill that shows the instances in which it did.
    """

    covered: StepCoverage
    runs: list[StepStats] = field(default_factory=list)
    pills: dict[str, int | None] = field(default_factory=dict)

    @property
    def retries(self) -> int:
        """Attempts beyond the first."""
        return sum(run.retries for run in self.runs)

    @property
    def slowest(self) -> float:
        """The longest work of one run, in milliseconds."""
        return max((run.working.longest for run in self.runs), default=0.0)

    @property
    def longest(self) -> float:
        """The longest run in virtual time, in milliseconds."""
        return max((run.virtual.longest for run in self.runs), default=0.0)


@dataclass
class Card:
    """A workflow on the page.

    Attributes:
        coverage: Its coverage by the tests.
        stats: Its instances' statistics; None where there are none.
        lines: Its steps.
        graph: The graph of its steps, as SVG.
        mermaid: The graph as Mermaid's text.
        pills: By status the number of the pill that shows its instances of that status.
    """

    coverage: WorkflowCoverage
    stats: WorkflowStats | None
    lines: list[Line]
    graph: str
    mermaid: str
    pills: dict[str, int | None]


def cards(report: Report, pills: Pills) -> list[Card]:
    """The workflows, in the coverage's order."""
    sources = report.read_sources
    by_workflow: dict[KnownWorkflow, dict[int, Recording]] = {}
    for number, recording in enumerate(report.recordings):
        by_workflow.setdefault(known_by(recording), {})[number] = recording
    made = []
    for coverage in report.coverage.workflows:
        mine = by_workflow.get(coverage.known, {})
        recordings = list(mine.values())
        source = sources.find(coverage.known)
        stats = next(iter(stats_of(recordings)), None)
        graph = build_graph(recordings, source, coverage.known.workflow)
        lines = _lines(coverage, mine, stats, source, pills)
        statuses = _statuses(coverage.known.workflow, mine, pills)
        made.append(Card(coverage, stats, lines, to_svg(graph, standalone=False), to_mermaid(graph), statuses))
    return made


def _statuses(workflow: str, mine: dict[int, Recording], pills: Pills) -> dict[str, int | None]:
    numbers: dict[str, list[int]] = {}
    for number, recording in mine.items():
        numbers.setdefault(recording.status, []).append(number)
    return {status: pills.add(f"{workflow}: {status}", found) for status, found in numbers.items()}


def _lines(
    coverage: WorkflowCoverage,
    mine: dict[int, Recording],
    stats: WorkflowStats | None,
    source: SourceWorkflow | None,
    pills: Pills,
) -> list[Line]:
    lines = [Line(step) for step in coverage.steps]
    by_name = {(line.covered.kind, line.covered.name): line for line in lines}

    @cache
    def line_of(kind: str, name: str) -> Line:
        index = None if source is None else source.find(kind, name)
        return by_name[kind, family(name)] if index is None else lines[index]

    for step in stats.by_step if stats is not None else ():
        line_of(step.kind, step.name).runs.append(step)
    numbers: dict[tuple[int, str], list[int]] = {}
    for number, recording in mine.items():
        for one in recording.steps:
            happened = what_happened(one, recording) | ({"retried"} if len(one.attempts) > 1 else set())
            for what in sorted(happened):
                numbers.setdefault((id(line_of(one.kind, one.name)), what), []).append(number)
    for line in lines:
        for (key, what), found in numbers.items():
            if key == id(line):
                name = f"{coverage.known.workflow}, {line.covered.name}: {_WORDS.get(what, what)}"
                line.pills[what] = pills.add(name, found)
    return lines
