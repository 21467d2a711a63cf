"""The construction of a graph: from recordings the steps that ran, from the source those that could have."""

from __future__ import annotations

from collections.abc import Iterable

from durable_engine import FINAL_STATUSES
from pytest_workflows.recordings import Recording, Step
from pytest_workflows.sources import START, SourceWorkflow, family

from .model import Edge, Graph, Node
from .order import Span, latest, spans_of


def build_graph(recordings: Iterable[Recording], source: SourceWorkflow | None = None, title: str = "") -> Graph:
    """The graph of one workflow's recordings.

    Args:
        recordings: Of one workflow.
        source: Its steps in the source; without it there are no branches that nothing took.
        title: The workflow.
    """
    builder = _Builder(source)
    for recording in recordings:
        builder.add(recording)
    return builder.finish(title)


_WINDOW = 300
"""The most steps before a step that are searched for its predecessors: instances may have thousands."""


class _Builder:
    def __init__(self, source: SourceWorkflow | None) -> None:
        self._source = source
        self._places = {f"s{index}": step for index, step in enumerate(source.steps if source else ())}
        self._start = Node("start", "start", "start")
        self._steps = [
            Node(f"s{index}", step.kind, step.name.text, place=f"{step.file}:{step.line}")
            for index, step in enumerate(source.steps if source else ())
        ]
        self._others: dict[tuple[str, str], Node] = {}
        self._ends: dict[str, Node] = {}
        self._times: dict[tuple[str, str], int] = {}
        self._depends: set[tuple[str, str]] = set()

    def add(self, recording: Recording) -> None:
        """Count one run."""
        self._start.count_instance()
        spans = spans_of(recording)
        nodes = [self._node(span.step) for span in spans]
        for at, span in enumerate(spans):
            node = nodes[at]
            node.count_step(span.step)
            near = range(max(0, at - _WINDOW), at)
            before = [(spans[one], nodes[one]) for one in near if spans[one].end <= span.start]
            self._link(before, span, node)
        if recording.status in FINAL_STATUSES:
            self._finish(recording, list(zip(spans, nodes, strict=True)))

    def _node(self, step: Step) -> Node:
        index = self._source.find(step.kind, step.name) if self._source else None
        if index is not None:
            return self._steps[index]
        key = (step.kind, family(step.name))
        if key not in self._others:
            place = f"{step.place.file}:{step.place.line}" if step.place else None
            self._others[key] = Node(f"x{len(self._others)}", *key, place=place)
        return self._others[key]

    def _link(self, before: list[tuple[Span, Node]], span: Span, node: Node) -> None:
        allowed = self._allowed(node)
        candidates = [pair for pair in before if pair[1].id in allowed] if allowed else before
        if not candidates and allowed and "start" not in allowed:
            candidates = before  # it ran in a way that the source did not show
        last = latest([one for one, _ in candidates], span.start)
        found = {one.id: None for seen, one in candidates if seen in last}
        needed = {one.id: None for seen, one in before if self._needs(span.step, seen.step, node, one)}
        for source in {**found, **needed} or {"start": None}:
            self._take(source, node.id)
        self._depends.update((source, node.id) for source in needed)

    def _needs(self, step: Step, other: Step, node: Node, other_node: Node) -> bool:
        if node.id in self._places:
            return other_node.id in map(self._id, self._places[node.id].depends)
        return other.name in step.inputs

    def _allowed(self, node: Node) -> set[str]:
        step = self._places.get(node.id)
        return set() if step is None else set(map(self._id, step.after))

    def _finish(self, recording: Recording, pairs: list[tuple[Span, Node]]) -> None:
        end = self._end(recording.status)
        end.count_instance()
        last = latest([span for span, _ in pairs], float("inf"))
        sources = {node.id: None for span, node in pairs if span in last and span.end != float("inf")}
        for source in sources or {"start": None}:
            self._take(source, end.id)

    def _end(self, status: str) -> Node:
        return self._ends.setdefault(status, Node(f"end_{status}", "end", status))

    def _take(self, source: str, target: str) -> None:
        self._times[source, target] = self._times.get((source, target), 0) + 1

    def _id(self, index: int) -> str:
        return "start" if index == START else self._steps[index].id

    def finish(self, title: str) -> Graph:
        """The graph of what was added."""
        taken = [Edge(*ends, times, ends in self._depends) for ends, times in self._times.items()]
        possible: list[tuple[str, str]] = []
        if self._source is not None:
            for node, step in zip(self._steps, self._source.steps, strict=True):
                possible += [(self._id(index), node.id) for index in step.after]
            end = self._end("complete")
            possible += [(self._id(index), end.id) for index in self._source.ends]
        never = [Edge(*ends) for ends in dict.fromkeys(possible) if ends not in self._times and ends[0] != ends[1]]
        ends = sorted(self._ends.values(), key=lambda node: ("complete", "errored", "terminated").index(node.label))
        return Graph(title, [self._start, *self._steps, *self._others.values(), *ends], [*taken, *never])
