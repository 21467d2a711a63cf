"""The command group and its error handling: one line, a hint, an exit code; a traceback only with --debug."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from .errors import BUG, USAGE, CommandError

DEBUG = "--debug"


class Commands(TyperGroup):
    """The group of all commands."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run what was typed, and exit."""
        given = list(sys.argv[1:] if args is None else args)
        debug = DEBUG in _before_dashes(given)
        if debug:
            given.remove(DEBUG)  # it may stand anywhere, behind the command as well
        try:
            code = super().main(given, prog_name, complete_var, False, windows_expand_args, **extra)
        except (CommandError, Exception) as error:
            if debug:
                raise
            code = _explain(error, prog_name or "pytest-workflows")
        sys.exit(code if isinstance(code, int) else 0)


def _before_dashes(arguments: list[str]) -> list[str]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _explain(error: Exception, program: str) -> int:
    if isinstance(error, typer.Abort):
        typer.echo("Interrupted.", err=True)
        return 130
    if isinstance(error, CommandError):
        _say(error.message, error.hint)
        return error.exit_code
    # Every error about what was typed has it, in all of typer's versions.
    format_message = getattr(error, "format_message", None)
    if format_message is not None:
        context = getattr(error, "ctx", None)
        _say(format_message(), f"{context.command_path if context else program} --help")
        return USAGE
    _say(
        f"{type(error).__name__}: {str(error) or 'no message'}".splitlines()[0],
        "This is an error in pytest-workflows itself. Run it again with --debug for the traceback, and report it.",
    )
    return BUG


def _say(message: str, hint: str) -> None:
    from durable_engine import printable

    typer.secho(f"Error: {printable(' '.join(message.split()))}", err=True, fg=typer.colors.RED)
    if hint:
        typer.echo(f"Hint: {printable(hint)}", err=True)
