"""What answers the queries of a D1 database: alone, as a batch, line by line.

Source: workerd 1.20261117.1 with miniflare 5.20261117.0-beta, observed.
"""

from __future__ import annotations

import re
import sqlite3
import string
from collections.abc import Sequence
from typing import Any, Final

from durable_engine import JsException
from pytest_workflows.javascript.collections import JsErrorObject
from pytest_workflows.javascript.objects import js_error

from .d1_store import D1Store
from .host import Host
from .sqlite import SqlError, SqliteDatabase
from .sqlite.database import Row, Value
from .sqlite.errors import RUNS_ALREADY
from .sqlite.statements import Script, script

_COMMENT: Final = re.compile(r"^\s*--.*", re.MULTILINE)
_NO_STATEMENTS: Final = "No SQL statements detected."
_NOT_A_STATEMENT: Final = "Failed to parse body as JSON, got: ZodError"
_LETTERS: Final = string.ascii_lowercase + string.digits

Query = tuple[Any, Sequence[Value]]
"""A statement's SQL, and the values of its parameters."""


class Answer:
    """What a statement gave.

    Args:
        columns: The names of the columns; the list is shared.
        is_in_order: Whether none of the names looks like an integer.
        rows: The rows, as SQLite has them.
        last_row_id: The id of the last new row of the database.
        changes: How many rows it changed.
        has_changed: Whether it changed the database.
        size: The database's size in bytes.
    """

    __slots__ = ("_changes", "_has_changed", "_last_row_id", "_size", "columns", "is_in_order", "rows")

    def __init__(
        self,
        columns: list[str],
        is_in_order: bool,
        rows: list[Row],
        last_row_id: int | None,
        changes: int,
        has_changed: bool,
        size: int,
    ) -> None:
        self.columns, self.is_in_order, self.rows = columns, is_in_order, rows
        self._last_row_id, self._changes, self._has_changed, self._size = last_row_id, changes, has_changed, size

    def meta(self, timings: Any) -> dict[str, Any]:
        """Figures of the run. Rows read are the rows given, and rows written those changed: SQLite tells no others.

        Args:
            timings: The value of `timings`.
        """
        return {
            "served_by": "miniflare.db",
            "served_by_primary": True,
            "total_attempts": 1,
            "timings": timings,
            "duration": 0,
            "changes": self._changes,
            "last_row_id": self._last_row_id or 0,
            "changed_db": self._has_changed,
            "size_after": self._size,
            "rows_read": len(self.rows),
            "rows_written": self._changes,
        }


class D1Service:
    """What answers the queries of a database.

    Args:
        store: The contents.
        host: The test.

    Attributes:
        store: As given.
        host: As given.
    """

    def __init__(self, store: D1Store, host: Host) -> None:
        self.store = store
        self.host = host
        self._answered = 0

    @property
    def database(self) -> SqliteDatabase:
        """The database, open."""
        opened = self.store.opened
        if opened is None:
            opened = self.store.database(self.host.now_ms, lambda: self.host.random)
            opened.rest_in_transaction()
        return opened

    def bookmark(self) -> str:
        """A text that tells how far the database has come."""
        return f"{0:08x}-{self._answered:08x}-{0:08x}-{0:032x}"

    def answer_one(self, sql: Any, values: Sequence[Value]) -> Answer:
        """Answer a statement that was sent alone.

        Args:
            sql: The statement.
            values: The values of its parameters.

        Raises:
            SqlError: If it is refused; nothing of it has an effect then.
            JsException: If a constraint does not hold at the end.
        """
        if type(sql) is not str:
            raise SqlError(_NOT_A_STATEMENT)
        plan = script(sql)
        database = self.database
        if not plan.is_simple or database.is_delicate:
            return self.answer([(sql, values)])[0]
        self._answered += 1
        if not plan.is_ordinary:
            return _run(database, plan, sql, values)
        connection = database.connection
        before = connection.total_changes
        try:
            cursor = connection.execute(plan.last, values)
            rows = cursor.fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise database.refusal(error, plan.last) from None
        return _answer_of(database, sql, cursor, rows, before)

    def answer(self, queries: Sequence[Query], *, is_batch: bool = False) -> list[Answer]:
        """Answer statements in one transaction; those that are comments only are left out.

        Args:
            queries: The statements, with their values.
            is_batch: Whether they were sent as a batch.

        Raises:
            SqlError: If one is refused; nothing of them has an effect then.
            JsException: If a constraint does not hold at the end.
        """
        if not all(isinstance(sql, str) for sql, _ in queries):
            raise SqlError(_NOT_A_STATEMENT)
        queries = [query for query in queries if _COMMENT.sub("", query[0]).strip()]
        if not queries:
            raise SqlError(_NO_STATEMENTS)
        self._answered += 1
        database = self.database
        try:
            with database.transaction():
                return [self._answer(database, sql, values, is_batch) for sql, values in queries]
        except sqlite3.IntegrityError:
            raise self._internal_error() from None

    def _answer(self, database: SqliteDatabase, sql: str, values: Sequence[Value], is_batch: bool) -> Answer:
        plan = script(sql)
        if is_batch and plan.has_query_in_prelude:
            raise SqlError(RUNS_ALREADY)
        return _run(database, plan, sql, values)

    def _internal_error(self) -> JsException:
        """What the platform tells of a constraint that does not hold at the end: it starts the database anew."""
        reference = "".join(self.host.random.choices(_LETTERS, k=24))
        error = js_error("Error", f"internal error; reference = {reference}")
        error.remote = error.durableObjectReset = True  # type: ignore[attr-defined]
        return error


def _run(database: SqliteDatabase, plan: Script, sql: str, values: Sequence[Value]) -> Answer:
    before = database.connection.total_changes
    if plan.is_ordinary:
        return _answer_of(database, sql, *database.all(sql, values), before)
    size_before = database.size()
    cursor, rows = database.all(sql, values)
    changes = database.connection.total_changes - before
    database.look_at_schema()
    size = database.size()
    return Answer(*_shape_of(cursor), rows, cursor.lastrowid, changes, changes > 0 or size != size_before, size)


def _answer_of(database: SqliteDatabase, sql: str, cursor: sqlite3.Cursor, rows: list[Row], before: int) -> Answer:
    """The answer of an ordinary statement, which has run to its end."""
    shape = database.shapes.get(sql)
    if shape is None:
        shape = database.shapes[sql] = _shape_of(cursor)
    after = database.connection.total_changes
    size = database.size(after)
    return Answer(shape[0], shape[1], rows, cursor.lastrowid, after - before, after > before, size)


def _shape_of(cursor: sqlite3.Cursor) -> tuple[list[str], bool]:
    described = cursor.description
    columns = [] if described is None else [column[0] for column in described]
    return columns, not any(map(str.isdecimal, columns))


def d1_error(prefix: str, text: str, cause: str | None = None) -> JsException:
    """An error of D1.

    Args:
        prefix: What stands before the text: `D1_ERROR: `.
        text: The text.
        cause: The text of its cause, where it is another one.
    """
    error = js_error("Error", prefix + text)
    error.cause = JsErrorObject(text if cause is None else cause)  # type: ignore[attr-defined]
    return error
