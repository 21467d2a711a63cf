"""The Workers of a repository in the versions that run: each can be replaced by a newer one while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pytest_workflows.javascript.runtime import set_runtime

if TYPE_CHECKING:
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.project.worker_registry import WorkerRegistry


class DeployedProject:
    """A project in the version that runs: whoever asks it is answered by that one.

    Args:
        project: The first version.
    """

    def __init__(self, project: Project) -> None:
        self._deployed = project

    def __getattr__(self, name: str) -> Any:
        return getattr(self._deployed, name)

    @property
    def deployed(self) -> Project:
        """The version that runs."""
        return self._deployed

    def python_version(self) -> tuple[int, int]:
        """The Python that the platform runs the deployed version with."""
        return self._deployed.python_version()

    def is_on(self, flag: str, since: str) -> bool:
        """Whether a compatibility flag holds for the deployed version, by its name or by date."""
        return self._deployed.is_on(flag, since)

    def deploy(self, project: Project) -> None:
        """Let another version run."""
        self._deployed = project

    def as_project(self) -> Project:
        """This, for whoever takes a project."""
        return cast("Project", self)


class DeployedProjects:
    """The projects of a process, by their configurations, each in the version that runs.

    Args:
        registry: Knows the Workers of the repository, in the versions that there were at first.
    """

    def __init__(self, registry: WorkerRegistry[Project]) -> None:
        self._registry = registry
        self._projects: dict[Path, DeployedProject] = {}

    def of(self, project: Project) -> DeployedProject:
        """A project in the version that runs.

        Args:
            project: Any version of it.
        """
        found = self._projects.get(project.path)
        if found is None:
            found = self._projects[project.path] = DeployedProject(project)
        return found

    def switch(self, registry: WorkerRegistry[Project], own: Project) -> _Before:
        """Let newer versions of all projects run.

        Args:
            registry: Knows the Workers in their newer versions.
            own: The newer version of the one that is served.

        Returns:
            What ran before.
        """
        before = self._registry, {one: one.deployed for one in self}
        others = registry.projects if len(self._projects) > 1 else []  # they are searched for
        newer = {one.path: one for one in others} | {own.path: own}
        self._registry = registry
        for path, project in self._projects.items():
            if path in newer:
                project.deploy(newer[path])
        return before

    def switch_back(self, before: _Before) -> None:
        """Let what ran before run again."""
        self._registry, versions = before
        for project, version in versions.items():
            project.deploy(version)

    def __iter__(self) -> Iterator[DeployedProject]:
        return iter(list(self._projects.values()))

    # -- as a registry -------------------------------------------------------------------------------------------------

    @property
    def projects(self) -> list[Project]:
        """All Workers, in the versions that run."""
        return [self.of(one).as_project() for one in self._registry.projects]

    def find(self, name: str) -> Project | None:
        """The Worker of a name; None where there is none.

        Raises:
            WorkflowConfigError: If several have it.
        """
        found = self._registry.find(name)
        return None if found is None else self.of(found).as_project()

    def consumer_of(self, queue: str) -> Project | None:
        """The Worker that consumes a queue; None where there is none, or several were found."""
        found = self._registry.consumer_of(queue)
        return None if found is None else self.of(found).as_project()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def as_registry(self) -> WorkerRegistry[Project]:
        """This, for whoever takes a registry."""
        return cast("WorkerRegistry[Project]", self)


_Before = tuple["WorkerRegistry[Project]", dict[DeployedProject, "Project"]]


def put_in_place(project: Project, *, instead_of: Project | None = None) -> None:
    """Make the modules of a project importable.

    Args:
        project: The project.
        instead_of: The project whose modules are put aside for it.
    """
    if instead_of is not None:
        instead_of.deactivate()
    project.activate()
    set_runtime(project.python_version, project.is_on)
