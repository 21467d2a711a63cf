"""Values as Python source, laid out as ruff and black do it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import isfinite
from typing import Any

from durable_engine import JsException, JsProxy, UnknownValue

WIDTH = 88
INDENT = "    "
PLUGIN = "pytest_workflows"


class Imports:
    """The names that the generated code uses."""

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


def literal(value: Any, imports: Imports, *, indent: int = 0, before: int = 0, expected: bool = False) -> str:
    """A value's source, on one line where it fits.

    Args:
        value: Anything that a recording holds.
        imports: Takes the names that it needs.
        indent: How deep the line is that it begins on.
        before: How many characters stand before it (and behind it) on that line.
        expected: Whether it is compared, so that what is not known fails there; else it fails where a workflow uses it.
    """
    return _Printer(imports, expected=expected).lay_out(value, indent, before)


class _Printer:
    def __init__(self, imports: Imports, *, expected: bool) -> None:
        self._imports = imports
        self._expected = expected

    def lay_out(self, value: Any, indent: int, before: int) -> str:
        flat = self._flat(value)
        if isinstance(value, UnknownValue) and len(INDENT) * indent + before + len(flat) > WIDTH:
            name, _, _ = flat.partition("(")
            return f"{name}(\n{INDENT * (indent + 1)}{text(value.reason)}\n{INDENT * indent})"
        if len(INDENT) * indent + before + len(flat) <= WIDTH or not isinstance(value, dict | list) or not value:
            return flat
        inner = INDENT * (indent + 1)
        if isinstance(value, dict):
            lines = [self._entry(key, item, indent + 1) for key, item in value.items()]
            opening, closing = "{", "}"
        else:
            lines = [self.lay_out(item, indent + 1, 1) for item in value]
            opening, closing = "[", "]"
        return "\n".join([opening, *(f"{inner}{line}," for line in lines), f"{INDENT * indent}{closing}"])

    def _entry(self, key: Any, value: Any, indent: int) -> str:
        name = self._flat(key)
        return f"{name}: {self.lay_out(value, indent, len(name) + 3)}"

    def _flat(self, value: Any) -> str:
        if isinstance(value, UnknownValue):
            if not self._expected:
                return f"{self._imports.use(PLUGIN, 'UnknownValue')}({text(value.reason)})"
            self._imports.unknown = True
            return f"unknown({text(value.reason)})"
        if isinstance(value, str):
            return text(value)
        if value is None or isinstance(value, bool):
            return repr(value)
        if isinstance(value, int):
            return str(int(value))
        if isinstance(value, float):
            return repr(value) if isfinite(value) else f'float("{value}")'
        return self._compound(value)

    def _compound(self, value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self._flat(key)}: {self._flat(item)}" for key, item in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self._flat, value)) + "]"
        if isinstance(value, tuple):
            return "(" + ", ".join(map(self._flat, value)) + ("," if len(value) == 1 else "") + ")"
        if isinstance(value, set | frozenset):
            return "{" + ", ".join(sorted(map(self._flat, value))) + "}" if value else "set()"
        if isinstance(value, datetime):
            return self._datetime(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return _quoted(repr(bytes(value)), "b")
        if isinstance(value, JsProxy):
            return self._flat(value.to_py())
        if isinstance(value, Exception):
            return f"Exception({text(value.message if isinstance(value, JsException) else str(value))})"
        return self._flat(UnknownValue(f"no source gives {type(value).__name__}"))

    def _datetime(self, value: datetime) -> str:
        self._imports.use("datetime", "datetime")
        parts = [value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond]
        while len(parts) > 3 and parts[-1] == 0:
            parts.pop()
        return f"datetime({', '.join(map(str, parts))})"


def text(value: str) -> str:
    """A text's source, in double quotes unless that needs more backslashes."""
    return _quoted(repr(value), "")


def _quoted(source: str, prefix: str) -> str:
    body = source[len(prefix) + 1 : -1]
    if source[len(prefix)] == '"':
        return source
    plain = body.replace("\\'", "'")
    return source if '"' in plain else f'{prefix}"{plain}"'
