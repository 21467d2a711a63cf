"""JavaScript's `console`: what is logged is printed, and pytest shows it with a failing test."""

from __future__ import annotations

import sys
import time
from typing import Any

from durable_engine import jsnull

from .json_text import stringify
from .objects import JsArray, JsObject, JsPlain, PyProxy, js_text


class Console(JsObject):
    """JavaScript's `console`."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._timers: dict[str, float] = {}

    def log(self, *values: Any) -> None:
        """Print to standard output."""
        print(*map(_shown, values))

    debug = info = trace = dir = table = group = log

    def error(self, *values: Any) -> None:
        """Print to standard error."""
        print(*map(_shown, values), file=sys.stderr)

    warn = error

    def assert_(self, condition: Any = None, *values: Any) -> None:
        """Print to standard error unless a value is true."""
        if not condition or condition is jsnull:
            print("Assertion failed:" if values else "Assertion failed", *map(_shown, values), file=sys.stderr)

    def groupEnd(self) -> None:
        """Accepted: groups are not indented."""

    def count(self, label: Any = "default") -> None:
        """Print how often it was called with a label."""
        name = js_text(label)
        self._counts[name] = self._counts.get(name, 0) + 1
        print(f"{name}: {self._counts[name]}")

    def time(self, label: Any = "default") -> None:
        """Begin to measure a time."""
        self._timers[js_text(label)] = time.time()

    def timeEnd(self, label: Any = "default") -> None:
        """Print the time since `time`."""
        began = self._timers.pop(js_text(label), None)
        if began is not None:
            print(f"{js_text(label)}: {(time.time() - began) * 1000:g}ms")


def _shown(value: Any) -> str:
    if isinstance(value, PyProxy):
        return str(value._object)
    if isinstance(value, JsPlain | JsArray):
        return stringify(value) or "undefined"
    return js_text(value)
