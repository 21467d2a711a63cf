"""`pytest-workflows check`: the rules and crash exploration over the project's workflows, by way of its tests."""

from __future__ import annotations

import importlib.util
import json as json_module
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from pytest_workflows.cli.check_plugin import FILE
from pytest_workflows.cli.errors import NO, OK, CommandError, UsageError
from pytest_workflows.cli.options import Config, Json
from pytest_workflows.cli.terminal import formatting as words
from pytest_workflows.cli.terminal.console import Row, labelled, show, show_whole, stdout
from pytest_workflows.messages.short_repr import counted, shown_path

_ERROR = 200
_NO_TESTS = 5
_RAN = (0, 1, _NO_TESTS)
EXAMPLES = """
Examples:

    pytest-workflows check

    pytest-workflows check tests/test_orders.py --seeds 20

    pytest-workflows check --points 50 --json
"""


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("check", epilog=EXAMPLES)(check)


def check(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[TESTS]...", help="Which tests; all of the project's by default.")
    ] = None,
    points: Annotated[
        int | None, typer.Option("--points", min=1, metavar="N", help="Try N crash points of each test, not all.")
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", min=0, metavar="N", help="Run each test under N more orders of what may go first.")
    ] = 0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show pytest's own output as well.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Check that the project's workflows are durable, with the tests that it has.

    Each test runs once as it is, and once for every point at which the engine may die; broken rules are listed.
    Exits with 0 where nothing was found, with 1 where a test failed or a rule is broken.
    """
    explore = ["--workflows-crash" if points is None else f"--workflows-crash={points}"]
    explore += [f"--workflows-seeds={seeds}"] if seeds else []
    chosen = [] if config is None else ["-o", f"workflows_config={_existing(config)}"]
    console = stdout()
    with console.status("Running the tests, and each again for every point at which it may crash ..."):
        found = _run_pytest([*explore, *chosen, *(paths or [])], verbose=verbose and not json)
    if json:
        typer.echo(json_module.dumps(found, indent=2))
    else:
        _show(found, console)
    raise typer.Exit(NO if found["failures"] or found["findings"] else OK)


def _existing(config: str) -> Path:
    if not os.path.isfile(config):
        raise UsageError(
            f"--config names {shown_path(config)}, which is no file.", "It takes a path such as wrangler.jsonc."
        )
    return Path(config).resolve()


def _run_pytest(arguments: list[str], *, verbose: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "check.json"
        command = [
            *(sys.executable, "-m", "pytest", "-p", "pytest_workflows.cli.check_plugin", "--tb=short"),
            # Findings are listed for themselves: here they fail no test.
            *("-o", "workflows_strict=false", "-W", "always::pytest_workflows.WorkflowRuleWarning"),
            *(["-n0"] if importlib.util.find_spec("xdist") else []),
            *arguments,
        ]
        ended = subprocess.run(
            command,
            env={**os.environ, FILE: str(file)},
            stdout=None if verbose else subprocess.PIPE,
            stderr=None if verbose else subprocess.STDOUT,
            text=True,
            check=False,
        )
        if ended.returncode not in _RAN or not file.exists():
            raise CommandError(f"pytest failed: {_last_line(ended.stdout)}", "See it all: pytest-workflows check -v")
        if ended.returncode == _NO_TESTS:
            raise CommandError("the project has no tests to check its workflows with.", "Name them: check tests/")
        found: dict[str, Any] = json_module.loads(file.read_text(encoding="utf-8"))
        return found


def _last_line(output: str | None) -> str:
    lines = [line for line in (output or "").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["it does not say why"])[-1].removeprefix("ERROR: ")


# -- what was found ----------------------------------------------------------------------------------------------------


def _show(found: dict[str, Any], console: Console) -> None:
    show(labelled(_rows(found)), console)
    if found["failures"]:
        show(Text("\nFailures", style="bold red"), console)
        for failure in found["failures"]:
            show_whole(f"  {failure['test']}", console, "bold")
            for phase in failure["phases"]:
                when = "" if phase["when"] in ("call", "collect") else f"{phase['when']}: "
                line = when + words.cut(words.exception(phase["error"]), _ERROR)
                show(Padding(Text(line, style="red"), (0, 0, 0, 4)), console)
            if failure["again"]:
                show_whole(f"    {failure['again']}", console)
    if found["findings"]:
        show(Text("\nBroken rules", style="bold yellow"), console)
        for finding in found["findings"]:
            place = f"{os.path.relpath(finding['file'])}:{finding['line']}"
            show(labelled([("Rule", finding["rule"]), ("Where", place), ("What", finding["text"])], indent=2), console)
            console.print()
    if not found["failures"] and not found["findings"]:
        show(Text("\nNothing was found.", style="green"), console)


def _rows(found: dict[str, Any]) -> Iterator[Row]:
    yield "Tests", _tests(found)
    if found["uncollected"]:
        yield "Not collected", counted(found["uncollected"], "file")
    explored = found["explored"]
    if explored:
        seconds, failed = explored["seconds"], explored["failed"]
        yield "Crash points", f"{explored['points']} in {seconds:.2f} s, {failed or 'none'} failed"
        if explored["schedules"]:
            yield "Other orders", str(explored["schedules"])
        for test, point in explored["unreached"]:
            yield "Not reached again", f"{point} in {test}"
    yield "Broken rules", str(len(found["findings"]) or "none")


def _tests(found: dict[str, Any]) -> str:
    """A row on the tests: how they end as they are, and how many fail when the engine dies or in another order."""
    words = {
        "passed": ("passes as it is", "pass as they are"),
        "failed": ("fails as it is", "fail as they are"),
        "skipped": ("is skipped", "are skipped"),
    }
    total = sum(found[outcome] for outcome in words)
    if not total:
        return "none"
    parts = [
        (one if total == 1 else f"{found[outcome]} {one if found[outcome] == 1 else more}")
        for outcome, (one, more) in words.items()
        if found[outcome]
    ]
    runs = [failure for failure in found["failures"] if failure["run"]]
    if runs:
        tests = len({failure["of"] for failure in runs})
        whose = "" if total == 1 else f"{tests} "
        parts.append(f"{whose}{'fails' if tests == 1 else 'fail'} at {_places(runs)}")
    return f"{total}: {', '.join(parts)}"


def _places(runs: list[dict[str, Any]]) -> str:
    crashes = sum("crash: " in failure["run"] for failure in runs)
    counts = ((crashes, "crash point"), (len(runs) - crashes, "other order"))
    return " and ".join(counted(count, what) for count, what in counts if count)
