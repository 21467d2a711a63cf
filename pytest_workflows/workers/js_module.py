"""Served as `js`: the few JavaScript globals that sources use which still convert by hand."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any, NoReturn

from durable_engine import JsProxy, jsnull

from . import js_json
from .missing import not_yet

__all__ = ["JSON", "Date", "Object", "console"]

# Not a package; but only for one does `from js import X` ask the import hook, which can say why there is no X.
__path__: list[str] = []


class Object:
    """JavaScript's `Object`, with what `to_js(..., dict_converter=Object.fromEntries)` needs.

    Example:
        >>> Object.fromEntries([["id", "order-1"]]).id
        'order-1'
    """

    @staticmethod
    def fromEntries(entries: Iterable[Iterable[Any]]) -> JsProxy:
        """An object with these entries.

        Args:
            entries: Pairs of key and value.
        """
        pairs = (tuple(entry) for entry in entries)
        return JsProxy({key: value.to_py() if isinstance(value, JsProxy) else value for key, value in pairs})


class Date:
    """JavaScript's `Date`, for the time of day."""

    @staticmethod
    def now() -> int:
        """Milliseconds since 1970, on the clock of the test."""
        return int(time.time() * 1000)


class JSON:
    """JavaScript's `JSON`."""

    stringify = staticmethod(js_json.stringify)
    parse = staticmethod(js_json.parse)


class console:
    """JavaScript's `console`: what is logged is printed, and pytest shows it with a failing test."""

    @staticmethod
    def log(*values: object) -> None:
        """Print to standard output."""
        print(*map(_shown, values))

    @staticmethod
    def error(*values: object) -> None:
        """Print to standard error."""
        print(*map(_shown, values), file=sys.stderr)

    debug = info = log
    warn = error


def _shown(value: object) -> object:
    if isinstance(value, JsProxy):
        return value.to_py()
    return "null" if value is jsnull else value


def __getattr__(name: str) -> NoReturn:
    raise not_yet("js", name, __all__)
