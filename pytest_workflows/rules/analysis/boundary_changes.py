"""Boundary changes: the parts of a step's value that come back as something else than was returned."""

from __future__ import annotations

from array import array
from datetime import datetime
from typing import Any, Literal, NamedTuple

Kind = Literal["aware", "bytes", "exception", "float", "keys"]
Path = tuple[str | None, ...]
"""The path to a part: keys of dicts, and None for an element of a list."""

_MOST = 2000
_LARGEST = 2**53


class Change(NamedTuple):
    """A part of a value that does not come back as it was.

    Attributes:
        path: The way to the part.
        kind: The kind of value that does not survive.
        was: The part as it was returned, in words.
        now: The part as it came back, in words.
    """

    path: Path
    kind: Kind
    was: str
    now: str

    def describe(self) -> str:
        """The change as a clause."""
        where = "".join(f"[{key!r}]" if key is not None else "[...]" for key in self.path)
        return f"returned {self.was}{f' in `{where}`' if where else ''}, which came back as {self.now}"


def changes_of(value: Any) -> list[Change]:
    """The changes of a value; of a list, one of each kind."""
    found: dict[tuple[Path, Kind], Change] = {}
    seen: set[int] = set()
    waiting: list[tuple[Any, Path]] = [(value, ())]
    while waiting and len(seen) < _MOST:
        part, path = waiting.pop()
        if isinstance(part, str | int | None):
            continue
        change = _change(part, path)
        if change is not None:
            found.setdefault((path, change.kind), change)
        if isinstance(part, dict | list | set) and id(part) not in seen:
            seen.add(id(part))
            waiting += _parts(part, path)
    return list(found.values())


def _parts(value: dict[Any, Any] | list[Any] | set[Any], path: Path) -> list[tuple[Any, Path]]:
    if isinstance(value, dict):
        return [(part, (*path, str(key))) for key, part in reversed(value.items())]
    return [(part, (*path, None)) for part in value]


def _change(value: Any, path: Path) -> Change | None:
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return Change(path, "aware", "an aware datetime", "a naive one, in UTC")
    elif isinstance(value, float):
        if value.is_integer() and abs(value) < _LARGEST:
            return Change(path, "float", repr(float(value)), f"the int {int(value)}")
    elif isinstance(value, bytes):
        return Change(path, "bytes", "bytes", "a memoryview")
    elif isinstance(value, array):
        return Change(path, "bytes", "an array", "a memoryview")
    elif isinstance(value, BaseException):
        return Change(path, "exception", f"the exception {value!r}", f"{Exception(f'Error: {value}')!r}")
    elif isinstance(value, dict):
        odd = next((key for key in value if not isinstance(key, str)), "")
        if odd != "":
            return Change(path, "keys", f"a dict with the key {odd!r}", "one whose keys are all str")
    return None
