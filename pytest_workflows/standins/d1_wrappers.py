"""The SDK's wrappers of D1's objects: what the wrapper of any binding does, in one step in place of three.

A query costs about as much as all the conversions that the wrapper of any binding makes of it; here they are made at
once, from Python's values to SQLite's and back. What is out of the ordinary goes the way of any binding.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from durable_engine import JsDict, hide_frames
from pytest_workflows.javascript.objects import MAX_SAFE, in_js_order
from pytest_workflows.workers.binding_wrappers import QuickWrapper

from .d1 import D1Database, D1DatabaseSession, D1PreparedStatement, Session, bound_from_python, column_of, plain_value
from .d1_service import Answer
from .quick_answers import rejected, resolved
from .sqlite.database import Row

hide_frames(__file__)


class StatementWrapper(QuickWrapper, wraps=D1PreparedStatement):
    """The wrapper of a statement."""

    _session: Session
    _sql: str
    _values: Sequence[Any]
    _prepared: list[tuple[Any, ...]]
    _bound: tuple[Any, ...] | None

    @property
    def _binding(self) -> D1PreparedStatement:  # made where it is asked for, which is seldom
        return D1PreparedStatement(self._session, self._sql, self._values)

    @_binding.setter
    def _binding(self, statement: D1PreparedStatement) -> None:
        self._session, self._sql, self._values = statement._session, statement._sql, statement._values
        self._prepared, self._bound = [], None  # the log has both already

    def bind(self, *args: Any, **kwargs: Any) -> Any:
        """The same statement with other values."""
        calls = self._calls
        if kwargs:
            self._note_beginnings()
            return self._invoke("bind", self._binding.bind, args, kwargs)
        if calls is None or calls.is_idle():
            return self._with_values(args, self._origin, self._prepared, args)
        self._note_beginnings()
        return calls.call(self, "bind", lambda origin: self._with_values(args, origin, [], None), args, kwargs)

    def _with_values(
        self, args: tuple[Any, ...], origin: Any, prepared: list[tuple[Any, ...]], bound: tuple[Any, ...] | None
    ) -> StatementWrapper:
        session = self._session
        made: StatementWrapper = object.__new__(StatementWrapper)
        made._session, made._sql, made._values = session, self._sql, bound_from_python(args, session)
        made._calls, made._origin, made._prepared, made._bound = self._calls, origin, prepared, bound
        return made

    def _note_beginnings(self) -> None:
        """Let the log have what began the statement, once: what is sent has it with it."""
        calls = self._calls
        if calls is not None and (self._prepared or self._bound is not None):
            calls.note(None, (), prepared=self._prepared.pop() if self._prepared else None, bound=self._bound)
            self._bound = None

    first: Callable[..., Coroutine[Any, Any, Any]]
    all: Callable[..., Coroutine[Any, Any, Any]]
    run: Callable[..., Coroutine[Any, Any, Any]]
    raw: Callable[..., Coroutine[Any, Any, Any]]


def _sender(method: str, most: int, convert: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """A method of a statement that sends it.

    Args:
        method: Its name.
        most: How many texts it may be given here; with other arguments it goes the way of any binding.
        convert: Makes what the SDK makes of the answer, given it and the arguments.
    """

    def send(self: StatementWrapper, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        calls = self._calls
        if kwargs or (args and (len(args) > most or type(args[0]) is not str)):
            self._note_beginnings()
            return self._invoke(method, getattr(self._binding, method), args, kwargs)  # type: ignore[no-any-return]
        if not (calls is None or calls.is_idle()):
            self._note_beginnings()
            return calls.call(self, method, lambda _: send_now(self, args), args, kwargs)  # type: ignore[no-any-return]
        answer = error = None
        try:
            answer = self._session.send(self._sql, self._values)
            result = convert(answer, *args)
        except Exception as raised:
            error = raised
        if calls is not None:
            prepared = self._prepared
            calls.note(method, args, answer, convert, error, prepared.pop() if prepared else None, self._bound)
            self._bound = None
        return resolved(result) if error is None else rejected(error)

    def send_now(self: StatementWrapper, args: tuple[Any, ...]) -> Coroutine[Any, Any, Any]:
        try:
            return resolved(convert(self._session.send(self._sql, self._values), *args))
        except Exception as raised:
            return rejected(raised)

    send.__name__ = method
    return send


class _PreparingWrapper(QuickWrapper):
    _binding: D1Database | D1DatabaseSession

    def prepare(self, *args: Any, **kwargs: Any) -> Any:
        """A statement."""
        calls = self._calls
        if kwargs or len(args) != 1 or type(args[0]) is not str:
            return self._invoke("prepare", self._binding.prepare, args, kwargs)
        if calls is None or calls.is_idle():
            return self._statement(args[0], self._origin, [args])
        return calls.call(self, "prepare", lambda origin: self._statement(args[0], origin, []), args, kwargs)

    def _statement(self, sql: str, origin: Any, prepared: list[tuple[Any, ...]]) -> StatementWrapper:
        made: StatementWrapper = object.__new__(StatementWrapper)
        made._session, made._sql, made._values = self._binding._session, sql, ()
        made._calls, made._origin, made._prepared, made._bound = self._calls, origin, prepared, None
        return made

    def batch(self, *args: Any, **kwargs: Any) -> Any:
        """Send statements in one transaction."""
        if args and type(args[0]) is list:
            for statement in args[0]:
                if isinstance(statement, StatementWrapper):
                    statement._note_beginnings()
        return self._invoke("batch", self._binding.batch, args, kwargs)


class DatabaseWrapper(_PreparingWrapper, wraps=D1Database):
    """The wrapper of a database."""


class SessionWrapper(_PreparingWrapper, wraps=D1DatabaseSession):
    """The wrapper of a session."""


# -- what the SDK makes of an answer -----------------------------------------------------------------------------------


def _first(answer: Answer, column: str | None = None) -> Any:
    if not answer.rows:
        return None
    if column is not None:
        return plain_value(column_of(answer, column))
    record = JsDict(zip(answer.columns, _plain(answer.rows[0])))  # noqa: B905  # strict costs as much as the rest
    return record if answer.is_in_order else JsDict(in_js_order(record))


def _all(answer: Answer) -> Any:
    columns = answer.columns
    records = [JsDict(zip(columns, _plain(row))) for row in answer.rows]  # noqa: B905  # as above
    if not answer.is_in_order:
        records = [JsDict(in_js_order(record)) for record in records]
    return JsDict(success=True, meta=JsDict(answer.meta(JsDict(sql_duration_ms=0))), results=records)


def _raw(answer: Answer) -> Any:
    return [_plain(row) for row in answer.rows]


def _plain(row: Row) -> list[Any]:
    return [
        value
        if value is None or (kind := type(value)) is str or (kind is int and -MAX_SAFE <= value <= MAX_SAFE)
        else plain_value(value)
        for value in row
    ]


StatementWrapper.first = _sender("first", 1, _first)
StatementWrapper.all = _sender("all", 0, _all)
StatementWrapper.run = _sender("run", 0, _all)
StatementWrapper.raw = _sender("raw", 0, _raw)
