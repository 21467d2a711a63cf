"""Errors for names that `ctx.exports` does not have."""

from __future__ import annotations

import difflib
import inspect
from typing import TYPE_CHECKING

from pytest_workflows.active_test import note_use
from pytest_workflows.errors import MissingBindingError
from pytest_workflows.workers.entrypoints import DurableObject, WorkerEntrypoint

if TYPE_CHECKING:
    from pytest_workflows.project.worker_project import Project


def no_export(name: str, project: Project | None) -> KeyError | MissingBindingError:
    """The error for a name that is no exported workflow.

    Args:
        name: The name that was asked for.
        project: The worker project, or None.

    Returns:
        A KeyError that says why there is none on the platform either, or the error for what we do not provide.
    """
    if project is None:
        return KeyError(
            f"ctx.exports has no {name!r}: exports come from the wrangler configuration, and none was found. Add a "
            f'wrangler.jsonc with "exports": {{"{name}": {{"type": "workflow", "name": "..."}}}}.'
        )
    config, module = project.config, project.load_main()
    value = getattr(module, name, None)
    kind = config.other_exports.get(name)
    if kind is None and inspect.isclass(value) and issubclass(value, WorkerEntrypoint | DurableObject):
        kind = "worker" if issubclass(value, WorkerEntrypoint) else "durable-object"
    if kind is not None:
        what = f"ctx.exports.{name} was used"
        rest = (
            f"the platform has it (an export of type {kind!r}), and it is not provided here. Workflows, entrypoints "
            f"and the classes of Durable Objects that the configuration declares are: {_what_is_missing(name, value)}"
        )
        error = MissingBindingError(what, rest, name)
        note_use(error)
        return error
    names = [workflow.class_name for workflow in config.exports]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    has = "has no such class" if value is None else "has that class, but the configuration does not export it"
    known = ", ".join(names) or "none"
    return KeyError(
        f"ctx.exports has no {name!r}: {module.__file__} {has}.{hint} Exported workflows: {known}. "
        f'Add it to {config.path}: "exports": {{"{name}": {{"type": "workflow", "name": "..."}}}}.'
    )


def _what_is_missing(name: str, value: object) -> str:
    if inspect.isclass(value):
        return f'add the class to a migration, "new_sqlite_classes": ["{name}"].'
    return f"the Worker's main module has no class {name!r}. Define it there, or import it."
