"""The graph as Mermaid's text, which GitHub and most documentation tools draw."""

from __future__ import annotations

from .model import Graph, Node

_SHAPES = {
    "start": ("((", "))"),
    "do": ("[", "]"),
    "sleep": ("([", "])"),
    "wait_for_event": ("{{", "}}"),
    "end": ("(((", ")))"),
}
_STYLES = (
    "classDef never fill:#f2f2f2,stroke:#b3b3b3,color:#767676,stroke-dasharray:4 3",
    "classDef failed fill:#fdecea,stroke:#c62828,color:#8e1b1b",
)


def to_mermaid(graph: Graph) -> str:
    """The graph as text, steps and branches that nothing took in grey."""
    lines = ["flowchart TD", *(f"  {_node(node)}" for node in graph.nodes)]
    for edge in graph.edges:
        arrow = "-.->" if not edge.times else "==>" if edge.depends else "-->"
        times = f"|{edge.times}|" if edge.times > 1 else ""
        lines.append(f"  {edge.source} {arrow}{times} {edge.target}")
    lines += [f"  {style}" for style in _STYLES]
    never = [node.id for node in graph.nodes if not node.taken]
    failed = [node.id for node in graph.nodes if (node.failed and node.kind == "do") or node.id == "end_errored"]
    grey = [str(number) for number, edge in enumerate(graph.edges) if not edge.times]
    lines += [f"  class {','.join(never)} never"] if never else []
    lines += [f"  class {','.join(failed)} failed"] if failed else []
    lines += [f"  linkStyle {','.join(grey)} stroke:#b3b3b3"] if grey else []
    return "\n".join(lines) + "\n"


def _node(node: Node) -> str:
    left, right = _SHAPES[node.kind]
    notes = "" if node.kind == "start" else f"<br/>{_escape(node.notes)}"
    return f'{node.id}{left}"{_escape(node.label)}{notes}"{right}'


def _escape(text: str) -> str:
    """Mermaid's own entities: in them `#` begins, and no other character of its syntax is left."""
    for character, entity in (("#", "#35;"), ("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(character, entity)
    return " ".join(text.split())
