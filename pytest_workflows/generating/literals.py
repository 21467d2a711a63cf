"""Values as Python source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import isfinite
from typing import Any

from durable_engine import JsException, JsProxy, UnknownValue

from .layout import Group, Led, Node, call

PLUGIN = "pytest_workflows"


class Imports:
    """The names that the generated code uses.

    Attributes:
        unknown: Whether it has a value that is not known, so that somebody has to write it in.
    """

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}
        self.unknown = False

    def use(self, module: str, name: str) -> str:
        """Import a name, and give it back."""
        self._names.setdefault(module, set()).add(name)
        return name

    def lines(self, modules: Iterable[str]) -> list[str]:
        """The import lines of those of these modules that are used."""
        return [f"from {name} import {', '.join(sorted(self._names[name]))}" for name in modules if name in self._names]


def literal(value: Any, imports: Imports, *, expected: bool = False) -> Node:
    """A value's source.

    Args:
        value: Anything that a recording holds.
        imports: Takes the names that it needs.
        expected: Whether it is compared, so that what is not known fails there; else it fails where a workflow uses it.
    """
    return _Printer(imports, expected=expected).node(value)


class _Printer:
    def __init__(self, imports: Imports, *, expected: bool) -> None:
        self._imports = imports
        self._expected = expected

    def node(self, value: Any) -> Node:
        if isinstance(value, UnknownValue):
            if not self._expected:
                return call(self._imports.use(PLUGIN, "UnknownValue"), text(value.reason))
            self._imports.unknown = True
            return call("unknown", text(value.reason))
        if isinstance(value, str):
            return text(value)
        if value is None or isinstance(value, bool):
            return repr(value)
        if isinstance(value, int):
            return str(int(value))
        if isinstance(value, float):
            return repr(value).replace("e+", "e") if isfinite(value) else call("float", f'"{value}"')
        return self._compound(value)

    def _compound(self, value: Any) -> Node:
        if isinstance(value, dict):
            return Group("{", tuple(self._entry(key, item) for key, item in value.items()), "}")
        if isinstance(value, list):
            return Group("[", tuple(map(self.node, value)), "]")
        if isinstance(value, tuple):
            return Group("(", tuple(map(self.node, value)), ")")
        if isinstance(value, set | frozenset):
            return Group("{", tuple(sorted(map(self.node, value), key=str)), "}") if value else "set()"
        if isinstance(value, datetime):
            return self._datetime(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return _quoted(repr(bytes(value)), "b")
        if isinstance(value, JsProxy):
            converted = value.to_py()
            if converted is not value:
                return self.node(converted)
        if isinstance(value, Exception):
            return call("Exception", text(value.message if isinstance(value, JsException) else str(value)))
        return self.node(UnknownValue(f"no source gives {type(value).__name__}"))

    def _entry(self, key: Any, value: Any) -> Node:
        return Led(f"{self.node(key)}: ", self.node(value))

    def _datetime(self, value: datetime) -> Node:
        self._imports.use("datetime", "datetime")
        parts = [value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond]
        while len(parts) > 3 and parts[-1] == 0:
            parts.pop()
        return call("datetime", *map(str, parts))


def text(value: str) -> str:
    """A text's source, in double quotes unless there are more of them in it than single ones."""
    return _quoted(repr(value), "")


def _quoted(source: str, prefix: str) -> str:
    quote, body = source[len(prefix)], source[len(prefix) + 1 : -1]
    plain = body.replace(f"\\{quote}", quote)
    wanted = "'" if plain.count('"') > plain.count("'") else '"'
    return f"{prefix}{wanted}{plain.replace(wanted, chr(92) + wanted)}{wanted}"
