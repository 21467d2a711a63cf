"""The watch over the source: a change of it is deployed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_workflows.project.worker_project import Project

_DEBOUNCE = 200
_STEP = 20
NO_SOURCES = frozenset({"node_modules", "python_modules", "site-packages", "__pycache__", "venv"})
"""Folders beside `main` that hold nothing of the Worker's own."""

_OUR_FOLDERS = (".workflows", ".wrangler", ".ruff_cache")


class Watch:
    """A watch over files and folders.

    Args:
        places: Gives what is to be watched.
        changed: Called after a change, once for several that come together.
    """

    def __init__(self, places: Callable[[], WatchedPlaces], changed: Callable[[], Awaitable[object]]) -> None:
        self._places = places
        self._changed = changed

    async def run(self) -> None:
        """Watch until this is cancelled."""
        while True:
            places = self._places()
            change, stop = asyncio.Event(), asyncio.Event()
            tasks = [
                asyncio.create_task(_watch(paths, change, stop, recursive=recursive))
                for paths, recursive in ((places.trees, True), (places.folders, False))
                if paths
            ]
            await asyncio.sleep(0)  # now they watch
            change.set()  # and what has changed before is found
            try:
                while places == self._places():
                    await change.wait()
                    change.clear()
                    await self._changed()
            finally:
                stop.set()  # one that is cancelled ends only with its thread, seconds later
                await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(paths: Iterable[Path], change: asyncio.Event, stop: asyncio.Event, *, recursive: bool) -> None:
    import watchfiles

    kept = watchfiles.DefaultFilter(ignore_dirs=(*watchfiles.DefaultFilter.ignore_dirs, *_OUR_FOLDERS))
    changes = watchfiles.awatch(
        *paths,
        watch_filter=kept,
        debounce=_DEBOUNCE,
        step=_STEP,
        recursive=recursive,
        ignore_permission_denied=True,
        stop_event=stop,
    )
    try:
        async for _ in changes:
            change.set()
    except OSError as error:  # the system watches so many folders and no more
        logging.getLogger("pytest_workflows").error(
            "The source is not watched, and no change of it deployed: %s", error
        )


class WatchedPlaces:
    """What is watched.

    Args:
        projects: The projects whose sources are.

    Attributes:
        trees: Folders, with all below them.
        folders: Folders alone.
    """

    def __init__(self, projects: Iterable[Project]) -> None:
        trees: set[Path] = set()
        folders: set[Path] = set()
        for project in projects:
            folders.add(project.path.parent)
            if project.folder is not None and project.folder.is_dir():
                below = [one for one in project.folder.iterdir() if one.is_dir() and one.name != "__pycache__"]
                sources = [one for one in below if one.name[0] != "." and one.name not in NO_SOURCES]
                if sources == below:
                    trees.add(project.folder)
                else:  # what is installed has thousands of folders, and each would be watched
                    trees.update(sources)
                    folders.add(project.folder)
            trees.update(migration_folders(project))
        self.trees = sorted(
            one for one in trees if not any(one != other and one.is_relative_to(other) for other in trees)
        )
        self.folders = sorted(folders - trees)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WatchedPlaces) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]


def migration_folders(project: Project) -> list[Path]:
    """The folders of the migrations of a project's databases.

    Args:
        project: The project.
    """
    if not project.readable:
        return []
    named = [
        project.path.parent / str(one.settings.get("migrations_dir") or "migrations")
        for one in project.config.bindings
        if one.kind == "d1_databases"
    ]
    return [one for one in dict.fromkeys(named) if one.is_dir()]
