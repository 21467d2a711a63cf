"""A database of SQLite, on the thread of the loop, with the platform's rules: in memory, or a file that is kept."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, Final

from . import errors
from .errors import SqlError
from .functions import add_functions
from .rules import LIMITS, is_allowed, is_transaction
from .statements import Script, script

_STATEMENTS_KEPT: Final = 512
_PAGES: Final = "SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count"
_TABLES: Final = (
    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') ORDER BY name"
)
_BEGIN: Final = "BEGIN -- own"
_COMMIT: Final = "COMMIT -- own"
_ROLLBACK: Final = "ROLLBACK -- own"
"""With a comment, so that a Worker's statement of the same text is another one in `sqlite3`'s cache."""
_DELICATE: Final = """
    SELECT 1 FROM sqlite_schema WHERE instr(lower(sql), 'deferr') OR instr(lower(sql), 'rollback') LIMIT 1
"""
_STAND_INS: Final = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
_MEASURED_EVERY: Final = 64
"""The size is measured after as many changed rows: it costs as much as a statement."""

LOCK_WAIT: Final = 0.5
"""How long a write waits for another program that has the file open, in seconds: everything else waits meanwhile."""
SYNCHRONOUS: Final = "normal"
"""How a kept file is synchronised with its device: now and then, so that a loss of power leaves it whole."""
_IN_MEMORY: Final = b"\x01\x01"
"""What a file says of its journal, at its 19th byte, that can be read in memory: a kept one has a log beside it."""

_CURES: Final = (
    ("full", "Free some space"),
    ("not a database", "Move it away"),
    ("malformed", "The file is damaged: take back a copy of it, or move it away"),
    ("locked", "Close the program that has the file open for writing"),
    ("readonly", "Make the file one that can be written"),
)

Value = str | float | int | bytes | None
Row = tuple[Any, ...]


class _QuietConnection(sqlite3.Connection):
    """A connection of the first releases of Python 3.12: they take `?1` for a name, and warn of it."""

    def execute(self, *args: Any) -> sqlite3.Cursor:
        """Run a statement."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Binding .* is a named parameter", DeprecationWarning)
            return super().execute(*args)


def keep(connection: sqlite3.Connection, synchronous: str | None = None) -> None:
    """Let the commits of a file wait for no device, and other programs read it meanwhile.

    The end of the process loses nothing then. A loss of power may lose the last transactions; with `off` it may damage
    a file that was written shortly before.

    Args:
        connection: The file, open.
        synchronous: `normal` or `off`, by default `SYNCHRONOUS`.

    Raises:
        sqlite3.Error: If the file cannot be used; it is closed then.
    """
    try:
        connection.execute(f"PRAGMA synchronous = {synchronous or SYNCHRONOUS}")
        connection.execute("PRAGMA journal_mode = wal")
    except BaseException:
        connection.close()
        raise


def cure_of(error: Exception) -> str:
    """What can be done, as the beginning of a sentence.

    Args:
        error: What `sqlite3` raised.
    """
    text = str(error)
    return next((cure for word, cure in _CURES if word in text), "Look at the file and its folder")


class SqliteDatabase:
    """A database of SQLite.

    Args:
        now_ms: The time that SQL sees, in milliseconds since 1970.
        chance: What SQL's `random()` draws from.
        contents: The database file that it starts as; empty where None.
        path: The file that it is kept in, made where it is not there; None for in memory.
        synchronous: How the file is synchronised with its device (`keep`).

    Attributes:
        connection: The connection; statements go through the methods.
        shapes: The columns of queries' results by their SQL, as whoever asks keeps them; empty where the schema may be
            another one.
        is_delicate: Whether the schema has something that acts at a transaction's end, or ends it: each statement needs
            a transaction of its own.
    """

    def __init__(
        self,
        now_ms: Callable[[], int],
        chance: Callable[[], Random],
        contents: bytes | None = None,
        path: Path | None = None,
        synchronous: str | None = None,
    ) -> None:
        connection = sqlite3.connect(
            ":memory:" if path is None else path,
            timeout=LOCK_WAIT,
            check_same_thread=False,
            isolation_level=None,
            cached_statements=_STATEMENTS_KEPT,
            factory=_QuietConnection if (3, 12) <= sys.version_info < (3, 12, 4) else sqlite3.Connection,
        )
        if contents:
            connection.deserialize(contents)
            connection.execute("PRAGMA journal_mode = memory")
        if path is not None:
            keep(connection, synchronous)
        connection.execute("PRAGMA foreign_keys = on")
        for limit, value in LIMITS:
            connection.setlimit(limit, value)
        add_functions(connection, now_ms, chance)
        connection.set_authorizer(self._authorize)
        self.connection = connection
        self._is_own = False
        self._refused_transaction = False
        self._running_preludes: set[str] = set()
        self._transactions = 0
        self._rests = False
        self._watches_schema = False
        self._is_file = path is not None
        self.is_delicate = False
        self.shapes: dict[str, Any] = {}
        self._size = 0
        self._measured_from = 0

    # -- statements ----------------------------------------------------------------------------------------------------

    def run(self, sql: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Run a text of SQL: its last statement gets the values and gives the rows, one after another.

        Args:
            sql: One statement, or several.
            values: The values of the last one's parameters.

        Raises:
            SqlError: If the platform refuses it; statements before the one that fails have run.
        """
        plan = script(sql)
        if not plan.is_ordinary:
            self._run_prelude(sql, plan)
        try:
            return self.connection.execute(plan.last, values)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise self.refusal(error, plan.last) from None

    def all(self, sql: str, values: Sequence[Value] = ()) -> tuple[sqlite3.Cursor, list[Row]]:
        """Run a text of SQL to its end, as `run` does; gives the last statement, and all its rows."""
        cursor = self.run(sql, values)
        try:
            return cursor, cursor.fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise self.refusal(error, script(sql).last) from None

    def _run_prelude(self, sql: str, plan: Script) -> None:
        """Run the statements before the last one. One that gives rows is never finished: the same text fails later."""
        if sql in self._running_preludes:
            raise SqlError(errors.RUNS_ALREADY)
        for statement in plan.prelude:
            try:
                cursor = self.connection.execute(statement)
            except (sqlite3.Error, sqlite3.Warning) as error:
                translated = self.refusal(error, statement)
                wrong_count = str(translated) == errors.WRONG_COUNT
                raise (SqlError(errors.ONLY_THE_LAST) if wrong_count else translated) from None
            if cursor.fetchone() is not None:
                self._running_preludes.add(sql)
            cursor.close()
        if not plan.last:
            raise SqlError(errors.NO_STATEMENT)

    def own(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a statement of the stand-in's own, which may do anything; gives all rows.

        Args:
            sql: One statement.
            values: The values of its parameters.

        Raises:
            sqlite3.Error: As `sqlite3` raises it.
        """
        self._is_own = True
        try:
            return self.connection.execute(sql, values).fetchall()
        finally:
            self._is_own = False

    def _authorize(
        self, action: int, first: str | None, second: str | None, database: str | None, _trigger: str | None
    ) -> int:
        if self._is_own or is_allowed(action, first, second, database):
            return sqlite3.SQLITE_OK
        if is_transaction(action):
            self._refused_transaction = True
        return sqlite3.SQLITE_DENY

    def refusal(self, error: Exception, sql: str) -> SqlError:
        """The platform's error for one that `sqlite3` raised while a statement ran.

        Args:
            error: What it raised.
            sql: The statement.
        """
        if self._refused_transaction:
            self._refused_transaction = False
            return SqlError(errors.NO_TRANSACTIONS)
        return errors.translated(error, sql, self._complaint)

    def _complaint(self, sql: str) -> str | None:
        try:
            self.own(f"EXPLAIN {sql}")
        except (sqlite3.Error, sqlite3.Warning) as error:
            return str(error)
        return None

    # -- what it tells -------------------------------------------------------------------------------------------------

    def size(self, changes: int | None = None) -> int:
        """The size in bytes, without free pages.

        Args:
            changes: How many rows were changed so far; measured is only after every so many. None for now.
        """
        if changes is None or changes >= self._measured_from:
            self._size = self.own(_PAGES)[0][0] * 4096
            self._measured_from = self.connection.total_changes + _MEASURED_EVERY
        return self._size

    # -- transactions --------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction, or one in one: what raises out of it undoes it.

        Raises:
            sqlite3.IntegrityError: At the end, if a deferred constraint does not hold; it is undone then.
        """
        name = self.begin()
        try:
            yield
        except BaseException:
            self.roll_back(name)
            raise
        self.commit(name)

    def rest_in_transaction(self) -> None:
        """Keep a transaction open from now on where there is no other one, for statements that need none of their own.

        A statement alone then takes half the time. What it must not meet is told by `is_delicate`. What a file keeps is
        there when a statement is over: it does without.
        """
        self._watches_schema = True
        if not self._is_file:
            self._rests = True
            self.own(_BEGIN)
        self.look_at_schema()

    def look_at_schema(self) -> None:
        """Take note that the schema may be another one."""
        self.shapes.clear()
        if self._watches_schema:
            self.is_delicate = bool(self.own(_DELICATE))

    def begin(self) -> str:
        """Begin a transaction, or one in one; gives its name."""
        if self._transactions == 0 and self.connection.in_transaction:  # it rests
            self.own(_COMMIT)
        self._transactions += 1
        name = f"_cf_savepoint_{self._transactions}"
        self.own(_BEGIN if self._transactions == 1 else f"SAVEPOINT {name}")
        return name

    def commit(self, name: str) -> None:
        """End a transaction.

        Args:
            name: Its name.

        Raises:
            sqlite3.IntegrityError: If a deferred constraint does not hold; it is undone then.
            SqlError: If the file cannot be written; it is undone then.
        """
        try:
            self.own(_COMMIT if self._transactions == 1 else f"RELEASE {name}")
        except sqlite3.Error as error:
            self.roll_back(name)
            if isinstance(error, sqlite3.IntegrityError):
                raise
            raise self.refusal(error, "") from None
        self._ended()

    def _ended(self) -> None:
        self._transactions -= 1
        if self._transactions == 0 and self._rests:
            self.own(_BEGIN)

    def roll_back(self, name: str) -> None:
        """Undo a transaction.

        Args:
            name: Its name.
        """
        if self._transactions == 1:
            if self.connection.in_transaction:  # some errors of SQLite's have undone it already
                self.own(_ROLLBACK)
        else:
            self.own(f"ROLLBACK TO {name}")
            self.own(f"RELEASE {name}")
        self._ended()
        self.look_at_schema()

    # -- as a whole ----------------------------------------------------------------------------------------------------

    def serialized(self) -> bytes:
        """The database file; nothing for a database that nothing was ever kept in."""
        if not self.own("SELECT page_count FROM pragma_page_count")[0][0]:
            return b""  # some versions of SQLite refuse to serialise it
        if self._rests and self.connection.in_transaction:
            self.own(_COMMIT)
        self._is_own = True  # SQLite asks for a PRAGMA there that a Worker may not ask for
        try:
            data = self.connection.serialize()
        finally:
            self._is_own = False
            if self._rests:
                self.own(_BEGIN)
        return data[:18] + _IN_MEMORY + data[20:] if self._is_file else data

    def tables(self) -> list[str]:
        """The names of the tables that a user made, in order."""
        return [name for (name,) in self.own(_TABLES) if not name.startswith(("sqlite_", "_cf_"))]

    def close(self) -> None:
        """Let go of it; doing so twice is fine.

        At a test's end a thread that the Worker has started may be amid a statement. That ends with an error, and the
        connection stays open: closed under it, it would end the process.
        """
        if not self._is_file and _is_used_in_another_thread():
            with contextlib.suppress(sqlite3.ProgrammingError):  # it is closed already
                self.connection.interrupt()
            _left_open.append(self.connection)
        else:
            self.connection.close()


_left_open: list[sqlite3.Connection] = []
"""Connections that another thread may still be using."""


def _is_used_in_another_thread() -> bool:
    """Whether another thread is in code of stand-ins, which may be a statement of any database."""
    frames = sys._current_frames()
    del frames[threading.get_ident()]
    for innermost in frames.values():
        frame: FrameType | None = innermost
        while frame is not None:
            if frame.f_code.co_filename.startswith(_STAND_INS):
                return True
            frame = frame.f_back
    return False
