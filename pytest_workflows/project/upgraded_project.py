"""A project of which another version is deployed amid a test: the older one at first, and then today's."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pytest_workflows.errors import WorkflowConfigError

from .followed_patches import FollowedPatches

if TYPE_CHECKING:
    from types import ModuleType

    from .worker_project import Project


class UpgradedProject:
    """A project in the version that is deployed: whoever asks it is answered by that version.

    Args:
        old: The older version, which is deployed at first.
        today: Today's.
    """

    def __init__(self, old: Project, today: Project) -> None:
        self._versions = (old, today)
        self._deployed = old
        self._patches = FollowedPatches(old, today)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._deployed, name)

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
        main = self._deployed.load_main()
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
