"""`pytest-workflows dev`: the Worker on this machine, in real time, with its instances on disk."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pytest_workflows.cli.errors import INPUT, USAGE, CommandError, UsageError
from pytest_workflows.cli.options import Config
from pytest_workflows.cli.project import find_with_settings

if TYPE_CHECKING:
    from pytest_workflows.dev.settings import DevSettings

EXAMPLES = """
Examples:

    pytest-workflows dev

    pytest-workflows dev --port 9000 --state /tmp/orders

    pytest-workflows dev --host 0.0.0.0
"""
NEEDED = ("aiosqlite", "fastapi", "jinja2", "uvicorn", "watchfiles", "websockets")
_DEFAULT_PORT = 8787


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("dev", epilog=EXAMPLES)(dev)


def dev(
    config: Config = None,
    env: Annotated[
        str | None, typer.Option("--env", "-e", metavar="NAME", help="Which environment of the configuration holds.")
    ] = None,
    port: Annotated[
        int,
        typer.Option("--port", "-p", min=0, max=65535, help="The port; the next free one if it is in use."),
    ] = _DEFAULT_PORT,
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="ADDRESS", help="The address to bind; page and API ask for a token beyond this machine."
        ),
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            "--token", metavar="TEXT", help="The token that page and API ask for, in place of one that is made."
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host", metavar="NAME", help="A further host name that page and API answer to, with a token."
        ),
    ] = None,
    worker_host: Annotated[
        str | None,
        typer.Option("--worker-host", metavar="NAME", help="The host that the Worker sees, in place of what came."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FOLDER", help="Where everything is kept, in place of .workflows/state."),
    ] = None,
    reload: Annotated[bool, typer.Option("--reload/--no-reload", help="Deploy the source when it changes.")] = True,
) -> None:
    """Serve the Worker on this machine: its routes, the platform's API, and a page; instances survive a restart."""
    _check_extra()
    from pytest_workflows.dev.errors import DevError
    from pytest_workflows.dev.process import DevProcess
    from pytest_workflows.dev.settings import TOKEN
    from pytest_workflows.dev.terminal import Terminal

    if token is not None and not token.strip():
        raise UsageError("the --token is empty.", "Leave it out: one is made and printed.")
    if token is not None and not TOKEN.fullmatch(token):
        raise UsageError("the --token has what no header and cookie takes.", "Take letters, digits, and any of -._~+/=")
    if not host.strip():
        raise UsageError("the --host is empty.", "Give an address of this machine, or 0.0.0.0 for all of them.")
    settings = _settings(config, env, state)
    import msgspec

    settings = msgspec.structs.replace(
        settings,
        host=host,
        port=port,
        token=token,
        hosts=frozenset(name.lower() for name in allow_host or ()),
        worker_host=worker_host,
        reloads=reload,
    )
    try:
        DevProcess(settings, Terminal()).run()
    except DevError as error:
        raise CommandError(error.message, error.hint, INPUT) from error


def _settings(config: str | None, env: str | None, state: Path | None) -> DevSettings:
    from pytest_workflows.dev.settings import STATE, DevSettings

    found, ini = find_with_settings(config)
    assert found.config  # says what is wrong with it
    path = found.path
    assert path is not None
    return DevSettings(
        config=path.resolve(),
        state=(path.parent / STATE if state is None else state).resolve(),
        rootdir=found.rootdir,
        environment=env or ini.environment,
        dev_vars=ini.dev_vars,
        workers=ini.workers,
        plan=ini.plan,
    )


def _check_extra() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise CommandError(
            f"the command dev needs what the extra `dev` brings. Not installed: {', '.join(missing)}.",
            "pip install 'pytest-workflows[dev]'",
            USAGE,
        )
