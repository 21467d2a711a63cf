"""The contents of a class of Durable Objects: what each object has stored."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from durable_engine import JsException, show
from pytest_workflows.javascript.rpc import python_from_rpc

from .object_data import ObjectData, OpenDatabase
from .peeks import Peek, instant, no_table, page_of
from .sqlite import SqliteDatabase
from .stores import Row

if TYPE_CHECKING:
    from .object_alarms import Alarm
    from .object_sockets import ObjectSockets
    from .running_object import RunningObject


class KeptObjects(Protocol):
    """The objects of a class where they outlive the process."""

    def ids(self) -> list[str]:
        """The ids of the objects that have stored anything."""

    def with_alarms(self) -> list[str]:
        """The ids of those that may have an alarm."""

    def names(self) -> dict[str, str]:
        """The names of those whose names are known, by id."""

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


class ObjectStore:
    """What the objects of one class have stored, and those of them that are in memory.

    Args:
        kept: Where they are kept; None for in memory only.

    Attributes:
        names: The names of the objects whose names are known, by id.
        running: The objects in memory, by id: no contents, and in no copy.
        alarms: The objects' alarms, by id, which outlive what is in memory; in no copy.
        sockets: The objects' WebSockets, by id, likewise.
        open_database: Opens an object's database; None as long as nobody has a binding to the class.
        made: The class, as its newest binding has it; None as long as nobody has one.
    """

    def __init__(self, kept: KeptObjects | None = None) -> None:
        self._kept = kept
        self._objects: dict[str, ObjectData] = {}
        self.names: dict[str, str] = {} if kept is None else kept.names()
        self.running: dict[str, RunningObject] = {}
        self.alarms: dict[str, Alarm] = {}
        self.sockets: dict[str, ObjectSockets] = {}
        self.open_database: OpenDatabase | None = None
        self.made: type | None = None

    @property
    def is_kept(self) -> bool:
        """Whether what objects store outlives the process."""
        return self._kept is not None

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
            found = self._objects[digits] = self._new_data(digits)
        return found

    def _new_data(self, digits: str) -> ObjectData:
        if self._kept is None:
            return ObjectData(self._open)
        return self._kept.data(digits, self._open, lambda: self.names.get(digits), lambda: self._is_busy(digits))

    def _is_busy(self, digits: str) -> bool:
        running = self.running.get(digits)
        return running is not None and running.is_busy

    def ids(self) -> list[str]:
        """The ids of the objects that have stored anything, in order."""
        if self._kept is not None:
            return sorted(self._kept.ids())
        return sorted(digits for digits, data in self._objects.items() if not data.is_empty)

    def with_alarms(self) -> list[str]:
        """The ids of the objects that have an alarm, in order; without those whose file cannot be read."""
        found = []
        for digits in self.ids() if self._kept is None else sorted(self._kept.with_alarms()):
            with suppress(JsException):
                if self.data(digits).alarm is not None:
                    found.append(digits)
        return found

    def _open(self, file: bytes | None, path: Path | None = None) -> SqliteDatabase:
        if self.open_database is None:  # to be compared only
            from random import Random

            return SqliteDatabase(lambda: 0, lambda: Random(0), file, path)
        return self.open_database(file) if path is None else self.open_database(file, path)

    def copy(self) -> ObjectStore:
        """A store of the same contents; the values of keys are shared."""
        made = ObjectStore()
        made.names = dict(self.names)
        made._objects = {digits: data.copy(made._open) for digits, data in self._contained()}
        return made

    def _contained(self) -> Iterator[tuple[str, ObjectData]]:
        """The objects, by id, in order."""
        ids = self._objects if self._kept is None else self.ids()
        for digits in sorted(ids):
            yield digits, self.data(digits)

    def contents(self) -> dict[str, dict[Any, Any]]:
        """Keys, tables, and whether an alarm is set, each with the object's name or id."""
        keys: dict[Any, Any] = {}
        alarms: dict[Any, Any] = {}
        made: dict[str, dict[Any, Any]] = {}
        for digits, data in self._contained():
            who = self.names.get(digits, digits)
            keys.update({(who, key): python_from_rpc(value) for key, value in data.entries().items()})
            if data.alarm is not None:
                alarms[who] = "set"
            for table, rows in data.tables().items():
                counted = made.setdefault(table, {})
                counted.update({Row((("(object)", who), *row)): count for row, count in rows.items()})
        return {"": keys, "(alarms)": alarms, **made}

    def tables(self) -> list[str]:
        """The objects, their keys and alarms, and the tables of the databases of the first of them."""
        first = islice(self._all(), _TABLES_OF)
        return [*_OWN_TABLES, *dict.fromkeys(table for _, data in first for table in data.table_names())]

    def peek(self, table: str, after: str | None = None, limit: int = 50) -> Peek:
        """A page of a table, over all objects."""
        if table not in _OWN_TABLES:
            return self._peek_sql(table, after, limit)
        columns, rows_of = _OWN_TABLES[table]
        rows = ((who, *row) for who, data in self._all() for row in rows_of(data))
        return page_of(("object", *columns), rows, after, limit)

    def _peek_sql(self, table: str, after: str | None, limit: int) -> Peek:
        """A page of a table of the objects' databases: of one object, and the next page of the one behind it."""
        behind, _, inner = (after or "").partition(":")
        ids = self.ids()
        for at in range(bisect_left(ids, behind), len(ids)):
            digits = ids[at]
            data = self.data(digits)
            if table not in data.table_names():
                continue
            found = data.peek(table, inner if inner and digits == behind else None, limit)
            following = None if at + 1 == len(ids) else f"{ids[at + 1]}:"
            rows = [[self.names.get(digits, digits), *row] for row in found.rows]
            return Peek(["object", *found.columns], rows, following if found.next is None else f"{digits}:{found.next}")
        if after is None:
            raise no_table(table, self.tables())
        return Peek(["object"], [], None)

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


_TABLES_OF: Final = 20
"""Of how many objects the tables are listed: each file has to be read for it."""
_OWN_TABLES: Final[dict[str, tuple[tuple[str, ...], Callable[[ObjectData], Iterator[tuple[object, ...]]]]]] = {
    "objects": (("keys", "tables", "alarm"), _object_rows),
    "keys": (("key", "value"), _key_rows),
    "alarms": (("due",), _alarm_rows),
}
"""What is no table of a database: its columns, and its rows of one object."""

__all__ = ["ObjectStore"]
