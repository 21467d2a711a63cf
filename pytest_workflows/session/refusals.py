"""What the platform's Python refuses, in a session: who says whose code runs, and what the tests learn of it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from durable_engine import Engine, Place
    from pytest_workflows.interpreter.table import Refusal
    from pytest_workflows.interpreter.whose import Use, View
    from pytest_workflows.project.worker_imports import WorkerImport
    from pytest_workflows.project.worker_project import Project

    from .run_setup import RunSetup

RULE = "not-on-platform"
"""A test that ignores the rule has no refusals either."""
SILENT = "differs-on-platform"
_WITHOUT = (
    "do without the module; code that runs on other machines as well imports it in a `try` that handles ImportError"
)
_watched: weakref.WeakSet[Project] = weakref.WeakSet()
"""The Workers whose modules are imported."""


def described(what: str, refusal: Refusal) -> str:
    """A finding's message for what was refused.

    Args:
        what: What was used.
        refusal: What the platform raises.
    """
    from pytest_workflows.interpreter.table import table_of
    from pytest_workflows.javascript.runtime import python_version

    table = table_of(python_version())
    return f"`{what}` raises {refusal} on the platform (Python {table.python}, Pyodide {table.pyodide})"


class RunRefusals:
    """The refusals of one run of a test.

    Args:
        setup: The test's run.
    """

    def __init__(self, setup: RunSetup) -> None:
        self._setup = setup
        self._view: View | None = None

    def attach(self, engine: Engine) -> None:
        """Refuse to the Worker's code what the platform refuses, and let the engine learn of it."""
        from pytest_workflows.interpreter.guards import guards
        from pytest_workflows.interpreter.whose import View

        setup = self._setup
        is_off = RULE in setup.settings.ignore_rules
        self._view = View(
            _nobody if is_off else lambda code: setup.sources.is_workers(code) or _is_of_project(code),
            lambda use: _report(engine, use),
            lambda name, code: is_deployed(_project_with(code, setup.project), name),
        )
        guards.enter(self._view)

    def close(self) -> None:
        """Refuse no more; the next test finds the functions of ours in place. Closing twice is fine."""
        if self._view is not None:
            from pytest_workflows.interpreter.guards import guards

            guards.leave(self._view)
            self._view = None


class SessionRefusals:
    """The refusals of a session while no test has an engine: where a Worker's module is imported, or called by a test.

    Args:
        project: Gives the project that is active.
        keep: Keeps a finding for the tests of a project: the project, its rule, its message, its place, and what to do
            where the rule does not say it.
        is_off: Whether the running test has no refusals; where none runs, whether the session has none.
    """

    def __init__(
        self,
        project: Callable[[], Project | None],
        keep: Callable[[Project, str, str, Place, str | None], None],
        is_off: Callable[[], bool],
    ) -> None:
        self._project = project
        self._keep = keep
        self._is_off = is_off
        self._view: View | None = None

    def watch(self, project: Project) -> None:
        """Check what a project's own code imports, and let it do nothing that the platform refuses, from now on."""
        _watched.add(project)
        project.imports.checks.append(lambda statement: self._check(project, statement))
        project.imports.around.append(lambda module: self._importing(project, module))

    def close(self) -> None:
        """Refuse no more."""
        if self._view is not None:
            from pytest_workflows.interpreter.guards import guards

            guards.leave(self._view)
            self._view = None

    def _check(self, project: Project, statement: WorkerImport) -> None:
        if self._is_off():
            return
        from pytest_workflows.interpreter.imports import check_module

        self._open()
        check_module(project.imports, lambda *found: self._missing(project, *found), statement)

    def _importing(self, project: Project, module: ModuleType) -> AbstractContextManager[None]:
        self._read(project, module)
        if self._is_off():
            return nullcontext()
        from pytest_workflows.interpreter.startup import startup

        self._open()
        return startup.importing(module, is_main=os.path.realpath(str(module.__file__)) == str(project.config.main))

    def _read(self, project: Project, module: ModuleType) -> None:
        """Find in a module's source what differs in silence."""
        from pytest_workflows.interpreter.silent import silent_differences
        from pytest_workflows.interpreter.table import table_of
        from pytest_workflows.sources.syntax import source_file

        file = str(module.__file__)
        source = source_file(file)
        for line, message in () if source is None else silent_differences(source, table_of(project.python_version())):
            self._keep(project, SILENT, message, (file, line), None)

    def _open(self) -> None:
        if self._view is None:
            from pytest_workflows.interpreter.guards import guards
            from pytest_workflows.interpreter.whose import View

            self._view = View(
                self._is_workers,
                self._report,
                lambda name, code: is_deployed(_project_with(code, self._project()), name),
            )
            guards.enter(self._view)

    def _is_workers(self, code: CodeType) -> bool:
        return not self._is_off() and _is_of_project(code)

    def _missing(self, project: Project, name: str, refusal: Refusal, statement: WorkerImport) -> None:
        from pytest_workflows.sources.handled import is_handled

        if not is_handled(statement.file, statement.line):
            self._keep(project, RULE, described(f"import {name}", refusal), (statement.file, statement.line), _WITHOUT)

    def _report(self, use: Use) -> None:
        from pytest_workflows.sources.handled import is_prepared

        project = _project_with(use.frame.f_code, self._project())
        if project is not None and not is_prepared(use.frame):
            self._keep(project, RULE, described(use.what, use.refusal), _place(use), use.remedy)


def is_deployed(project: Project | None, distribution: str) -> bool | None:
    """Whether a Worker is deployed with a package; None where there is no project.

    Args:
        project: The Worker's project. One that says nothing of what it needs is deployed with nothing.
        distribution: The package.
    """
    if project is None:
        return None
    from pytest_workflows.deployment.deployment import deployment_of

    return bool(deployment_of(project).has(distribution))


def _is_of_project(code: CodeType) -> bool:
    """Whether code is that of a Worker of the session, the tested one or another."""
    return any(project.has_file(code.co_filename) for project in _watched)


def _project_with(code: CodeType, otherwise: Project | None) -> Project | None:
    """The project of the Worker that has some code: of several, one within the other, the innermost."""
    found = [project for project in _watched if project.has_file(code.co_filename)]
    return max(found, key=lambda one: (len(str(one.folder)), one is otherwise), default=otherwise)


def _nobody(code: CodeType) -> bool:
    return False


def _report(engine: Engine, use: Use) -> None:
    from durable_engine import current_scope
    from pytest_workflows.sources.handled import is_prepared

    if is_prepared(use.frame):
        return
    scope = current_scope.get()
    step = None if scope is None or scope.step is None else scope.step.label
    workflow = None if scope is None else scope.instance.workflow.name
    message = described(use.what, use.refusal)
    engine.findings.add(RULE, message, _place(use), step=step, workflow=workflow, about=use.what, remedy=use.remedy)


def _place(use: Use) -> Place:
    return use.frame.f_code.co_filename, use.frame.f_lineno
