"""Structured clone: the copy of a value that storage keeps, and the one that crosses to another Worker or object.

Source: workerd 1.20261117.1, observed with workers-runtime-sdk 1.9.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

from durable_engine import JsBigInt, JsException, JsNull

from .buffers import JsArrayBuffer, JsBufferView
from .collections import JsDate, JsErrorObject, JsMap, JsSet
from .objects import JsArray, JsFunction, JsObject, JsPlain, JsPromise, PyProxy, js_error

_KEPT: Final = frozenset((type(None), bool, int, float, str, JsNull, JsBigInt))
_UNCHANGING: Final = frozenset({"RegExp", "Number", "String", "Boolean", "BigInt"})
"""Classes whose objects have nothing that changes, but where the next match of a RegExp begins."""


class Cloner:
    """Makes copies of values; an object that a value holds twice is one in its copy, too.

    One cloner serves one value, or the arguments of one call.
    """

    _copiers: ClassVar[dict[type, Callable[[Any, Any], Any]]] = {}

    def __init__(self) -> None:
        self._copies: dict[int, Any] = {}
        self._originals: list[Any] = []  # alive, so that no other object gets the id of one

    def clone(self, value: Any) -> Any:
        """The copy of a value.

        Args:
            value: A value of JavaScript.

        Raises:
            JsException: A `DataCloneError`, where the value holds something that cannot be copied.
        """
        kind = type(value)
        if kind in _KEPT:
            return value
        found = self._copies.get(id(value))
        if found is not None:
            return found
        copier = self._copiers.get(kind)
        return self._other(value) if copier is None else copier(self, value)

    def _keep(self, value: Any, copy: Any) -> Any:
        self._copies[id(value)] = copy
        self._originals.append(value)
        return copy

    def _plain(self, value: JsPlain) -> JsPlain:
        copy: JsPlain = self._keep(value, JsPlain())
        entries = copy._entries
        for key, item in value._entries.items():
            entries[key] = item if type(item) in _KEPT else self.clone(item)
        return copy

    def _array(self, value: JsArray) -> JsArray:
        copy: JsArray = self._keep(value, JsArray([]))
        copy._items.extend(item if type(item) in _KEPT else self.clone(item) for item in value._items)
        return copy

    def _map(self, value: JsMap) -> JsMap:
        copy: JsMap = self._keep(value, JsMap())
        for key, item in value._entries.items():
            copy._entries[self.clone(key)] = self.clone(item)
        return copy

    def _set(self, value: JsSet) -> JsSet:
        copy: JsSet = self._keep(value, JsSet())
        for item in value._entries:
            copy._entries[self.clone(item)] = None
        return copy

    def _date(self, value: JsDate) -> JsDate:
        return self._keep(value, JsDate(value._ms))  # type: ignore[no-any-return]

    def _buffer(self, value: JsArrayBuffer) -> JsArrayBuffer:
        return self._keep(value, JsArrayBuffer(value._data))  # type: ignore[no-any-return]

    def _view(self, value: JsBufferView) -> Any:
        buffer = self.clone(value._buffer)
        return self._keep(value, type(value)(buffer, value._offset, value._length))  # type: ignore[call-arg]

    def _error(self, value: JsErrorObject) -> JsErrorObject:
        copy: JsErrorObject = self._keep(value, type(value).__new__(type(value)))
        copy.__dict__.update({name: self.clone(item) for name, item in vars(value).items()})
        return copy

    def _other(self, value: Any) -> Any:
        for base, copier in self._copiers.items():
            if isinstance(value, base):
                return copier(self, value)
        if isinstance(value, PyProxy):
            return self._proxy(value)
        if isinstance(value, JsFunction):
            return self._function(value)
        if isinstance(value, JsPromise):
            raise not_cloned("#<Promise>")
        if isinstance(value, JsObject):
            return self._object(value)
        if isinstance(value, int | float | str):
            return value
        raise not_cloned("[object Object]")

    def _proxy(self, value: PyProxy) -> Any:
        raise not_cloned("function(){}" if callable(value._object) else "[object Object]")

    def _function(self, value: JsFunction) -> Any:
        raise not_cloned(repr(value))

    def _object(self, value: JsObject) -> Any:
        if value._js_class in _UNCHANGING:
            return value
        raise not_serialized(value._js_class)


Cloner._copiers.update(
    {
        JsPlain: Cloner._plain,
        JsArray: Cloner._array,
        JsMap: Cloner._map,
        JsSet: Cloner._set,
        JsDate: Cloner._date,
        JsArrayBuffer: Cloner._buffer,
        JsBufferView: Cloner._view,
        JsErrorObject: Cloner._error,
    }
)


def clone(value: Any) -> Any:
    """The structured clone of a value, as storage keeps it.

    Args:
        value: A value of JavaScript.

    Raises:
        JsException: A `DataCloneError`, where the value holds something that cannot be copied.
    """
    return value if type(value) in _KEPT else Cloner().clone(value)


class _InMemory(Cloner):
    """Copies what only has to be copied within one Worker."""

    def _object(self, value: JsObject) -> Any:
        return value if value._js_class == "Blob" else super()._object(value)


def structured_clone(value: Any = None, options: Any = None) -> Any:
    """JavaScript's `structuredClone`: a copy of a value.

    Args:
        value: Any value of JavaScript.
        options: Accepted; nothing is transferred.

    Raises:
        JsException: A `DataCloneError`, for a function or an object of a class that cannot be copied.
    """
    return _InMemory().clone(value)


def not_cloned(what: str) -> JsException:
    """The error of V8 for a value that it cannot clone.

    Args:
        what: The value's text.
    """
    return clone_error(f"{what} could not be cloned.")


def not_serialized(js_class: str) -> JsException:
    """The error of the runtime for an object of one of its classes that cannot cross.

    Args:
        js_class: The class.
    """
    return clone_error(f'Could not serialize object of type "{js_class}". This type does not support serialization.')


def clone_error(text: str) -> JsException:
    """A `DataCloneError`.

    Args:
        text: What cannot be copied.
    """
    error = js_error("DataCloneError", text)
    error.code = 25  # type: ignore[attr-defined]
    return error
