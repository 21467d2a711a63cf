"""Durable Objects on disk: a file an object, with its keys, its alarm and the tables of its database.

All that an object writes in one transaction is one transaction of its file. An object that takes everything out begins
a new file: which one is an object's is in the file of all contents, and with it which objects there are at all.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

from durable_engine import JsException
from pytest_workflows.javascript.objects import js_error
from pytest_workflows.standins.object_data import ObjectData, OpenDatabase
from pytest_workflows.standins.sqlite import SqliteDatabase

from .layout import from_column, to_column
from .state_file import StateFile
from .values import decode, encode

MOST_OPEN: Final = 32
"""How many files are open at a time, where no more objects are at work: each takes three of the process's handles."""

_LOAD: Final = "SELECT digits, name, generation, has_alarm FROM objects WHERE class = ?"
_ENTER: Final = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)"
_LEAVE: Final = "DELETE FROM objects WHERE class = ? AND digits = ?"
_OWN_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS _cf_keys(key PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS _cf_alarm(due INTEGER NOT NULL)",
)


class OpenFiles:
    """The files that are open, of all classes: one that was not used for the longest time is closed for another one."""

    def __init__(self) -> None:
        self._order: OrderedDict[KeptObjectData, None] = OrderedDict()

    def use(self, data: KeptObjectData) -> None:
        """Note that an object's file is used."""
        self._order[data] = None
        self._order.move_to_end(data)
        if len(self._order) > MOST_OPEN:
            for other in list(self._order):
                if other is not data and other.let_go():
                    break

    def forget(self, data: KeptObjectData) -> None:
        """Note that an object's file is closed."""
        self._order.pop(data, None)


class ClassObjects:
    """The objects of one class.

    Args:
        file: The file of all contents.
        folder: The folder of the objects' files.
        name: The class.
        open_files: The files that are open.
    """

    def __init__(self, file: StateFile, folder: Path, name: str, open_files: OpenFiles) -> None:
        self.file = file
        self.folder = folder
        self._name = name
        self.open_files = open_files
        self._known: dict[str, tuple[str | None, int, bool]] = {
            digits: (None if called is None else from_column(called), generation, bool(has_alarm))
            for digits, called, generation, has_alarm in file.rows(_LOAD, (name,))
        }

    def ids(self) -> list[str]:
        """The ids of the objects that have stored anything."""
        return list(self._known)

    def with_alarms(self) -> list[str]:
        """The ids of those that may have an alarm."""
        return [digits for digits, (_, _, has_alarm) in self._known.items() if has_alarm]

    def names(self) -> dict[str, str]:
        """The names of those whose names are known, by id."""
        return {digits: name for digits, (name, _, _) in self._known.items() if name is not None}

    def data(
        self, digits: str, open_database: OpenDatabase, name: Callable[[], str | None], is_busy: Callable[[], bool]
    ) -> ObjectData:
        """The contents of one object.

        Args:
            digits: Its id.
            open_database: Opens its database.
            name: Gives its name; None where that is not known.
            is_busy: Whether a call of it is under way.
        """
        return KeptObjectData(open_database, self, digits, name, is_busy)

    def known(self, digits: str) -> tuple[int, bool] | None:
        """The number of an object's file, and whether it may have an alarm; None where nothing is stored."""
        found = self._known.get(digits)
        return None if found is None else found[1:]

    def enter(self, digits: str, name: str | None, generation: int, has_alarm: bool) -> None:
        """Note which file an object has, and whether it may have an alarm."""
        if self._known.get(digits) == (name, generation, has_alarm):
            return
        self.file.write(_ENTER, (self._name, digits, None if name is None else to_column(name), generation, has_alarm))
        self._known[digits] = (name, generation, has_alarm)

    def leave(self, digits: str) -> None:
        """Note that nothing of an object is stored any more."""
        if digits in self._known:
            self.file.write(_LEAVE, (self._name, digits))
            del self._known[digits]

    def path(self, digits: str, generation: int) -> Path:
        """The file of an object."""
        return self.folder / f"{digits}.{generation}.sqlite"


class KeptObjectData(ObjectData):
    """The contents of one object, in a file that is opened when it is needed.

    Args:
        open_database: Opens its database.
        objects: The objects of its class.
        digits: Its id.
        name: Gives its name; None where that is not known.
        is_busy: Whether a call of it is under way.
    """

    def __init__(
        self,
        open_database: OpenDatabase,
        objects: ClassObjects,
        digits: str,
        name: Callable[[], str | None],
        is_busy: Callable[[], bool],
    ) -> None:
        super().__init__(open_database)
        self._objects, self._digits, self._name, self._is_busy = objects, digits, name, is_busy
        self._firing: int | None = None
        self._kept_alarm: int | None = None
        self._saved: list[tuple[int, bool, bool]] = []
        """What of the next three there was when each open transaction began."""
        known = objects.known(digits)
        self._generation = 0 if known is None else known[0]
        self._has_file = known is not None and self._path.exists()
        self._has_tables = False
        self._names: list[str] | None = None
        database = self._existing()
        if database is not None:
            try:
                self._load(database)
            except sqlite3.Error as error:
                self.close()
                raise objects.file.failure(error, self._path) from None

    def _load(self, database: SqliteDatabase) -> None:
        found = database.own("SELECT name FROM sqlite_schema WHERE name = '_cf_alarm'")
        self._has_tables = bool(found)
        if self._has_tables:
            rows = database.own("SELECT key, value FROM _cf_keys")
            self._entries = {from_column(key): decode(value) for key, value in rows}
            self.alarm = self._kept_alarm = next((due for (due,) in database.own("SELECT due FROM _cf_alarm")), None)

    # -- its file ------------------------------------------------------------------------------------------------------

    @property
    def _path(self) -> Path:
        return self._objects.path(self._digits, self._generation)

    def _existing(self) -> SqliteDatabase | None:
        if self._database is None and self._has_file:
            self._database = self._open()
        if self._database is not None:
            self._objects.open_files.use(self)
        return self._database

    def _new_database(self) -> SqliteDatabase:
        _remove(self._path)  # what an undone transaction, or a process that was killed in one, left there
        self._has_tables = False
        made = self._open()
        self._objects.open_files.use(self)
        return made

    def _open(self) -> SqliteDatabase:
        try:
            self._objects.folder.mkdir(parents=True, exist_ok=True)
            return self._open_database(None, self._path)
        except (OSError, sqlite3.Error) as error:
            raise self._objects.file.failure(error, self._path) from None

    def let_go(self) -> bool:
        """Close the file, where nothing is under way in it; whether it is closed."""
        if self._transactions or self._is_busy():
            return False
        self._objects.open_files.forget(self)
        if self._database is not None:
            self._names = self._database.tables()
            self._database.close()
            self._database = None
        return True

    def table_names(self) -> list[str]:
        """The names of the tables; a file that is closed has those that it had."""
        if self._database is None and self._has_file and self._names is not None:
            return self._names
        return super().table_names()

    def delete_all(self) -> None:
        """Take all keys out, and the database with all of its tables: the next one is another file."""
        super().delete_all()
        self._generation += 1
        self._has_file = self._has_tables = False

    def copy(self, open_database: OpenDatabase | None = None) -> ObjectData:
        """One of the same contents, in memory."""
        self._existing()
        return super().copy(open_database)

    def close(self) -> None:
        """Let go of the file."""
        super().close()
        self._objects.open_files.forget(self)

    # -- transactions --------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a transaction, or one in one."""
        super().begin()
        self._saved.append((self._generation, self._has_file, self._has_tables))

    def roll_back(self) -> None:
        """Undo the innermost transaction."""
        undone = self._transactions[-1]
        super().roll_back()
        self._generation, self._has_file, self._has_tables = self._saved.pop()
        if undone.database is None and self._database is not None:
            self._left.append(self._database)  # it is the file of another generation, or of none
            self._database = None
            self._close_left()

    def commit(self) -> None:
        """End the innermost transaction; what the outermost one wrote is in the file then.

        Raises:
            JsException: If it cannot be written, or a deferred constraint does not hold; the transaction is undone
                then.
        """
        if self.depth > 1:
            super().commit()
            self._saved.pop()
            return
        first = self._saved[0][0]
        try:
            self._write()
            self._commit_files(self._transactions[0].databases)
        except Exception as error:  # whatever it is: a transaction that stays open would keep nothing any more
            self.roll_back()
            if isinstance(error, JsException):
                raise
            if isinstance(error, sqlite3.IntegrityError):
                raise js_error("Error", str(error)) from None
            raise self._objects.file.failure(error, self._path) from None
        self._transactions.pop()
        self._saved.pop()
        self._close_left()
        self._has_file = self._database is not None
        self._kept_alarm = self._alarm_to_keep
        for generation in range(first, self._generation):
            with contextlib.suppress(OSError):  # nobody looks for it any more
                _remove(self._objects.path(self._digits, generation))

    @property
    def _alarm_to_keep(self) -> int | None:
        """When the alarm is due; the one whose handler runs just now is kept until that is over."""
        return self._firing if self.alarm is None else self.alarm

    def _write(self) -> None:
        """Write the keys and the alarm that are others than in the file, in the transaction of the database."""
        is_new = not self._has_tables
        changed = list(self._entries if is_new else self._transactions[0].undo)
        is_other_alarm = self._alarm_to_keep != (None if is_new else self._kept_alarm)
        if not changed and not is_other_alarm:
            return
        database = self.database()
        if is_new:
            for statement in _OWN_TABLES:
                database.own(statement)
            self._has_tables = True
        for key in changed:
            self._write_key(database, key)
        if is_other_alarm:
            database.own("DELETE FROM _cf_alarm")
            if self._alarm_to_keep is not None:
                database.own("INSERT INTO _cf_alarm VALUES (?)", (self._alarm_to_keep,))

    def _write_key(self, database: SqliteDatabase, key: str) -> None:
        if key in self._entries:
            row = (to_column(key), encode(self._entries[key]))
            database.own("INSERT OR REPLACE INTO _cf_keys VALUES (?, ?)", row)
        else:
            database.own("DELETE FROM _cf_keys WHERE key = ?", (to_column(key),))

    def _commit_files(self, databases: list[tuple[SqliteDatabase, str, int]]) -> None:
        """Make what is written, in the file that is the object's from now on.

        That a file is new is known before it has anything, and that it is another one when it has everything. That
        there may be an alarm is known before there is one, and that there is none afterwards.
        """
        known = self._objects.known(self._digits)
        has_alarm = self._alarm_to_keep is not None
        if self._database is not None and (known is None or (known[0] == self._generation and has_alarm)):
            self._enter(has_alarm)
        while databases:
            database, name, _ = databases.pop(0)
            if database is self._database:
                database.commit(name)
            else:
                database.roll_back(name)
        if self._database is None:
            self._objects.leave(self._digits)
        elif known is not None and known[0] != self._generation:
            self._enter(has_alarm)
        elif not has_alarm:
            with contextlib.suppress(JsException):  # an alarm too many is noticed when it is looked for
                self._enter(has_alarm)

    def _enter(self, has_alarm: bool) -> None:
        self._objects.enter(self._digits, self._name(), self._generation, has_alarm)

    # -- alarm ---------------------------------------------------------------------------------------------------------

    def begin_alarm(self) -> None:
        """Note that the alarm goes off: there is none any more, but for a process that begins before it is over."""
        self._firing, self.alarm = self.alarm, None

    def end_alarm(self) -> None:
        """Note that the alarm's handler is over. What cannot be written goes off once more in the next process."""
        self._firing = None
        if not self._transactions and self.alarm != self._kept_alarm:
            with contextlib.suppress(JsException):
                self.begin()
                self.commit()


def _remove(path: Path) -> None:
    """Take a database's file away, with what SQLite has beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
