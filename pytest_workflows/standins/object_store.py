"""The contents of a class of Durable Objects: what each object has stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_workflows.javascript.rpc import python_from_rpc

from .object_data import ObjectData, OpenDatabase
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

    def close(self) -> None:
        """Let go of the databases."""
        for data in self._objects.values():
            data.close()
        self.running.clear()


__all__ = ["ObjectStore"]
