"""A workflow's steps as a graph: what ran after what, and which branches nothing took.

The graph and its pictures, Mermaid and SVG, belong here. Which steps a source has is found by `sources`.
"""

from __future__ import annotations

from .build import build_graph
from .mermaid import to_mermaid
from .model import Edge, Graph, Node
from .svg import to_svg

__all__ = ["Edge", "Graph", "Node", "build_graph", "to_mermaid", "to_svg"]
