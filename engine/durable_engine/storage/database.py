"""The file of a store: a SQLite database with a journal, which one process at a time has open.

The database is in WAL mode and does not wait for the disk at each commit (`synchronous=NORMAL`). What is committed is
with the operating system: the death of the process, however sudden, loses nothing of it. A power cut may lose the last
commits, those since the write-ahead log was last written into the database, and never damages what was before.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import aiosqlite

from durable_engine.errors import StoreError

from .lock import PATIENCE, code_of, is_locked, lock_of

FORMAT = 1
"""The format of the file; `migrations` has the way to it from each earlier one."""

APPLICATION_ID = 0x70_79_77_66
"""Says in SQLite's header that the file is ours: `pywf`."""

BUSY_SECONDS = 2.0
"""How long a statement waits for another program that has locked the file."""

_INSERT = "INSERT INTO journal VALUES (?, ?) ON CONFLICT (number) DO NOTHING"

_PAGES_OF_LOG = 4000
"""The pages in the write-ahead log from which on it is written into the database: 16 MB."""

migrations: Mapping[int, Sequence[str]] = {}
"""The statements that make a file of each earlier format one of the next format."""


class Database:
    """An open file.

    Args:
        path: Where it is.
        connection: The connection to it.
        lock: What keeps other processes off it.
    """

    def __init__(self, path: Path, connection: aiosqlite.Connection, lock: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock
        self._identity = _identity(path)

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file, or make it.

        Raises:
            StoreError: If another process has it open, it is no file of ours, its format is newer than this version
                knows, or it cannot be read or written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
        try:
            connection = await _connect(path)
        except BaseException:
            lock.close()
            raise
        return cls(path, connection, lock)

    async def batches(self) -> list[tuple[int, bytes]]:
        """The numbers and contents of all batches of the journal, in order."""
        with _worded(self.path):
            rows = await _all(self._connection, "SELECT number, batch FROM journal ORDER BY number")
        return [(number, batch) for number, batch in rows]

    async def write(self, number: int, batches: Sequence[bytes]) -> None:
        """Commit batches of the journal, numbered from a number on; those that are there already stay.

        Raises:
            StoreError: If that is not possible now; none of them is there then.
        """
        rows = list(enumerate(batches, start=number))
        self._check_there()
        with _worded(self.path):
            if len(rows) == 1:  # a transaction of its own, and one call of the thread that writes
                await _all(self._connection, _INSERT, rows[0])
            else:
                await self._write_all(rows)

    def _check_there(self) -> None:
        """SQLite would go on with a file that has no name any more, and nobody would find what is in it."""
        try:
            is_there = _identity(self.path) == self._identity
        except OSError:
            is_there = False
        if not is_there:
            raise StoreError(
                f"{self.path} was removed or replaced while this process has it open. Put it back, or stop the process "
                "and start it again."
            )

    async def _write_all(self, rows: Sequence[tuple[int, bytes]]) -> None:
        await _all(self._connection, "BEGIN IMMEDIATE")
        try:
            for row in rows:
                await self._connection.execute_insert(_INSERT, row)
            await _all(self._connection, "COMMIT")
        except BaseException:
            await self._connection.rollback()
            raise

    async def drop_before(self, number: int, most: int) -> bool:
        """Drop the oldest batches before a number, so many at a time; returns whether there are more.

        Raises:
            StoreError: If that is not possible now.
        """
        where = "number IN (SELECT number FROM journal WHERE number < ? ORDER BY number LIMIT ?)"
        with _worded(self.path):
            await self._connection.execute_insert(f"DELETE FROM journal WHERE {where}", (number, most))
            return bool(await _all(self._connection, f"SELECT 1 FROM journal WHERE number < {number} LIMIT 1"))

    async def close(self) -> None:
        """Close the file, and let other processes have it."""
        try:
            await self._connection.close()
        finally:
            self._lock.close()


def _identity(path: Path) -> tuple[int, int]:
    """Which file a path leads to."""
    found = path.stat()
    return found.st_dev, found.st_ino


def _lock(path: Path) -> sqlite3.Connection:
    """Keep other processes off the file for as long as the connection is open, or this process lives."""
    beside = lock_of(path)
    lock: sqlite3.Connection | None = None
    try:
        lock = sqlite3.connect(beside, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if lock is not None:
            lock.close()
        if is_locked(error):
            raise StoreError(
                f"{path} is in use: another process runs on it (it has locked {beside.name}). Stop that one, or give "
                "this one another folder."
            ) from None
        raise StoreError(_in_words(beside, error)) from error
    return lock


async def _connect(path: Path) -> aiosqlite.Connection:
    with _worded(path), contextlib.closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as first:
        _prepare(path, first)
    connection = await aiosqlite.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    await _all(connection, "PRAGMA synchronous=NORMAL")
    await _all(connection, f"PRAGMA wal_autocheckpoint={_PAGES_OF_LOG}")
    return connection


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    """See to it that the file is one of ours, in the present format."""
    ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
    ((application,),) = connection.execute("PRAGMA application_id")
    ((found,),) = connection.execute("PRAGMA user_version")
    if tables:
        _check(path, application, found)
    connection.execute("PRAGMA journal_mode=WAL")
    if not tables:
        _change(connection, ["CREATE TABLE journal (number INTEGER PRIMARY KEY, batch BLOB NOT NULL)"])
    elif found < FORMAT:
        _change(connection, [one for number in range(found, FORMAT) for one in migrations[number]])


def _check(path: Path, application: int, found: int) -> None:
    """Refuse a file that is not ours, or of a format that cannot be read.

    Raises:
        StoreError: If it is.
    """
    if application != APPLICATION_ID:
        raise StoreError(
            f"{path} is a database of another program, and was left as it is. Move it away, or give another folder."
        )
    if found > FORMAT:
        raise StoreError(
            f"{path} was written by a newer version of pytest-workflows (format {found}; this one reads up to "
            f"{FORMAT}), and was left as it is. Upgrade pytest-workflows, or give another folder."
        )
    if any(number not in migrations for number in range(found, FORMAT)):
        raise StoreError(
            f"{path} was written by an older version of pytest-workflows (format {found}), which this one cannot read "
            f"(format {FORMAT}), and was left as it is. Use the older version, or give another folder."
        )


def _change(connection: sqlite3.Connection, statements: Sequence[str]) -> None:
    """Execute statements and note the present format, all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in (*statements, f"PRAGMA application_id={APPLICATION_ID}", f"PRAGMA user_version={FORMAT}"):
        connection.execute(statement)
    connection.execute("COMMIT")  # where one of them fails, the end of the connection rolls all of them back


async def _all(connection: aiosqlite.Connection, statement: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
    return list(await connection.execute_fetchall(statement, values))


@contextlib.contextmanager
def _worded(path: Path) -> Iterator[None]:
    """A block whose errors of SQLite come out in words."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_in_words(path, error)) from error


def _in_words(path: Path, error: sqlite3.Error) -> str:
    """What keeps a file from being written."""
    if is_locked(error):
        return f"{path} is locked by another program, such as a shell of sqlite3 with an open transaction: close that."
    if code_of(error) == sqlite3.SQLITE_FULL:
        return f"The disk of {path} is full ({error}): make room on it."
    if code_of(error) == sqlite3.SQLITE_NOTADB:
        return f"{path} is no SQLite database, and was left as it is: move it away, or give another folder."
    if code_of(error) == sqlite3.SQLITE_CORRUPT:
        return f"{path} is damaged ({error}): take back a copy of it, or move it away to begin anew."
    return f"{path} cannot be used: {error}."
