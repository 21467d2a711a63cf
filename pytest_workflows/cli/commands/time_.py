"""`pytest-workflows time`: moves time by hand in a `pytest-workflows dev` that runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pytest_workflows.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from pytest_workflows.dev.client import Client

EXAMPLES = """
Examples:

    pytest-workflows time skip ORDERS order-77

    pytest-workflows time retry ORDERS order-77 --step "take payment"

    pytest-workflows time travel --by "3 days"
"""

Workflow = Annotated[str, typer.Argument(metavar="WORKFLOW", help="The workflow: its binding.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The instance's id.")]
Step = Annotated[
    str | None, typer.Option("--step", metavar="NAME", help="Which step, where several of the instance wait.")
]
Count = Annotated[int, typer.Option("--count", metavar="N", min=1, help="Which of several steps of that name.")]
Url = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="The process, in place of the one of this folder.")
]
Token = Annotated[str | None, typer.Option("--token", metavar="TEXT", help="The token that it asks for.")]
State = Annotated[Path | None, typer.Option("--state", metavar="FOLDER", help="The folder of its state.")]

_time = typer.Typer(
    help="Move time by hand in a `pytest-workflows dev` that runs.", epilog=EXAMPLES, no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(_time, name="time")


@_time.command("skip")
def skip(
    workflow: Workflow,
    id: Id,
    step: Step = None,
    count: Count = 1,
    url: Url = None,
    token: Token = None,
    state: State = None,
) -> None:
    """End a sleep now: the instance goes on as if it were over."""
    _hasten("skip", workflow, id, step, count, _client(url, token, state), "The sleep is over")


@_time.command("retry")
def retry(
    workflow: Workflow,
    id: Id,
    step: Step = None,
    count: Count = 1,
    url: Url = None,
    token: Token = None,
    state: State = None,
) -> None:
    """Let a failed step's next attempt begin now."""
    _hasten("retry", workflow, id, step, count, _client(url, token, state), "The next attempt begins")


@_time.command("timeout")
def timeout(
    workflow: Workflow,
    id: Id,
    step: Step = None,
    count: Count = 1,
    url: Url = None,
    token: Token = None,
    state: State = None,
) -> None:
    """Let a wait for an event time out now."""
    _hasten("timeout", workflow, id, step, count, _client(url, token, state), "The wait has timed out")


@_time.command("travel")
def travel(
    to: Annotated[
        str | None, typer.Option("--to", metavar="WHEN", help="The moment, as 2026-12-04T09:00:00Z.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="DURATION", help='How far, as "3 days".')] = None,
    url: Url = None,
    token: Token = None,
    state: State = None,
) -> None:
    """Run the clock forward; everything that comes due on the way happens, at its time."""
    if (to is None) == (by is None):
        raise UsageError("time travel takes --to or --by, one of them.", 'As in: pytest-workflows time travel --by "3 days"')
    body = {"to": to} if to is not None else {"by": by}
    now = _asked(lambda: _client(url, token, state).post("/time/travel", body))
    typer.echo(f"It is {now['now']}.")


def _hasten(what: str, workflow: str, id: str, step: str | None, count: int, client: Client, done: str) -> None:
    body: dict[str, Any] = {"workflow": workflow, "id": id}
    if step is not None:
        body |= {"name": step, "count": count}
    _asked(lambda: client.post(f"/time/{what}", body))
    typer.echo(f"{done}: {workflow} {id}.")


def _client(url: str | None, token: str | None, state: Path | None) -> Client:
    from pytest_workflows.dev.client import find_running

    return _asked(lambda: find_running(url, token, state))


def _asked(ask: Any) -> Any:
    from pytest_workflows.dev.errors import DevError

    try:
        return ask()
    except DevError as error:
        raise CommandError(error.message, error.hint) from None
