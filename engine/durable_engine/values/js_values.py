"""JavaScript's values in the hands of Python code, by the names that the platform gives them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

PyValue: TypeAlias = Any
"""A value of user code, before it crosses: anything, so there is no narrower type."""

JsValue: TypeAlias = Any
"""A value that has crossed, as Python code gets it: None, a bool, a number, a text, a list, a `JsDict`, a set, a
`datetime`, a `memoryview`, a `JsBigInt` or an exception. User code knows which one it is, and no type says so."""


class JsDict(dict[str, Any]):
    """A JavaScript object as Python code gets it: a dict whose keys can be read and set as attributes."""

    def __getattr__(self, name: str) -> JsValue:
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


TYPED_ARRAYS = {
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
"""JavaScript's typed arrays, by the format of their items in Python's `struct` and `memoryview`."""


class JsProxy:
    """A JavaScript object in the hands of Python code.

    The engine needs of it only what it crosses the boundary as. The classes that user code meets derive from it; this
    one stands for a plain value.

    Args:
        value: The value behind it.
    """

    _kept: bytes | None = None
    """The content of a stream that was made of a stored one: it can be read without using the stream up."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def to_py(self, *, depth: int = -1, default_converter: Any = None) -> JsValue:
        """The Python value."""
        return self._value

    def _crossing(self) -> PyValue:
        """The value that it crosses the boundary as."""
        return self._value

    def _stored_content(self) -> StreamContent | Coroutine[Any, Any, StreamContent] | None:
        """What a step's result is stored as, where that is not what it crosses as: the content of a stream."""
        return None

    def __repr__(self) -> str:
        return f"<JsProxy {self._value!r}>"


class StreamContent:
    """What a stream held, which a step gave as its result: stored as bytes, read again as a stream.

    Args:
        data: The bytes.
    """

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class StreamMaker:
    """Makes a stream of stored bytes. The class of streams is not the engine's, and puts itself here.

    Attributes:
        make: Makes one; until the class is there, a proxy of the bytes.
    """

    def __init__(self) -> None:
        self.make: Callable[[bytes], JsProxy] = JsProxy


streams = StreamMaker()

JsDict.__module__ = "workers.rpc"
for _class in (JsBigInt, JsNull, JsProxy):
    _class.__module__ = "pyodide.ffi"


class TransparentProxy:
    """Base of the proxies of a test's own values (`__wrapped__`): each crosses the boundary as the value behind it."""

    __slots__ = ()


def unwrap(value: PyValue) -> PyValue:
    """The value behind a proxy; any other value as it is."""
    if isinstance(value, TransparentProxy):
        value = value.__wrapped__  # type: ignore[attr-defined]
    return value._crossing() if isinstance(value, JsProxy) else value
