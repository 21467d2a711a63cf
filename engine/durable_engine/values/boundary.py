"""Values across the platform's boundary and back: Python, JavaScript, storage, JavaScript, Python.

Values that do not survive it in production must not survive it here. `encode` is the first half, into bytes that can
be stored; `decode` the second, which makes new objects each time.
Source: docs/reference/fidelity.md, "Values"; tests/engine/golden/boundary.json holds what was observed.
"""

from __future__ import annotations

import inspect
import math
from array import array
from collections.abc import Callable, Coroutine, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NoReturn, TypeAlias

import msgspec
from msgspec.msgpack import Ext

from durable_engine.errors import ConversionError, JsException
from durable_engine.text.stable_repr import plain_buffer

from .datetimes import PLAIN_DATETIME, to_ms
from .js_values import (
    TYPED_ARRAYS,
    JsBigInt,
    JsDict,
    JsNull,
    JsProxy,
    JsValue,
    PyValue,
    StreamContent,
    TransparentProxy,
    streams,
    unwrap,
)
from .unknown_value import UnknownValue

WireValue: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | Ext | None
"""A value as it is stored: what MessagePack has, and an extension for whatever it has not."""

JsonValue: TypeAlias = bool | int | float | str | list[Any] | JsDict | None
"""A value in `status()`, where it is JSON."""

MAX_SAFE = 2**53 - 2
"""The largest int that stays a number; beyond it, an int becomes a bigint."""

_PROXY = (
    "Proxy could not be serialized because it is not a valid RPC receiver type. The Proxy must emulate either a "
    "plain object or an RpcTarget, as indicated by the Proxy's prototype chain."
)
_STUB = "RpcStub cannot be serialized in this context."
_BIGINT, _ARRAY, _DATE, _SET, _ERROR, _TEXT, _OBJECT, _UNKNOWN, _STREAM = range(1, 10)
_EPOCH = PLAIN_DATETIME(1970, 1, 1)
_FIRST_MS, _LAST_MS = ((day - _EPOCH) // timedelta(milliseconds=1) for day in (PLAIN_DATETIME.min, PLAIN_DATETIME.max))
_EXT_HEADS = frozenset(bytes([head]) for head in (*range(0xC7, 0xCA), *range(0xD4, 0xD9)))
"""The first bytes of what MessagePack calls an extension."""
_MOST_ITEMS = 10_000
"""The most items of a foreign iterable that are inspected; an endless one would hang the test."""


class BoundaryError(JsException):
    """Raised by the boundary itself, so that it keeps its JavaScript name when it passes through a step."""


class NotSerialisable(BoundaryError):
    """A function: it crosses as a stub, which storage does not take. A step that returns one ends its instance."""


for _error in (BoundaryError, NotSerialisable):
    _error.__module__, _error.__name__, _error.__qualname__ = "pyodide.ffi", "JsException", "JsException"


def encode(value: object) -> bytes:
    """Send a value across: from Python to JavaScript and into storage.

    Args:
        value: Anything.

    Returns:
        What is stored.

    Raises:
        TypeError: For tuples, bytearrays and awaitables, at any depth.
        ConversionError: For dict keys and set members that JavaScript cannot have.
        RecursionError: For a list or dict that contains itself.
        JsException: `DataCloneError`, for any other object.
    """
    try:
        try:
            return _ENCODER.encode(_to_wire(value))
        except (ConversionError, BoundaryError) as first:
            # The platform inspects the whole value before it converts any of it, and serialises it after that:
            # of several things wrong with a value, which one is reported does not depend on where they are.
            _screen(value)
            raise min(_refusals(value), key=_rank, default=first) from None
    except RecursionError:
        raise RecursionError("maximum recursion depth exceeded") from None


def encode_object(name: str, data: bytes, **others: object) -> bytes:
    """An object one of whose values has crossed already: it must not cross twice.

    Args:
        name: That value's key.
        data: That value, stored.
        others: The other keys, put behind it.
    """
    return _ENCODER.encode({name: msgspec.Raw(data), **{key: _to_wire(item) for key, item in others.items()}})


async def with_stream_read(value: PyValue) -> PyValue:
    """A step's result as it is stored: of a stream what it holds, once that is there; any other value as it is."""
    content = value._stored_content() if isinstance(value, JsProxy) else None
    if content is None:
        return value
    return content if isinstance(content, StreamContent) else await content


def with_whole_stream(value: PyValue) -> PyValue:
    """A mocked result as it is stored: of a stream what it holds, which must be there; any other value as it is.

    Raises:
        TypeError: It is a stream that somebody has yet to write to.
    """
    content = value._stored_content() if isinstance(value, JsProxy) else None
    if content is None or isinstance(content, StreamContent):
        return value if content is None else content
    content.close()
    raise TypeError("a stream whose content is not all there yet cannot be a mocked result: give one of bytes")


def is_stream(data: bytes) -> bool:
    """Whether a stored value is what a stream held."""
    return data[:1] in _EXT_HEADS and msgspec.msgpack.decode(data, type=Ext).code == _STREAM


def is_coroutine(value: object) -> bool:
    """Whether the SDK awaits what a callback returned; a generator is no coroutine, whatever asyncio thinks of it."""
    return inspect.iscoroutine(value) or (isinstance(value, Coroutine) and not inspect.isgenerator(value))


def decode(data: bytes) -> JsValue:
    """Convert a value back: from storage to JavaScript and to Python. Each call makes new objects."""
    return _from_wire(_DECODER.decode(data))


def decode_plain(data: bytes) -> JsValue:
    """As `decode`, for inspection: buffers come as bytes and arrays, which compare and print by their content."""
    return _from_wire(_PLAIN_DECODER.decode(data))


def cross(value: object) -> JsValue:
    """Send a value across the boundary and back."""
    return decode(encode(value))


def to_json(value: JsValue) -> JsonValue:
    """The JSON form of a crossed value, as `status()` has it."""
    if isinstance(value, JsBigInt):
        return f"[BigInt({int(value)})]"
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, UnknownValue):
        return repr(value)
    if isinstance(value, dict):
        return JsDict({key: to_json(item) for key, item in value.items()})
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, PLAIN_DATETIME):
        return f"{value.isoformat(timespec='milliseconds')}Z"
    if isinstance(value, memoryview):
        return f"[{_JS_ARRAYS.get(value.format, 'Uint8Array')}({value.nbytes} bytes)]"
    return JsDict()


# -- Python to JavaScript ----------------------------------------------------------------------------------------------


def _to_wire(value: PyValue) -> WireValue:
    return _EXACT.get(type(value), _other)(value)


def _same(value: bool | None) -> bool | None:
    return value


def _int(value: int) -> int | Ext:
    return value if -MAX_SAFE <= value <= MAX_SAFE else _bigint(value)


def _bigint(value: int) -> Ext:
    return Ext(_BIGINT, b"%x" % value)


def _float(value: float) -> float:
    if value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _str(value: str) -> str | Ext:
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        # JavaScript's strings are UTF-16: two surrogates that belong together come back as one character.
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        return Ext(_TEXT, value.encode("utf-8", "surrogatepass"))
    return value


def _list(value: list[PyValue]) -> list[WireValue]:
    # A plain loop, as in `_dict`: one stack frame for each level of a value, here and when it comes back.
    kinds, converted = _EXACT, []
    for item in value:
        converted.append(kinds.get(type(item), _other)(item))  # noqa: PERF401
    return converted


def _dict(value: dict[Any, PyValue]) -> dict[str, WireValue] | Ext:
    kinds = _EXACT
    converted: dict[str, WireValue] = {}
    positions: list[tuple[int, str]] = []
    for key, item in value.items():
        name = key if type(key) is str else _key(key)
        if name.isdigit() and name not in converted and _is_index(name):
            positions.append((int(name), name))
        converted[name] = kinds.get(type(item), _other)(item)
    if positions:
        first = {name: converted[name] for _, name in sorted(positions)}
        converted = {**first, **converted}
    try:
        "".join(converted).encode()
    except UnicodeEncodeError:
        pairs = [[_str(name), item] for name, item in converted.items()]
        return Ext(_OBJECT, _ENCODER.encode(pairs))
    return converted


def _key(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    if key is None:
        return "undefined"
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(int.__int__(key))
    if isinstance(key, float):
        return js_number_text(float.__float__(key))
    raise ConversionError(f"Cannot use {key!r} as a key for a Javascript Map")


def _is_index(name: str) -> bool:
    """Whether JavaScript takes a key that is made of digits for an array index, which moves it to the front."""
    return name.isascii() and (name == "0" or name[0] != "0") and int(name) < 2**32 - 1


def js_number_text(value: float) -> str:
    """A float as JavaScript writes it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    mantissa, e, exponent = repr(value).partition("e")
    mantissa = mantissa.removesuffix(".0")
    if not e:
        return mantissa
    power, sign, digits = int(exponent), "-" if value < 0 else "", mantissa.lstrip("-").replace(".", "")
    if 0 < power < 21:
        return sign + digits.ljust(power + 1, "0")
    if -7 < power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    return f"{mantissa}e{power:+d}"


def _set(value: set[PyValue]) -> Ext:
    items = []
    for item in value:
        if not (item is None or isinstance(item, str | int | float | JsNull)):
            _refuse_for_good(item)
            raise ConversionError(f"Cannot use {item!r} as a key for a Javascript Set")
        items.append(_to_wire(item))
    return Ext(_SET, _ENCODER.encode(items))


def _bytes(value: bytes) -> Ext:
    return Ext(_ARRAY, b"B\0" + value)


def _buffer(view: memoryview) -> list[Any] | Ext:
    form = view.format.lstrip("@=<")
    if form == "?":
        return view.tolist()
    if form in ("c", "s", "p"):
        form = "B"
    if form not in _JS_ARRAYS:
        raise JsException("Error", f"Unrecognized format character '{form}'.")
    return _rows(form, view.shape or (), view.tobytes())


def _rows(form: str, shape: tuple[int, ...], data: bytes) -> list[Any] | Ext:
    if len(shape) < 2:
        return Ext(_ARRAY, form.encode() + b"\0" + data)
    size = len(data) // max(shape[0], 1)
    return [_rows(form, shape[1:], data[row * size : (row + 1) * size]) for row in range(shape[0])]


def _datetime(value: datetime) -> Ext:
    ms = to_ms(value)
    if not _FIRST_MS <= ms <= _LAST_MS:
        raise ValueError(f"year {10000 if ms > 0 else 0} is out of range")
    return Ext(_DATE, b"%d" % ms)


def _proxy(value: JsProxy) -> WireValue:
    return _to_wire(value._crossing())


def _tuple(value: object) -> NoReturn:
    raise TypeError(f"{type(value)} cannot be sent over RPC.")


def _other(value: PyValue) -> WireValue:
    """A value whose type is none of the plain ones: a subclass, or nothing that can cross."""
    if isinstance(value, TransparentProxy):
        return _to_wire(value.__wrapped__)  # type: ignore[attr-defined]
    if isinstance(value, JsProxy):
        return _proxy(value)
    for base, convert in _BASES:
        if isinstance(value, base):
            return convert(value)
    if callable(value):
        raise NotSerialisable("DataCloneError", _STUB)
    _refuse_for_good(value)
    try:
        view = memoryview(value)
    except (TypeError, ValueError, BufferError):
        raise BoundaryError("DataCloneError", _PROXY) from None
    if not view.ndim:
        raise BoundaryError("DataCloneError", _PROXY)
    return _buffer(view)


def _refuse_for_good(value: object) -> None:
    """Refuse a value that may stand nowhere."""
    if isinstance(value, tuple | bytearray):
        _tuple(value)
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()  # Python's own complaint would follow ours
        raise TypeError(f"Awaitable {type(value)} cannot be sent over RPC.")


def _screen(value: PyValue) -> None:
    """Search a value that cannot cross for the part that decides how it is refused.

    Foreign iterables are inspected as well, which uses up a generator: the platform does the same.
    """
    if isinstance(value, TransparentProxy):
        value = value.__wrapped__  # type: ignore[attr-defined]
    if (callable(value) and not isinstance(value, type)) or isinstance(value, JsProxy):
        return
    _refuse_for_good(value)
    if isinstance(value, str | bytes | memoryview | array):
        return
    items: Iterable[PyValue]
    if isinstance(value, dict):
        items = value.values()
    elif isinstance(value, list | set):
        items = value
    else:
        try:
            items = islice(iter(value), _MOST_ITEMS)
        except TypeError:
            return
    for item in items:
        _screen(item)


def _refusals(value: PyValue) -> Iterator[ConversionError | BoundaryError]:
    """The refusals of every part of a value that cannot cross."""
    value = unwrap(value)
    if isinstance(value, dict):
        for key, item in value.items():
            try:
                _key(key)
            except ConversionError as error:
                yield error
            yield from _refusals(item)
    elif isinstance(value, list):
        for item in value:
            yield from _refusals(item)
    else:
        try:
            _to_wire(value)
        except (ConversionError, BoundaryError) as error:
            yield error


def _rank(error: Exception) -> int:
    """Conversion comes first, then the way over RPC, which takes functions, then storage, which does not."""
    return 0 if isinstance(error, ConversionError) else 2 if isinstance(error, NotSerialisable) else 1


def _exception(value: Exception) -> Ext:
    # A JavaScript error that Python caught is sent on as what it is, not as its text.
    text = value.message if isinstance(value, JsException) and value.name == "Error" else str(value)
    return Ext(_ERROR, text.encode("utf-8", "surrogatepass"))


_EXACT: dict[type, Callable[[Any], WireValue]] = {
    type(None): _same,
    bool: _same,
    int: _int,
    float: _float,
    str: _str,
    list: _list,
    dict: _dict,
    JsDict: _dict,
    JsBigInt: _bigint,
    JsNull: lambda _: None,
    JsProxy: _proxy,
    set: _set,
    bytes: _bytes,
    memoryview: _buffer,
    array: lambda value: _buffer(memoryview(value)),
    PLAIN_DATETIME: _datetime,
    StreamContent: lambda value: Ext(_STREAM, value.data),
    UnknownValue: lambda value: Ext(_UNKNOWN, value.reason.encode()),
    tuple: _tuple,
    bytearray: _tuple,
}
_BASES: tuple[tuple[type, Callable[[Any], WireValue]], ...] = (
    (str, lambda value: _str(str.__str__(value))),
    (JsBigInt, _bigint),
    (int, lambda value: _int(int.__int__(value))),
    (float, lambda value: _float(float.__float__(value))),
    (tuple, _tuple),
    (bytearray, _tuple),
    (list, _list),
    (dict, _dict),
    (set, _set),
    (bytes, _bytes),
    (array, lambda value: _buffer(memoryview(value))),
    (PLAIN_DATETIME, _datetime),
    (Exception, _exception),
)


# -- JavaScript to Python ----------------------------------------------------------------------------------------------

_JS_ARRAYS = {
    **TYPED_ARRAYS,
    "l": "Int32Array",
    "L": "Uint32Array",
    "n": "Int32Array",
    "N": "Uint32Array",
}


def _from_wire(value: JsValue) -> JsValue:
    """Turn dicts into JsDicts at every level; what the decoder made is ours to change."""
    if type(value) is dict:
        for key, item in value.items():
            if type(item) is dict or type(item) is list:
                value[key] = _from_wire(item)
        return JsDict(value)
    if type(value) is list:
        for index, item in enumerate(value):
            if type(item) is dict or type(item) is list:
                value[index] = _from_wire(item)
    return value


def _from_ext(code: int, data: memoryview) -> JsValue:
    raw = bytes(data)
    if code == _ARRAY:
        form, _, content = raw.partition(b"\0")
        return memoryview(bytearray(content)).cast(form.decode())  # type: ignore[call-overload]
    if code == _DATE:
        return _EPOCH + timedelta(milliseconds=int(raw))
    if code == _SET:
        return set(_DECODER.decode(raw))
    if code == _STREAM:
        return streams.make(raw)
    if code == _OBJECT:
        return JsDict({name: _from_wire(item) for name, item in _DECODER.decode(raw)})
    text = raw.decode("utf-8", "surrogatepass")
    if code == _BIGINT:
        return JsBigInt(text, 16)
    if code == _UNKNOWN:
        return UnknownValue(text)
    if code == _ERROR:
        return Exception(f"Error: {text}" if text else "Error")
    return text


def _from_ext_plain(code: int, data: memoryview) -> JsValue:
    if code == _ARRAY:
        form, _, content = bytes(data).partition(b"\0")
        return plain_buffer(form.decode(), content)
    if code == _STREAM:
        return bytes(data).decode("utf-8", "replace")
    return _from_ext(code, data)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(ext_hook=_from_ext)
_PLAIN_DECODER = msgspec.msgpack.Decoder(ext_hook=_from_ext_plain)
