"""Imports of a Worker's own code: a module that the platform's Python has not is not found here either."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from durable_engine import hide_frames
from pytest_workflows.javascript.runtime import python_version
from pytest_workflows.project.worker_imports import has_module

from .guards import guards
from .table import Refusal, table_of

if TYPE_CHECKING:
    from pytest_workflows.project.worker_imports import WorkerImport, WorkerImports

hide_frames(__file__)


def check_module(
    imports: WorkerImports, report: Callable[[str, Refusal, WorkerImport], None], statement: WorkerImport
) -> None:
    """Before an import statement: raise what the platform raises, or guard what is about to be imported.

    Args:
        imports: Those of the Worker's modules, which may have the name of one that is not there.
        report: Called with the module that is not there, what the platform raises, and the statement.
        statement: The statement.

    Raises:
        ModuleNotFoundError: Of a module that is not there.
    """
    name = statement.name
    root = name.partition(".")[0]
    if root not in sys.stdlib_module_names or has_module(imports.folders, root):
        return
    table = table_of(python_version())
    for one in (name, *(f"{name}.{inner}" for inner in statement.names)):
        text = table.missing_module(one)
        if text is not None:
            refusal = Refusal("ModuleNotFoundError", (text,))
            report(one, refusal, statement)
            error = refusal.error()
            assert isinstance(error, ModuleNotFoundError)
            error.name = text.partition("'")[2].partition("'")[0]
            raise error
    if name not in sys.modules:
        importlib.import_module(name)
    guards.refresh()
