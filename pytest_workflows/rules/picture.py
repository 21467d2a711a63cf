"""What plain values looked like, to tell later whether code changed them."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

from durable_engine import JsDict

_SCALARS = (str, int, float, complex, bytes, bool, type(None))
_CODE = (type, ModuleType, FunctionType, MethodType, BuiltinFunctionType)
_KNOWN = (*_SCALARS, list, dict, tuple, set, frozenset, datetime, date, timedelta)
_MOST = 5000


class Snapshot:
    """A container as it was.

    Args:
        value: The container itself.
        parts: What it held, by key or position.
    """

    __slots__ = ("copy", "is_plain", "value")

    def __init__(self, value: Any, parts: dict[Any, Any]) -> None:
        self.value = value
        # With a user's objects in it, what it holds must not be compared by their own `==`.
        self.is_plain = type(value) in (dict, list, JsDict) and all(isinstance(part, _KNOWN) for part in parts.values())
        self.copy = value.copy() if self.is_plain else parts

    def has_changed(self) -> bool:
        """Whether it holds something else now."""
        if self.is_plain:
            return bool(self.value != self.copy)
        parts = parts_of(self.value) or {}
        return parts.keys() != self.copy.keys() or not all(_equal(self.copy[key], part) for key, part in parts.items())


def take_snapshot(value: Any) -> Any:
    """A picture of a value: of containers, dataclasses and namespaces in depth, anything else is its own picture.

    Of very large values only the first few thousand parts are looked at.
    """
    if isinstance(value, _SCALARS) or parts_of(value) is None:
        return value
    snapshots = _Snapshots()
    seen: set[int] = set()
    waiting, left = deque([value]), _MOST
    while waiting and left > 0:
        container = waiting.popleft()
        parts = parts_of(container)
        if parts is None or id(container) in seen:
            continue
        seen.add(id(container))
        left -= len(parts) + 1
        snapshots.append(Snapshot(container, parts))
        waiting.extend(part for part in parts.values() if not isinstance(part, _SCALARS))
    return snapshots


class _Snapshots(list[Snapshot]):
    """A container and all that lie in it, the outermost first; told apart from a value that is a list."""


def parts_of(value: Any) -> dict[Any, Any] | None:
    """What a container holds, by key or position; None for anything else."""
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple | deque):
        return dict(enumerate(value))
    if isinstance(value, set | frozenset):
        return dict.fromkeys(value)
    if isinstance(value, bytearray):
        return {0: bytes(value)}
    if isinstance(value, SimpleNamespace) or (dataclasses.is_dataclass(value) and not isinstance(value, type)):
        return dict(getattr(value, "__dict__", {}))
    return None


def changed_since(snapshot: Any, value: Any) -> list[Any]:
    """The containers whose content is another one than in the picture.

    Args:
        snapshot: What `take_snapshot` gave.
        value: What stands in its place now.

    Returns:
        The changed containers; `[None]` where another value stands in its place.
    """
    if not isinstance(snapshot, _Snapshots):
        return [] if _equal(snapshot, value) else [None]
    if snapshot[0].value is not value:
        return [] if type(snapshot[0].value) is type(value) and _equal_parts(snapshot[0], value) else [None]
    return [inner.value for inner in snapshot if inner.has_changed()]


def _equal_parts(before: Snapshot, value: Any) -> bool:
    if before.is_plain:
        return bool(before.copy == value)
    return (parts_of(value) or {}).items() == before.copy.items()


def _equal(before: Any, value: Any) -> bool:
    if before is value:
        return True
    return type(before) is type(value) and isinstance(value, _KNOWN) and bool(before == value)


def containers_in(*values: Any) -> Iterator[Any]:
    """The containers in these values, and in the attributes of the objects there, the nearest ones first."""
    seen: set[int] = set()
    waiting = deque(values)
    while waiting and len(seen) < _MOST:
        value = waiting.popleft()
        if isinstance(value, _SCALARS + _CODE) or id(value) in seen:
            continue
        seen.add(id(value))
        parts = parts_of(value)
        if parts is not None:
            yield value
        else:
            # Not vars(): a fake may answer for `__dict__` in its own way.
            try:
                parts = object.__getattribute__(value, "__dict__")
            except AttributeError:
                continue
        waiting.extend(parts.values())
