"""Terminal output: in colour where the terminal has some, within its width, and as plain text into a pipe."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from durable_engine import printable

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


class _SafeConsole(Console):
    """A console that writes nothing that would steer the terminal but its own colours, whatever is printed."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Render something, made safe."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def stdout() -> Console:
    """The console on standard output, be it a terminal or not."""
    return _SafeConsole(highlight=False, markup=False, emoji=False, soft_wrap=False, legacy_windows=False)


def safe_json(text: str) -> str:
    """JSON in which what would steer a terminal is written as JSON escapes it: it says the same."""
    return "".join(map(_safe_line, text.splitlines(keepends=True)))


def _safe_line(line: str) -> str:
    if printable(line) == line:
        return line
    return "".join(letter if printable(letter) == letter else json.dumps(letter)[1:-1] for letter in line)


def show(content: RenderableType, console: Console) -> None:
    """Print something; outside of a terminal without the spaces that fill up lines."""
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
