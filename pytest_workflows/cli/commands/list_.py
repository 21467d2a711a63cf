"""`pytest-workflows list`: the workflow bindings that the configuration has."""

from __future__ import annotations

import json as json_module
import os
from pathlib import Path

import msgspec
import typer
from rich.text import Text

from pytest_workflows.cli.options import Config, Json
from pytest_workflows.cli.project import find_project
from pytest_workflows.cli.terminal.console import columns, show, stdout
from pytest_workflows.project.wrangler import WorkflowBindingConfig, WranglerConfig

EXAMPLES = """
Examples:

    pytest-workflows list

    pytest-workflows list --config services/shop/wrangler.jsonc --json
"""


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("list", epilog=EXAMPLES)(list_)


def list_(config: Config = None, json: Json = False) -> None:
    """List the workflows of the project, with their bindings, and where each comes from."""
    found = find_project(config).config
    if json:
        workflows = [msgspec.structs.asdict(workflow) for workflow in found.all_workflows]
        typer.echo(
            json_module.dumps({"config": str(found.path), "main": _main(found), "workflows": workflows}, indent=2)
        )
        return
    console = stdout()
    if not found.all_workflows:
        console.print(Text(f"{_near(found.path)} has no workflows."))
        return
    table = columns("Binding", "Workflow", "Class", "Source")
    for workflow in found.all_workflows:
        table.add_row(
            Text(_binding(found, workflow), style="bold"), workflow.name, workflow.class_name, _source(found, workflow)
        )
    show(table, console)
    show(Text(f"\nfrom {_near(found.path)}", style="dim"), console)


def _binding(found: WranglerConfig, workflow: WorkflowBindingConfig) -> str:
    is_bound = workflow in found.workflows
    return workflow.binding if is_bound else f"{workflow.binding} (exported)"


def _main(found: WranglerConfig) -> str | None:
    return None if found.main is None else str(found.main)


def _source(found: WranglerConfig, workflow: WorkflowBindingConfig) -> str:
    if workflow.script_name is not None:
        return f"another Worker, {workflow.script_name}"
    return "no main" if found.main is None else os.path.relpath(found.main, found.path.parent)


def _near(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
