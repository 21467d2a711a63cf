"""What the page says of each workflow, drawn without its script: numbers, steps, and the graph."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_workflows.graph import build_graph, to_mermaid, to_svg
from pytest_workflows.recordings import Recording, StepStats, WorkflowStats, stats_of
from pytest_workflows.sources import SourceWorkflow, family
from pytest_workflows.step_coverage import KnownWorkflow, StepCoverage, WorkflowCoverage, known_by, sources_of

from .report import Report


@dataclass
class Line:
    """A step of a workflow."""

    covered: StepCoverage
    runs: list[StepStats]

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
    """A workflow on the page."""

    coverage: WorkflowCoverage
    stats: WorkflowStats | None
    lines: list[Line]
    graph: str
    mermaid: str


def cards(report: Report) -> list[Card]:
    """The workflows, in the coverage's order."""
    find = sources_of(report.rootdir)
    by_workflow: dict[KnownWorkflow, list[Recording]] = {}
    for recording in report.recordings:
        by_workflow.setdefault(known_by(recording), []).append(recording)
    made = []
    for coverage in report.coverage.workflows:
        mine = by_workflow.get(coverage.known, [])
        source = find(coverage.known)
        stats = next(iter(stats_of(mine)), None)
        graph = build_graph(mine, source, coverage.known.workflow)
        lines = _lines(coverage, stats, source)
        made.append(Card(coverage, stats, lines, to_svg(graph, standalone=False), to_mermaid(graph)))
    return made


def _lines(coverage: WorkflowCoverage, stats: WorkflowStats | None, source: SourceWorkflow | None) -> list[Line]:
    lines = [Line(step, []) for step in coverage.steps]
    by_name = {(line.covered.kind, line.covered.name): line for line in lines}
    for step in stats.by_step if stats is not None else ():
        index = None if source is None else source.find(step.kind, step.name)
        line = by_name[step.kind, family(step.name)] if index is None else lines[index]
        line.runs.append(step)
    return lines
