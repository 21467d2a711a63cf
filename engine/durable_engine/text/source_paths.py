"""Paths of source files as errors show them: the same on every machine."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path


def shown_path(filename: str, root: Path | None) -> str:
    """A source file's path without what differs between machines.

    Args:
        filename: As in a traceback.
        root: The project's folder, if it is known.

    Returns:
        The path from where Python's library and installed packages are, else from the project's folder, else from
        where it was imported; the file name as it is where none of them holds it.
    """
    return _shown(filename, root, tuple(sys.path)) if os.path.isabs(filename) else filename


@functools.lru_cache(1024)
def _shown(filename: str, root: Path | None, imported_from: tuple[str, ...]) -> str:
    path = Path(filename)
    groups = (_installed(), () if root is None else (root,), map(Path, imported_from))
    return next((shown for group in groups if (shown := _below(path, group)) is not None), filename)


def _below(path: Path, folders: Iterable[Path]) -> str | None:
    found = [path.relative_to(folder).as_posix() for folder in folders if path.is_relative_to(folder)]
    return min(found, key=len, default=None)


@functools.cache
def _installed() -> tuple[Path, ...]:
    known = sysconfig.get_paths()
    return tuple(Path(known[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
