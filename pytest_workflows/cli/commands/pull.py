"""`pytest-workflows pull WORKFLOW`: instances of an account as recordings."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from durable_engine import printable
from pytest_workflows.account.api import IN_FLIGHT, Account
from pytest_workflows.account.credentials import credentials_from
from pytest_workflows.account.errors import AccountError, InstanceGoneError, UnreadableInstanceError
from pytest_workflows.account.pulling import pull_recording
from pytest_workflows.account.requests import Requests
from pytest_workflows.cli.errors import INPUT, OK, CommandError, UsageError
from pytest_workflows.cli.options import Config, JsonOutputs
from pytest_workflows.cli.project import Found, find_project
from pytest_workflows.cli.terminal.console import STYLES, show_whole, stdout
from pytest_workflows.messages.short_repr import counted, shown_path
from pytest_workflows.recordings.capture.storage import write_pulled

EXAMPLES = """
Examples:

    pytest-workflows pull orders order-77

    pytest-workflows pull orders --running && pytest --workflows-replay=.workflows/production/orders

    pytest-workflows pull orders --errored --limit 20 --output tests/histories
"""
FOLDER = Path(".workflows/production")
LATEST = "latest"


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("pull", epilog=EXAMPLES)(pull)


def pull(
    workflow: Annotated[
        str,
        typer.Argument(metavar="WORKFLOW", help="The workflow's name in the account, or its binding in the project."),
    ],
    id: Annotated[
        str | None, typer.Argument(metavar="[ID|latest]", help="The instance's id, or `latest` for the newest one.")
    ] = None,
    errored: Annotated[bool, typer.Option("--errored", help="All instances that failed.")] = False,
    running: Annotated[
        bool, typer.Option("--running", help="All instances that have not ended: running, waiting, paused or queued.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many, the newest first.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help=f"Where they are written, in place of {FOLDER}/WORKFLOW."
        ),
    ] = None,
    json_outputs: JsonOutputs = None,
    config: Config = None,
) -> None:
    """Write instances of your account as recordings, to be replayed against today's source.

    Without an ID and without an option it takes all that the account has. Account and token come from the variables
    that wrangler reads, CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN. What ini `workflows_redact` names is left out.
    """
    if sum((id is not None, errored, running)) > 1:
        raise UsageError("an ID, --errored and --running leave each other out.", "Give one of them, or none for all.")
    if not workflow.strip():
        raise UsageError("the WORKFLOW is empty.", "Give the workflow's name, or its binding.")
    if id is not None and not id.strip():
        raise UsageError("the ID is empty.", "Give one, or `latest`.")
    project = find_project(config)
    name, binding = _named(workflow, project)
    base, unread = project.rootdir / FOLDER, 0
    written: list[Path] = []
    with _in_words():
        account = _account(project)
        for one in islice(_ids(account, name, id, errored, running, limit), limit):
            try:
                recording = pull_recording(
                    account, name, one, binding=binding, redacted=project.redact, json_outputs=json_outputs
                )
            except (InstanceGoneError, UnreadableInstanceError) as error:
                if id is not None:
                    raise
                unread += isinstance(error, UnreadableInstanceError)
                _complain(f"Left out: {error.message}")
                continue
            written.append(write_pulled(recording, base, output))
            _show(written[-1], recording.status)
    _conclude(written, name, "errored" if errored else "in flight" if running else "")
    raise typer.Exit(INPUT if unread else OK)


def _named(workflow: str, project: Found) -> tuple[str, str | None]:
    """The workflow's name in the account, and its binding where the project has one."""
    known = () if project.path is None else project.config.all_workflows
    by_name = next((one for one in known if one.name == workflow), None)
    found = by_name or next((one for one in known if one.binding == workflow), None)
    return (workflow, None) if found is None else (found.name or workflow, found.binding)


def _account(project: Found) -> Account:
    settings = {} if project.path is None else project.config.settings
    credentials = credentials_from(os.environ, settings.get("account_id"))
    return Account(Requests(credentials, say=_complain), credentials.account)


def _ids(
    account: Account, workflow: str, id: str | None, errored: bool, running: bool, limit: int | None
) -> Iterator[str]:
    """The ids of the instances that are asked for, the newest first, each once."""
    if id is not None:
        yield account.latest(workflow) if id == LATEST else id
        return
    if not running:
        yield from (one["id"] for one in account.instances(workflow, "errored" if errored else None))
        return
    rows = [one for status in IN_FLIGHT for one in islice(account.instances(workflow, status), limit)]
    rows.sort(key=lambda one: str(one.get("created_on", "")), reverse=True)
    yield from dict.fromkeys(one["id"] for one in rows)  # one may have gone on from one status to the next meanwhile


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except AccountError as error:
        raise CommandError(error.message, error.hint) from None
    except OSError as error:
        raise CommandError(f"the recording cannot be written: {error}.", "Name another folder: --output.") from None


def _show(path: Path, status: str) -> None:
    show_whole(f"{shown_path(_near(path))}  {status}", stdout(), STYLES.get(status, ""))


def _near(path: Path) -> Path:
    path = path.resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _conclude(written: list[Path], workflow: str, which: str) -> None:
    if not written:
        typer.echo(printable(f"Nothing to write: no instance of {workflow!r}{which and ' is '}{which}."))
        return
    folder = str(_near(written[0] if len(written) == 1 else written[0].parent))
    count = counted(len(written), "instance")
    typer.echo(printable(f"\n{count} of {workflow!r}. Replay: pytest --workflows-replay={shlex.quote(folder)}"))


def _complain(line: str) -> None:
    typer.secho(printable(line), err=True, fg=typer.colors.YELLOW)
