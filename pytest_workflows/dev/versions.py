"""The projects of a repository as they are now, and their versions as they are deployed."""

from __future__ import annotations

import hashlib
import logging
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

import msgspec

from pytest_workflows.control_plane.served import Version

from .watching import NO_SOURCES, migration_folders

if TYPE_CHECKING:
    from pytest_workflows.project.worker_project import Project

_FILE = "versions.json"
_LARGEST = 1_000_000
"""Bytes up to which a file is read to see whether it has changed."""


class _Kept(msgspec.Struct):
    """What is written of a version.

    Attributes:
        number: Its number.
        id: Its id.
        created_at: When it was deployed, in milliseconds since 1970.
        source: The hash of its source.
    """

    number: int
    id: str
    created_at: int
    source: str


class Versions:
    """The versions of a Worker's source, with numbers that go on where the process before left off.

    Args:
        folder: The state's folder.

    Attributes:
        all: The versions, the oldest first; those of this process with what was wrong with them.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._kept = _read(self._path)
        self.all = [Version(one.number, one.id, one.created_at) for one in self._kept]

    @property
    def number(self) -> int:
        """The number of the version that runs; 0 before the first."""
        return next((one.number for one in reversed(self.all) if one.problem is None), 0)

    def is_running(self, source: str) -> bool:
        """Whether a source is that of the version that runs."""
        return bool(self._kept) and self._kept[-1].source == source

    def good(self, source: str, now_ms: int) -> Version:
        """A version is deployed: the one before, where the source is the same.

        A number that cannot be written is told, and serves as long as the process runs: instances without memory may
        wait for it.

        Args:
            source: The hash of its source.
            now_ms: The time.
        """
        if self._kept and self._kept[-1].source == source:
            if self.all[-1].problem is None:
                return self.all[-1]
            # Back to the version before one that was refused.
            last = self._kept[-1]
            self.all.append(Version(last.number, last.id, last.created_at))
            return self.all[-1]
        version = self._next(now_ms)
        self.all.append(version)
        self._kept.append(_Kept(version.number, version.id, version.created_at, source))
        try:
            _write(self._path, self._kept)
        except OSError as error:
            log = logging.getLogger("pytest_workflows")
            log.error("The number of version %d is not kept: %s", version.number, error)
        return version

    def refused(self, problem: str, now_ms: int) -> Version | None:
        """A version is refused, and the last good one goes on.

        Args:
            problem: What is wrong with it.
            now_ms: The time.

        Returns:
            The version; None where the last one was refused for the same already.
        """
        if self.all and self.all[-1].problem is not None:
            if self.all[-1].problem == problem:
                return None  # something else was written in the folder, perhaps what says so
            self.all.pop()  # the one that nobody ran is put right, or broken anew
        version = msgspec.structs.replace(self._next(now_ms), problem=problem)
        self.all.append(version)
        return version

    def _next(self, now_ms: int) -> Version:
        return Version(self._kept[-1].number + 1 if self._kept else 1, str(uuid.uuid4()), now_ms)


def _read(path: Path) -> list[_Kept]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[_Kept])
    except (OSError, msgspec.DecodeError):
        return []  # numbers begin anew, and nothing else depends on them


def _write(path: Path, kept: list[_Kept]) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(kept)))
    os.replace(beside, path)


def source_of(projects: Iterable[Project], apart: Path | None = None) -> str:
    """The hash of all that a deploy takes of projects: what lies beside `main`, the configuration and the secrets.

    Args:
        projects: The projects.
        apart: A folder that is none of the source, though it may lie amid it.
    """
    hashed = hashlib.sha256()
    for project in sorted(projects, key=lambda one: str(one.path)):
        for path in _files_of(project, apart):
            content = _content(path)
            if content is not None:
                hashed.update(str(path).encode())
                hashed.update(b"\0" + content + b"\0")
    return hashed.hexdigest()


def _content(path: Path) -> bytes | None:
    """What tells a file's content: that itself, or of a large one when it was written; None of what has none.

    Editors put links to nothing beside a file that they change, and a socket has no end.
    """
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    if not S_ISREG(state.st_mode):
        return None
    return path.read_bytes() if state.st_size <= _LARGEST else f"{state.st_size} {state.st_mtime_ns}".encode()


def _files_of(project: Project, apart: Path | None) -> Iterator[Path]:
    yield project.path
    yield from sorted(project.path.parent.glob(".dev.vars*"))
    for migrations in migration_folders(project):
        yield from sorted(migrations.glob("*.sql"))
    folder = project.folder
    if folder is None:
        return
    for base, folders, files in os.walk(folder):
        folders[:] = sorted(
            one for one in folders if one not in NO_SOURCES and not one.startswith(".") and Path(base, one) != apart
        )
        yield from (path for name in sorted(files) if project.has_file(str(path := Path(base, name))))
