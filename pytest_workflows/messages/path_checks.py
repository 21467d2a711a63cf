"""Checks that a file or folder can be written, before there is anything to write."""

from __future__ import annotations

import os
from pathlib import Path


def why_not_writable(path: Path, *, folder: bool = False) -> str | None:
    """The reason why a path cannot be written to, to go on after "cannot be written: "; None if it seems writable.

    Args:
        path: The file, or the folder.
        folder: Whether it is to be a folder, in which files are made.
    """
    reason = why_no_path(str(path))
    if reason is not None:
        return reason
    try:
        os.stat(path)
    except FileNotFoundError:
        return _why_not_made(path)
    except NotADirectoryError:
        return _why_not_made(path)
    except OSError as error:
        return f"{(error.strerror or str(error)).lower()}"
    if os.path.isdir(path) != folder:
        return "it is a folder" if not folder else "it is a file, no folder"
    return None if os.access(path, os.W_OK) else "this user may not write it"


def _why_not_made(path: Path) -> str | None:
    for parent in path.parents:
        if os.path.isdir(parent):
            return None if os.access(parent, os.W_OK | os.X_OK) else f"this user may not write to the folder {parent}"
        if os.path.lexists(parent):
            return f"{parent} is a file, no folder"
    return None


def why_no_path(text: str) -> str | None:
    """The reason why a text is no path at all; None if it is one."""
    if "\0" in text:
        return "a path has no NUL character"
    try:
        name = os.fsencode(text)
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair, which no path can hold"
    longest = max(map(len, name.split(os.fsencode(os.sep))), default=0)
    if longest > 255:
        return f"a part of it is {longest} bytes long, and file systems take 255"
    return None
