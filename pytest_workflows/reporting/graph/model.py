"""The graph: nodes, and edges between them."""

from __future__ import annotations

from typing import Literal

import msgspec

from durable_engine import StepKind
from pytest_workflows.recordings import Step

Kind = Literal["start", StepKind, "end"]


class Node(msgspec.Struct):
    """A step, the start, or an end.

    Attributes:
        id: Names it in the graph: `start`, `s0`, `end_complete`.
        kind: The kind of node.
        label: The step's name, as the source writes it where the source has it; of an end the status.
        runs: How many steps of this kind and name started, in all recordings; of an end, how many instances ended so.
        failed: How many of them failed for good; of a wait, timed out.
        retries: Attempts beyond the first.
        mocked: How many were answered by a mock.
        place: `file:line` in the source, where it is known.
    """

    id: str
    kind: Kind
    label: str
    runs: int = 0
    failed: int = 0
    retries: int = 0
    mocked: int = 0
    place: str | None = None

    def count_instance(self) -> None:
        """One more instance began or ended here."""
        self.runs += 1

    def count_step(self, step: Step) -> None:
        """One more step ran here, with what became of it."""
        self.runs += 1
        self.failed += step.status == "errored"
        self.retries += max(0, len(step.attempts) - 1)
        self.mocked += step.mocked

    @property
    def taken(self) -> bool:
        """Whether it ran at all."""
        return self.runs > 0

    @property
    def notes(self) -> str:
        """Notes on its runs, in a few words."""
        if self.kind in ("start", "end"):
            return f"{self.runs} instance{'s' if self.runs != 1 else ''}" if self.taken else "never"
        if not self.taken:
            return "never ran"
        parts = [f"{self.runs} run{'s' if self.runs != 1 else ''}"]
        if self.failed:
            parts.append(f"{self.failed} {'timed out' if self.kind == 'wait_for_event' else 'failed'}")
        if self.retries:
            parts.append(f"{self.retries} retr{'ies' if self.retries != 1 else 'y'}")
        if self.mocked:
            parts.append("mocked" if self.mocked == self.runs else f"{self.mocked} mocked")
        return " · ".join(parts)


class Edge(msgspec.Struct, frozen=True):
    """An edge: one node came right after another.

    Attributes:
        source: A node's id.
        target: The id of a node that came right after it.
        times: How often, in all recordings; 0 for what the source allows and nothing took.
        depends: Whether the target's callback takes the source's result.
    """

    source: str
    target: str
    times: int = 0
    depends: bool = False


class Graph(msgspec.Struct):
    """A workflow's graph.

    Attributes:
        title: The workflow.
        nodes: Start first, ends last.
        edges: Those that were taken first.
    """

    title: str
    nodes: list[Node]
    edges: list[Edge]
