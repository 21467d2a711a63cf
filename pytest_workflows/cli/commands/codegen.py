"""`pytest-workflows codegen FILE`: a recording as a ready test, on standard output."""

from __future__ import annotations

import typer

from pytest_workflows.cli.errors import CommandError, UsageError
from pytest_workflows.cli.files import read_file
from pytest_workflows.cli.options import Config, File, InstanceId, JsonOutputs, WorkflowOption
from pytest_workflows.cli.project import find_project
from pytest_workflows.generating import generate
from pytest_workflows.project.wrangler import binding_meant
from pytest_workflows.recordings import Recording

EXAMPLES = """
Examples:

    pytest-workflows codegen latest > tests/test_reproduced.py

    pytest-workflows codegen dump.json --workflow ORDERS --id order-77 > tests/test_order_77.py
"""


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("codegen", epilog=EXAMPLES)(codegen)


def codegen(
    file: File,
    workflow: WorkflowOption = None,
    id: InstanceId = None,
    json_outputs: JsonOutputs = None,
    config: Config = None,
) -> None:
    """Print a test that goes the recorded way: params, a mock for each recorded step, and what is to hold at the end.

    The test of an instance that errored fails as it did, until the workflow is corrected.
    """
    recording = read_file(file, id=id, config=config, json_outputs=json_outputs)
    binding = workflow or recording.binding or _configured(recording, config)
    typer.echo(generate(recording, binding, is_exported=_is_exported(binding, config)), nl=False)


def _is_exported(binding: str, config: str | None) -> bool:
    """Whether the project, where there is one that can be read, has that workflow without a binding in `env`."""
    try:
        found = find_project(config).config
    except CommandError:
        return False
    return any(one.binding == binding for one in found.exports) and binding not in {
        one.binding for one in found.workflows
    }


def _configured(recording: Recording, config: str | None) -> str:
    """The binding of a recording that names none: the project's only one, or the only one of the recorded workflow."""
    project = find_project(config)
    workflows = () if project.path is None else project.config.all_workflows
    found = binding_meant(workflows, recording.workflow, [one.binding for one in workflows])
    if found is None:
        raise UsageError(
            "the file does not say which workflow it is an instance of.",
            "Say it: --workflow BINDING (pytest-workflows list shows the bindings).",
        )
    return found
