"""JavaScript's `Map`, `Set`, `Date` and errors, as far as every conversion needs them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from durable_engine import jsnull, to_datetime

from .objects import JsArray, JsObject, from_python, js_error, number, to_py, to_python


class _Keyed(JsObject):
    """Base of `Map` and `Set`: both know their keys."""

    _rest_in = "maps"
    _entries: dict[Any, Any]

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self._entries)

    def has(self, key: Any) -> bool:
        """Whether there is a key."""
        return key in self._entries

    def delete(self, key: Any) -> bool:
        """Take a key out; whether it was there."""
        return self._entries.pop(key, self) is not self

    def clear(self) -> None:
        """Take everything out."""
        self._entries.clear()

    def __contains__(self, key: Any) -> bool:
        return from_python(key) in self._entries

    def __iter__(self) -> Iterator[Any]:
        return map(to_python, self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __bool__(self) -> bool:
        return bool(self._entries)


class JsMap(_Keyed, js_class="Map"):
    """A map.

    Args:
        entries: Keys and values, of JavaScript.
    """

    def __init__(self, entries: Any = None) -> None:
        pairs = () if entries is None or entries is jsnull else entries
        self._entries = {}
        for key, value in pairs.items() if isinstance(pairs, dict) else pairs:
            self._entries[from_python(key)] = from_python(value)

    def get(self, key: Any) -> Any:
        """The value of a key; undefined where there is none."""
        return self._entries.get(key)

    def set(self, key: Any, value: Any) -> JsMap:
        """Set the value of a key; gives the map."""
        self._entries[key] = value
        return self

    def keys(self) -> JsArray:
        """The keys."""
        return JsArray(list(self._entries))

    def values(self) -> JsArray:
        """The values."""
        return JsArray(list(self._entries.values()))

    def entries(self) -> JsArray:
        """The entries, as pairs."""
        return JsArray([JsArray([key, value]) for key, value in self._entries.items()])

    def __getitem__(self, key: Any) -> Any:
        return to_python(self._entries[from_python(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._entries[from_python(key)] = from_python(value)

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """A dict."""
        if depth == 0:
            return self
        return {key: to_py(value, depth - 1, default_converter) for key, value in self._entries.items()}

    def _crossing(self) -> Any:
        return self._entries


class JsSet(_Keyed, js_class="Set"):
    """A set: its items are keys.

    Args:
        items: The items, values of JavaScript.
    """

    def __init__(self, items: Any = None) -> None:
        self._entries = dict.fromkeys(map(from_python, () if items is None or items is jsnull else items))

    def add(self, item: Any) -> JsSet:
        """Add an item; gives the set."""
        self._entries[item] = None
        return self

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """A set."""
        return set(self._entries)

    def _crossing(self) -> Any:
        return set(self._entries)


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def date_text(at: datetime) -> str:
    """The day of a moment as JavaScript writes it: no strftime, whose names of days follow the locale."""
    return f"{DAYS[at.weekday()]} {MONTHS[at.month - 1]} {at.day:02} {at.year:04}"


class JsDate(JsObject, js_class="Date"):
    """A moment.

    Args:
        ms: Milliseconds since 1970; NaN for none.
    """

    _rest_in = "dates"

    def __init__(self, ms: float) -> None:
        self._ms = number(float(math.trunc(ms))) if math.isfinite(ms) else math.nan

    def getTime(self) -> int | float:
        """Milliseconds since 1970."""
        return self._ms

    def valueOf(self) -> int | float:
        """Milliseconds since 1970."""
        return self._ms

    def toISOString(self) -> str:
        """The time in ISO 8601, UTC. Raises a RangeError where there is none."""
        if math.isnan(self._ms):
            raise js_error("RangeError", "Invalid time value")
        return f"{to_datetime(int(self._ms)).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"

    def toJSON(self) -> str:
        """The time in ISO 8601, UTC."""
        return JsDate.toISOString(self)

    def _text(self) -> str:
        if math.isnan(self._ms):
            return "Invalid Date"
        at = to_datetime(math.floor(self._ms))
        return f"{date_text(at)} {at:%H:%M:%S} GMT+0000 (Coordinated Universal Time)"

    def _crossing(self) -> Any:
        return datetime.fromtimestamp(self._ms / 1000, UTC)


class JsErrorObject(JsObject, js_class="Error"):
    """An error as a value.

    Args:
        message: Its text.
        name: Its name.
    """

    def __init__(self, message: Any = None, name: str = "Error") -> None:
        self.message = "" if message is None else str(message)
        self.name = name

    def toString(self) -> str:
        """Name and text."""
        return self._text()

    def _text(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name

    def _properties(self) -> dict[str, Any]:
        return {}  # message and stack are not enumerable

    def _crossing(self) -> Any:
        return Exception(self.message)
