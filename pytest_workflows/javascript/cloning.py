"""JavaScript's `structuredClone`: a copy of a value, as far as there can be one."""

from __future__ import annotations

from typing import Any

from durable_engine import JsProxy

from .blob import Blob
from .collections import JsArrayBuffer, JsDataView, JsDate, JsErrorObject, JsMap, JsSet, JsTypedArray
from .objects import JsArray, JsFunction, JsPlain, PyProxy, js_error


def structured_clone(value: Any = None, options: Any = None) -> Any:
    """A copy of a value.

    Args:
        value: Any value of JavaScript.
        options: Accepted; nothing is transferred.

    Raises:
        JsException: A DataCloneError, for a function or an object of a class that cannot be copied.
    """
    return _clone(value, {})


def _clone(value: Any, made: dict[int, Any]) -> Any:
    if not isinstance(value, JsProxy):
        return value
    if id(value) in made:
        return made[id(value)]
    if isinstance(value, JsPlain):
        plain = made[id(value)] = JsPlain()
        plain._entries.update({key: _clone(item, made) for key, item in value._entries.items()})
        return plain
    if isinstance(value, JsArray):
        array = made[id(value)] = JsArray()
        array._items.extend(_clone(item, made) for item in value._items)
        return array
    if isinstance(value, JsMap):
        copied = made[id(value)] = JsMap()
        copied._entries.update({_clone(key, made): _clone(item, made) for key, item in value._entries.items()})
        return copied
    if isinstance(value, JsSet):
        items = made[id(value)] = JsSet()
        items._items.update({_clone(item, made): None for item in value._items})
        return items
    made[id(value)] = copy = _leaf(value, made)
    return copy


def _leaf(value: Any, made: dict[int, Any]) -> Any:
    if isinstance(value, JsDate):
        return JsDate(value._ms)
    if isinstance(value, JsArrayBuffer):
        return JsArrayBuffer(value._data)
    if isinstance(value, JsTypedArray):
        return type(value)(_clone(value._buffer, made), value._offset, value._length)
    if isinstance(value, JsDataView):
        return JsDataView(_clone(value._buffer, made), value._offset, value._length)
    if isinstance(value, JsErrorObject):
        return JsErrorObject(value.message, value.name)
    if isinstance(value, Blob):
        return value
    if type(value)._js_class == "RegExp":
        return value
    kind = "function" if isinstance(value, JsFunction | PyProxy) else f"#<{type(value)._js_class}>"
    raise js_error(
        "DataCloneError", f"{value!r} could not be cloned." if kind == "function" else f"{kind} could not be cloned."
    )
