"""JavaScript's binary data: `ArrayBuffer`, the typed arrays and `DataView`."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from durable_engine import TYPED_ARRAYS, JsBigInt, JsProxy

from .convert import is_missing, to_integer, to_number
from .objects import JsArray, JsObject, PyProxy, from_python, js_error, js_text, number

_SIZES = {form: struct.calcsize(f"<{form}") for form in TYPED_ARRAYS}


class JsBuffer(JsObject):
    """What Pyodide gives each of these beside JavaScript's own names."""

    def _view(self) -> memoryview:
        raise NotImplementedError

    def _bytes(self) -> memoryview:
        return self._view().cast("B")

    @property
    def byteLength(self) -> int:
        """How many bytes."""
        return self._view().nbytes

    def to_bytes(self) -> bytes:
        """A copy, as bytes."""
        return self._view().tobytes()

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """A view that can be written to; the bytes are copied."""
        view = self._view()
        made = memoryview(bytearray(view.tobytes()))
        return made if view.format == "B" else made.cast(view.format)  # type: ignore[call-overload]

    def to_memoryview(self) -> memoryview:
        """The same as `to_py`."""
        return self.to_py()  # type: ignore[no-any-return]

    def to_string(self, encoding: str | None = None) -> str:
        """The bytes as text.

        Args:
            encoding: UTF-8, unless given.
        """
        return self.to_bytes().decode(encoding or "utf-8")

    def assign(self, source: Any) -> None:
        """Overwrite it with something of Python's that has as many bytes."""
        data = memoryview(source).cast("B")
        if len(data) != len(self._bytes()):
            raise ValueError("cannot assign from buffer of a different size")
        self._bytes()[:] = data

    def assign_to(self, target: Any) -> None:
        """Overwrite something of Python's with it."""
        view = memoryview(target).cast("B")
        if len(view) != len(self._bytes()):
            raise ValueError("cannot assign to buffer of a different size")
        view[:] = self._bytes()

    def to_file(self, file: Any) -> None:
        """Write the bytes to a file."""
        file.write(self.to_bytes())

    def from_file(self, file: Any) -> None:
        """Read the bytes from a file."""
        data = file.read(len(self._bytes()))
        self._bytes()[: len(data)] = data

    into_file = to_file

    def _crossing(self) -> Any:
        return self._view()


class JsArrayBuffer(JsBuffer, js_class="ArrayBuffer"):
    """Bytes.

    Args:
        data: The bytes, copied; or how many zeroes.
    """

    def __init__(self, data: bytes | bytearray | memoryview | int = b"") -> None:
        self._data = bytearray(data)

    @classmethod
    def _construct(cls, *args: Any) -> JsProxy:
        size = args[0] if args else 0
        if not isinstance(size, int | float) or not 0 <= size < 2**32:
            raise js_error("RangeError", "Array buffer allocation failed")
        return cls(int(size))

    @staticmethod
    def isView(value: Any = None) -> bool:
        """Whether a value is a view of such a buffer."""
        return isinstance(value, JsBufferView)

    def slice(self, start: Any = None, end: Any = None) -> JsArrayBuffer:
        """A copy of a part."""
        return JsArrayBuffer(self._data[_bound(start) : _bound(end)])

    def _view(self) -> memoryview:
        return memoryview(self._data)


def _bound(value: Any) -> int | None:
    return None if value is None else to_integer(value)


class JsBufferView(JsBuffer):
    """Base of what is a view of the bytes of a buffer."""

    _buffer: JsArrayBuffer
    _offset: int
    _length: int

    @property
    def buffer(self) -> JsArrayBuffer:
        """The buffer."""
        return self._buffer

    @property
    def byteOffset(self) -> int:
        """Where in the buffer it begins, in bytes."""
        return self._offset


class JsTypedArray(JsBufferView, js_class="TypedArray"):
    """Base of the typed arrays: a view of the bytes of a buffer.

    Args:
        data: A buffer, of which it is a view; bytes, copied; a number of zeroes; or numbers.
        offset: Where in the buffer it begins, in bytes.
        length: How many items.
    """

    _format: ClassVar[str] = "B"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._static_of = staticmethod(lambda *items: cls(list(items)))  # type: ignore[attr-defined]
        cls._static_from_ = staticmethod(lambda items: cls(list(_items(items))))  # type: ignore[attr-defined]
        cls._static_BYTES_PER_ELEMENT = _SIZES[cls._format]  # type: ignore[attr-defined]

    def __init__(self, data: Any = 0, offset: int = 0, length: int | None = None) -> None:
        size = _SIZES[self._format]
        if isinstance(data, JsArrayBuffer):
            if offset % size:
                raise js_error("RangeError", f"start offset of {self._js_class} should be a multiple of {size}")
            self._buffer, self._offset = data, offset
            rest = len(data._data) - offset
            if rest < 0:
                raise js_error("RangeError", f"Start offset {offset} is outside the bounds of the buffer")
            if length is None and rest % size:
                raise js_error("RangeError", f"byte length of {self._js_class} should be a multiple of {size}")
            if length is not None and length * size > rest:
                raise js_error("RangeError", f"Invalid typed array length: {length}")
            self._length = rest // size if length is None else length
        elif isinstance(data, bytes | bytearray | memoryview):
            view = memoryview(data)
            self._buffer, self._offset, self._length = JsArrayBuffer(view.tobytes()), 0, view.nbytes // size
        elif isinstance(data, int | float):
            self._buffer, self._offset, self._length = JsArrayBuffer(int(data) * size), 0, int(data)
        else:
            items = [self._item(item) for item in data]
            self._buffer = JsArrayBuffer(struct.pack(f"={len(items)}{self._format}", *items))
            self._offset, self._length = 0, len(items)

    @classmethod
    def _construct(cls, *args: Any) -> JsProxy:
        if cls is JsTypedArray:
            raise js_error("TypeError", "Abstract class TypedArray not directly constructable")
        data = args[0] if args else 0
        if isinstance(data, JsArrayBuffer):
            offset = args[1] if len(args) > 1 and args[1] is not None else 0
            length = args[2] if len(args) > 2 and args[2] is not None else None
            return cls(data, int(offset), None if length is None else int(length))
        if is_missing(data) or isinstance(data, int | float | str):
            length = to_integer(data)
            if not 0 <= length < 2**32:
                raise js_error("RangeError", f"Invalid typed array length: {js_text(data)}")
            return cls(length)
        return cls(_items(data))

    @classmethod
    def _item(cls, value: Any) -> Any:
        """A value as one of the array's items: a number that does not fit is wrapped around."""
        if cls._format in "qQ":
            if not isinstance(value, JsBigInt | bool) and not isinstance(value, int):
                raise js_error("TypeError", f"Cannot convert {js_text(value)} to a BigInt")
            return _wrapped(int(value), cls._format)
        given = to_number(value)
        if cls._format in "fd":
            return _single(float(given)) if cls._format == "f" else float(given)
        return _wrapped(int(given), cls._format) if math.isfinite(given) else 0

    def _view(self) -> memoryview:
        size = _SIZES[self._format]
        part = memoryview(self._buffer._data)[self._offset : self._offset + self._length * size]
        return part if self._format == "B" else part.cast(self._format)  # type: ignore[call-overload]

    def _get(self, value: float) -> Any:
        if self._format in "qQ":
            return JsBigInt(value)
        return number(value) if isinstance(value, float) else value

    @property
    def length(self) -> int:
        """How many items."""
        return self._length

    @property
    def BYTES_PER_ELEMENT(self) -> int:
        """How many bytes an item has."""
        return _SIZES[self._format]

    def slice(self, start: Any = None, end: Any = None) -> JsTypedArray:
        """A copy of a part."""
        return type(self)(self._view()[_bound(start) : _bound(end)].tobytes())

    def subarray(self, start: Any = None, end: Any = None) -> JsTypedArray:
        """A view of a part."""
        first, last, _ = slice(_bound(start), _bound(end)).indices(self._length)
        size = _SIZES[self._format]
        return type(self)(self._buffer, self._offset + first * size, max(0, last - first))

    def set(self, source: Any, offset: Any = 0) -> None:
        """Overwrite items.

        Args:
            source: The new items.
            offset: Where the first one goes.
        """
        items = [self._item(item) for item in _items(source)]
        first = int(offset or 0)
        if first < 0 or first + len(items) > self._length:
            raise js_error("RangeError", "offset is out of bounds")
        view = self._view()
        for index, item in enumerate(items, first):
            view[index] = item

    def fill(self, value: Any, start: Any = None, end: Any = None) -> JsTypedArray:
        """Overwrite all items, or those of a part, with one; gives the array."""
        item, view = self._item(value), self._view()
        for index in range(*slice(_bound(start), _bound(end)).indices(self._length)):
            view[index] = item
        return self

    def at(self, index: Any) -> Any:
        """An item; from the end, where negative; undefined where there is none."""
        place = _bound(index) or 0
        return self._get(self._view()[place]) if -self._length <= place < self._length else None

    def indexOf(self, value: Any) -> int:
        """Where an item is; -1 where it is not."""
        items = self._view().tolist()
        return items.index(value) if value in items else -1

    def includes(self, value: Any) -> bool:
        """Whether an item is in it."""
        return value in self._view().tolist()

    def join(self, separator: Any = ",") -> str:
        """The items as texts, joined."""
        return js_text(separator).join(map(js_text, self))

    def __len__(self) -> int:
        return self._length

    def __bool__(self) -> bool:
        return self._length > 0

    def __getitem__(self, key: Any) -> Any:
        found = self._view()[key]
        return type(self)(found.tobytes()) if isinstance(key, slice) else self._get(found)

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, slice):
            self._view()[key] = type(self)(_items(from_python(value)))._view()
        else:
            self._view()[key] = self._item(from_python(value))

    def __iter__(self) -> Iterator[Any]:
        return map(self._get, self._view().tolist())

    def _properties(self) -> dict[str, Any]:
        return {str(index): item for index, item in enumerate(self)}

    def _text(self) -> str:
        return ",".join(map(js_text, self))


def _items(data: Any) -> Iterable[Any]:
    if isinstance(data, JsArray):
        return data._items
    if isinstance(data, PyProxy):
        try:
            return [from_python(item) for item in data._object]
        except TypeError:
            return []
    return iter(data) if hasattr(type(data), "__iter__") else []


def _wrapped(value: int, form: str) -> int:
    bits = _SIZES[form] * 8
    value &= (1 << bits) - 1
    return value - (1 << bits) if form.islower() and value >> (bits - 1) else value


def _single(value: float) -> float:
    try:
        return struct.unpack("=f", struct.pack("=f", value))[0]  # type: ignore[no-any-return]
    except OverflowError:
        return math.copysign(math.inf, value)


TYPED: dict[str, type[JsTypedArray]] = {
    form: type(name, (JsTypedArray,), {"_format": form, "__doc__": f"JavaScript's `{name}`."})
    for form, name in TYPED_ARRAYS.items()
}
"""The classes of the typed arrays, by the format of their items."""
Uint8Array = TYPED["B"]


class Uint8ClampedArray(JsTypedArray):
    """Bytes; a number that does not fit becomes the nearest one that does."""

    @classmethod
    def _item(cls, value: Any) -> int:
        given = to_number(value)
        return 0 if given != given else round(max(0, min(255, given)))


class JsDataView(JsBufferView, js_class="DataView"):
    """A view of a buffer that reads and writes numbers of any kind anywhere.

    Args:
        buffer: The buffer.
        offset: Where in it the view begins, in bytes.
        length: How many bytes.
    """

    def __init__(self, buffer: Any, offset: Any = None, length: Any = None) -> None:
        if not isinstance(buffer, JsArrayBuffer):
            raise js_error("TypeError", "First argument to DataView constructor must be an ArrayBuffer")
        self._buffer, self._offset = buffer, int(offset or 0)
        rest = len(buffer._data) - self._offset
        self._length = rest if length is None else int(length)
        if rest < 0 or not 0 <= self._length <= rest:
            raise js_error("RangeError", f"Start offset {self._offset} is outside the bounds of the buffer")

    def _view(self) -> memoryview:
        return memoryview(self._buffer._data)[self._offset : self._offset + self._length]

    def _read(self, form: str, offset: Any, is_little: Any) -> Any:
        try:
            value = struct.unpack_from(("<" if is_little else ">") + form, self._view(), _bound(offset) or 0)[0]
        except struct.error:
            raise js_error("RangeError", "Offset is outside the bounds of the DataView") from None
        return JsBigInt(value) if form in "qQ" else number(value) if isinstance(value, float) else value

    def _write(self, form: str, offset: Any, value: Any, is_little: Any) -> None:
        item = TYPED[form]._item(value)
        try:
            struct.pack_into(("<" if is_little else ">") + form, self._view(), _bound(offset) or 0, item)
        except struct.error:
            raise js_error("RangeError", "Offset is outside the bounds of the DataView") from None


def _accessors(form: str, name: str) -> None:
    def get(self: JsDataView, offset: Any, is_little: Any = False) -> Any:
        return self._read(form, offset, is_little)

    def put(self: JsDataView, offset: Any, value: Any, is_little: Any = False) -> None:
        self._write(form, offset, value, is_little)

    JsDataView._add_method(f"get{name}", get)
    JsDataView._add_method(f"set{name}", put)


for _form, _name in TYPED_ARRAYS.items():
    _accessors(_form, _name.removesuffix("Array"))


def buffer_from_python(value: Any) -> JsTypedArray:
    """The typed array of something with Python's buffer protocol: a copy.

    Raises:
        TypeError: It has none, or its items have a format that JavaScript has not.
    """
    view = memoryview(value)
    form = view.format.lstrip("@=<")
    if form in ("c", "s", "p", "?"):
        form = "B"
    elif form == "l":
        form = "q" if view.itemsize == 8 else "i"
    elif form == "L":
        form = "Q" if view.itemsize == 8 else "I"
    if form not in TYPED:
        raise js_error("Error", f"Unrecognized format character '{form}'.")
    return TYPED[form](view.tobytes())


def buffer_of(value: Any) -> bytes | None:
    """The bytes of an ArrayBuffer or of a view of one; None for any other value."""
    return value.to_bytes() if isinstance(value, JsBuffer) else None


def bytes_of(value: Any) -> bytes | None:
    """The bytes of an ArrayBuffer or a view of one; None for any other value.

    Args:
        value: A value of JavaScript; one of Python's with the buffer protocol is taken as well.
    """
    if isinstance(value, JsBuffer):
        return value.to_bytes()
    if type(value) is PyProxy:
        try:
            return bytes(memoryview(value._object))
        except TypeError:
            return None
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else None
