"""The SDK's two conversions: a Python value into one of JavaScript for a call, and the result of one back.

Source: workers-runtime-sdk 1.9.5, `python_to_rpc` and `python_from_rpc`; observed on Pyodide 314.0.7.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from durable_engine import ConversionError, JsBigInt, JsDict, JsNull, JsProxy, jsnull

from .buffers import JsBuffer, buffer_from_python
from .collections import JsDate, JsErrorObject, JsMap, JsSet
from .objects import JsArray, JsObject, JsPlain, PyProxy, from_python, js_error, js_text, to_python

_TOO_DEEP = ("maximum recursion depth exceeded",)
"""What Pyodide's Python says. CPython adds where it noticed, and that depends on how deep the caller stood."""


class RpcHolder:
    """Base of the SDK's wrappers of a JavaScript object; such a wrapper crosses as the object.

    Args:
        binding: The object.
    """

    _binding: Any


# -- Python to JavaScript ----------------------------------------------------------------------------------------------


def python_to_rpc(value: Any) -> Any:
    """The value of JavaScript for an argument of a call, or the result of a handler.

    Args:
        value: Any value of Python.

    Raises:
        TypeError: A tuple, a bytearray or an awaitable, at any depth.
        ConversionError: A key of a dict, or an item of a set, that JavaScript cannot have.
        RecursionError: A value that contains itself.
    """
    convert = _TO_RPC.get(type(value))
    try:
        return _other(value) if convert is None else convert(value)
    except RecursionError as error:
        error.args = _TOO_DEEP
        raise


def _list(value: list[Any]) -> JsArray:
    return JsArray([python_to_rpc(item) for item in value])


def _dict(value: dict[Any, Any]) -> JsPlain:
    return JsPlain({key if type(key) is str else _key(key): python_to_rpc(item) for key, item in value.items()})


def _key(key: Any) -> str:
    if isinstance(key, str | int | float | None):
        return js_text(key)
    raise ConversionError(f"Cannot use {key!r} as a key for a Javascript Map")


def _set(value: set[Any]) -> JsSet:
    for item in value:
        if not (item is None or isinstance(item, str | int | float | JsNull)):
            _refuse(item)
            raise ConversionError(f"Cannot use {item!r} as a key for a Javascript Set")
    return JsSet(value)


def _datetime(value: datetime) -> JsDate:
    return JsDate(value.timestamp() * 1000)


def _raise_on_disabled_type(value: object) -> None:
    raise TypeError(f"{type(value)} cannot be sent over RPC.")


def _other(value: Any) -> Any:
    if isinstance(value, RpcHolder):
        return value._binding
    if isinstance(value, JsProxy):
        if getattr(value, "_js_class", None) == "RegExp":
            raise TypeError("RegExp cannot be sent over RPC.")
        return value
    for base, convert in _TO_RPC.items():
        if isinstance(value, base):
            return convert(value)
    if callable(value) and not isinstance(value, type):
        return PyProxy(value)
    if hasattr(value, "js_object"):
        return value.js_object
    if isinstance(value, datetime):
        return _datetime(value)
    if isinstance(value, Exception):
        return JsErrorObject(str(value))
    _refuse(value)
    return PyProxy(value)


def _refuse(value: Any) -> None:
    """Refuse what may stand nowhere; what can be iterated over is, which uses up a generator, as on the platform."""
    if isinstance(value, tuple | bytearray):
        _raise_on_disabled_type(value)
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise TypeError(f"Awaitable {type(value)} cannot be sent over RPC.")
    if isinstance(value, str | bytes | memoryview | JsProxy | RpcHolder) or callable(value):
        return
    try:
        items: Iterable[Any] = iter(value.values() if isinstance(value, dict) else value)
    except TypeError:
        return
    for item in items:
        _refuse(item)


_TO_RPC: dict[type, Callable[[Any], Any]] = {
    type(None): lambda _: jsnull,
    str: from_python,
    bool: from_python,
    int: from_python,
    float: from_python,
    JsNull: from_python,
    JsBigInt: from_python,
    list: _list,
    JsDict: _dict,
    dict: _dict,
    set: _set,
    bytes: buffer_from_python,
    memoryview: buffer_from_python,
    tuple: _raise_on_disabled_type,
    bytearray: _raise_on_disabled_type,
}


# -- JavaScript to Python ----------------------------------------------------------------------------------------------

FROM_RPC: dict[str, Callable[[Any], Any]] = {}
"""What the SDK makes of an object, by the name of its class; the SDK's own classes enter themselves here."""


def python_from_rpc(value: Any) -> Any:
    """The value of Python for a value of JavaScript.

    An object becomes a `JsDict` at every level, an array a list, null and undefined None, a date a naive local
    datetime; an object of any other class stays as it is.

    Args:
        value: A value of JavaScript; one of Python's stays as it is.

    Raises:
        RecursionError: An object that contains itself.
    """
    convert = _FROM_EXACT.get(type(value))
    try:
        if convert is not None:
            return convert(value)
        if isinstance(value, JsProxy):
            return _object_from(value)
    except RecursionError as error:
        error.args = _TOO_DEEP
        raise
    return value


def _plain(value: JsPlain) -> JsDict:
    return JsDict({key: python_from_rpc(item) for key, item in value._entries.items()})


def _array(value: JsArray) -> list[Any]:
    return [python_from_rpc(item) for item in value._items]


def _map(value: JsMap) -> JsDict:
    for key in value._entries:
        if isinstance(key, JsObject):
            raise js_error("Error", f"Cannot use key of type {key._js_class} as a key to a Python dict")
    return JsDict({key: python_from_rpc(item) for key, item in value._entries.items()})


def _js_set(value: JsSet) -> set[Any]:
    return set(value._entries)


def _date(value: JsDate) -> datetime:
    return datetime.fromtimestamp(value._ms / 1000)  # the SDK gives the Worker's local time, naive


def _error(value: JsErrorObject) -> Exception:
    return Exception(value._text())


def _object_from(value: Any) -> Any:
    name = getattr(value, "_js_class", None)
    if name == "TestController":
        return None
    made = FROM_RPC.get(name) if name is not None else None
    if made is not None:
        return made(value)
    if isinstance(value, JsBuffer):
        return value.to_py()
    for base, convert in _FROM_EXACT.items():
        if isinstance(value, base) and (base is not JsErrorObject or name == "Error"):
            return convert(value)
    return value


_FROM_EXACT: dict[type, Callable[[Any], Any]] = {
    JsNull: lambda _: None,
    JsPlain: _plain,
    JsArray: _array,
    JsMap: _map,
    JsSet: _js_set,
    JsDate: _date,
    JsErrorObject: _error,
    PyProxy: to_python,
}
