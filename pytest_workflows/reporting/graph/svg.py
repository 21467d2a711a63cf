"""The graph as SVG: alone in a file it brings its colours, in a page it takes the page's."""

from __future__ import annotations

from html import escape
from itertools import pairwise

from pytest_workflows.messages.short_repr import cut

from .layout import Box, Layout, lay_out
from .model import Edge, Graph, Node

_MARGIN = 16
_LINE = 17
_CHARACTER = 7.3
_SMALL = 6.2
_MOST = 34
_ROOM_FOR_LOOP = 46
_ICONS = {"do": "", "sleep": "☾ ", "wait_for_event": "✉ "}

_STYLE = """
.wf-graph { --wf-text: #1b1f24; --wf-soft: #59636e; --wf-line: #6e7781; --wf-box: #ffffff; --wf-ok: #1a7f37;
  --wf-bad: #c62828; --wf-bad-box: #fdecea; --wf-late: #b26a00; --wf-never: #6f7882; --wf-never-box: #f3f4f6;
  font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; }
@media (prefers-color-scheme: dark) { .wf-graph { --wf-text: #e6edf3; --wf-soft: #9aa4af; --wf-line: #8b949e;
  --wf-box: #161b22; --wf-ok: #3fb950; --wf-bad: #ff7b72; --wf-bad-box: #3c1618; --wf-late: #e9b949;
  --wf-never: #8f98a2; --wf-never-box: #1c2026; } }
"""
_RULES = """
.wf-graph text { fill: var(--wf-text); text-anchor: middle; }
.wf-graph .notes { fill: var(--wf-soft); font-size: 11px; }
.wf-graph .shape { fill: var(--wf-box); stroke: var(--wf-ok); stroke-width: 1.5; }
.wf-graph .failed .shape { fill: var(--wf-bad-box); stroke: var(--wf-bad); }
.wf-graph .timed .shape { stroke: var(--wf-late); }
.wf-graph .never .shape { fill: var(--wf-never-box); stroke: var(--wf-never); stroke-dasharray: 4 3; }
.wf-graph .never text { fill: var(--wf-never); }
.wf-graph .start .shape { stroke: var(--wf-line); }
.wf-graph .edge { fill: none; stroke: var(--wf-line); stroke-width: 1.5; }
.wf-graph .edge.depends { stroke-width: 2.5; }
.wf-graph .edge.never { stroke: var(--wf-never); stroke-dasharray: 4 4; }
.wf-graph .head { fill: var(--wf-line); }
.wf-graph .head.never { fill: var(--wf-never); }
.wf-graph .times { fill: var(--wf-soft); font-size: 11px; paint-order: stroke; stroke: var(--wf-box); stroke-width: 4; }
"""


def to_svg(graph: Graph, *, standalone: bool = True) -> str:
    """The graph as SVG.

    Args:
        graph: The graph.
        standalone: Whether it stands in a file of its own, and brings its colours, light and dark; in a page it takes
            the page's `--wf-...` properties.
    """
    sizes = {node.id: _size(node) for node in graph.nodes}
    layout = lay_out(sizes, [(edge.source, edge.target) for edge in graph.edges])
    right = layout.width + (_ROOM_FOR_LOOP if layout.loops else 0)
    width, height = round(right + 2 * _MARGIN), round(layout.height + 2 * _MARGIN)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="wf-graph" width="{width}" height="{height}" '
        f'viewBox="{-_MARGIN} {-_MARGIN} {width} {height}" role="img" aria-label="{escape(_summary(graph))}">',
        f"<style>{_STYLE if standalone else ''}{_RULES}</style>",
        *(_edge(edge, layout) for edge in sorted(graph.edges, key=lambda edge: edge.times > 0)),
        *(_node(node, layout.boxes[node.id]) for node in graph.nodes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _summary(graph: Graph) -> str:
    steps = [node for node in graph.nodes if node.kind not in ("start", "end")]
    never = sum(not node.taken for node in steps)
    return f"Graph of {graph.title or 'the workflow'}: {len(steps)} steps, {never} of them never ran"


def _label(node: Node) -> str:
    return _ICONS.get(node.kind, "") + cut(node.label, _MOST, "…")


def _size(node: Node) -> tuple[float, float]:
    if node.kind == "start":
        return 64.0, 28.0
    width = max(len(_label(node)) * _CHARACTER, len(node.notes) * _SMALL)
    return max(90.0, width + (44 if node.kind == "wait_for_event" else 30)), 46.0


def _node(node: Node, box: Box) -> str:
    classes = [node.kind, *(["never"] if not node.taken else [])]
    if node.taken and (node.failed or node.id == "end_errored"):
        classes.append("timed" if node.kind == "wait_for_event" else "failed")
    lines = [f'<g class="{" ".join(classes)}">', f"<title>{escape(_title(node))}</title>", _shape(node, box)]
    if node.kind == "start":
        lines.append(_text(box.x, box.y + 4.5, node.label))
    else:
        lines += [_text(box.x, box.y - 2, _label(node)), _text(box.x, box.y + _LINE - 3, node.notes, "notes")]
    return "".join([*lines, "</g>"])


def _title(node: Node) -> str:
    return ", ".join(part for part in (f"{node.kind} {node.label}", node.notes, node.place) if part)


def _text(x: float, y: float, text: str, kind: str = "name") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _shape(node: Node, box: Box) -> str:
    left, top, right, bottom = (
        box.x - box.width / 2,
        box.y - box.height / 2,
        box.x + box.width / 2,
        box.y + box.height / 2,
    )
    if node.kind == "wait_for_event":
        points = [(left + 14, top), (right - 14, top), (right, box.y), (right - 14, bottom), (left + 14, bottom)]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*points, (left, box.y)])
        return f'<polygon class="shape" points="{drawn}"/>'
    radius = 6 if node.kind == "do" else box.height / 2
    return (
        f'<rect class="shape" x="{left:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="{radius:.1f}"/>'
    )


def _edge(edge: Edge, layout: Layout) -> str:
    kinds = "never" if not edge.times else "depends" if edge.depends else ""
    classes = f"edge {kinds}".strip()
    if (edge.source, edge.target) in layout.loops:
        path, (x, y), label, head = _loop(edge, layout)
    else:
        path, (x, y), label, head = _down(edge, layout)
    corners = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in head)
    parts = [
        f'<path class="{classes}" d="{path}"/>',
        f'<polygon class="{f"head {kinds}".strip()}" points="{corners}"/>',
    ]
    if edge.times > 1:
        parts.append(_text(*label, f"{edge.times}x", "times"))
    return "".join(parts)


Drawn = tuple[str, tuple[float, float], tuple[float, float], list[tuple[int, int]]]
"""A path, where its arrow points, where its label stands, and the arrow's head."""


def _down(edge: Edge, layout: Layout) -> Drawn:
    points = list(layout.paths[edge.source, edge.target])
    source, target = layout.boxes[edge.source], layout.boxes[edge.target]
    points[0] = (points[0][0], source.y + source.height / 2)
    points[-1] = (points[-1][0], target.y - target.height / 2 - 6)
    path = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        path += f" C{x0:.1f},{middle:.1f} {x1:.1f},{middle:.1f} {x1:.1f},{y1:.1f}"
    (x0, y0), (x1, y1) = points[0], points[1]
    label = ((x0 + x1) / 2, (y0 + y1) / 2 + 4)
    return path, (points[-1][0], points[-1][1] + 6), label, [(0, 0), (-4, -8), (4, -8)]


def _loop(edge: Edge, layout: Layout) -> Drawn:
    """Draw an edge that leads back, round on the right."""
    source, target = layout.boxes[edge.source], layout.boxes[edge.target]
    x0, x1 = source.x + source.width / 2, target.x + target.width / 2
    between = [box for box in layout.boxes.values() if target.layer <= box.layer <= source.layer]
    outside = max(box.x + box.width / 2 for box in between) + _ROOM_FOR_LOOP - 10
    path = (
        f"M{x0:.1f},{source.y:.1f} C{outside:.1f},{source.y:.1f} {outside:.1f},{target.y:.1f} "
        f"{x1 + 6:.1f},{target.y:.1f}"
    )
    label = (outside - 12, (source.y + target.y) / 2)
    return path, (x1, target.y), label, [(0, 0), (8, -4), (8, 4)]
