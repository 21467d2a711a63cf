"""Served as `pyodide.ffi`."""

from __future__ import annotations

from typing import NoReturn

from durable_engine import ConversionError, JsBigInt, JsException, JsProxy, jsnull

from .js_convert import JsDoubleProxy, create_once_callable, create_proxy, to_js
from .missing import not_yet
from .run_sync import can_run_sync, run_sync

__all__ = [
    "ConversionError",
    "JsBigInt",
    "JsDoubleProxy",
    "JsException",
    "JsProxy",
    "can_run_sync",
    "create_once_callable",
    "create_proxy",
    "jsnull",
    "run_sync",
    "to_js",
]

# Not a package; but only for one does `from pyodide.ffi import X` ask the import hook, which can say why there is no X.
__path__: list[str] = []


def __getattr__(name: str) -> NoReturn:
    raise not_yet("pyodide.ffi", name, __all__)
