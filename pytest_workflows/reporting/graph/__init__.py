"""The graph of a workflow: its steps in the order in which they ran, and the branches that nothing took."""

from __future__ import annotations

from .build import build_graph
from .mermaid import to_mermaid
from .model import Edge, Graph, Node
from .svg import to_svg

__all__ = ["Edge", "Graph", "Node", "build_graph", "to_mermaid", "to_svg"]
