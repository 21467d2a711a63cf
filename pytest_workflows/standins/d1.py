"""D1: the database, its statements and its sessions, as JavaScript has them.

Source: workerd 1.20261117.1 with miniflare 5.20261117.0-beta, observed.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, Final, NoReturn

from durable_engine import jsnull
from pytest_workflows.javascript.buffers import JsArrayBuffer, JsTypedArray
from pytest_workflows.javascript.convert import typeof
from pytest_workflows.javascript.objects import (
    MAX_SAFE,
    JsArray,
    JsObject,
    JsPlain,
    js_error,
    js_text,
    noted,
    option,
    promised,
)
from pytest_workflows.javascript.rpc import python_to_rpc

from .d1_migrations import Migrations
from .d1_service import Answer, D1Service, Query, d1_error
from .d1_store import D1Store
from .host import Host
from .options import warn_of_unknown_options
from .sqlite import SqlError
from .sqlite.database import Row, Value

LARGEST_VALUE: Final = 2_000_000
"""The bytes that Cloudflare documents as the most of a text or a BLOB."""
_CONSTRAINTS: Final = ("first-unconstrained", "first-primary")


class Session:
    """What statements are sent through.

    Args:
        service: Answers them.
        bookmark: A bookmark, or a constraint for the first statement; None for no session at all.
    """

    def __init__(self, service: D1Service, bookmark: str | None = None) -> None:
        self._service = service
        self._bookmark = bookmark

    def send(self, sql: Any, values: Sequence[Value]) -> Answer:
        """Send a statement.

        Raises:
            JsException: If it is refused.
        """
        try:
            answer = self._service.answer_one(sql, values)
        except SqlError as error:
            raise d1_error("D1_ERROR: ", str(error)) from None
        if self._bookmark is not None:
            self._bookmark = self._service.bookmark()
        return answer

    @property
    def host(self) -> Host:
        """The test."""
        return self._service.host

    def warn_of_size(self, value: str | bytes) -> None:
        """Report a value that is larger than Cloudflare documents, and that the local runtime takes.

        Args:
            value: The value.
        """
        self.host.warn(
            "documented-limit",
            f"bind(...) of a statement of D1 is given a value of {len(value):,} bytes, "
            f"and a value has up to {LARGEST_VALUE:,}",
        )

    def send_batch(self, queries: Sequence[Query]) -> list[Answer]:
        """Send statements in one transaction.

        Raises:
            JsException: If one is refused.
        """
        try:
            answers = self._service.answer(queries, is_batch=True)
        except SqlError as error:
            raise d1_error("D1_ERROR: ", str(error)) from None
        if self._bookmark is not None:
            self._bookmark = self._service.bookmark()
        return answers

    def bookmark(self) -> Any:
        """How far the database had come; null before the first statement."""
        return jsnull if self._bookmark is None or self._bookmark in _CONSTRAINTS else self._bookmark


class D1PreparedStatement(JsObject):
    """A statement, with the values of its parameters.

    Args:
        session: What it is sent through.
        sql: The statement.
        values: The values, as SQLite gets them.
    """

    def __init__(self, session: Session, sql: Any, values: Sequence[Value] = ()) -> None:
        self._session, self._sql, self._values = session, sql, values

    @property
    def statement(self) -> Any:
        """Its SQL."""
        return self._sql

    @property
    def params(self) -> JsArray:
        """The values of its parameters."""
        return _row(self._values)

    def bind(self, *values: Any) -> D1PreparedStatement:
        """The same statement with other values.

        Raises:
            JsException: `D1_TYPE_ERROR` for a value that is no null, boolean, number, text, buffer or array of bytes.
        """
        return D1PreparedStatement(self._session, self._sql, _all_bound(values, self._session))

    @promised
    def first(self, column: Any = None) -> Any:
        """The first row, or a column of it; null where there is no row."""
        answer = self._session.send(self._sql, self._values)
        if not answer.rows:
            return jsnull
        if column is None:
            return _record(answer.columns, answer.rows[0])
        return _value(column_of(answer, js_text(column)))

    @promised
    def all(self) -> JsPlain:
        """The rows as objects, with figures of the run."""
        return _result(self._session.send(self._sql, self._values))

    @promised
    def run(self) -> JsPlain:
        """The same as `all`."""
        return _result(self._session.send(self._sql, self._values))

    @promised
    def raw(self, options: Any = None) -> JsArray:
        """The rows as arrays; with `columnNames` the first one has the names."""
        warn_of_unknown_options(self._session.host, "raw(...) of a statement of D1", options, ("columnNames",))
        answer = self._session.send(self._sql, self._values)
        rows = [_row(row) for row in answer.rows]
        if option(options, "columnNames") not in (None, jsnull, False, 0, ""):
            rows.insert(0, JsArray(list(answer.columns)))
        return JsArray(list(rows))


class _Preparing(JsObject):
    """What prepares statements and sends them."""

    _session: Session

    def prepare(self, sql: Any = None) -> D1PreparedStatement:
        """A statement; it is looked at when it is sent."""
        return D1PreparedStatement(self._session, sql)

    @promised
    def batch(self, statements: Any = None) -> JsArray:
        """Send statements in one transaction; gives their results."""
        return _batch(self._session, statements)


class D1DatabaseSession(_Preparing):
    """A session: its statements see what those before them did.

    Args:
        service: Answers its statements.
        bookmark: How far the database must have come, or a constraint.
    """

    def __init__(self, service: D1Service, bookmark: str) -> None:
        self._session = Session(service, bookmark)

    def getBookmark(self) -> Any:
        """How far the database had come; null before the first statement."""
        return self._session.bookmark()


class D1Database(_Preparing):
    """A database.

    Args:
        store: The contents.
        host: The test.
        migrations: Its migrations.
    """

    def __init__(self, store: D1Store, host: Host, migrations: Migrations) -> None:
        self._service = D1Service(store, host)
        self._session = Session(self._service)
        self._migrations = migrations

    @promised
    def exec(self, sql: Any = None) -> JsPlain:
        """Run lines of SQL in one transaction, each of them a statement or several."""
        if sql is None or sql is jsnull:
            _no_property(sql, "trim")
        if not isinstance(sql, str):
            raise js_error("TypeError", "query.trim is not a function")
        lines = sql.strip().split("\n")
        try:
            answers = self._service.answer([(line, ()) for line in lines])
        except SqlError as error:
            raise d1_error("D1_EXEC_ERROR: ", f"Error in line 1: {lines[0]}: {error}") from None
        return JsPlain({"count": len(answers), "duration": 0})

    @promised
    def dump(self) -> NoReturn:
        """Refused, as locally on the platform."""
        raise d1_error("D1_DUMP_ERROR: ", "Status + 404", cause="Status 404")

    def withSession(self, constraint: Any = None) -> D1DatabaseSession:
        """A session, which begins at a bookmark, or anywhere."""
        if constraint is None or constraint is jsnull:
            constraint = ""
        if not isinstance(constraint, str):
            raise js_error("TypeError", "constraintOrBookmark?.trim is not a function")
        return D1DatabaseSession(self._service, constraint.strip() or _CONSTRAINTS[0])


# -- values in ---------------------------------------------------------------------------------------------------------


_WHAT_TO_BIND: Final = (
    "D1 takes None, a bool, an int below 2**53 in size, a float, a text, bytes and a list of byte values. Of anything "
    "else bind a text: json.dumps(value), value.isoformat(), str(value)."
)


def bound(value: Any) -> Value:
    """A parameter's value as SQLite gets it, through JSON: every number is REAL, and infinity is NULL.

    Args:
        value: A value of JavaScript.

    Raises:
        JsException: `D1_TYPE_ERROR` for a value that D1 does not take.
    """
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is int or kind is float:
        return float(value) if isfinite(value) else None
    if kind is bool:
        return 1.0 if value else 0.0
    if value is jsnull:
        return None
    if isinstance(value, JsArray):
        items = value._items
        if all(type(item) in (int, float) and 0 <= item < 256 for item in items):
            return bytes(map(int, items))
    elif isinstance(value, JsArrayBuffer | JsTypedArray):
        return _bytes_of(value)
    elif isinstance(value, str):
        return str(value)
    raise noted(
        d1_error("D1_TYPE_ERROR: ", f"Type '{typeof(value)}' not supported for value '{js_text(value)}'"), _WHAT_TO_BIND
    )


def _all_bound(values: Sequence[Any], session: Session) -> list[Value]:
    made = [bound(value) for value in values]
    for value in made:
        if isinstance(value, str | bytes) and len(value) > LARGEST_VALUE:
            session.warn_of_size(value)
    return made


def bound_from_python(values: Sequence[Any], session: Session) -> list[Value]:
    """The same for values of Python, as the SDK sends them.

    Args:
        values: The values.
        session: What they are sent through.

    Raises:
        TypeError: For one that the SDK does not send.
        JsException: `D1_TYPE_ERROR` for one that D1 does not take.
    """
    made: list[Value] = []
    for value in values:
        kind = type(value)
        if kind is str:
            if len(value) > LARGEST_VALUE:
                session.warn_of_size(value)
            made.append(value)
        elif kind is int and -MAX_SAFE <= value <= MAX_SAFE:
            made.append(float(value))
        elif value is None:
            made.append(value)
        elif kind is float:
            made.append(value if isfinite(value) else None)
        else:
            return _all_bound([python_to_rpc(value) for value in values], session)
    return made


def _bytes_of(buffer: Any) -> bytes:
    """The items of a buffer, each as one byte, as they are sent."""
    items = memoryview(buffer.to_py())
    return items.tobytes() if items.itemsize == 1 else bytes(int(item) & 255 for item in items)


def _batch(session: Session, statements: Any) -> JsArray:
    if statements is None or statements is jsnull:
        _no_property(statements, "map")
    if not isinstance(statements, JsArray):
        raise js_error("TypeError", "statements.map is not a function")
    return JsArray([_result(answer) for answer in session.send_batch([_query(one) for one in statements._items])])


def _query(statement: Any) -> Query:
    if isinstance(statement, D1PreparedStatement):
        return statement._sql, statement._values
    if statement is None or statement is jsnull:
        _no_property(statement, "statement")
    return None, ()


def _no_property(value: Any, name: str) -> NoReturn:
    raise js_error("TypeError", f"Cannot read properties of {js_text(value)} (reading '{name}')")


# -- values out --------------------------------------------------------------------------------------------------------


def _value(value: Value) -> Any:
    """A value of SQLite as a query gives it, through JSON: no infinity, and a BLOB is an array of numbers."""
    given = plain_value(value)
    if given is None:
        return jsnull
    return JsArray(given) if type(given) is list else given


def plain_value(value: Value) -> Any:
    """The same as Python's value: None, a number, a text, a list of ints.

    Args:
        value: A value of SQLite.
    """
    kind = type(value)
    if kind is float:
        if value.is_integer():  # type: ignore[union-attr]
            return int(value) if -MAX_SAFE <= value <= MAX_SAFE else value  # type: ignore[operator, arg-type]
        return value if isfinite(value) else None  # type: ignore[arg-type]
    if kind is int:
        return value if -MAX_SAFE <= value <= MAX_SAFE else float(value)  # type: ignore[operator, arg-type]
    return list(value) if kind is bytes else value  # type: ignore[arg-type]


def column_of(answer: Answer, name: str) -> Value:
    """A column of the first row.

    Args:
        answer: An answer that has a row.
        name: The column.

    Raises:
        JsException: `D1_COLUMN_NOTFOUND`.
    """
    record: dict[str, Value] = dict(zip(answer.columns, answer.rows[0], strict=True))
    if name not in record:
        raise d1_error("D1_COLUMN_NOTFOUND: ", f"Column not found ({name})", cause="Column not found")
    return record[name]


def _row(row: Row | Sequence[Value]) -> JsArray:
    return JsArray([_value(value) for value in row])


def _record(columns: list[str], row: Row) -> JsPlain:
    """A row as an object; of columns of one name the last wins."""
    return JsPlain({name: _value(value) for name, value in zip(columns, row, strict=True)})


def _result(answer: Answer) -> JsPlain:
    """A whole answer, as `all` and `run` give it."""
    records: list[Any] = [_record(answer.columns, row) for row in answer.rows]
    meta = answer.meta(JsPlain({"sql_duration_ms": 0}))
    return JsPlain({"success": True, "meta": JsPlain(meta), "results": JsArray(records)})
