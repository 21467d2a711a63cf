"""JavaScript's `Map`, `Set`, `Date`, errors and binary data, as far as every conversion needs them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

from durable_engine import jsnull, to_datetime

from .objects import JsArray, JsObject, from_python, js_error, number, to_py, to_python


class JsMap(JsObject, js_class="Map"):
    """A map.

    Args:
        entries: Keys and values, of JavaScript.
    """

    def __init__(self, entries: Any = None) -> None:
        pairs = () if entries is None or entries is jsnull else entries
        self._entries: dict[Any, Any] = {}
        for key, value in pairs.items() if isinstance(pairs, dict) else pairs:
            self._entries[from_python(key)] = from_python(value)

    @property
    def size(self) -> int:
        """How many entries."""
        return len(self._entries)

    def get(self, key: Any) -> Any:
        """The value of a key; undefined where there is none."""
        return self._entries.get(key)

    def has(self, key: Any) -> bool:
        """Whether there is a key."""
        return key in self._entries

    def set(self, key: Any, value: Any) -> JsMap:
        """Set the value of a key; gives the map."""
        self._entries[key] = value
        return self

    def delete(self, key: Any) -> bool:
        """Take a key out; whether it was there."""
        return self._entries.pop(key, self) is not self

    def clear(self) -> None:
        """Take everything out."""
        self._entries.clear()

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

    def __contains__(self, key: Any) -> bool:
        return from_python(key) in self._entries

    def __iter__(self) -> Iterator[Any]:
        return map(to_python, self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """A dict."""
        if depth == 0:
            return self
        return {key: to_py(value, depth - 1, default_converter) for key, value in self._entries.items()}

    def _crossing(self) -> Any:
        return self._entries


class JsSet(JsObject, js_class="Set"):
    """A set.

    Args:
        items: The items, values of JavaScript.
    """

    def __init__(self, items: Any = None) -> None:
        self._items = dict.fromkeys(map(from_python, () if items is None or items is jsnull else items))

    @property
    def size(self) -> int:
        """How many items."""
        return len(self._items)

    def has(self, item: Any) -> bool:
        """Whether an item is in it."""
        return item in self._items

    def add(self, item: Any) -> JsSet:
        """Add an item; gives the set."""
        self._items[item] = None
        return self

    def delete(self, item: Any) -> bool:
        """Take an item out; whether it was there."""
        return self._items.pop(item, self) is not self

    def clear(self) -> None:
        """Take everything out."""
        self._items.clear()

    def __contains__(self, item: Any) -> bool:
        return from_python(item) in self._items

    def __iter__(self) -> Iterator[Any]:
        return map(to_python, self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __bool__(self) -> bool:
        return bool(self._items)

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """A set."""
        return set(self._items)

    def _crossing(self) -> Any:
        return set(self._items)


class JsDate(JsObject, js_class="Date"):
    """A moment.

    Args:
        ms: Milliseconds since 1970; NaN for none.
    """

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
        return f"{self.name}: {self.message}" if self.message else self.name

    def _text(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name

    def _crossing(self) -> Any:
        return Exception(self.message)


ARRAYS = {
    "b": "Int8Array",
    "B": "Uint8Array",
    "h": "Int16Array",
    "H": "Uint16Array",
    "i": "Int32Array",
    "I": "Uint32Array",
    "q": "BigInt64Array",
    "Q": "BigUint64Array",
    "f": "Float32Array",
    "d": "Float64Array",
}
"""The typed arrays, by the format of their items in Python's `struct` and `memoryview`."""


class JsArrayBuffer(JsObject, js_class="ArrayBuffer"):
    """Bytes.

    Args:
        data: The bytes, copied; or how many zeroes.
    """

    def __init__(self, data: bytes | bytearray | memoryview | int = b"") -> None:
        self._data = bytearray(data)

    @property
    def byteLength(self) -> int:
        """How many bytes."""
        return len(self._data)

    def _view(self) -> memoryview:
        return memoryview(self._data)

    def to_bytes(self) -> bytes:
        """A copy, as bytes."""
        return bytes(self._data)

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """A view that can be written to; the bytes are copied."""
        return memoryview(bytearray(self._data))

    def _crossing(self) -> Any:
        return memoryview(self._data)


class JsTypedArray(JsObject, js_class="TypedArray"):
    """Base of the typed arrays: a view of the bytes of a buffer.

    Args:
        data: A buffer, of which it is a view; bytes, copied; a number of zeroes; or numbers.
    """

    _format: ClassVar[str] = "B"

    def __init__(self, data: Any = 0, offset: int = 0, length: int | None = None) -> None:
        size = _SIZES[self._format]
        if isinstance(data, JsArrayBuffer):
            self._buffer, self._offset = data, offset or 0
            self._length = (len(data._data) - self._offset) // size if length is None else length
        elif isinstance(data, bytes | bytearray | memoryview):
            self._buffer, self._offset, self._length = JsArrayBuffer(bytes(data)), 0, memoryview(data).nbytes // size
        elif isinstance(data, int | float):
            self._buffer, self._offset, self._length = JsArrayBuffer(int(data) * size), 0, int(data)
        else:
            from array import array

            items = array(self._format, list(data))
            self._buffer, self._offset, self._length = JsArrayBuffer(items.tobytes()), 0, len(items)

    def _view(self) -> memoryview:
        size = _SIZES[self._format]
        part = memoryview(self._buffer._data)[self._offset : self._offset + self._length * size]
        return part if self._format == "B" else part.cast(self._format)  # type: ignore[call-overload]

    @property
    def buffer(self) -> JsArrayBuffer:
        """The buffer."""
        return self._buffer

    @property
    def byteOffset(self) -> int:
        """Where in the buffer it begins, in bytes."""
        return self._offset

    @property
    def byteLength(self) -> int:
        """How many bytes."""
        return self._length * _SIZES[self._format]

    @property
    def length(self) -> int:
        """How many items."""
        return self._length

    def __len__(self) -> int:
        return self._length

    def __bool__(self) -> bool:
        return self._length > 0

    def __getitem__(self, key: Any) -> Any:
        found = self._view()[key]
        return type(self)(bytes(found)) if isinstance(key, slice) else found

    def __setitem__(self, key: Any, value: Any) -> None:
        self._view()[key] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self._view().tolist())

    def to_bytes(self) -> bytes:
        """A copy, as bytes."""
        return bytes(self._view())

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """A view that can be written to; the bytes are copied."""
        made = memoryview(bytearray(self._view().tobytes()))
        return made if self._format == "B" else made.cast(self._format)  # type: ignore[call-overload]

    def _crossing(self) -> Any:
        return self._view()

    def _text(self) -> str:
        return ",".join(map(str, self._view().tolist()))


_SIZES = {"b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8, "f": 4, "d": 8}
TYPED: dict[str, type[JsTypedArray]] = {
    form: type(name, (JsTypedArray,), {"_format": form, "__doc__": f"JavaScript's `{name}`."})
    for form, name in ARRAYS.items()
}
"""The classes of the typed arrays, by the format of their items."""
Uint8Array = TYPED["B"]


def buffer_from_python(value: Any) -> JsTypedArray:
    """The typed array of something with Python's buffer protocol: a copy.

    Raises:
        TypeError: It has none, or its items have a format that JavaScript has not.
    """
    view = memoryview(value)
    form = view.format.lstrip("@=<")
    form = {"c": "B", "s": "B", "p": "B", "?": "B", "l": "q" if view.itemsize == 8 else "i"}.get(form, form)
    form = {"L": "Q" if view.itemsize == 8 else "I"}.get(form, form)
    if form not in TYPED:
        raise js_error("Error", f"Unrecognized format character '{form}'.")
    return TYPED[form](view.tobytes())


def bytes_of(value: Any) -> bytes | None:
    """The bytes of an ArrayBuffer or a view of one; None for any other value.

    Args:
        value: A value of JavaScript; one of Python's with the buffer protocol is taken as well.
    """
    if isinstance(value, JsArrayBuffer | JsTypedArray):
        return value._view().tobytes()
    if type(value).__name__ == "PyProxy":
        try:
            return bytes(memoryview(value._object))
        except TypeError:
            return None
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else None


__all__ = [
    "ARRAYS",
    "TYPED",
    "JsArrayBuffer",
    "JsDate",
    "JsErrorObject",
    "JsMap",
    "JsSet",
    "JsTypedArray",
    "Uint8Array",
    "buffer_from_python",
    "bytes_of",
]
