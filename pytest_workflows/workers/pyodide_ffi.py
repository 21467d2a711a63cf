"""Served as `pyodide.ffi`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from durable_engine import ConversionError, JsBigInt, JsException, JsNull, JsProxy, jsnull

from .js_convert import JsDoubleProxy, create_once_callable, create_proxy, destroy_proxies, to_js
from .missing import not_yet
from .run_sync import can_run_sync, run_sync

_CLASSES = {
    "JsArray": ("objects", "JsArray"),
    "JsBuffer": ("buffers", "JsBuffer"),
    "JsCallable": ("objects", "JsFunction"),
    "JsIterator": ("iterators", "JsIterator"),
    "JsMap": ("collections", "JsMap"),
    "JsMutableMap": ("collections", "JsMap"),
    "JsPromise": ("objects", "JsPromise"),
    "JsTypedArray": ("buffers", "JsTypedArray"),
}
"""The classes that are imported when a source names them, by module and by their names there."""

__all__ = [
    *_CLASSES,
    "ConversionError",
    "JsBigInt",
    "JsDoubleProxy",
    "JsException",
    "JsNull",
    "JsProxy",
    "can_run_sync",
    "create_once_callable",
    "create_proxy",
    "destroy_proxies",
    "jsnull",
    "register_js_module",
    "run_sync",
    "to_js",
    "unregister_js_module",
]

# Not a package; but only for one does `from pyodide.ffi import X` ask the import hook, which can say why there is no X.
__path__: list[str] = []


def register_js_module(name: str, jsproxy: Any) -> None:
    """Make an object importable as a module.

    Args:
        name: The module's name.
        jsproxy: The object.
    """
    sys.modules[name] = jsproxy
    _registered.add(name)


def unregister_js_module(name: str) -> None:
    """Undo `register_js_module`.

    Args:
        name: The module's name.

    Raises:
        ValueError: It was not registered.
    """
    if name not in _registered:
        raise ValueError(f"Cannot unregister {name!r}: no Javascript module with that name is registered")
    _registered.discard(name)
    sys.modules.pop(name, None)


_registered: set[str] = set()


def __getattr__(name: str) -> Any:
    if name not in _CLASSES:
        raise not_yet("pyodide.ffi", name, __all__)
    module, theirs = _CLASSES[name]
    return getattr(import_module(f"pytest_workflows.javascript.{module}"), theirs)
