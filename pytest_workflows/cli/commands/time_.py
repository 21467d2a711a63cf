"""`pytest-workflows time`: moves time by hand in a `pytest-workflows dev` that runs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from pytest_workflows.cli.errors import UsageError
from pytest_workflows.cli.options import Count, Folder, Token, Url
from pytest_workflows.cli.running import running
from pytest_workflows.cli.terminal.formatting import moment

EXAMPLES = """
Examples:

    pytest-workflows time skip ORDERS order-77

    pytest-workflows time retry ORDERS order-77 --step "take payment"

    pytest-workflows time travel --by "3 days"
"""


class What(StrEnum):
    """What is done to time."""

    SKIP = "skip"
    RETRY = "retry"
    TIMEOUT = "timeout"
    TRAVEL = "travel"


_DONE = {
    What.SKIP: "The sleep is over",
    What.RETRY: "The next attempt begins",
    What.TIMEOUT: "The wait has timed out",
}


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("time", epilog=EXAMPLES)(time)


def time(
    what: Annotated[
        What,
        typer.Argument(
            metavar="skip|retry|timeout|travel",
            help="End a sleep; let a failed step's next attempt begin; let a wait time out; run the clock forward.",
        ),
    ],
    workflow: Annotated[str | None, typer.Argument(metavar="[WORKFLOW]", help="The workflow: its binding.")] = None,
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="The instance's id.")] = None,
    step: Annotated[
        str | None, typer.Option("--step", metavar="NAME", help="Which step, where several of the instance wait.")
    ] = None,
    count: Count = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="WHEN", help="travel: the moment, as 2026-12-04T09:00:00Z.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="DURATION", help='travel: how far, as "3 days".')] = None,
    url: Url = None,
    token: Token = None,
    state: Folder = None,
) -> None:
    """Move time by hand in a `pytest-workflows dev` that runs: for one step of an instance, or for all."""
    if what is What.TRAVEL:
        _check_travel(workflow, to, by)
        with running(url, token, state) as client:
            now = client.post("/time/travel", {"to": to} if to is not None else {"by": by})
        typer.echo(f"It is {moment(datetime.fromisoformat(now['now']))}.")
        return
    if workflow is None or id is None or to is not None or by is not None:
        raise UsageError(f"time {what} takes WORKFLOW and ID.", f"As in: pytest-workflows time {what} ORDERS order-77")
    body: dict[str, Any] = {"workflow": workflow, "id": id}
    body |= {name: value for name, value in {"name": step, "count": count}.items() if value is not None}
    with running(url, token, state) as client:
        client.post(f"/time/{what}", body)
    typer.echo(f"{_DONE[what]}: {workflow} {id}.")


def _check_travel(workflow: str | None, to: str | None, by: str | None) -> None:
    if workflow is not None:
        raise UsageError("time travel takes no WORKFLOW: the clock is everybody's.", "For one step: time skip")
    if (to is None) == (by is None):
        raise UsageError("time travel takes --to or --by, one of them.", 'As in: time travel --by "3 days"')
