"""What goes to the terminal: in colour where it has some, within its width, and as plain text into a pipe."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

STYLES = {
    "complete": "green",
    "errored": "bold red",
    "terminated": "red",
    "rollingBack": "yellow",
    "waiting": "yellow",
    "paused": "yellow",
    "running": "cyan",
    "queued": "cyan",
    "unknown": "dim",
    "yes": "green",
    "no": "red",
}
Row = tuple[str, str | Text]


def stdout() -> Console:
    """The terminal, or what stands in its place."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False, legacy_windows=False)


def show(content: RenderableType, console: Console) -> None:
    """Print something; where nobody looks at a terminal, without the spaces that fill up lines."""
    if console.is_terminal:
        console.print(content)
        return
    with console.capture() as captured:
        console.print(content)
    for line in captured.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")


def show_whole(text: str, console: Console, style: str = "") -> None:
    """Print a line that is to be copied: it is not folded, whatever its length."""
    console.print(Text(text, style=style), soft_wrap=True)


def coloured(text: str) -> Text:
    """A status or an answer in its colour."""
    return Text(text, style=STYLES.get(text, ""))


def labelled(rows: Iterable[Row], indent: int = 0) -> Padding:
    """Values with their labels before them; long ones are folded under themselves."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, show_edge=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(f"{label}:", value if isinstance(value, Text) else Text(value))
    return Padding(table, (0, 0, 0, indent), expand=False)


def columns(*headers: str) -> Table:
    """An empty table of the style that all commands have; headers that begin with `>` stand to the right."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, pad_edge=False, header_style="bold")
    for header in headers:
        right = header.startswith(">")
        table.add_column(header.lstrip(">"), justify="right" if right else "left", overflow="fold")
    return table
