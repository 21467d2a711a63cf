"""SQLite's errors in the platform's words: text, place in the SQL, name of the code.

Source: workerd 1.20261117.1, observed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from .rules import NOT_BUILT_IN, TABLES_NOT_BUILT_IN
from .statements import Token, tokens

WRONG_COUNT: Final = "Wrong number of parameter bindings for SQL query."
NO_STATEMENT: Final = "SQL code did not contain a statement."
RUNS_ALREADY: Final = "A SQL prepared statement can only be executed once at a time."
ONLY_THE_LAST: Final = (
    "When executing multiple SQL statements in a single call, only the last statement can have parameters."
)
NO_TRANSACTIONS: Final = (
    "To execute a transaction, please use the state.storage.transaction() or state.storage.transactionSync() APIs "
    "instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements. The JavaScript API is safer because it will "
    "automatically roll back on exceptions, and because it interacts correctly with Durable Objects' automatic atomic "
    "write coalescing."
)

_CODES: Final = {
    1: "SQLITE_ERROR",
    4: "SQLITE_ABORT",
    5: "SQLITE_BUSY",
    6: "SQLITE_LOCKED",
    7: "SQLITE_NOMEM",
    8: "SQLITE_READONLY",
    9: "SQLITE_INTERRUPT",
    11: "SQLITE_CORRUPT",
    13: "SQLITE_FULL",
    17: "SQLITE_SCHEMA",
    18: "SQLITE_TOOBIG",
    19: "SQLITE_CONSTRAINT",
    20: "SQLITE_MISMATCH",
    21: "SQLITE_MISUSE",
    23: "SQLITE_AUTH",
    25: "SQLITE_RANGE",
}
"""The names of SQLite's primary codes."""

Compile = Callable[[str], str | None]
"""Compiles a statement without running it; gives SQLite's text where it cannot."""


class SqlError(Exception):
    """A statement that the platform refuses, with its text."""


def translated(error: Exception, sql: str, compile_statement: Compile) -> SqlError:
    """The platform's error for one of `sqlite3`.

    Args:
        error: What `sqlite3` raised.
        sql: The statement.
        compile_statement: Tells SQLite's text for another one.
    """
    text = str(error)
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return _of_python(text)
    extended = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
    if (hidden := _of_hidden_names(text)) is not None:
        text, code, extended = hidden, 1, "SQLITE_ERROR"
    name = _CODES.get(code & 0xFF, "SQLITE_ERROR")
    place = "" if (at := offset(text, sql, compile_statement)) is None else f" at offset {at}"
    suffix = f"{name} (extended: {extended})" if code > 0xFF and extended != name else name
    return SqlError(f"{text}{place}: {suffix}")


def _of_python(text: str) -> SqlError:
    """The error for what `sqlite3` refuses itself, before SQLite sees it."""
    if text.startswith("Incorrect number of bindings"):
        return SqlError(WRONG_COUNT)
    if text.startswith("query string is too large"):
        return SqlError("statement too long: SQLITE_TOOBIG")
    return SqlError(f"{text}: SQLITE_ERROR")


def _of_hidden_names(text: str) -> str | None:
    """The text for what this machine's SQLite has and the platform's has not."""
    if (found := re.match(r"not authorized to use function: (\w+)", text)) and found[1].lower() in NOT_BUILT_IN:
        return f"no such function: {found[1]}"
    if (found := re.match(r"access to (\w+)\.\w+ is prohibited", text)) and found[1] in TABLES_NOT_BUILT_IN:
        return f"no such table: {found[1]}"
    return None


# -- the place of an error in the SQL: SQLite has it, `sqlite3` does not tell it ---------------------------------------


def offset(text: str, sql: str, compile_statement: Compile) -> int | None:
    """Where in a statement an error is, in bytes of UTF-8; None for an error that SQLite gives no place.

    Args:
        text: SQLite's text.
        sql: The statement.
        compile_statement: Tells SQLite's text for another one.
    """
    for pattern, find in _PLACES:
        found = re.match(pattern, text, re.DOTALL)
        if found:
            start = find(found[1], sql, compile_statement)
            return None if start is None else len(sql[:start].encode())
    return None


def _of_syntax(text: str, sql: str, compile_statement: Compile) -> int | None:
    """The first token of that text at which the parser stops."""
    candidates = [token.start for token in tokens(sql) if token.text == text]
    for start in candidates[:-1]:
        if compile_statement(sql[: start + len(text)]) == f'near "{text}": syntax error':
            return start
    return candidates[-1] if candidates else None


def _of_text(text: str, sql: str, _: Compile) -> int | None:
    start = sql.find(text)
    return None if start < 0 else start


def _of_column(text: str, sql: str, _: Compile) -> int | None:
    """Where a column is named: no alias of another one."""
    names = text.split(".")
    all_tokens = tokens(sql)
    for index, token in enumerate(all_tokens):
        before = all_tokens[index - 1].text.lower() if index else ""
        if before not in (".", "as") and _are_spelled(all_tokens[index : index + 2 * len(names) - 1], names):
            return token.start
    return None


def _are_spelled(some: list[Token], names: list[str]) -> bool:
    spelled: Iterable[str] = [one.name.lower() for one in some[::2]]
    return spelled == [name.lower() for name in names] and all(one.text == "." for one in some[1::2])


def _of_function(text: str, sql: str, _: Compile) -> int | None:
    """Where a function is called; a word like `REGEXP` calls one as well."""
    all_tokens = tokens(sql)
    named = [index for index, token in enumerate(all_tokens) if token.name.lower() == text.lower()]
    called = [index for index in named if index + 1 < len(all_tokens) and all_tokens[index + 1].text == "("]
    return all_tokens[(called or named)[0]].start if named else None


def _of_table(text: str, sql: str, _: Compile) -> int | None:
    return next((token.start for token in tokens(sql)[1:] if token.name.lower() == text.lower()), None)


def _of_variable(_: str, sql: str, __: Compile) -> int | None:
    """The variable that is one too many."""
    variables = [token for token in tokens(sql) if token.kind == "variable"]
    return variables[100].start if len(variables) > 100 else None


_PLACES: Final[tuple[tuple[str, Callable[[str, str, Compile], int | None]], ...]] = (
    (r'near "(.*)": syntax error$', _of_syntax),
    (r'unrecognized token: "(.*)"$', _of_text),
    (r'no such column: "(.*)" - should this be', _of_column),
    (r"(?:no such column|ambiguous column name): (.*)$", _of_column),
    (r"(?:no such function|not authorized to use function): (.*)$", _of_function),
    (r"wrong number of arguments to function (.*)\(\)$", _of_function),
    (r"misuse of (?:aggregate|window)(?: function)?:? (.*)\(\)$", _of_function),
    (r"(?:table|view) (.*) already exists$", _of_table),
    (r"(too many SQL variables)$", _of_variable),
    (r"unknown database (.*)$", _of_table),
)
