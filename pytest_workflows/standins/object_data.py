"""The stored contents of one Durable Object: keys, an alarm, a database; with transactions over all of them."""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path
from typing import Any, Final, Protocol

from pytest_workflows.javascript.cloning import clone

from .peeks import Peek
from .sqlite import SqliteDatabase
from .sqlite.rows import compared_rows, peeked_rows


class OpenDatabase(Protocol):
    """Opens a database."""

    def __call__(self, file: bytes | None, path: Path | None = None, /) -> SqliteDatabase:
        """Open one that starts as a file's contents, empty for None, or that is kept in a file."""


_MISSING: Final = object()


class _Transaction:
    """What is to be undone if a transaction is.

    Attributes:
        undo: The values that keys had, or that they had none.
        alarm: The alarm that was set when it began.
        databases: The databases that it began in, each with its name there and the count of changes then.
        database: The database that there was when it began.
    """

    __slots__ = ("alarm", "database", "databases", "undo")

    def __init__(self, alarm: int | None, database: SqliteDatabase | None) -> None:
        self.undo: dict[str, Any] = {}
        self.alarm = alarm
        self.database = database
        self.databases: list[tuple[SqliteDatabase, str, int]] = []


class ObjectData:
    """The stored contents of one Durable Object.

    A value that is kept is a clone and never changed; what is handed out is a clone of it.

    Args:
        open_database: Opens its database.
        database: The file that the database starts as; None for none.

    Attributes:
        alarm: When the alarm is due, in milliseconds since 1970; None for no alarm.
    """

    def __init__(self, open_database: OpenDatabase, database: bytes | None = None) -> None:
        self._open_database = open_database
        self._entries: dict[str, Any] = {}
        self._sorted: list[str] | None = None
        self.alarm: int | None = None
        self._database: SqliteDatabase | None = None
        self._file = database  # opened when it is first needed: by then it is known what its SQL sees
        self._left: list[SqliteDatabase] = []
        """Databases that are no more the object's, unless an open transaction is undone."""
        self._transactions: list[_Transaction] = []

    # -- keys ----------------------------------------------------------------------------------------------------------

    def get(self, key: str) -> Any:
        """The value of a key; undefined where there is none."""
        return clone(self._entries.get(key))

    def put(self, key: str, value: Any) -> None:
        """Set the value of a key.

        Args:
            key: The key.
            value: A value of JavaScript, a clone that nobody else has.
        """
        self._note(key)
        if key not in self._entries:
            self._sorted = None
        self._entries[key] = value

    def delete(self, key: str) -> bool:
        """Take a key out; whether it was there."""
        if key not in self._entries:
            return False
        self._note(key)
        del self._entries[key]
        self._sorted = None
        return True

    def listed(
        self,
        *,
        start: str | None = None,
        after: str | None = None,
        end: str | None = None,
        prefix: str = "",
        limit: int | None = None,
        reverse: bool = False,
    ) -> dict[str, Any]:
        """Keys and values, in the order of the keys' UTF-8.

        Args:
            start: The first key.
            after: A key after which it begins.
            end: A key before which it ends.
            prefix: What the keys begin with.
            limit: How many at most.
            reverse: Whether the last keys come first.
        """
        keys = self._sorted
        if keys is None:
            keys = self._sorted = sorted(self._entries)
        first = bisect_left(keys, max(start or "", prefix))
        if after is not None:
            first = max(first, bisect_left(keys, after + "\0"))
        last = len(keys) if end is None else bisect_left(keys, end)
        found = [key for key in keys[first:last] if key.startswith(prefix)]
        if reverse:
            found.reverse()
        return {key: clone(self._entries[key]) for key in found[:limit]}

    def _note(self, key: str) -> None:
        if self._transactions:
            self._transactions[-1].undo.setdefault(key, self._entries.get(key, _MISSING))

    # -- database ------------------------------------------------------------------------------------------------------

    def database(self) -> SqliteDatabase:
        """The database, opened where it was not; every open transaction has begun in it."""
        database = self._existing()
        if database is None:
            database = self._database = self._new_database()
        for one in self._transactions:
            if not one.databases or one.databases[-1][0] is not database:
                one.databases.append((database, database.begin(), database.connection.total_changes))
        return database

    def _new_database(self) -> SqliteDatabase:
        """An empty database."""
        return self._open_database(None)

    def _existing(self) -> SqliteDatabase | None:
        """The database, if there is one."""
        if self._database is None and self._file is not None:
            self._database, self._file = self._open_database(self._file), None
        return self._database

    def delete_all(self) -> None:
        """Take all keys out, and the database with all of its tables. The alarm stays."""
        for key in self._entries:
            self._note(key)
        self._entries.clear()
        self._sorted = None
        database, self._database = self._existing(), None
        if database is not None:
            self._left.append(database)
        self._close_left()

    # -- transactions --------------------------------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """How many transactions are open, one in the other."""
        return len(self._transactions)

    @property
    def is_changed(self) -> bool:
        """Whether the outermost open transaction has written anything."""
        if not self._transactions:
            return False
        one = self._transactions[0]
        is_written = any(database.connection.total_changes != before for database, _, before in one.databases)
        return is_written or bool(one.undo) or one.alarm != self.alarm or one.database is not self._database

    def begin(self) -> None:
        """Begin a transaction, or one in one."""
        self._transactions.append(_Transaction(self.alarm, self._existing()))

    def commit(self) -> None:
        """End the innermost transaction.

        Raises:
            sqlite3.IntegrityError: If a deferred constraint does not hold.
        """
        ended = self._transactions.pop()
        for database, name, _ in ended.databases:
            database.commit(name)
        if self._transactions:
            outer = self._transactions[-1]
            for key, value in ended.undo.items():
                outer.undo.setdefault(key, value)
        self._close_left()

    def roll_back(self) -> None:
        """Undo the innermost transaction."""
        undone = self._transactions.pop()
        for key, value in undone.undo.items():
            if value is _MISSING:
                self._entries.pop(key, None)
            else:
                self._entries[key] = value
        self._sorted = None
        self.alarm = undone.alarm
        for database, name, _ in reversed(undone.databases):
            database.roll_back(name)
        if undone.database is not None and undone.database is not self._database:
            if self._database is not None:
                self._left.append(self._database)
            self._left.remove(undone.database)
            self._database = undone.database
        self._close_left()

    def _close_left(self) -> None:
        if not self._transactions:
            for database in self._left:
                database.close()
            self._left.clear()

    # -- alarm ---------------------------------------------------------------------------------------------------------

    def begin_alarm(self) -> None:
        """Note that the alarm goes off."""
        self.alarm = None

    def end_alarm(self) -> None:
        """Note that the alarm's handler is over."""

    # -- as a whole ----------------------------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether nothing is stored."""
        database = self._existing()
        return not self._entries and self.alarm is None and (database is None or not database.tables())

    def copy(self, open_database: OpenDatabase | None = None) -> ObjectData:
        """Another one of the same contents; the values are shared.

        Args:
            open_database: Opens the other one's database; as this one's by default.
        """
        file = self._file if self._database is None else self._database.serialized()
        made = ObjectData(open_database or self._open_database, file)
        made._entries = dict(self._entries)
        made.alarm = self.alarm
        return made

    def entries(self) -> dict[str, Any]:
        """Keys and values, for comparison."""
        return self._entries

    def table_names(self) -> list[str]:
        """The names of the tables."""
        database = self._existing()
        return [] if database is None else database.tables()

    def peek(self, table: str, after: str | None, limit: int) -> Peek:
        """A page of a table of the database.

        Args:
            table: One of `table_names`.
            after: The `next` of the page before; None for the first page.
            limit: How many rows at most.
        """
        return peeked_rows(self.database(), table, after, limit)

    def tables(self) -> dict[str, dict[Any, int]]:
        """The rows of all tables, with how often each is there, for comparison."""
        database = self._existing()
        return {} if database is None else compared_rows(database)

    def close(self) -> None:
        """Let go of the database."""
        self._transactions.clear()
        self._close_left()
        if self._database is not None:
            self._database.close()
            self._database = None


__all__ = ["ObjectData", "OpenDatabase"]
