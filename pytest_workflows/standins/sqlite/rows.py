"""The rows of a database for comparison: without the ids that SQLite gives rows itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_workflows.standins.peeks import Peek, cell, no_table, start_of
from pytest_workflows.standins.stores import Row

from .database import SqliteDatabase
from .statements import quoted

_COLUMNS = "SELECT name, upper(type), pk FROM pragma_table_info(?)"
_REFERENCES = 'SELECT "from", "table", "to" FROM pragma_foreign_key_list(?)'


def compared_rows(database: SqliteDatabase, ignored: frozenset[str] = frozenset()) -> dict[str, dict[Any, int]]:
    """The rows of the user's tables, with how often each is there; tables without a row are left out.

    A column that is an alias of the row id is left out. One that refers to such a column has what identifies the other
    row in its place: the values of its columns.

    Args:
        database: The database.
        ignored: Tables that are no contents.
    """
    tables = database.tables()
    ids = {table: _row_id(database, table) for table in tables}
    found = {}
    for table in tables:
        if table not in ignored:
            rows = _counted(database, table, ids)
            if rows:
                found[table] = rows
    return found


def peeked_rows(database: SqliteDatabase, table: str, after: str | None, limit: int) -> Peek:
    """A page of a table.

    Args:
        database: The database.
        table: The table.
        after: The `next` of the page before; None for the first page.
        limit: How many rows at most.

    Raises:
        KeyError: If there is no such table.
        ValueError: If `after` is of no page.
    """
    known = database.tables()
    if table not in known:
        raise no_table(table, known)
    start = start_of(after)
    names = [name for name, _, _ in database.own(_COLUMNS, (table,))]
    rows = database.own(f"SELECT * FROM {quoted(table)} LIMIT ? OFFSET ?", (limit + 1, start))
    found = [[cell(value) for value in row] for row in rows[:limit]]
    return Peek(names, found, str(start + limit) if len(rows) > limit else None)


def _row_id(database: SqliteDatabase, table: str) -> str | None:
    """The column that is an alias of the row id, or None."""
    keys = [(name, type) for name, type, key in database.own(_COLUMNS, (table,)) if key]
    return keys[0][0] if len(keys) == 1 and keys[0][1] == "INTEGER" else None


def _counted(database: SqliteDatabase, table: str, ids: Mapping[str, str | None]) -> dict[Any, int]:
    names = [name for name, _, _ in database.own(_COLUMNS, (table,))]
    references = {
        column: _identities(database, other, ids)
        for column, other, to in database.own(_REFERENCES, (table,))
        if ids.get(other) is not None and to in (None, ids[other])
    }
    counted: dict[Any, int] = {}
    for values in database.own(f"SELECT * FROM {quoted(table)}"):
        row = Row(
            (name, references[name].get(value, value) if name in references else value)
            for name, value in zip(names, values, strict=True)
            if name != ids[table]
        )
        counted[row] = counted.get(row, 0) + 1
    return counted


def _identities(database: SqliteDatabase, table: str, ids: Mapping[str, str | None]) -> dict[Any, Row]:
    """What identifies each row of a table that others refer to by its row id."""
    id = ids[table]
    referring = {column for column, other, _ in database.own(_REFERENCES, (table,)) if ids.get(other) is not None}
    names = [name for name, _, _ in database.own(_COLUMNS, (table,))]
    return {
        dict(zip(names, values, strict=True))[id]: Row(
            (name, value) for name, value in zip(names, values, strict=True) if name != id and name not in referring
        )
        for values in database.own(f"SELECT * FROM {quoted(table)}")
    }
