"""The file that contents are kept in: how it is opened, which format it has, and what its failures read like."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from durable_engine import JsException
from pytest_workflows.javascript.objects import js_error
from pytest_workflows.messages.short_repr import shown_path
from pytest_workflows.standins.sqlite.database import LOCK_WAIT, cure_of, keep

from .layout import VERSIONS

APPLICATION: Final = 0x70776266
"""What the file says of itself, so that it is not taken for another program's."""

_UNUSABLE: Final = "The contents on disk cannot be used"


class KeeperError(Exception):
    """A folder of contents cannot be used: it is another program's, or another version's. The message says so."""


class StateFile:
    """A database file in which each write is one transaction, or several are one.

    A write is in the file when the call returns. SQLite does not wait for the device: the end of the process loses
    nothing, and a loss of power may lose what was written last, in whole transactions.

    Args:
        path: The file, made where it is not there.

    Attributes:
        path: As given.
        problem: Why the last write failed, as a sentence; None where it did not.

    Raises:
        KeeperError: If it is not one of ours, or of a newer version, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: str | None = None
        self._is_together = False
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=LOCK_WAIT, check_same_thread=False)
            keep(self._connection)
        except sqlite3.Error as error:
            raise _refusal(path, error) from None
        try:
            self._check_format()
        except BaseException as error:
            self._connection.close()
            if isinstance(error, sqlite3.Error):
                raise _refusal(path, error) from None
            raise

    def _check_format(self) -> None:
        where = shown_path(self.path)
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if application != APPLICATION and (application or version or tables):
            raise KeeperError(f"{where} is not a file of pytest-workflows. Move it away, or name another folder.")
        if version > len(VERSIONS):
            raise KeeperError(
                f"{where} has the format {version}, and this version of pytest-workflows knows formats up to "
                f"{len(VERSIONS)}. Upgrade pytest-workflows, or move the folder away to begin anew."
            )
        if version < len(VERSIONS):
            self._migrate(version)

    def _migrate(self, version: int) -> None:
        """Bring the file to today's format, in one transaction."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for statements in VERSIONS[version:]:
                for statement in statements:
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {APPLICATION}")
            self._connection.execute(f"PRAGMA user_version = {len(VERSIONS)}")
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of a query.

        Args:
            sql: The query.
            values: The values of its parameters.

        Raises:
            JsException: If they cannot be read.
        """
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self.failure(error) from None

    def read_blob(self, table: str, column: str, row: int, most: int) -> bytes:
        """Bytes of a value, of which no more is read than is asked for.

        Args:
            table: The table.
            column: The column.
            row: The row's id.
            most: How many at most; -1 for all.

        Raises:
            JsException: If they cannot be read.
        """
        try:
            with self._connection.blobopen(table, column, row, readonly=True) as blob:
                return blob.read(most)
        except sqlite3.Error as error:
            raise self.failure(error) from None

    def write(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Write: it is in the file when this returns.

        Args:
            sql: A statement.
            values: The values of its parameters.

        Raises:
            JsException: If it cannot be written; nothing of it is then.
        """
        try:
            self._connection.execute(sql, values)
        except sqlite3.Error as error:
            raise self.failure(error) from None
        self.problem = None

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """A block whose writes are in the file all or none; it may stand in another one.

        Raises:
            JsException: If they cannot be written; none is then.
        """
        if self._is_together:
            yield
            return
        self._begin()
        try:
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise self.failure(error) from None
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._is_together = False
        self.problem = None

    def _begin(self) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise self.failure(error) from None
        self._is_together = True

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # some errors of SQLite's have undone it already
            self._connection.execute("ROLLBACK")

    def failure(self, error: Exception, path: Path | None = None) -> JsException:
        """What the Worker's code gets where something cannot be written, or read; notes the problem.

        Args:
            error: What `sqlite3` raised.
            path: Another file that cannot be.
        """
        found = failure(path or self.path, error)
        self.problem = found.message
        return found

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _refusal(path: Path, error: sqlite3.Error) -> KeeperError:
    return KeeperError(f"{shown_path(path)} cannot be used: {error}. {cure_of(error)}, or name another folder.")


def failure(path: Path, error: Exception) -> JsException:
    """What the Worker's code gets where something cannot be written, or read.

    Args:
        path: The file.
        error: What `sqlite3` raised.
    """
    return js_error(
        "Error",
        f"{_UNUSABLE}, and nothing of this call is written: {shown_path(path)}: {error}. "
        f"{cure_of(error)}, and try again.",
    )


def unusable(error: BaseException) -> str | None:
    """What `failure` says, where it made this error; None for any other."""
    said = error.message if isinstance(error, JsException) else ""
    return said if said.startswith(_UNUSABLE) else None
