"""The findings of what a session's Workers deploy: their import statements, and their size."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from durable_engine import Engine, Place
    from pytest_workflows.deployment.deployment import Problem
    from pytest_workflows.project.worker_imports import WorkerImport
    from pytest_workflows.project.worker_project import Project


class DeployFindings:
    """What is wrong with what a session's Workers deploy.

    A module is imported once a session, for whichever test comes first, and what its import does wrong is wrong for
    each test of its project: each of them gets it. What a function does later is the running test's.

    Args:
        engine: Gives the running test's engine; None where there is none.
    """

    def __init__(self, engine: Callable[[], Engine | None]) -> None:
        self._engine = engine
        self._of_all: dict[Project, dict[tuple[Problem, Place], None]] = {}

    def watch(self, project: Project) -> None:
        """Check the import statements of a project's own code from now on."""
        self._of_all[project] = {}
        project.imports.checks.append(lambda statement: self._check(project, statement))

    def _check(self, project: Project, statement: WorkerImport) -> None:
        from pytest_workflows.deployment.import_check import check_import

        check_import(project, lambda *found: self._keep(project, *found), statement)

    def _keep(self, project: Project, problem: Problem, place: Place) -> None:
        engine = self._engine()
        if engine is None or project.imports.is_executing:
            self._of_all[project][problem, place] = None
        if engine is not None:
            _add(engine, problem, place)

    def keep(self, project: Project, rule: str, message: str, place: Place, remedy: str | None = None) -> None:
        """Keep what else is wrong with a project's code.

        Args:
            project: The project.
            rule: The rule that is broken.
            message: The observation.
            place: File and line.
            remedy: How to write it instead; None for what the rule says.
        """
        from pytest_workflows.deployment.deployment import Problem

        self._keep(project, Problem(rule, message, remedy), place)

    def attach(self, engine: Engine, project: Project | None, worker_bytes: int) -> None:
        """Add what is known already to the findings of a test of a project.

        Args:
            engine: The test's engine.
            project: Its project; None where it has none.
            worker_bytes: The most bytes that a Worker may have with its modules.
        """
        if project is None or project not in self._of_all or project.folder is None:
            return
        from pytest_workflows.deployment.deployment import deployment_of

        problem = deployment_of(project).problem_of_size(worker_bytes)
        if problem is not None:
            _add(engine, problem, (str(project.path), project.config.main_line))
        for problem, place in self._of_all[project]:
            _add(engine, problem, place)


def _add(engine: Engine, problem: Problem, place: Place) -> None:
    engine.findings.add(problem.rule, problem.text, place, about=problem.text, remedy=problem.remedy)
