"""Lines of text whose parts may have a colour: written plainly, or with the codes that terminals understand."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import NamedTuple


class Part(NamedTuple):
    """A piece of a line.

    Attributes:
        text: The text.
        style: The style, in rich's words (`"bold red"`); empty for plain text.
    """

    text: str
    style: str = ""


Line = list[Part]


class Cell(NamedTuple):
    """A cell: the content of a column in a row.

    Attributes:
        width: How many characters wide the column is.
        parts: The content; more than one part is not wrapped.
    """

    width: int
    parts: Line


def write(lines: Iterable[Line], *, colour: bool) -> str:
    """Lines as text.

    Args:
        lines: The lines.
        colour: Whether with the codes for colours; without them, no line ends in spaces.
    """
    if not colour:
        return "\n".join("".join(part.text for part in line).rstrip() for line in lines)
    return "\n".join("".join(_coloured(part) for part in line).rstrip() for line in lines)


def row(cells: Iterable[Cell], gap: int = 2) -> list[Line]:
    """Columns beside each other; text that does not fit into its column goes on below, within it.

    Args:
        cells: The columns.
        gap: How many spaces stand between two of them.
    """
    columns = [(cell.width, _wrapped(cell)) for cell in cells]
    height = max(len(lines) for _, lines in columns)
    rows: list[Line] = []
    for number in range(height):
        line: Line = []
        for width, lines in columns:
            parts = lines[number] if number < len(lines) else []
            if line:
                line.append(Part(" " * gap))
            line += [*parts, Part(" " * (width - sum(width_of(part.text) for part in parts)))]
        rows.append(line)
    return rows


def paragraph(text: str, width: int, indent: str = "") -> list[str]:
    """A text in lines of at most `width` characters, in one or more for each of its own; the others are indented."""
    first, *more = text.expandtabs(4).split("\n")
    lines = [*_folded(first, width, indent), *(line for one in more for line in _folded(indent + one, width, indent))]
    return [piece for line in lines for piece in _chopped(line, width)]


def _folded(line: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=indent,
        replace_whitespace=False,
        drop_whitespace=True,
        break_on_hyphens=False,
    ) or [""]


def width_of(text: str) -> int:
    """The columns of a terminal that a text takes."""
    from rich.cells import cell_len

    return cell_len(text)


def _wrapped(cell: Cell) -> list[Line]:
    if len(cell.parts) != 1:
        return [cell.parts]
    text, style = cell.parts[0]
    if width_of(text) <= cell.width:
        return [[Part(text, style)]]
    return [[Part(line, style)] for line in paragraph(text, cell.width)]


def _chopped(line: str, width: int) -> list[str]:
    if width_of(line) <= width:
        return [line]
    from rich.cells import chop_cells

    return chop_cells(line, width)


def _coloured(part: Part) -> str:
    if not part.style or not part.text.strip():
        return part.text
    from rich.color import ColorSystem
    from rich.style import Style

    return Style.parse(part.style).render(part.text, color_system=ColorSystem.STANDARD)
