"""What a value becomes when it crosses to the platform and back: Python, JavaScript, storage, JavaScript, Python.

What does not survive that trip in production must not survive it here. `encode` is the first half, into bytes that can
be stored; `decode` the second, which makes new objects each time.
Source: docs/reference/fidelity.md, "Values"; tests/engine/golden/boundary.json holds what was observed.
"""

from __future__ import annotations

import inspect
import math
from array import array
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime, timedelta
from typing import Any, NoReturn

import msgspec

from .clock import PLAIN_DATETIME, to_ms
from .errors import ConversionError, JsException

MAX_SAFE = 2**53 - 2
"""The largest int that stays a number; beyond it, an int becomes a bigint."""

_PROXY = (
    "Proxy could not be serialized because it is not a valid RPC receiver type. The Proxy must emulate either a "
    "plain object or an RpcTarget, as indicated by the Proxy's prototype chain."
)
_STUB = "RpcStub cannot be serialized in this context."
_BIGINT, _ARRAY, _DATE, _SET, _ERROR, _TEXT, _OBJECT, _FLOAT = range(1, 9)
_EPOCH = PLAIN_DATETIME(1970, 1, 1)


class JsDict(dict[str, Any]):
    """A JavaScript object as Python code gets it: a dict whose keys can be read and set as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class JsBigInt(int):
    """A JavaScript bigint as Python code gets it."""


class JsNull:
    """JavaScript's null; there is one, `jsnull`."""

    _instance: JsNull | None = None

    def __new__(cls) -> JsNull:
        """There is one."""
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "jsnull"

    def __bool__(self) -> bool:
        return False


jsnull = JsNull()


class JsProxy:
    """A JavaScript object in the hands of Python code that converts by hand (`pyodide.ffi.to_js`).

    Args:
        value: What it stands for; it crosses the boundary as that value.
    """

    def __init__(self, value: Any) -> None:
        object.__setattr__(self, "_value", value)

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> Any:
        """The Python value."""
        return self._value

    def __getattr__(self, name: str) -> Any:
        value = self._value
        if isinstance(value, dict) and name in value:
            return wrap(value[name])
        if name == "length" and isinstance(value, list):
            return len(value)
        raise AttributeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._value[name] = unwrap(value)

    def __getitem__(self, key: Any) -> Any:
        return wrap(self._value[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._value[key] = unwrap(value)

    def __iter__(self) -> Iterator[Any]:
        return (wrap(item) for item in self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JsProxy) and self._value == other._value

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<JsProxy {self._value!r}>"


JsDict.__module__ = "workers.rpc"
for _class in (JsBigInt, JsNull, JsProxy):
    _class.__module__ = "pyodide.ffi"


class BoundaryError(JsException):
    """Raised by the boundary itself, so that it keeps its JavaScript name when it passes through a step."""


class NotSerialisable(BoundaryError):
    """A function: it crosses as a stub, which storage does not take. A step that returns one ends its instance."""


for _error in (BoundaryError, NotSerialisable):
    _error.__module__, _error.__name__, _error.__qualname__ = "pyodide.ffi", "JsException", "JsException"


def wrap(value: Any) -> Any:
    """A value as JavaScript would hand it to Python unconverted: containers stay behind a proxy."""
    return JsProxy(value) if isinstance(value, dict | list | set) else value


def unwrap(value: Any) -> Any:
    """What a proxy stands for; any other value as it is."""
    return value._value if isinstance(value, JsProxy) else value


def encode(value: object) -> bytes:
    """Send a value across: from Python to JavaScript and into storage.

    Args:
        value: Anything.

    Returns:
        What is stored.

    Raises:
        TypeError: For tuples, bytearrays and awaitables, at any depth.
        ConversionError: For dict keys that JavaScript cannot have.
        RecursionError: For a list or dict that contains itself.
        JsException: `DataCloneError`, for any other object.
    """
    try:
        wire = _to_wire(value)
    except RecursionError:
        raise RecursionError("maximum recursion depth exceeded") from None
    return _ENCODER.encode(wire)


def encode_object(name: str, data: bytes, **others: object) -> bytes:
    """An object one of whose values has crossed already: it must not cross twice.

    Args:
        name: That value's key.
        data: That value, stored.
        others: The other keys, put behind it.
    """
    return _ENCODER.encode({name: msgspec.Raw(data), **{key: _to_wire(item) for key, item in others.items()}})


def is_coroutine(value: object) -> bool:
    """Whether the SDK awaits what a callback returned; a generator is no coroutine, whatever asyncio thinks of it."""
    return inspect.iscoroutine(value) or (isinstance(value, Coroutine) and not inspect.isgenerator(value))


def decode(data: bytes) -> Any:
    """Get a value back: from storage to JavaScript and to Python. Each call makes new objects."""
    return _from_wire(_DECODER.decode(data))


def cross(value: object) -> Any:
    """The whole trip."""
    return decode(encode(value))


def to_json(value: Any) -> Any:
    """What a crossed value becomes in `status()`, where it is JSON."""
    if isinstance(value, JsBigInt):
        return f"[BigInt({int(value)})]"
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
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


def _to_wire(value: Any) -> Any:
    convert = _EXACT.get(type(value))
    return convert(value) if convert is not None else _other(value)


def _same(value: Any) -> Any:
    return value


def _int(value: int) -> Any:
    return value if -MAX_SAFE <= value <= MAX_SAFE else msgspec.msgpack.Ext(_BIGINT, str(int(value)).encode())


def _float(value: float) -> Any:
    if value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _str(value: str) -> Any:
    try:
        value.encode()
    except UnicodeEncodeError:
        return msgspec.msgpack.Ext(_TEXT, value.encode("utf-8", "surrogatepass"))
    return value


def _list(value: list[Any]) -> list[Any]:
    return [_to_wire(item) for item in value]


def _dict(value: dict[Any, Any]) -> Any:
    converted: dict[str, Any] = {}
    positions: list[tuple[int, str]] = []
    for key, item in value.items():
        name = key if type(key) is str else _key(key)
        if name not in converted and _is_index(name):
            positions.append((int(name), name))
        converted[name] = _to_wire(item)
    if positions:
        first = {name: converted[name] for _, name in sorted(positions)}
        converted = {**first, **converted}
    try:
        "".join(converted).encode()
    except UnicodeEncodeError:
        pairs = [[_str(name), item] for name, item in converted.items()]
        return msgspec.msgpack.Ext(_OBJECT, _ENCODER.encode(pairs))
    return converted


def _key(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key) if type(key).__module__ != "enum" else str(key.value)  # type: ignore[attr-defined]
    if key is None:
        return "undefined"
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(int(key))
    if isinstance(key, float):
        return js_number_text(key)
    raise ConversionError(f"Cannot use {key!r} as a key for a Javascript Map")


def _is_index(name: str) -> bool:
    """Whether JavaScript takes a key for an array index, which moves it to the front."""
    return name.isdigit() and name.isascii() and (name == "0" or name[0] != "0") and int(name) < 2**32 - 1


def js_number_text(value: float) -> str:
    """A float as JavaScript writes it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    mantissa, e, exponent = repr(value).partition("e")
    if not e:
        return mantissa
    power = int(exponent)
    if -7 <= power < 0:
        digits = mantissa.lstrip("-").replace(".", "")
        return f"{'-' if value < 0 else ''}0.{'0' * (-power - 1)}{digits}"
    return f"{mantissa.removesuffix('.0')}e{power:+d}"


def _set(value: set[Any]) -> Any:
    for item in value:
        if isinstance(item, tuple):
            raise TypeError(f"{type(item)} cannot be sent over RPC.")
    return msgspec.msgpack.Ext(_SET, _ENCODER.encode([_to_wire(item) for item in value]))


def _memoryview(value: memoryview) -> Any:
    view = value if value.contiguous else memoryview(bytes(value))
    return _array(view.format, view.tobytes())


def _array(form: str, data: bytes) -> Any:
    return msgspec.msgpack.Ext(_ARRAY, form.encode() + b"\0" + data)


def _datetime(value: datetime) -> Any:
    return msgspec.msgpack.Ext(_DATE, str(to_ms(value)).encode())


def _proxy(value: JsProxy) -> Any:
    return _to_wire(value._value)


def _tuple(value: object) -> NoReturn:
    raise TypeError(f"{type(value)} cannot be sent over RPC.")


def _other(value: Any) -> Any:
    """A value whose type is none of the plain ones: a subclass, or nothing that can cross."""
    for base, convert in _BASES:
        if isinstance(value, base):
            return convert(value)
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()  # Python's own complaint would follow ours
        raise TypeError(f"Awaitable {type(value)} cannot be sent over RPC.")
    if isinstance(value, type) or callable(value):
        raise NotSerialisable("DataCloneError", _STUB)
    _refuse_inside(value)
    raise BoundaryError("DataCloneError", _PROXY)


def _refuse_inside(value: Any) -> None:
    """A foreign iterable is looked into before it is refused, so that what it holds may decide how."""
    if isinstance(value, str | bytes):
        return
    try:
        items = iter(value)
    except Exception:
        return
    for item in items:
        if isinstance(item, tuple | bytearray):
            raise TypeError(f"{type(item)} cannot be sent over RPC.")


def _int_base(value: int) -> Any:
    return _int(int(value))


def _str_base(value: str) -> Any:
    return _str(str.__str__(value) if not hasattr(value, "value") else str.__str__(value.value))


def _exception(value: Exception) -> Any:
    return msgspec.msgpack.Ext(_ERROR, str(value).encode("utf-8", "surrogatepass"))


_EXACT: dict[type, Callable[[Any], Any]] = {
    type(None): _same,
    bool: _same,
    int: _int,
    float: _float,
    str: _str,
    list: _list,
    dict: _dict,
    JsDict: _dict,
    JsBigInt: lambda value: msgspec.msgpack.Ext(_BIGINT, str(int(value)).encode()),
    JsNull: lambda _: None,
    JsProxy: _proxy,
    set: _set,
    bytes: lambda value: _array("B", value),
    memoryview: _memoryview,
    array: lambda value: _array(value.typecode, value.tobytes()),
    PLAIN_DATETIME: _datetime,
    tuple: _tuple,
    bytearray: _tuple,
}
_BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, _str_base),
    (bool, _same),
    (int, _int_base),
    (float, lambda value: _float(float(value))),
    (tuple, _tuple),
    (bytearray, _tuple),
    (list, _list),
    (dict, _dict),
    (set, _set),
    (bytes, lambda value: _array("B", bytes(value))),
    (array, lambda value: _array(value.typecode, value.tobytes())),
    (PLAIN_DATETIME, _datetime),
    (Exception, _exception),
)


# -- JavaScript to Python ----------------------------------------------------------------------------------------------

_JS_ARRAYS = {
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


def _from_wire(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return JsDict({key: _from_wire(item) for key, item in value.items()})
    if kind is list:
        return [_from_wire(item) for item in value]
    return value


def _from_ext(code: int, data: memoryview) -> Any:
    raw = bytes(data)
    if code == _ARRAY:
        form, _, content = raw.partition(b"\0")
        return memoryview(bytearray(content)).cast(form.decode())  # type: ignore[call-overload]
    if code == _DATE:
        return _EPOCH + timedelta(milliseconds=int(raw))
    if code == _SET:
        return set(_DECODER.decode(raw))
    if code == _OBJECT:
        return JsDict({name: _from_wire(item) for name, item in _DECODER.decode(raw)})
    text = raw.decode("utf-8", "surrogatepass")
    if code == _BIGINT:
        return JsBigInt(text)
    if code == _ERROR:
        return Exception(f"Error: {text}" if text else "Error")
    return text


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(ext_hook=_from_ext)
