"""Each kind of store as tables of text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from random import Random
from typing import Any

from durable_engine import to_datetime
from pytest_workflows.javascript.rpc import python_from_rpc
from pytest_workflows.messages.short_repr import counted
from pytest_workflows.standins.d1_store import D1Store
from pytest_workflows.standins.kv_store import KvStore
from pytest_workflows.standins.object_store import ObjectStore
from pytest_workflows.standins.queue_store import QueueStore
from pytest_workflows.standins.r2_store import R2Store
from pytest_workflows.standins.sqlite import SqliteDatabase
from pytest_workflows.standins.sqlite.statements import quoted
from pytest_workflows.standins.stores import Store

from .models import StorePage, TableModel

_LONGEST = 4000
_KEYS = "(keys)"
_ALARMS = "(alarms)"
_KEPT_TABLES = frozenset({"sqlite_sequence"})

Cells = Sequence[object]


def tables_of(store: Store, now_ms: int) -> list[TableModel]:
    """The parts of a store.

    Args:
        store: The store.
        now_ms: The time of the engine's clock, in milliseconds since 1970.
    """
    if isinstance(store, D1Store):
        with _database(store, now_ms) as database:
            return [TableModel(name=name, count=_count(database, name)) for name in _tables(database)]
    if isinstance(store, ObjectStore):
        return [TableModel(name=name, count=len(rows)) for name, (_, rows) in _of_objects(store).items()]
    if isinstance(store, KvStore | R2Store | QueueStore):
        return [TableModel(name="", count=sum(1 for _ in _rows(store, "", now_ms)))]
    return [TableModel(name=name, count=len(rows)) for name, rows in store.contents().items()]


def page_of(store: Store, table: str, search: str, after: int, limit: int, now_ms: int) -> StorePage | None:
    """A page of a store's table; None where it has no such table.

    Args:
        store: The store.
        table: The table; empty where the store has but one.
        search: What its rows' text must hold.
        after: How many rows come before it.
        limit: How many rows at most.
        now_ms: The time of the engine's clock, in milliseconds since 1970.
    """
    if isinstance(store, D1Store):
        with _database(store, now_ms) as database:
            is_there = table in _tables(database)
            return _of_database(database, table, search, after, limit) if is_there else None
    if isinstance(store, ObjectStore):
        found = _of_objects(store).get(table)
        return None if found is None else _page(*found, search, after, limit)
    if isinstance(store, KvStore | R2Store | QueueStore):
        return None if table else _page(_COLUMNS[type(store)], _rows(store, table, now_ms), search, after, limit)
    contents = store.contents().get(table)
    return None if contents is None else _page(("Key", "Value"), contents.items(), search, after, limit)


def _page(columns: Sequence[str], rows: Iterable[Cells], search: str, after: int, limit: int) -> StorePage:
    words = search.lower().split()
    texts = ([cell(value) for value in row] for row in rows)
    fitting = (row for row in texts if all(word in " ".join(text or "" for text in row).lower() for word in words))
    found = list(islice(fitting, after, after + limit + 1))
    return StorePage(columns=list(columns), rows=found[:limit], after=after + limit if len(found) > limit else None)


# -- keys, objects, messages -----------------------------------------------------------------------------------------

_COLUMNS: dict[type, tuple[str, ...]] = {
    KvStore: ("Key", "Value", "Metadata", "Expires"),
    R2Store: ("Key", "Size", "Content", "Uploaded", "Content type", "Metadata"),
    QueueStore: ("Sent", "Body", "Failed deliveries", "Id"),
}


def _rows(store: KvStore | R2Store | QueueStore, table: str, now_ms: int) -> Iterable[Cells]:
    if isinstance(store, KvStore):
        for key, entry in store.page(now_ms, "", "", 2**31)[0]:
            expires = None if entry.expiration is None else _moment(entry.expiration * 1000)
            yield key, entry.value, entry.metadata, expires
    elif isinstance(store, R2Store):
        for one in store.page("", None, 2**31).objects:
            yield (
                one.key,
                len(one.data),
                one.data[:_LONGEST],
                _moment(one.uploaded),
                one.http.get("contentType"),
                dict(one.custom) or None,
            )
    else:
        for message in store.messages():
            yield _moment(message.timestamp), message.content, message.failures, message.id


def _moment(ms: int) -> str:
    return to_datetime(ms).strftime("%Y-%m-%d %H:%M:%S UTC")


# -- databases -------------------------------------------------------------------------------------------------------


@contextmanager
def _database(store: D1Store, now_ms: int) -> Iterator[SqliteDatabase]:
    # What nobody has used stays closed: whoever opens it gives it the clock that its SQL sees from then on.
    database = store.opened or SqliteDatabase(lambda: now_ms, lambda: Random(0), store.file())
    try:
        yield database
    finally:
        if database is not store.opened:
            database.close()


def _tables(database: SqliteDatabase) -> list[str]:
    return [name for name in database.tables() if name not in _KEPT_TABLES]


def _count(database: SqliteDatabase, table: str) -> int:
    return int(str(database.own(f"SELECT count(*) FROM {quoted(table)}")[0][0]))


def _of_database(database: SqliteDatabase, table: str, search: str, after: int, limit: int) -> StorePage:
    columns = [str(row[1]) for row in database.own(f"PRAGMA table_info({quoted(table)})")]
    text = " || ' ' || ".join(f"coalesce({quoted(column)}, '')" for column in columns)
    words = search.lower().split()
    where = " AND ".join(f"instr(lower({text}), ?) > 0" for _ in words) or "1"
    sql = f"SELECT * FROM {quoted(table)} WHERE {where} LIMIT ? OFFSET ?"
    rows = database.own(sql, [*words, limit + 1, after])
    more = after + limit if len(rows) > limit else None
    return StorePage(columns=columns, rows=[[cell(value) for value in row] for row in rows[:limit]], after=more)


def _of_objects(store: ObjectStore) -> dict[str, tuple[list[str], list[Cells]]]:
    """The objects of a class as tables: their keys, their alarms, and the rows of their own tables."""
    found: dict[str, tuple[list[str], list[Cells]]] = {_KEYS: (["Object", "Key", "Value"], [])}
    for digits in store.ids():
        data, who = store.data(digits), store.names.get(digits, digits)
        found[_KEYS][1].extend((who, key, python_from_rpc(value)) for key, value in data.entries().items())
        if data.alarm is not None:
            found.setdefault(_ALARMS, (["Object", "Due"], []))[1].append((who, _moment(data.alarm)))
        for table, rows in data.tables().items():
            for row, times in rows.items():
                columns = ["Object", *(name for name, _ in row)]
                cells = (who, *(value for _, value in row))
                found.setdefault(table, (columns, []))[1].extend([cells] * times)
    return found


# -- a value ---------------------------------------------------------------------------------------------------------


def cell(value: object) -> str | None:
    """A value as text; None for nothing.

    Args:
        value: The value: plain, or bytes.
    """
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return _of_bytes(bytes(value))
    if isinstance(value, str):
        return _cut(value)
    return _cut(json.dumps(_plain(value), ensure_ascii=False, default=str))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return _of_bytes(bytes(value)) if isinstance(value, bytes | bytearray) else value


def _of_bytes(value: bytes) -> str:
    try:
        return _cut(value.decode())
    except UnicodeDecodeError:
        return f"({counted(len(value), 'byte')}) {_cut(value[:200].hex(' '))}"


def _cut(text: str) -> str:
    shown = text.encode("utf-8", "backslashreplace").decode()
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}… ({counted(len(shown), 'character')})"
