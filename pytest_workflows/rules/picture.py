"""What plain values looked like, to tell later whether code changed them."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

_SCALARS = (str, int, float, complex, bytes, bool, type(None))
_CODE = (type, ModuleType, FunctionType, MethodType, BuiltinFunctionType)
_MOST = 5000


class Picture:
    """A container as it was: the object itself, and pictures of what it held.

    Args:
        value: The container.
        content: What it held, by key or position; a set's elements are their own keys.
    """

    __slots__ = ("content", "value")

    def __init__(self, value: Any, content: dict[Any, Any]) -> None:
        self.value = value
        self.content = content


def take_picture(value: Any) -> Any:
    """A picture of a value: of containers, dataclasses and namespaces in depth, anything else is itself.

    Of very large values only the first few thousand parts are looked at.
    """
    return _take(value, {}, [_MOST])


def _take(value: Any, seen: dict[int, Picture], budget: list[int]) -> Any:
    if isinstance(value, _SCALARS) or budget[0] <= 0 or (parts := parts_of(value)) is None:
        return value
    known = seen.get(id(value))
    if known is not None:
        return known
    picture = seen[id(value)] = Picture(value, {})
    budget[0] -= len(parts)
    for key, part in parts.items():
        picture.content[key] = _take(part, seen, budget)
    return picture


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


def changed_since(picture: Any, value: Any) -> list[Any]:
    """The containers whose content is another one than in the picture.

    Args:
        picture: What `take_picture` gave.
        value: What stands in its place now.

    Returns:
        The changed containers; `[None]` where another value stands in its place.
    """
    changed: list[Any] = []
    if not _same(picture, value, changed, set()):
        return [None]
    return changed


def _same(before: Any, value: Any, changed: list[Any], seen: set[int]) -> bool:
    if not isinstance(before, Picture):
        return _equal_scalars(before, value)
    if before.value is not value:
        return _equal(before, take_picture(value), set())
    if id(value) in seen:
        return True
    seen.add(id(value))
    parts = parts_of(value) or {}
    same = parts.keys() == before.content.keys()
    for key, part in parts.items():
        same = key in before.content and _same(before.content[key], part, changed, seen) and same
    if not same:
        changed.append(value)
    return True


def _equal(before: Any, now: Any, seen: set[int]) -> bool:
    if not (isinstance(before, Picture) and isinstance(now, Picture)):
        return _equal_scalars(before, now)
    if id(before) in seen:
        return True
    seen.add(id(before))
    return (
        type(before.value) is type(now.value)
        and before.content.keys() == now.content.keys()
        and all(_equal(part, now.content[key], seen) for key, part in before.content.items())
    )


def _equal_scalars(before: Any, value: Any) -> bool:
    return before is value or (type(before) is type(value) and isinstance(value, _SCALARS) and bool(before == value))


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
