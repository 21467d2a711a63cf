"""The Workers of a repository by their names: those that ini names, or those that are found."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.messages.short_repr import brief, shown, shown_path

from .binding_config import BindingConfig
from .wrangler import NAMES, WranglerConfig

_SCRIPTS = {"services": "service", "durable_objects.bindings": "script_name"}
"""By kind of binding: the setting that names a Worker."""
_DEPTH = 5
_MOST_FOLDERS = 5000
_NO_SOURCES = frozenset({"node_modules", "python_modules", "site-packages", "__pycache__", "venv"})


class ConfiguredProject(Protocol):
    """A project as the registry sees it.

    Attributes:
        path: Its configuration.
    """

    path: Path

    @property
    def config(self) -> WranglerConfig:
        """The configuration, read on first use."""

    @property
    def readable(self) -> bool:
        """Whether the configuration can be read."""


P = TypeVar("P", bound=ConfiguredProject)


class WorkerRegistry(Generic[P]):
    """The Workers of a repository.

    Args:
        rootdir: pytest's rootdir. Without ini, the repository that it is part of is searched.
        folders: The folders that ini `workflows_workers` names; None where it is not set.
        open: Gives the project of a configuration.

    Attributes:
        left_out: Folders in which no Worker is searched for: they hold other versions.
    """

    def __init__(self, rootdir: Path, folders: Sequence[Path] | None, open: Callable[[Path], P]) -> None:
        self._rootdir = rootdir
        self._folders = folders
        self._open = open
        self._is_checked = folders is None
        self.left_out: list[Path] = []

    @property
    def is_configured(self) -> bool:
        """Whether ini names the Workers."""
        return self._folders is not None

    @cached_property
    def _found(self) -> dict[Path, P]:
        """All Workers, whether or not their configuration can be read."""
        paths = _search(_top_of(self._rootdir)) if self._folders is None else map(config_in, self._folders)
        known = [path for path in paths if path is not None]
        versions = [path for path in known if any(path.is_relative_to(folder) for folder in self.left_out)]
        return {path: self._open(path) for path in known if path not in versions}

    @cached_property
    def _projects(self) -> dict[Path, P]:
        """All Workers whose configuration can be read."""
        return {path: project for path, project in self._found.items() if project.readable}

    @property
    def projects(self) -> list[P]:
        """All Workers whose configuration can be read."""
        return list(self._projects.values())

    def check(self) -> None:
        """Check the Workers that ini names.

        Raises:
            WorkflowConfigError: If a configuration cannot be read, or two Workers have one name.
        """
        if self._is_checked:
            return
        seen: dict[str, Path] = {}
        for folder in self._folders or ():
            path = config_in(folder)
            assert path is not None
            name = self._open(path).config.name
            if name is not None and name in seen:
                raise WorkflowConfigError(
                    f"{path}:1: two Workers of ini workflows_workers have the name {name!r}, this one and "
                    f"{seen[name]}. The names of Workers are unique: change one, or leave its folder out of "
                    "workflows_workers."
                )
            if name is not None:
                seen[name] = path
        self._is_checked = True

    def find(self, name: str) -> P | None:
        """The Worker of a name; None where there is none.

        Raises:
            WorkflowConfigError: If several that were found have it.
        """
        found = [one for one in self._projects.values() if name in one.config.own_names]
        if len(found) > 1:
            top = _top_of(self._rootdir)
            paths = brief(", ".join(str(one.path.relative_to(top)) for one in found))
            raise WorkflowConfigError(
                f"Several Workers have the name {name!r}: {paths}. Say which belong together, by ini "
                "workflows_workers: the folders of their configurations."
            )
        return found[0] if found else None

    def consumer_of(self, queue: str) -> P | None:
        """The Worker that consumes a queue; None where there is none, or several were found."""
        found = [one for one in self._projects.values() if queue in one.config.consumers]
        return found[0] if len(found) == 1 else None

    def related_to(self, config: WranglerConfig) -> list[P]:
        """The Workers that a test of one may reach: those that ini names, or those that its bindings lead to.

        Args:
            config: That one's configuration.
        """
        if self._folders is not None:
            return self.projects
        found: dict[Path, P] = {}
        waiting = [config]
        while waiting:
            for project in self._leads_of(waiting.pop()):
                if project.path not in found and project.path != config.path:
                    found[project.path] = project
                    waiting.append(project.config)
        return list(found.values())

    def _leads_of(self, config: WranglerConfig) -> Iterator[P]:
        """The Workers that the bindings of one lead to."""
        names = {one.script_name for one in config.workflows} | {script_of(one) for one in config.bindings}
        for name in names - config.own_names - {None}:
            with contextlib.suppress(WorkflowConfigError):  # who uses the binding gets the error
                if (project := self.find(str(name))) is not None:
                    yield project
        sent = {str(one.settings["queue"]) for one in config.bindings if one.kind == "queues.producers"}
        for queue in sent - config.consumers.keys():
            if (project := self.consumer_of(queue)) is not None:
                yield project

    def names(self) -> list[str]:
        """The names of the Workers."""
        return sorted(name for one in self._projects.values() if (name := one.config.name) is not None)

    def why_not(self, name: str) -> str:
        """Why there is no Worker of a name, and what to do, for a message."""
        names = ", ".join(self.names()) or "none"
        nameless = [path for path, project in self._projects.items() if project.config.name is None]
        if nameless:
            names += f"; without a name: {', '.join(os.path.relpath(path, self._rootdir) for path in nameless)}"
        if self._folders is None:
            top = _top_of(self._rootdir)
            unread = [str(path.relative_to(top)) for path in self._found if path not in self._projects]
            more = f"; cannot be read: {brief(', '.join(unread))}" if unread else ""
            return (
                f"no wrangler configuration of that name was found in {shown_path(top)} (found: {brief(names)}{more}). "
                f"If its source is elsewhere, name its folder in ini workflows_workers"
            )
        return f"no Worker of ini workflows_workers has that name (they are: {brief(names)}). Add its folder there"


def script_of(binding: BindingConfig) -> str | None:
    """The name of the Worker that a binding leads to; None where it leads to none.

    Args:
        binding: The binding.
    """
    name: str | None = binding.settings.get(_SCRIPTS.get(binding.kind, ""))
    return name


def config_in(folder: Path) -> Path | None:
    """The configuration in a folder; None where there is none.

    Args:
        folder: The folder.
    """
    return next((path for name in NAMES if os.path.isfile(path := folder / name)), None)


def folders_of(patterns: Sequence[str], rootdir: Path) -> list[Path]:
    """The folders of Workers that patterns mean.

    Args:
        patterns: Paths from rootdir, with `*` and `**`.
        rootdir: pytest's rootdir.

    Raises:
        WorkflowConfigError: If one means no folder, or a folder that it means has no configuration.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        folders = _folders_of(pattern, rootdir)
        if not folders:
            raise WorkflowConfigError(
                f"ini option workflows_workers: {shown(pattern)} means no folder in {shown_path(rootdir)}. Write the "
                "folders of the Workers' wrangler configurations, such as apps/*."
            )
        without = [folder for folder in folders if config_in(folder) is None]
        if without:
            raise WorkflowConfigError(
                f"ini option workflows_workers: {shown(pattern)} means {shown_path(without[0])}, a folder without a "
                f"wrangler configuration ({', '.join(NAMES)}). Put one there, or leave the folder out: name the "
                "Workers' folders one by one."
            )
        found.update(dict.fromkeys(folders))
    return list(found)


def _folders_of(pattern: str, rootdir: Path) -> list[Path]:
    if any(sign in pattern for sign in "*?["):
        try:
            matches = sorted(rootdir.glob(pattern))
        except (ValueError, NotImplementedError) as error:
            raise WorkflowConfigError(
                f"ini option workflows_workers: {shown(pattern)} is no pattern: {error}."
            ) from None
    else:
        matches = [rootdir / pattern]
    return [
        Path(os.path.realpath(folder))
        for folder in matches
        if folder.name not in _NO_SOURCES and (folder == rootdir or not folder.name.startswith("."))
        if os.path.isdir(folder)
    ]


def _top_of(rootdir: Path) -> Path:
    """The top of the repository that a folder is part of; the folder itself where it is part of none."""
    for folder in (rootdir, *rootdir.parents):
        if os.path.exists(folder / ".git") and folder not in (Path.home(), Path(folder.anchor)):
            return folder
    return rootdir


def _search(top: Path) -> Iterator[Path]:
    """The configurations in a folder and below it, but for those of installed packages."""
    waiting = deque([(top, 0)])
    for _ in range(_MOST_FOLDERS):
        if not waiting:
            return
        folder, depth = waiting.popleft()
        try:
            with os.scandir(folder) as entries:
                below = sorted(one.name for one in entries if one.is_dir(follow_symlinks=False))
        except OSError:
            continue
        path = config_in(folder)
        if path is not None:
            yield path
        if depth < _DEPTH:
            names = [one for one in below if not one.startswith(".") and one not in _NO_SOURCES]
            waiting += [(folder / one, depth + 1) for one in names]
