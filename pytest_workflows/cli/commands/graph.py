"""`pytest-workflows graph [PATH...]`: a workflow's steps as they ran, as Mermaid's text or as SVG."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from durable_engine import printable
from pytest_workflows.cli.errors import CommandError, UsageError
from pytest_workflows.cli.files import read_all
from pytest_workflows.cli.options import Config
from pytest_workflows.cli.project import Found, find_project
from pytest_workflows.messages.path_checks import why_not_writable
from pytest_workflows.messages.short_repr import shown, shown_path
from pytest_workflows.recordings import Recording, workflow_of
from pytest_workflows.reporting.graph import build_graph, to_mermaid, to_svg
from pytest_workflows.sources import SourceWorkflow, find_steps

EXAMPLES = """
Examples:

    pytest --workflows-record=all; pytest-workflows graph .workflows/failures --workflow ORDERS

    pytest-workflows graph dumps/ --workflow ORDERS --output orders.svg

    pytest-workflows graph --workflow ORDERS
"""


class Format(StrEnum):
    """The formats of a graph."""

    mermaid = "mermaid"
    svg = "svg"


_MARKDOWN = ".md"
_ENDINGS = {".svg": Format.svg, ".mmd": Format.mermaid, ".mermaid": Format.mermaid, _MARKDOWN: Format.mermaid}


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("graph", epilog=EXAMPLES)(graph)


def graph(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH...]", help="Recordings, and folders of them; without any, the source alone."),
    ] = None,
    workflow: Annotated[
        str | None,
        typer.Option("--workflow", metavar="BINDING", help="Which workflow, where it is not the only one."),
    ] = None,
    format: Annotated[
        Format | None, typer.Option("--format", help="By default what the output's ending says, else mermaid.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it to a file: .svg, .mmd, .mermaid or .md."),
    ] = None,
    config: Config = None,
) -> None:
    """Draw a workflow's steps and dependencies as they ran; branches that nothing took are grey."""
    form = _form_of(output, format)
    project = find_project(config)
    recordings, refused = read_all(paths or [])
    if paths and not recordings:
        raise CommandError(refused[0] if refused else "there is no recording.", "Record some: --workflows-record=all")
    name = _chosen(recordings, workflow, project)
    mine = [one for one in recordings if workflow_of(one) in (name, "unknown")]
    source = _source(mine, name, project)
    if source is None and not mine:
        raise CommandError(f"the source of {name} cannot be read.", "pytest-workflows list shows where it should be.")
    drawn = build_graph(mine, source, name)
    text = to_svg(drawn) if form is Format.svg else to_mermaid(drawn)
    if output is None:
        typer.echo(printable(text), nl=False)
    else:
        _write(output, f"```mermaid\n{text}```\n" if output.suffix.lower() == _MARKDOWN else text)
    for line in refused:
        typer.secho(f"Not read: {line}", err=True, fg=typer.colors.YELLOW)


def _form_of(output: Path | None, format: Format | None) -> Format:
    """The format to write: the file's ending decides, and `--format` must say the same.

    Raises:
        UsageError: If a file of that ending holds something else, or cannot be written.
    """
    if output is None:
        return format or Format.mermaid
    ending = output.suffix.lower()
    of_ending = _ENDINGS.get(ending, format if not ending or ending == ".txt" else None)
    if of_ending is None and ending:
        raise UsageError(
            f"--output {shown_path(output)}: a graph cannot be written as {shown(ending)}.",
            "It takes .svg for a picture; .mmd, .mermaid or .md for Mermaid's text; .txt with --format.",
        )
    if format is not None and of_ending not in (None, format):
        raise UsageError(
            f"--output {shown_path(output)} is for {of_ending}, and --format says {format}.", "Leave --format away."
        )
    reason = why_not_writable(output)
    if reason is not None:
        raise CommandError(
            f"{shown_path(output)} cannot be written: {reason}.", "Name a file in a folder that is there."
        )
    return of_ending or Format.mermaid


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"{shown_path(output)} cannot be written: {error.strerror}.", "Name a file in a folder that is there."
        ) from None


def _chosen(recordings: list[Recording], workflow: str | None, project: Found) -> str:
    """The workflow that is drawn: the one that was named, else the only one."""
    if recordings:
        names = [name for name in dict.fromkeys(map(workflow_of, recordings)) if name != "unknown"]
        nameless = any(workflow_of(one) == "unknown" for one in recordings)
        what = "the recordings are of"
    else:
        names, nameless = [one.binding for one in project.config.all_workflows], False
        what = "the configuration has"
    if workflow is not None:
        if workflow in names or nameless:
            return workflow
        raise UsageError(f"there is no workflow {workflow!r}: {what} {_listed(names)}.", "Name one of these.")
    if len(names) == 1 and not nameless:
        return names[0]
    if nameless and not names and project.path is not None and len(project.config.all_workflows) == 1:
        return project.config.all_workflows[0].binding
    if nameless:
        raise UsageError("a recording does not say which workflow it is of.", "Say it: --workflow BINDING")
    raise UsageError(f"{what} {_listed(names)}.", "Choose one: --workflow BINDING")


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "no workflows"


def _source(recordings: list[Recording], name: str, project: Found) -> SourceWorkflow | None:
    """The source as the recordings name it, else as the configuration does."""
    for recording in recordings:
        if recording.file is not None and recording.class_name is not None:
            return find_steps(project.rootdir / recording.file, recording.class_name)
    if project.path is None:
        return None
    config = project.config
    for workflow in config.all_workflows:
        if workflow.binding == name and config.main is not None:
            return find_steps(config.main, workflow.class_name)
    return None
