"""What the platform's Python refuses is refused here, as in tests; the line is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from pytest_workflows.deployment.deployment import deployment_of
from pytest_workflows.interpreter.guards import guards
from pytest_workflows.interpreter.imports import check_module
from pytest_workflows.interpreter.startup import startup
from pytest_workflows.interpreter.whose import Use, View
from pytest_workflows.sources.handled import is_handled, is_prepared

if TYPE_CHECKING:
    from pytest_workflows.interpreter.table import Refusal
    from pytest_workflows.project.worker_imports import WorkerImport
    from pytest_workflows.project.worker_project import Project


class Refusals:
    """The refusals of a process.

    Args:
        projects: Gives the projects whose code is the Worker's.
        notify: Called with a sentence on each place, once.
        root: The folder that places are shown from.
    """

    def __init__(self, projects: Callable[[], list[Project]], notify: Callable[[str], None], root: str) -> None:
        self._projects = projects
        self._notify = notify
        self._root = root
        self._noted: set[tuple[str, int, str]] = set()
        self._view = View(self._is_workers, self._used, self._is_deployed)

    def start(self) -> None:
        """Refuse from now on."""
        guards.enter(self._view)

    def stop(self) -> None:
        """Refuse no more, and put everything back."""
        guards.leave(self._view)
        guards.put_back()

    def watch(self, project: Project) -> None:
        """Refuse to a project's modules what they may not import, and what they may not do while they are imported."""
        project.imports.checks.append(lambda statement: check_module(project.imports, self._missing, statement))
        project.imports.around.append(lambda module: self._importing(project, module))

    def _importing(self, project: Project, module: ModuleType) -> AbstractContextManager[None]:
        return startup.importing(module, is_main=os.path.realpath(str(module.__file__)) == str(project.config.main))

    def _is_workers(self, code: CodeType) -> bool:
        return any(project.has_file(code.co_filename) for project in self._projects())

    def _is_deployed(self, distribution: str, code: CodeType) -> bool | None:
        found = [project for project in self._projects() if project.has_file(code.co_filename)]
        return bool(deployment_of(found[0]).has(distribution)) if found else None

    def _used(self, use: Use) -> None:
        if not is_prepared(use.frame):
            self._note(use.frame.f_code.co_filename, use.frame.f_lineno, use.what, use.refusal)

    def _missing(self, name: str, refusal: Refusal, statement: WorkerImport) -> None:
        if not is_handled(statement.file, statement.line):
            self._note(statement.file, statement.line, f"import {name}", refusal)

    def _note(self, file: str, line: int, what: str, refusal: Refusal) -> None:
        if (file, line, what) not in self._noted:
            self._noted.add((file, line, what))
            self._notify(
                f"{os.path.relpath(file, self._root)}:{line}: `{what}` raises {refusal} on the platform, as here."
            )
