"""The contents of a class of Durable Objects: what each object has stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from durable_engine import show
from pytest_workflows.javascript.rpc import python_from_rpc

from .object_data import ObjectData, OpenDatabase
from .peeks import Peek, instant, no_table, page_of, start_of
from .sqlite import SqliteDatabase
from .stores import Row

if TYPE_CHECKING:
    from .object_alarms import Alarm
    from .object_sockets import ObjectSockets
    from .running_object import RunningObject


class ObjectStore:
    """What the objects of one class have stored, and those of them that are in memory.

    Attributes:
        names: The names of the objects whose names are known, by id.
        running: The objects in memory, by id: no contents, and in no copy.
        alarms: The objects' alarms, by id, which outlive what is in memory; in no copy.
        sockets: The objects' WebSockets, by id, likewise.
        open_database: Opens an object's database; None as long as nobody has a binding to the class.
        made: The class, as its newest binding has it; None as long as nobody has one.
    """

    def __init__(self) -> None:
        self._objects: dict[str, ObjectData] = {}
        self.names: dict[str, str] = {}
        self.running: dict[str, RunningObject] = {}
        self.alarms: dict[str, Alarm] = {}
        self.sockets: dict[str, ObjectSockets] = {}
        self.open_database: OpenDatabase | None = None
        self.made: type | None = None

    def reset(self, error: BaseException) -> None:
        """Drop every object from memory; the calls that are under way fail.

        Args:
            error: What they fail with.
        """
        for running in list(self.running.values()):
            running.end(error)

    def data(self, digits: str) -> ObjectData:
        """The contents of one object.

        Args:
            digits: Its id.
        """
        found = self._objects.get(digits)
        if found is None:
            found = self._objects[digits] = ObjectData(self._open)
        return found

    def ids(self) -> list[str]:
        """The ids of the objects that have stored anything, in order."""
        return sorted(digits for digits, data in self._objects.items() if not data.is_empty)

    def _open(self, file: bytes | None) -> SqliteDatabase:
        if self.open_database is None:  # to be compared only
            from random import Random

            return SqliteDatabase(lambda: 0, lambda: Random(0), file)
        return self.open_database(file)

    def copy(self) -> ObjectStore:
        """A store of the same contents; the values of keys are shared."""
        made = ObjectStore()
        made.names = dict(self.names)
        made._objects = {digits: data.copy(made._open) for digits, data in self._objects.items()}
        return made

    def contents(self) -> dict[str, dict[Any, Any]]:
        """Keys, tables, and whether an alarm is set, each with the object's name or id."""
        keys: dict[Any, Any] = {}
        alarms: dict[Any, Any] = {}
        made: dict[str, dict[Any, Any]] = {}
        for digits, data in sorted(self._objects.items()):
            who = self.names.get(digits, digits)
            keys.update({(who, key): python_from_rpc(value) for key, value in data.entries().items()})
            if data.alarm is not None:
                alarms[who] = "set"
            for table, rows in data.tables().items():
                counted = made.setdefault(table, {})
                counted.update({Row((("(object)", who), *row)): count for row, count in rows.items()})
        return {"": keys, "(alarms)": alarms, **made}

    def tables(self) -> list[str]:
        """The objects, their keys and alarms, and the tables of their databases."""
        return [*_OWN_TABLES, *dict.fromkeys(table for _, data in self._all() for table in data.table_names())]

    def peek(self, table: str, after: str | None = None, limit: int = 50) -> Peek:
        """A page of a table, over all objects."""
        if table not in _OWN_TABLES:
            return self._peek_sql(table, after, limit)
        columns, rows_of = _OWN_TABLES[table]
        rows = ((who, *row) for who, data in self._all() for row in rows_of(data))
        return page_of(("object", *columns), rows, after, limit)

    def _peek_sql(self, table: str, after: str | None, limit: int) -> Peek:
        """A page of a table of the objects' databases: of one object, and the next page of the one behind it."""
        holding = [(who, data) for who, data in self._all() if table in data.table_names()]
        if not holding:
            raise no_table(table, self.tables())
        at, _, inner = (after or "0.").partition(".")
        at_object = start_of(at)
        if at_object >= len(holding):
            return Peek([], [], None)
        who, data = holding[at_object]
        found = data.peek(table, inner or None, limit)
        rest = f"{at_object + 1}." if at_object + 1 < len(holding) else None
        behind = rest if found.next is None else f"{at_object}.{found.next}"
        return Peek(["object", *found.columns], [[who, *row] for row in found.rows], behind)

    def _all(self) -> Iterator[tuple[str, ObjectData]]:
        """The objects, by name or id."""
        for digits in self.ids():
            yield self.names.get(digits, digits), self.data(digits)

    def close(self) -> None:
        """Let go of the databases."""
        for data in self._objects.values():
            data.close()
        self.running.clear()


def _object_rows(data: ObjectData) -> Iterator[tuple[object, ...]]:
    yield len(data.entries()), ", ".join(data.table_names()), instant(data.alarm)


def _key_rows(data: ObjectData) -> Iterator[tuple[object, ...]]:
    for key, value in sorted(data.entries().items()):
        yield key, show(python_from_rpc(value))


def _alarm_rows(data: ObjectData) -> Iterator[tuple[object, ...]]:
    if data.alarm is not None:
        yield (instant(data.alarm),)


_OWN_TABLES: Final[dict[str, tuple[tuple[str, ...], Callable[[ObjectData], Iterator[tuple[object, ...]]]]]] = {
    "objects": (("keys", "tables", "alarm"), _object_rows),
    "keys": (("key", "value"), _key_rows),
    "alarms": (("due",), _alarm_rows),
}
"""What is no table of a database: its columns, and its rows of one object."""

__all__ = ["ObjectStore"]
