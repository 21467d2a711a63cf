"""The older source of a session that checks an upgrade, and the older versions of its projects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_workflows.errors import WorkflowConfigError

if TYPE_CHECKING:
    import pytest

    from pytest_workflows.project.old_source import OldSource
    from pytest_workflows.project.upgraded_project import UpgradedProjects
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.project.worker_registry import WorkerRegistry


class Upgrades:
    """The older versions of a session's projects.

    Args:
        project_of: Gives the project that a file belongs to.

    Attributes:
        source: The older source; None where no upgrade is checked.
    """

    def __init__(self, project_of: Callable[[Path], Project | None]) -> None:
        self._project_of = project_of
        self._older: dict[Path, Project | WorkflowConfigError] = {}
        self._checked: set[Path] = set()
        self.source: OldSource | None = None

    def has_project(self, path: Path) -> bool:
        """Whether a file or folder belongs to a project."""
        return self._project_of(path) is not None

    def reason_against(self, path: Path) -> str | None:
        """Why the tests of a file cannot begin on the older source; None where they can."""
        project = self._project_of(path)
        if project is None:
            return "it has no wrangler configuration, so there is no older one"
        try:
            self._older_version(project)
        except WorkflowConfigError as error:
            return str(error)
        return None

    def has_test(self, item: pytest.Item) -> bool:
        """Whether the older source has a test, as far as its text says."""
        assert self.source is not None
        return self.source.has_test(item.path, getattr(item, "originalname", None) or item.name)

    def begin(self, registry: WorkerRegistry[Project]) -> UpgradedProjects:
        """The projects of a run that begins on the older source.

        Args:
            registry: Knows today's Workers.
        """
        from pytest_workflows.project.upgraded_project import UpgradedProjects

        return UpgradedProjects(registry, self._older_or_none)

    def _older_or_none(self, project: Project) -> Project | None:
        """The older version of a Worker; None for one that is new."""
        try:
            return self._older_version(project)
        except WorkflowConfigError:
            return None

    def check(self, path: Path) -> None:
        """Make sure that the older version of a file's project can be imported.

        Args:
            path: A file of tests, or a folder, with nothing against it.

        Raises:
            WorkflowConfigError: If it cannot.
        """
        assert self.source is not None
        project = self._project_of(path)
        if project is None or project.path in self._checked:
            return
        self._checked.add(project.path)
        older = self._older_version(project)
        try:
            older.load_main()
        except WorkflowConfigError:
            raise
        except (Exception, SystemExit) as error:
            raise WorkflowConfigError(self.source.not_importable(older, error)) from error

    def _older_version(self, project: Project) -> Project:
        assert self.source is not None
        found = self._older.get(project.path)
        if found is None:
            try:
                found = self.source.project_of(project)
                assert found.config
            except WorkflowConfigError as error:
                found = error
            self._older[project.path] = found
        if isinstance(found, WorkflowConfigError):
            raise found
        return found
