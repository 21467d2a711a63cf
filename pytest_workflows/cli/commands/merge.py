"""`pytest-workflows merge PART... -o FOLDER`: one page of the parts of a run, such as the jobs of CI."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from pytest_workflows.cli.errors import NO, OK, CommandError, UsageError
from pytest_workflows.cli.terminal.console import labelled, show, show_whole, stdout
from pytest_workflows.messages.path_checks import why_not_writable
from pytest_workflows.messages.short_repr import brief, counted, printable, shown_path
from pytest_workflows.recordings.capture.storage import write
from pytest_workflows.recordings.format.truncation import cut
from pytest_workflows.reporting import json_report
from pytest_workflows.reporting.coverage import dump, percent
from pytest_workflows.reporting.html import Failure, Report, render
from pytest_workflows.reporting.json_report import ReportError
from pytest_workflows.reporting.merging import Given, merge
from pytest_workflows.reporting.session_records import SessionRecords, report_of

PAGE, REPORT, COVERAGE, RECORDINGS = "report.html", "report.json", "step-coverage.json", "recordings"
_WRITTEN = {PAGE, REPORT, COVERAGE, RECORDINGS}
EXAMPLES = """
Examples:

    pytest-workflows merge part-1.json part-2.json part-3.json -o merged

    pytest-workflows merge parts/ -o merged --fail-under 90
"""


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("merge", epilog=EXAMPLES)(merge_parts)


def merge_parts(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PART...", help="What `pytest --workflows-json=PATH` wrote, and folders of it."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="The folder to write to; it is made.")
    ],
    fail_under: Annotated[
        float | None,
        typer.Option(
            "--fail-under",
            metavar="PERCENT",
            min=0,
            max=100,
            help="Exit with 1 if the tests of all parts reach fewer of the steps.",
        ),
    ] = None,
) -> None:
    """Make one page of the parts of a run: its tests, recordings, exploration and step coverage, as of one machine.

    Writes report.html, report.json, step-coverage.json and the recordings of the tests that have any.
    """
    if find_spec("jinja2") is None:
        raise CommandError("the page needs jinja2.", "Install it: pip install 'pytest-workflows[cli,report]'")
    _check_output(output)
    try:
        given = _read(paths)
        records = merge(given)
    except ReportError as error:
        message, _, hint = str(error).rpartition(". ")
        raise CommandError(f"{message}.", hint) from None
    report = _written(records, output)
    _show(report, records, output)
    for name, part in ((one.name, part) for one in given for part in one.records.parts if part.stopped):
        typer.secho(f"{name} may lack tests: {printable(part.stopped)}", err=True, fg=typer.colors.YELLOW)
    is_below = fail_under is not None and report.coverage.percent < fail_under
    if is_below:
        show_whole(f"{percent(report.coverage.percent)} is less than --fail-under {percent(fail_under or 0)}", stdout())
    raise typer.Exit(NO if is_below else OK)


def _check_output(output: Path) -> None:
    """Refuse a folder in which something else lies, or that cannot be written.

    Raises:
        CommandError: If it cannot be written.
        UsageError: If what lies in it is not of an earlier merge.
    """
    reason = why_not_writable(output, folder=True)
    if reason is not None:
        raise CommandError(f"{shown_path(output)} cannot be written: {reason}.", "Name a new folder: -o merged")
    entries = set(os.listdir(output)) if output.is_dir() else set()
    if entries and not (entries <= _WRITTEN and REPORT in entries):
        raise UsageError(f"{shown_path(output)} is a folder that holds something else.", "Name a new one: -o merged")


def _read(paths: list[Path]) -> list[Given]:
    mine = version("pytest-workflows")
    given: list[Given] = []
    for path in paths:
        found = json_report.find(path, mine) if path.is_dir() else [(path, json_report.load(path, mine))]
        given += [Given(shown_path(file), records) for file, records in found]
    return given


def _written(records: SessionRecords, output: Path) -> Report:
    """Write all files, or none.

    Raises:
        CommandError: If one cannot be written.
    """
    output = Path(os.path.abspath(output))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as name:
            draft = Path(name)
            records = msgspec.structs.replace(records, failures=_write_recordings(records, draft, output))
            report = report_of(records, Path.cwd())
            (draft / PAGE).write_bytes(render(report).encode("utf-8", "backslashreplace"))
            (draft / REPORT).write_bytes(json_report.dump(records))
            (draft / COVERAGE).write_bytes(dump(report.coverage))
            _replace(output, draft)
    except OSError as error:
        raise CommandError(
            f"{shown_path(output)} cannot be written: {error.strerror or error}.", "Name a new folder: -o merged"
        ) from None
    except UnicodeEncodeError as error:
        raise CommandError(
            f"{shown_path(output)} cannot be written: a name in a part is no Unicode: {brief(str(error))}.",
            "Is a test, a file or a step called by half of a surrogate pair?",
        ) from None
    return report


def _write_recordings(records: SessionRecords, draft: Path, output: Path) -> dict[str, Failure]:
    """Write the recordings of the tests that have any.

    Returns:
        The failures with the recordings' files as they will be called.
    """
    failures = {test: dataclasses.replace(failure, recordings=[]) for test, failure in records.failures.items()}
    for run in records.runs:
        if run.kept_steps is None:
            continue
        failure = failures.get(run.test)
        outcome = "passed" if failure is None else "failed"
        recordings = [cut(msgspec.structs.replace(one, outcome=outcome), run.kept_steps) for one in run.recordings]
        files = write(recordings, draft / RECORDINGS, run.test)
        if failure is not None:
            failure.recordings = [_as_typed(output / file.relative_to(draft)) for file in files]
    return failures


def _as_typed(path: Path) -> str:
    """A path as it is typed where the command runs."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def _replace(output: Path, draft: Path) -> None:
    output.mkdir(exist_ok=True)
    for name in _WRITTEN:
        old = output / name
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
        if (draft / name).exists():
            (draft / name).replace(old)


def _show(report: Report, records: SessionRecords, output: Path) -> None:
    console = stdout()
    failed = sum(test.outcome == "failed" for test in report.tests)
    tests = f"{len(report.tests)} with workflows, {failed or 'none'} failed"
    if report.others:
        tests += f"; {counted(len(report.others), 'other failure')}"
    rows = [("Parts", str(report.parts)), ("Tests", tests), ("Instances", str(len(records.recordings)))]
    if report.exploration is not None:
        rows.append(("Exploration", "\n".join(report.exploration.lines)))
    rows.append(("Steps reached", percent(report.coverage.percent)))
    show(labelled(rows), console)
    show_whole(f"Workflow report: {Path(os.path.abspath(output / PAGE)).as_uri()}", console)
