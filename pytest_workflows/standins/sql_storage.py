"""A Durable Object's `sql`, and its cursors, as JavaScript has them.

Source: workerd 1.20261117.1, observed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

from durable_engine import JsBigInt, JsException, jsnull
from pytest_workflows.javascript.buffers import JsArrayBuffer, JsTypedArray
from pytest_workflows.javascript.objects import MAX_SAFE, JsArray, JsObject, JsPlain, js_error, js_text, number

from .sqlite import SqlError, SqliteDatabase
from .sqlite.database import Row, Value
from .sqlite.statements import script

_NO_ROW: Final = "Expected exactly one result from SQL query, but got no results."
_MANY_ROWS: Final = "Expected exactly one result from SQL query, but got multiple results."


class SqlStorage(JsObject):
    """`storage.sql` of a Durable Object.

    Args:
        database: Gives the object's database, open.
        before_change: Called before each statement.
        has_optional_fields: Whether an optional field that has no value is there, undefined (from 2025-12-03 on).
    """

    def __init__(
        self,
        database: Callable[[], SqliteDatabase],
        before_change: Callable[[], None] | None = None,
        *,
        has_optional_fields: bool = True,
    ) -> None:
        self._database = database
        self._before_change = before_change
        self._has_optional_fields = has_optional_fields

    def exec(self, query: Any = None, *bindings: Any) -> Cursor:
        """Run SQL: one statement, or several, of which the last one gets the values and gives the rows.

        Raises:
            JsException: If it is refused.
        """
        sql = js_text(query)
        values = [bound(value) for value in bindings]
        if self._before_change is not None:
            self._before_change()
        return Cursor(self._database(), sql, values, self._has_optional_fields)

    @property
    def databaseSize(self) -> int:
        """The size of the database in bytes."""
        return self._database().size()


def bound(value: Any) -> Value:
    """A parameter's value as SQLite gets it: every number is REAL, and what is no value of SQL is its text.

    Args:
        value: A value of JavaScript.

    Raises:
        JsException: A `TypeError` for a bigint.
    """
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int or kind is float:
        return float(value)
    if value is None or value is jsnull:
        return None
    if isinstance(value, JsBigInt):
        raise js_error("TypeError", "Cannot convert a BigInt value to a number")
    if isinstance(value, JsArrayBuffer | JsTypedArray):
        return memoryview(value.to_py()).tobytes()
    return js_text(value)


def _value(value: Value) -> Any:
    """A value of SQLite as a cursor gives it: a BLOB is an ArrayBuffer, and every number a double."""
    if value is None:
        return jsnull
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if -MAX_SAFE <= value <= MAX_SAFE else float(value)
    if isinstance(value, float):
        return number(value)
    return JsArrayBuffer(bytearray(value))


class _Rows:
    """The rows of a statement that runs, one after another.

    Args:
        database: The database.
        sql: The SQL.
        values: The values of its parameters.
    """

    def __init__(self, database: SqliteDatabase, sql: str, values: list[Value]) -> None:
        self._database, self._sql = database, sql
        before = database.connection.total_changes
        try:
            self._cursor = database.run(sql, values)
        except SqlError as error:
            raise js_error("Error", str(error)) from None
        described = self._cursor.description
        self.columns: list[str] = [] if described is None else [column[0] for column in described]
        self._taken = 0
        self._is_at_end = described is None
        if not self.columns or script(sql).is_change:
            # What changes rows does so at its first step; it is taken to its end, as nobody might.
            self._rest: Iterator[Row] = iter(self._fetched())
        else:
            self._rest = self._stepped()
        self.written = database.connection.total_changes - before

    def _fetched(self) -> list[Row]:
        try:
            return self._cursor.fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise self._refusal(error) from None

    def _stepped(self) -> Iterator[Row]:
        while True:
            try:
                row = self._cursor.fetchone()
            except (sqlite3.Error, sqlite3.Warning) as error:
                raise self._refusal(error) from None
            if row is None:
                return
            yield row

    def _refusal(self, error: Exception) -> JsException:
        return js_error("Error", str(self._database.refusal(error, script(self._sql).last)))

    def next(self) -> Row | None:
        """The next row; None at the end."""
        row = next(self._rest, None)
        if row is None:
            self._is_at_end = True
        else:
            self._taken += 1
        return row

    @property
    def read(self) -> int:
        """How many rows were read: SQLite is one ahead of what was taken."""
        return max(self.written, self._taken if self._is_at_end else self._taken + 1)


class _RowIterator(JsObject):
    """The rows, one after another."""

    _rows: _Rows
    _has_optional_fields: bool

    def _shape(self, row: Row) -> Any:
        raise NotImplementedError

    def next(self) -> JsPlain:
        """The next row, as an iterator of JavaScript gives it."""
        row = self._rows.next()
        if row is not None:
            return JsPlain({"done": False, "value": self._shape(row)})
        return JsPlain({"done": True, "value": None} if self._has_optional_fields else {"done": True})

    def toArray(self) -> JsArray:
        """The rows that are left."""
        return JsArray(list(self._all()))

    def _all(self) -> Iterator[Any]:
        while (row := self._rows.next()) is not None:
            yield self._shape(row)

    def __iter__(self) -> Iterator[Any]:
        return self._all()


class Cursor(_RowIterator):
    """What `exec` gives: the rows as objects.

    Args:
        database: The database.
        sql: The SQL.
        values: The values of its parameters.
        has_optional_fields: Whether an optional field that has no value is there, undefined.
    """

    def __init__(self, database: SqliteDatabase, sql: str, values: list[Value], has_optional_fields: bool) -> None:
        self._rows = _Rows(database, sql, values)
        self._has_optional_fields = has_optional_fields

    def _shape(self, row: Row) -> JsPlain:
        return JsPlain({name: _value(value) for name, value in zip(self._rows.columns, row, strict=True)})

    def one(self) -> JsPlain:
        """The only row.

        Raises:
            JsException: If there is none, or more than one.
        """
        row = self._rows.next()
        if row is None:
            _refuse(_NO_ROW)
        if self._rows.next() is not None:
            _refuse(_MANY_ROWS)
        return self._shape(row)

    def raw(self) -> RawIterator:
        """The rows as arrays."""
        return RawIterator(self._rows, self._has_optional_fields)

    @property
    def columnNames(self) -> JsArray:
        """The names of the columns."""
        return JsArray(list(self._rows.columns))

    @property
    def rowsRead(self) -> int:
        """How many rows were read so far."""
        return self._rows.read

    @property
    def rowsWritten(self) -> int:
        """How many rows were written."""
        return self._rows.written


class RawIterator(_RowIterator):
    """The rows as arrays.

    Args:
        rows: The rows.
        has_optional_fields: Whether an optional field that has no value is there, undefined.
    """

    def __init__(self, rows: _Rows, has_optional_fields: bool) -> None:
        self._rows = rows
        self._has_optional_fields = has_optional_fields

    def _shape(self, row: Row) -> JsArray:
        return JsArray([_value(value) for value in row])


def _refuse(text: str) -> NoReturn:
    raise js_error("Error", text)
