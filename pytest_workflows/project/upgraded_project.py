"""A project of which another version is deployed amid a test: the older one at first, and then today's."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pytest_workflows.errors import WorkflowConfigError

from .followed_patches import FollowedPatches

if TYPE_CHECKING:
    from types import ModuleType

    from .worker_project import Project
    from .worker_registry import WorkerRegistry


class UpgradedProject:
    """A project in the version that is deployed: whoever asks it is answered by that version.

    Args:
        old: The older version, which is deployed at first.
        today: Today's.

    Attributes:
        import_error: The exception that the older version's main module could not be imported for.
    """

    def __init__(self, old: Project, today: Project) -> None:
        self._versions = (old, today)
        self._deployed = old
        self._patches = FollowedPatches(old, today)
        self.import_error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._deployed, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UpgradedProject) and other._versions == self._versions

    def __hash__(self) -> int:
        return hash(self._versions)  # a seed that has run on the older version has left the same in each run

    def as_project(self) -> Project:
        """This, for whoever takes a project."""
        return cast("Project", self)

    @property
    def versions(self) -> tuple[Project, Project]:
        """The older version, and today's."""
        return self._versions

    def python_version(self) -> tuple[int, int]:
        """The Python that the platform runs the deployed version with."""
        return self._deployed.python_version()

    def is_on(self, flag: str, since: str) -> bool:
        """Whether a compatibility flag holds for the deployed version, by its name or by date."""
        return self._deployed.is_on(flag, since)

    def has_file(self, file: str) -> bool:
        """Whether a file is the Worker's, in either version."""
        return any(version.has_file(file) for version in self._versions)

    def load_main(self) -> ModuleType:
        """The main module of the deployed version.

        Raises:
            WorkflowConfigError: If it cannot be had.
        """
        try:
            main = self._deployed.load_main()
        except WorkflowConfigError:
            raise
        except Exception as error:
            if self._deployed is self._versions[0]:
                self.import_error = error
            raise
        self.follow_patches()
        return main

    def follow_patches(self) -> None:
        """Replace in the older version what the test has replaced in today's."""
        self._patches.follow()

    def deploy(self) -> None:
        """Deploy today's version."""
        self._deployed = self._versions[1]

    def close(self) -> None:
        """The run is over: the older version is as it was."""
        self._patches.undo()

    def of_old(self, bindings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The bindings that a test gives, with the older version's classes in place of today's.

        Args:
            bindings: The bindings, by name.

        Raises:
            WorkflowConfigError: If the older version lacks one of them.
        """
        old, today = self._versions
        return {name: _counterpart(value, old, today) for name, value in bindings.items()}


def _counterpart(value: Any, old: Project, today: Project) -> Any:
    """The older version's class of the name that one of today's has; anything else is the same in both.

    Raises:
        WorkflowConfigError: If the older version has no such class.
    """
    file = getattr(sys.modules.get(value.__module__), "__file__", None) if inspect.isclass(value) else None
    if file is None or today.folder is None or old.folder is None or not today.has_file(file):
        return value
    place = Path(file).resolve().relative_to(today.folder.resolve())
    found: Any = old.module(".".join(place.with_suffix("").parts))
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    if not inspect.isclass(found):
        raise WorkflowConfigError(f"{old.folder / place} has no class {value.__qualname__!r}.")
    return found


class UpgradedProjects:
    """The projects of one run that begin in their older versions, by the configurations of today's.

    Args:
        registry: Knows today's Workers.
        older: Gives the older version of a project; None where there is none.
    """

    def __init__(self, registry: WorkerRegistry[Project], older: Callable[[Project], Project | None]) -> None:
        self._registry = registry
        self._older = older
        self._projects: dict[Path, UpgradedProject] = {}
        self._is_deployed = False

    @property
    def folders(self) -> list[Path | None]:
        """The folders of all versions that were asked for."""
        return [version.folder for one in self._projects.values() for version in one.versions]

    def of(self, today: Project) -> Project:
        """A project in the version that is deployed.

        Args:
            today: The project as it is today.
        """
        found = self._projects.get(today.path)
        if found is None:
            older = None if self._is_deployed else self._older(today)
            if older is None:
                return today
            found = self._projects[today.path] = UpgradedProject(older, today)
        return found.as_project()

    def of_old(self, bindings: Mapping[str, Any]) -> Mapping[str, Any]:
        """The bindings that a test gives, with the older versions' classes in place of today's.

        Args:
            bindings: The bindings, by name.

        Raises:
            WorkflowConfigError: If an older version lacks one of them.
        """
        for one in self._projects.values():
            bindings = one.of_old(bindings)
        return bindings

    @property
    def import_errors(self) -> list[tuple[Project, Exception]]:
        """The older versions that could not be imported, and why."""
        projects = self._projects.values()
        return [(one.versions[0], one.import_error) for one in projects if one.import_error is not None]

    def deploy(self) -> None:
        """Deploy today's versions."""
        self._is_deployed = True
        for one in self._projects.values():
            one.deploy()

    def follow_patches(self) -> None:
        """Replace in the older versions what the test has replaced in today's."""
        for one in self._projects.values():
            one.follow_patches()

    def close(self) -> None:
        """The run is over: the older versions are as they were."""
        for one in self._projects.values():
            one.close()

    # -- as a registry -------------------------------------------------------------------------------------------------

    @property
    def is_configured(self) -> bool:
        """Whether ini names the Workers."""
        return self._registry.is_configured

    @property
    def projects(self) -> list[Project]:
        """All Workers, in the versions that are deployed."""
        return [self.of(one) for one in self._registry.projects]

    def find(self, name: str) -> Project | None:
        """The Worker of a name; None where there is none.

        Raises:
            WorkflowConfigError: If several have it.
        """
        found = self._registry.find(name)
        return None if found is None else self.of(found)

    def consumer_of(self, queue: str) -> Project | None:
        """The Worker that consumes a queue; None where there is none, or several were found."""
        found = self._registry.consumer_of(queue)
        return None if found is None else self.of(found)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def as_registry(self) -> WorkerRegistry[Project]:
        """This, for whoever takes a registry."""
        return cast("WorkerRegistry[Project]", self)
