"""The application: each of its commands is a module of `commands` that has a function `register(app)`."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from .errors import EXIT_CODES, OK
from .group import Commands

COMMANDS = (
    "list_",
    "run",
    "check",
    "describe",
    "diff",
    "reproduce",
    "codegen",
    "stats",
    "graph",
    "merge",
    "pull",
    "dev",
    "time_",
)

app = typer.Typer(
    cls=Commands,
    rich_markup_mode="markdown",
    help="Run, replay and look at Cloudflare Python Workflows on the command line.",
    epilog=EXIT_CODES,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"pytest-workflows {version('pytest-workflows')}")
        raise typer.Exit(OK)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and exit.")
    ] = False,
) -> None:
    """Without a command: the help."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for _name in COMMANDS:
    importlib.import_module(f"{__package__}.commands.{_name}").register(app)
