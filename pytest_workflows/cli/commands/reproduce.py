"""`pytest-workflows reproduce FILE`: a recorded instance against today's source."""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from durable_engine import EngineError, printable
from pytest_workflows.cli.errors import INPUT, NO, OK, UsageError
from pytest_workflows.cli.files import as_command_error, read_file
from pytest_workflows.cli.options import Config, File, InstanceId, JsonOutputs, WorkflowOption
from pytest_workflows.cli.session import Bench, run_like_a_test
from pytest_workflows.cli.terminal import formatting as words
from pytest_workflows.cli.terminal.console import show, stdout
from pytest_workflows.cli.terminal.live_view import Watcher
from pytest_workflows.project.worker_registry import config_in
from pytest_workflows.recordings import DivergenceError, Recording, RecordingError
from pytest_workflows.recordings.playback.replay import replay, same_failure
from pytest_workflows.recordings.playback.reproduction import reproduce as play
from pytest_workflows.recordings.playback.script import find_until
from pytest_workflows.recordings.production import guess_of

EXAMPLES = """
Examples:

    pytest-workflows reproduce latest

    pytest-workflows reproduce dump.json --workflow ORDERS --id order-77

    pytest-workflows reproduce latest --until "charge card" --pdb
"""


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("reproduce", epilog=EXAMPLES)(reproduce)


def reproduce(
    file: File,
    workflow: WorkflowOption = None,
    id: InstanceId = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="STEP", help="Run this step and all that follow it for real: NAME or NAME-2."),
    ] = None,
    pdb: Annotated[bool, typer.Option("--pdb", help="Open the debugger where the instance fails.")] = False,
    json_outputs: JsonOutputs = None,
    config: Config = None,
) -> None:
    """Run today's source against a recording: its steps answer as they did, and the clock stands where it stood.

    Exits with 0 where the instance comes to the recorded end, an error included, with 1 where the source asks for
    something else or ends otherwise.
    """
    recording = read_file(file, id=id, config=config, json_outputs=json_outputs)
    config = config or _recorded_config(recording)
    shown = file if file == "-" or not os.path.exists(file) else str(Path(file))
    one = _Reproduction(recording, workflow or recording.binding, shown, until, stdout())
    run_like_a_test(one.act, config=config, **_marks(recording))
    if pdb and one.exception is not None:
        debug(one.exception)
    raise typer.Exit(one.finish())


def _recorded_config(recording: Recording) -> str | None:
    """The configuration that the recording names, where this folder is above it: there may be several Workers in it."""
    path = recording.config
    return path if path is not None and config_in(Path.cwd()) is None and os.path.isfile(path) else None


def _marks(recording: Recording) -> dict[str, Any]:
    at = recording.created_at or recording.clock_start
    return {} if at is None else {"now": at.isoformat()}


class _Reproduction:
    """One reproduction, and its outcome."""

    def __init__(
        self, recording: Recording, binding: str | None, name: str, until: str | None, console: Console
    ) -> None:
        self._recording = recording
        self._binding = binding
        self._name = name
        self._until = until
        if until is not None:
            _check_until(until, recording)
        self._console = console
        self._error: EngineError | None = None
        self._status: dict[str, Any] = {}
        self.exception: BaseException | None = None

    def act(self, bench: Bench) -> None:
        """Run the reproduction."""
        try:
            asyncio.run(self._play(bench))
        except RecordingError as error:
            raise as_command_error(error) from None
        except EngineError as error:
            self._error = error

    async def _play(self, bench: Bench) -> None:
        binding = bench.binding(self._binding, self._recording.workflow)
        with Watcher(bench.engine, self._console):
            if self._until is None:
                await replay(binding, self._recording, self._name, bench.test_run.settings.redact)
                return
            reproduction = play(binding, self._recording, until=self._until)
            reproduction.script.name = self._name
            async with reproduction as instance:
                await bench.engine.run_until_idle()
                reproduction.check_known()
                self._status = dict(await instance.status())
                self.exception = instance.exception

    def finish(self) -> int:
        """Print the outcome.

        Returns:
            The exit code.
        """
        self._console.print()
        if self._error is not None:
            show(Text(str(self._error), style="red"), self._console)
            return NO if isinstance(self._error, DivergenceError) else INPUT
        failure = self._recording.error
        recorded = _end(self._recording.status, None if failure is None else failure.message)
        if self._until is None:
            show(Text(f"As recorded: {recorded}.", style="green"), self._console)
            return OK
        error = self._status.get("error") or {}
        now = _end(self._status["status"], error.get("message"))
        same = self._status["status"] == self._recording.status
        same = same and (failure is None or same_failure(self._recording, error.get("message", "")))
        text = f"As recorded: {now}." if same else f"Recorded: {recorded}.\nNow:      {now}."
        lines = [text] if same else [text, *guess_of(self._recording.notes)]
        show(Text("\n".join(lines), style="green" if same else "yellow"), self._console)
        return OK if same else NO


def _check_until(text: str, recording: Recording) -> None:
    try:
        find_until(recording, text)
    except EngineError as error:
        message, _, hint = str(error).removeprefix("until=").partition(". ")
        raise UsageError(f"--until {message}{'.' if hint else ''}", hint) from None


def debug(error: BaseException) -> None:
    """Open the debugger where an error was raised, the one that it was made of where there is one."""
    import pdb

    while error.__cause__ is not None and error.__cause__.__traceback__ is not None:
        error = error.__cause__
    typer.echo(printable("".join(traceback.format_exception(error))), err=True)
    if error.__traceback__ is not None:
        sys.stdout.flush()
        pdb.post_mortem(error.__traceback__)


def _end(status: str, message: str | None) -> str:
    return status if message is None else f"{status}, {words.exception(message)}"
