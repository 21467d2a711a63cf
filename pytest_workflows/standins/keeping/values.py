"""Values of JavaScript as bytes, as a structured clone has them: an object that is in a value twice is so afterwards.

The bytes are MessagePack: the value, and a list of its objects, each with the name of its class. A value in them is a
text, a number, a boolean or nothing for undefined as it is, and a list of a letter and the rest for anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import msgspec

from durable_engine import JsBigInt, JsNull, jsnull
from pytest_workflows.javascript.buffers import JsArrayBuffer, JsBufferView
from pytest_workflows.javascript.cloning import not_serialized
from pytest_workflows.javascript.collections import JsDate, JsErrorObject, JsMap, JsSet
from pytest_workflows.javascript.objects import JsArray, JsObject, JsPlain

from .layout import from_column, to_column

_OBJECT: Final = "o"
_NULL: Final = "n"
_BIGINT: Final = "b"

_BOXES: Final = frozenset(["Number", "String", "Boolean"])


def encode(value: Any) -> bytes:
    """The bytes of a value.

    Args:
        value: A value of JavaScript, a clone.
    """
    writer = _Writer()
    root = writer.reference(value)
    return msgspec.msgpack.encode((root, writer.nodes()))


def decode(data: bytes) -> Any:
    """The value that bytes are of.

    Args:
        data: The bytes.
    """
    root, nodes = msgspec.msgpack.decode(data)
    return _Reader(nodes).value(root)


class _Writer:
    """Writes the objects of a value, each once."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._objects: list[Any] = []

    def reference(self, value: Any) -> Any:
        """What stands for a value where it is used."""
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, JsBigInt):
            return (_BIGINT, str(int(value)))
        if isinstance(value, int):
            return int(value)
        if isinstance(value, str):
            return to_column(str(value))
        if isinstance(value, JsNull):
            return (_NULL,)
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
        return (_OBJECT, number)

    def nodes(self) -> list[Any]:
        """The objects; those that one of them holds are behind it."""
        found: list[Any] = []
        while len(found) < len(self._objects):
            found.append(self._node(self._objects[len(found)]))
        return found

    def _node(self, value: Any) -> tuple[Any, ...]:
        of = self.reference
        if isinstance(value, JsPlain):
            return ("Object", [(of(key), of(item)) for key, item in value._entries.items()])
        if isinstance(value, JsArray):
            return ("Array", [of(item) for item in value._items])
        if isinstance(value, JsMap):
            return ("Map", [(of(key), of(item)) for key, item in value._entries.items()])
        if isinstance(value, JsSet):
            return ("Set", [of(item) for item in value._entries])
        if isinstance(value, JsDate):
            return ("Date", value._ms)
        if isinstance(value, JsArrayBuffer):
            return ("ArrayBuffer", bytes(value._data))
        if isinstance(value, JsBufferView):
            return (value._js_class, of(value._buffer), value._offset, value._length)
        if isinstance(value, JsErrorObject):
            return ("Error", value._js_class, [(name, of(item)) for name, item in vars(value).items()])
        return self._of_class(value)

    def _of_class(self, value: JsObject) -> tuple[Any, ...]:
        name = value._js_class
        if name == "RegExp":
            return (name, self.reference(value.source), self.reference(value.flags))
        if name in _BOXES:
            return (name, self.reference(value._primitive))
        raise not_serialized(name)


class _Reader:
    """Makes the objects of a value.

    Args:
        nodes: The objects, as they are written.
    """

    def __init__(self, nodes: list[Any]) -> None:
        self._nodes = nodes
        # A view needs its buffer, and everything else only to be there before it is filled.
        self._objects = [None if node[0] in _views() else self._made(node) for node in nodes]
        for number, node in enumerate(nodes):
            if node[0] in _views():
                self._objects[number] = _views()[node[0]](self.value(node[1]), node[2], node[3])
        for made, node in zip(self._objects, nodes, strict=True):
            self._fill(made, node)

    def value(self, written: Any) -> Any:
        """The value that something written stands for."""
        if isinstance(written, bytes):
            return from_column(written)
        if not isinstance(written, list):
            return written
        match written:
            case ["o", number]:
                return self._objects[number]
            case ["b", digits]:
                return JsBigInt(digits)
            case _:
                return jsnull

    def _made(self, node: list[Any]) -> Any:
        kind = node[0]
        if kind in _EMPTY:
            return _EMPTY[kind]()
        if kind == "Date":
            return JsDate(node[1])
        if kind == "ArrayBuffer":
            return JsArrayBuffer(node[1])
        if kind == "Error":
            made = _errors().get(node[1], JsErrorObject)
            return made.__new__(made)
        return _of_class(kind, [self.value(one) for one in node[1:]])

    def _fill(self, made: Any, node: list[Any]) -> None:
        match node:
            case ["Object" | "Map", pairs]:
                made._entries.update((self.value(key), self.value(item)) for key, item in pairs)
            case ["Set", items]:
                made._entries.update((self.value(item), None) for item in items)
            case ["Array", items]:
                made._items.extend(self.value(item) for item in items)
            case ["Error", _, pairs]:
                made.__dict__.update((name, self.value(item)) for name, item in pairs)


_EMPTY: Final[dict[str, Callable[[], Any]]] = {
    "Object": JsPlain,
    "Array": lambda: JsArray([]),
    "Map": JsMap,
    "Set": JsSet,
}


def _of_class(name: str, values: list[Any]) -> Any:
    if name == "RegExp":
        from pytest_workflows.javascript.regexp import RegExp

        return RegExp(*values)
    from pytest_workflows.javascript import language

    return getattr(language, name)(*values)


def _all_of(base: type) -> dict[str, Any]:
    """The classes that derive from one, by their names in JavaScript."""
    found: dict[str, Any] = {}
    classes: list[Any] = base.__subclasses__()
    for one in classes:
        found |= {one._js_class: one, **_all_of(one)}
    return found


@cache
def _views() -> dict[str, Any]:
    return _all_of(JsBufferView)


@cache
def _errors() -> dict[str, Any]:
    from pytest_workflows.javascript import errors  # noqa: F401  # defines them

    return _all_of(JsErrorObject)


__all__ = ["decode", "encode"]
