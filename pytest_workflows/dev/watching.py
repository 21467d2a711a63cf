"""The watch over the source: a change of it is deployed."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import watchfiles

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
        apart: A folder whose changes are none of the source, though it may lie amid it.
    """

    def __init__(
        self, places: Callable[[], WatchedPlaces], changed: Callable[[], Awaitable[object]], apart: Path | None = None
    ) -> None:
        self._places = places
        self._changed = changed
        self._apart = apart

    async def run(self) -> None:
        """Watch until this is cancelled."""
        while True:
            places, seen = self._places(), _Seen()
            tasks = [
                asyncio.create_task(self._watch(paths, seen, recursive=recursive))
                for paths, recursive in ((places.trees, True), (places.folders, False))
                if paths
            ]
            await asyncio.sleep(0)  # now they watch
            seen.change.set()  # and what has changed before is found
            try:
                while places == self._places() and not seen.is_lost:
                    await seen.change.wait()
                    seen.change.clear()
                    await self._changed()
            finally:
                seen.stop.set()  # one that is cancelled ends only with its thread, seconds later
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, paths: list[Path], seen: _Seen, *, recursive: bool) -> None:
        import watchfiles

        changes = watchfiles.awatch(
            *paths,
            watch_filter=filter_of(paths, self._apart),
            debounce=_DEBOUNCE,
            step=_STEP,
            recursive=recursive,
            ignore_permission_denied=True,
            stop_event=seen.stop,
        )
        roots = set(map(str, paths))
        try:
            async for found in changes:
                # The system watches a folder and not its name: one that came in its place would not be watched.
                seen.is_lost |= any(path in roots for _, path in found)
                seen.change.set()
        except FileNotFoundError:  # it went before it was watched
            await asyncio.sleep(_DEBOUNCE / 1000)
            seen.is_lost = True
            seen.change.set()
        except OSError as error:  # the system watches so many folders and no more
            logging.getLogger("pytest_workflows").error(
                "The source is not watched, and no change of it deployed: %s", error
            )


class _Seen:
    """What a watch over some places has seen.

    Attributes:
        change: Whether something has changed.
        is_lost: Whether one of the places has gone, or another came in its place.
        stop: Ends it.
    """

    def __init__(self) -> None:
        self.change = asyncio.Event()
        self.is_lost = False
        self.stop = asyncio.Event()


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
            folders.add(_nearest(project.path.parent))
            if project.folder is not None:
                self._add_sources(project.folder, trees, folders)
            trees.update(migration_folders(project))
        self.trees = sorted(
            one for one in trees if not any(one != other and one.is_relative_to(other) for other in trees)
        )
        self.folders = sorted(folders - trees)

    @staticmethod
    def _add_sources(folder: Path, trees: set[Path], folders: set[Path]) -> None:
        try:
            below = [one for one in folder.iterdir() if one.is_dir() and one.name != "__pycache__"]
        except OSError:  # it is not there, or not for us: it may come
            folders.add(_nearest(folder))
            return
        sources = [one for one in below if one.name[0] != "." and one.name not in NO_SOURCES]
        if sources == below:
            trees.add(folder)
        else:  # what is installed has thousands of folders, and each would be watched
            trees.update(sources)
            folders.add(folder)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WatchedPlaces) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]


def filter_of(paths: Iterable[Path], apart: Path | None) -> Callable[[watchfiles.Change, str], bool]:
    """Which changes below watched folders are of the source.

    Args:
        paths: The folders.
        apart: A folder amid them whose changes are not; one that holds one of them is none.
    """
    import watchfiles

    is_amid = apart is not None and not any(one.is_relative_to(apart) for one in paths)
    return watchfiles.DefaultFilter(
        ignore_dirs=(*watchfiles.DefaultFilter.ignore_dirs, *_OUR_FOLDERS),
        ignore_paths=[f"{apart}{os.sep}"] if is_amid else [],
    )


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next((one for one in (folder, *folder.parents) if one.is_dir()), folder)


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
