"""The lock of a store's file: a file beside it, which the process that has the store open has locked until it ends."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

PATIENCE = 0.1
"""Seconds that whoever takes the lock waits for it: who only asks whether it is taken has it for a moment."""


def lock_of(path: Path) -> Path:
    """The file that is locked.

    Args:
        path: The store's file.
    """
    return path.with_name(f"{path.name}.lock")


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another program has locked the file."""
    return code_of(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def code_of(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None of an error that is of Python's module itself."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def is_in_use(path: Path) -> bool:
    """Whether a process has a store open; nothing is made or changed.

    Args:
        path: The store's file.
    """
    beside = f"{lock_of(path).absolute().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(beside, uri=True, timeout=0)) as asked:
            asked.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.Error as error:
        return is_locked(error)
    return False
