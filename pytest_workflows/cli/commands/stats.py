"""`pytest-workflows stats PATH`: statistics of many recordings, a workflow each."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from pytest_workflows.cli.errors import CommandError, UsageError
from pytest_workflows.cli.files import read_all
from pytest_workflows.cli.numbers import show_numbers
from pytest_workflows.cli.options import Folder, Json, Token, Url, WorkflowOption
from pytest_workflows.cli.running import running
from pytest_workflows.cli.terminal import formatting as words
from pytest_workflows.cli.terminal.console import STYLES, Row, columns, labelled, safe_json, show, stdout
from pytest_workflows.recordings import Recording
from pytest_workflows.recordings.stats import Spread, StepStats, WorkflowStats, stats_of, workflow_of

_NAMELESS = "unknown"
_MOST_STEPS = 10
_MOST_REFUSED = 5
EXAMPLES = """
Examples:

    pytest-workflows stats .workflows/failures

    pytest-workflows stats dumps/ --workflow ORDERS --json

    pytest-workflows stats --by day
"""


class By(StrEnum):
    """What the numbers of a process are parted by."""

    DAY = "day"
    HOUR = "hour"
    WORKFLOW = "workflow"


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("stats", epilog=EXAMPLES)(stats)


def stats(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Recordings, and folders of them (*.json).")
    ] = None,
    workflow: WorkflowOption = None,
    json: Json = False,
    by: Annotated[
        By | None,
        typer.Option("--by", help="Of a `pytest-workflows dev` that runs: its numbers by this, in place of PATH."),
    ] = None,
    url: Url = None,
    token: Token = None,
    state: Folder = None,
) -> None:
    """Count and time recordings, a workflow each: how they ended, where the time went, which steps are slow.

    With --by it counts what a `pytest-workflows dev` that runs has stored.
    """
    if by is not None:
        if paths:
            raise UsageError("stats takes PATH, or --by, and not both.", "Without PATH it asks what runs.")
        _show_running(by, url, token, state, json=json)
        return
    if not paths:
        raise UsageError("stats needs a PATH, or --by day.", "As in: pytest-workflows stats .workflows/failures")
    recordings, refused = read_all(paths)
    if not recordings:
        raise CommandError(
            refused[0] if len(refused) == 1 else f"none of {len(refused) or 'the'} files is a recording.",
            "Record some: pytest --workflows-record=all",
        )
    found = stats_of(recordings if workflow is None else _of(recordings, workflow))
    if json:
        typer.echo(safe_json(msgspec.json.format(msgspec.json.encode(found), indent=2).decode()))
    else:
        console = stdout()
        for number, one in enumerate(found):
            if number:
                console.print()
            _show(one, console)
    for line in refused[:_MOST_REFUSED]:
        typer.secho(f"Not read: {line}", err=True, fg=typer.colors.YELLOW)
    if len(refused) > _MOST_REFUSED:
        typer.echo(f"Not read: {len(refused) - _MOST_REFUSED} more.", err=True)


def _show_running(by: By, url: str | None, token: str | None, state: Path | None, *, json: bool) -> None:
    """Print the numbers of the process that runs."""
    with running(url, token, state) as client:
        found = client.get("/numbers", {"by": by.value})
    if json:
        typer.echo(safe_json(msgspec.json.format(msgspec.json.encode(found), indent=2).decode()))
    else:
        show_numbers(found, stdout())


def _of(recordings: list[Recording], workflow: str) -> list[Recording]:
    """The recordings of one workflow; those that name none are of it."""
    for recording in recordings:
        if workflow_of(recording) == _NAMELESS:
            recording.workflow = workflow
    mine = [one for one in recordings if workflow in (one.binding, one.workflow)]
    if not mine:
        names = ", ".join(dict.fromkeys(map(workflow_of, recordings)))
        raise UsageError(f"there is no workflow {workflow!r}: the recordings are of {names}.", "Name one of these.")
    return mine


def _show(workflow: WorkflowStats, console: Console) -> None:
    noun = "instance" if workflow.instances == 1 else "instances"
    show(Text(f"{workflow.workflow}: {workflow.instances} {noun}", style="bold"), console)
    show(labelled(_rows(workflow), indent=2), console)
    steps = sorted(workflow.by_step, key=_cost, reverse=True)[:_MOST_STEPS]
    if steps:
        console.print()
        show(_steps(steps), console)


def _rows(workflow: WorkflowStats) -> Iterator[Row]:
    yield "Status", _statuses(workflow.statuses)
    yield "Wall time", _spread(workflow.wall)
    yield "Virtual time", _spread(workflow.virtual)
    yield "Waiting", f"{words.duration(workflow.waiting_ms)} in all (virtual time, while no step worked)"
    yield "Working", f"{words.duration(workflow.working_ms)} in all (what steps' attempts took)"
    yield "Steps", f"{workflow.steps}, {workflow.retries} {'retry' if workflow.retries == 1 else 'retries'}"


def _statuses(statuses: dict[str, int]) -> Text:
    parts = Text()
    for number, (status, count) in enumerate(statuses.items()):
        parts.append(f"{', ' if number else ''}{count} ").append(status, style=STYLES.get(status, ""))
    return parts


def _spread(spread: Spread) -> str:
    if not spread.count:
        return words.UNKNOWN
    if spread.count == 1:
        return words.duration(spread.total)
    return f"median {words.duration(spread.median)}, longest {words.duration(spread.longest)}"


def _cost(step: StepStats) -> tuple[float, float]:
    return step.working.longest, step.virtual.longest


def _steps(steps: list[StepStats]) -> Padding:
    table = columns("Slowest steps", ">Runs", ">Failed", ">Retries", ">Working", ">Virtual")
    for step in steps:
        table.add_row(
            f"{words.TYPES[step.kind]} {step.name}",
            str(step.runs),
            str(step.failed),
            str(step.retries),
            words.duration(step.working.longest) if step.working.count else "-",
            words.duration(step.virtual.longest) if step.virtual.count else words.UNKNOWN,
        )
    return Padding(table, (0, 0, 0, 2), expand=False)
