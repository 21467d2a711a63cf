"""`pytest-workflows diff A B`: where two histories part."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from pytest_workflows.cli.comparison import Difference, compare
from pytest_workflows.cli.errors import NO, OK
from pytest_workflows.cli.files import FILE_HELP, read_file
from pytest_workflows.cli.options import Config
from pytest_workflows.cli.terminal.console import labelled, show, stdout

EXAMPLES = """
Examples:

    pytest-workflows diff before.json after.json

    pytest-workflows diff dump.json latest
"""
_MARKS = {
    "same": (" ", "dim"),
    "unsure": ("?", "cyan"),
    "changed": ("~", "yellow"),
    "only A": ("-", "red"),
    "only B": ("+", "green"),
}


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("diff", epilog=EXAMPLES)(diff)


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=FILE_HELP)],
    b: Annotated[str, typer.Argument(metavar="B", help="The same, to compare it with.")],
    config: Config = None,
) -> None:
    """Compare two runs: params, each step with its attempts and result, and the end.

    When things happened is not compared. Exits with 0 where the runs are the same, with 1 where they differ.
    """
    one, other = read_file(a, config=config), read_file(b, config=config)
    lines = list(compare(one, other))
    console = stdout()
    show(Text(f"A: {a}\nB: {b}\n", style="bold"), console)
    for line in lines:
        _show(line, console)
    different = sum(line.kind not in ("same", "unsure") for line in lines)
    unsure = sum(line.kind == "unsure" for line in lines)
    show(Text(f"\n{_summary(different, unsure)}", style="bold"), console)
    raise typer.Exit(NO if different else OK)


def _show(line: Difference, console: Console) -> None:
    mark, style = _MARKS[line.kind]
    show(Text(f"{mark} {line.what}", style=style), console)
    for detail in line.details:
        show(Text(f"    {detail.name}"), console)
        rows = [("A", Text(detail.a, style="red")), ("B", Text(detail.b, style="green"))]
        show(labelled(rows, indent=6), console)


def _summary(different: int, unsure: int) -> str:
    not_known = f" {unsure} cannot be compared: one of the two is not known." if unsure else ""
    if not different:
        return f"{'No differences.' if unsure else 'The runs are the same.'}{not_known}"
    return f"{different} {'difference' if different == 1 else 'differences'}.{not_known}"
