"""Snapshots of plain values, which show later whether code has changed them."""

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
    """A snapshot of a value: of containers, dataclasses and namespaces in depth; anything else is compared as it is.

    Of a very large value only the first few thousand parts are in the snapshot.

    Args:
        value: The value.
    """

    __slots__ = ("_containers", "_value")

    def __init__(self, value: object) -> None:
        self._value = value
        self._containers = [] if isinstance(value, _SCALARS) else list(_containers_of(value))

    def changes(self, value: object) -> list[Any]:
        """The containers whose content is another one now.

        Args:
            value: The value in the same place now.

        Returns:
            The changed containers; `[None]` where another value stands in the place.
        """
        if not self._containers:
            return [] if _equal(self._value, value) else [None]
        if self._value is value:
            return [container.value for container in self._containers if container.has_changed()]
        return [] if type(self._value) is type(value) and self._containers[0].had(value) else [None]


class _Container:
    """A container as it was.

    Args:
        value: The container itself.
        parts: The parts of the container, by key or position.
    """

    __slots__ = ("_copy", "_is_plain", "value")

    def __init__(self, value: Any, parts: dict[Any, Any]) -> None:
        self.value = value
        # With a user's objects in it, what the container holds must not be compared by their own `==`.
        is_known = all(isinstance(part, _KNOWN) for part in parts.values())
        self._is_plain = is_known and type(value) in (dict, list, JsDict)
        self._copy = value.copy() if self._is_plain else parts

    def has_changed(self) -> bool:
        """Whether the container holds something else now."""
        if self._is_plain:
            return bool(self.value != self._copy)
        parts = parts_of(self.value) or {}
        return parts.keys() != self._copy.keys() or not all(
            _equal(self._copy[key], part) for key, part in parts.items()
        )

    def had(self, value: Any) -> bool:
        """Whether the container held what another one of its type holds."""
        if self._is_plain:
            return bool(self._copy == value)
        return (parts_of(value) or {}).items() == self._copy.items()


def _containers_of(value: object) -> Iterator[_Container]:
    """A container and all that lie in it, the outermost first; none for a value that is no container."""
    seen: set[int] = set()
    waiting, left = deque([value]), _MOST
    while waiting and left > 0:
        container = waiting.popleft()
        parts = parts_of(container)
        if parts is None or id(container) in seen:
            continue
        seen.add(id(container))
        left -= len(parts) + 1
        yield _Container(container, parts)
        waiting.extend(part for part in parts.values() if not isinstance(part, _SCALARS))


def parts_of(value: object) -> dict[Any, Any] | None:
    """The parts of a container, by key or position; None for anything else."""
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


def _equal(before: object, value: object) -> bool:
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
