"""Imports of a Worker's own code: a module that the platform's Python has not is not found here either."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

from durable_engine import hide_frames
from pytest_workflows.javascript.runtime import python_version
from pytest_workflows.project.worker_imports import WorkerImport

from .guards import guards
from .table import Refusal, table_of

hide_frames(__file__)


class ModuleCheck:
    """The check before each import statement.

    Args:
        report: Called with the module that is not there, what the platform raises, and the statement.
    """

    def __init__(self, report: Callable[[str, Refusal, WorkerImport], None]) -> None:
        self._report = report

    def __call__(self, statement: WorkerImport) -> None:
        """Raise what the platform raises, or guard what is about to be imported.

        Raises:
            ModuleNotFoundError: Of a module that is not there.
        """
        name = statement.name
        if name.partition(".")[0] not in sys.stdlib_module_names:
            return
        table = table_of(python_version())
        for one in (name, *(f"{name}.{inner}" for inner in statement.names)):
            text = table.missing_module(one)
            if text is not None:
                refusal = Refusal("ModuleNotFoundError", (text,))
                self._report(one, refusal, statement)
                error = refusal.error()
                assert isinstance(error, ModuleNotFoundError)
                error.name = text.partition("'")[2].partition("'")[0]
                raise error
        if name not in sys.modules:
            importlib.import_module(name)
        guards.refresh()
