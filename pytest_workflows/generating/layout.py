"""Python source laid out as `ruff format` leaves it, with its own line length.

Source that does not fit on its line is split at its brackets, an item a line, with a comma behind the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

WIDTH = 88
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Group:
    """A node in brackets: a call, a list, a dict.

    Attributes:
        opening: Its beginning, the bracket included: `RuntimeError(`.
        items: The nodes in it.
        closing: The closing bracket.
    """

    opening: str
    items: tuple[Node, ...]
    closing: str

    def __str__(self) -> str:
        # The comma is what makes a tuple of one item.
        comma = "," if self.opening == "(" and len(self.items) == 1 else ""
        return f"{self.opening}{', '.join(map(str, self.items))}{comma}{self.closing}"


@dataclass(frozen=True, slots=True)
class Led:
    """Something that is led in by what cannot be taken apart: `"key": ...`, `times=...`, `lambda: ...`.

    Attributes:
        prefix: What leads it in.
        node: The rest.
    """

    prefix: str
    node: Node

    def __str__(self) -> str:
        return f"{self.prefix}{self.node}"


Node = str | Group | Led
"""A piece of source; a text is never split, whatever its length."""


def call(name: str, *arguments: Node) -> Group:
    """The source of a call."""
    return Group(f"{name}(", arguments, ")")


def lay_out(node: Node, indent: int, before: int = 0, after: int = 0) -> str:
    """Source on one line where it fits.

    Args:
        node: The source.
        indent: How deep the line is that it begins on; further lines are indented as a whole.
        before: How many characters stand before it on that line.
        after: How many stand behind its last one.
    """
    flat = str(node)
    if _fits(flat, indent, before + after) or isinstance(node, str):
        return flat
    if isinstance(node, Led):
        return node.prefix + lay_out(node.node, indent, before + cell_len(node.prefix), after)
    return _apart(node, indent) if node.items else flat


def assigned(name: str, node: Node, indent: int) -> str:
    """An assignment; a text that is too long for its line stands in parentheses, if it fits into a line of its own."""
    laid = lay_out(Led(f"{name} = ", node), indent)
    if isinstance(node, str) and not _fits(laid, indent) and _fits(node, indent + 1):
        return "\n".join([f"{name} = (", f"{INDENT * (indent + 1)}{node}", f"{INDENT * indent})"])
    return laid


def asserted(left: str, node: Node, indent: int) -> str:
    """An assertion that something equals something."""
    laid = lay_out(Led(f"assert {left} == ", node), indent)
    if not isinstance(node, str) or _fits(laid, indent):
        return laid
    whole = f"{left} == {node}"
    lines = [whole] if _fits(whole, indent + 1) else [left, f"== {node}"]
    return "\n".join(["assert (", *(f"{INDENT * (indent + 1)}{line}" for line in lines), f"{INDENT * indent})"])


def awaited_then(node: Node, then: str, indent: int) -> str:
    """The source of an awaited node and of what follows it: `await (node)then`."""
    flat = f"await ({node}){then}"
    if _fits(flat, indent):
        return flat
    inner = f"{INDENT * (indent + 1)}{lay_out(node, indent + 1)}"
    return "\n".join(["await (", inner, f"{INDENT * indent}){then}"])


def _apart(group: Group, indent: int) -> str:
    return "\n".join([group.opening, *_lines(group.items, indent + 1), f"{INDENT * indent}{group.closing}"])


def _lines(items: Sequence[Node], indent: int) -> Iterator[str]:
    for item in items:
        yield f"{INDENT * indent}{lay_out(item, indent, after=1)},"


def _fits(text: str, indent: int, more: int = 0) -> bool:
    return len(INDENT) * indent + more + cell_len(text) <= WIDTH
