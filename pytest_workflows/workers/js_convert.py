"""`pyodide.ffi.to_js`, and the proxies that Python objects get on their way to JavaScript.

Source: Pyodide 314.0.7, and what older ones did otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from durable_engine import ConversionError, JsException, JsProxy
from pytest_workflows.javascript import runtime
from pytest_workflows.javascript.buffers import buffer_from_python
from pytest_workflows.javascript.collections import JsSet
from pytest_workflows.javascript.objects import JsArray, JsFunction, JsPlain, PyProxy, from_python, js_error, js_text

C = TypeVar("C", bound=Callable[..., Any])

_KEYS = (str, int, float, type(None))


def to_js(
    obj: Any,
    /,
    *,
    dict_converter: Callable[[Iterable[list[Any]]], Any] | None = None,
    default_converter: Callable[[Any, Callable[[Any], Any], Callable[[Any, Any], None]], Any] | None = None,
    eager_converter: Callable[[Any, Callable[[Any], Any], Callable[[Any, Any], None]], Any] | None = None,
    depth: int = -1,
    pyproxies: object = None,
    create_pyproxies: bool = True,
) -> Any:
    """Convert a value to JavaScript: a list, tuple, set, dict or bytes to a `JsProxy`, anything else as it is.

    Args:
        obj: The value.
        dict_converter: Makes the value for a dict, given its entries; usually `js.Object.fromEntries`. Without it a
            dict becomes a plain object; where the platform runs the Worker on Python 3.12 or 3.13, a map whose keys
            are attributes as well.
        default_converter: Makes the value for an object for which there is no conversion, given the object, a
            function that converts further values, and one that remembers the value of an object that holds itself.
        eager_converter: The same, asked first for each value.
        depth: How many levels to convert; -1 for all.
        pyproxies: Accepted and without effect: proxies need no destroying here.
        create_pyproxies: Whether an object without a conversion may stay as it is.

    Raises:
        ConversionError: A dict key, or with `create_pyproxies=False` a value, has no JavaScript form.

    Example:
        >>> options = to_js({"id": "order-1", "params": {"sku": "A1"}}, dict_converter=Object.fromEntries)
        >>> await env.ORDERS.create(options)  # doctest: +SKIP
    """
    made = _Conversion(dict_converter, default_converter, eager_converter, create_pyproxies).convert(obj, depth)
    return obj if type(made) is PyProxy else made


class _Conversion:
    """One call of `to_js`; its arguments are that call's."""

    def __init__(
        self,
        dict_converter: Callable[[Any], Any] | None,
        default_converter: Callable[..., Any] | None,
        eager_converter: Callable[..., Any] | None,
        creates_proxies: bool,
    ) -> None:
        self._of_dict, self._default, self._eager = dict_converter, default_converter, eager_converter
        self._creates_proxies = creates_proxies
        self._made: dict[int, Any] = {}

    def convert(self, value: Any, left: int) -> Any:
        """The value of JavaScript for a value of Python, `left` levels deep."""
        if self._eager is not None:
            return from_python(self._eager(value, lambda item: self._convert(item, left), self._remember))
        return self._convert(value, left)

    def _convert(self, value: Any, left: int) -> Any:
        if value is None or isinstance(value, str | int | float | JsProxy):
            return from_python(value)
        if left == 0:
            return PyProxy(value)
        if id(value) in self._made:
            return self._made[id(value)]
        if isinstance(value, dict):
            return self._dict(value, left - 1)
        if isinstance(value, list | tuple):
            array = self._made[id(value)] = JsArray()
            array._items.extend(self.convert(item, left - 1) for item in value)
            return array
        if isinstance(value, set | frozenset):
            return JsSet(self.convert(item, left - 1) for item in value)
        buffer = _buffer(value)
        return self._other(value, left) if buffer is None else buffer

    def _dict(self, value: dict[Any, Any], left: int) -> Any:
        for key in value:
            if not isinstance(key, _KEYS):
                raise ConversionError(f"Cannot use {key!r} as a key for a Javascript Map")
        is_object = isinstance(self._of_dict, JsFunction) and self._of_dict.name == "fromEntries"
        if self._of_dict is not None and not is_object:
            return from_python(
                self._of_dict(JsArray([JsArray([key, self.convert(item, left)]) for key, item in value.items()]))
            )
        if not is_object and runtime.python_version() < (3, 14):
            from pytest_workflows.javascript.maps import LiteralMap

            literal = self._made[id(value)] = LiteralMap()
            literal._entries.update({key: self.convert(item, left) for key, item in value.items()})
            return literal
        return JsPlain({js_text(key): self.convert(item, left) for key, item in value.items()})

    def _other(self, value: Any, left: int) -> Any:
        if self._default is not None:
            return from_python(self._default(value, lambda item: self.convert(item, left), self._remember))
        if not self._creates_proxies:
            raise ConversionError(f"No conversion known for {value!r}.")
        return PyProxy(value)

    def _remember(self, value: Any, converted: Any) -> None:
        self._made[id(value)] = from_python(converted)


def _buffer(value: Any) -> Any:
    """The typed array of something with Python's buffer protocol; None for anything else."""
    try:
        return buffer_from_python(value)
    except TypeError:
        return None


class JsDoubleProxy(PyProxy):
    """The proxy that `create_proxy` gives: stands for the object until it is destroyed.

    Args:
        obj: The object.
        is_once: Whether it can be called once only.
    """

    def __init__(self, obj: Any, *, is_once: bool = False) -> None:
        super().__init__(obj)
        self._is_once = is_once
        self._gone = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function that it stands for."""
        target = self.unwrap()
        if self._is_once:
            self._gone = "OnceProxy can only be called once"
        return target(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unwrap(), name)

    def unwrap(self) -> Any:
        """The object itself. Raises JsException once the proxy is destroyed."""
        if self._gone:
            raise JsException("Error", self._gone)
        return self._object

    def destroy(self) -> None:
        """Let go of the object: no use of the proxy works from now on."""
        self._gone = "Object has already been destroyed"

    def copy(self) -> JsDoubleProxy:
        """Another proxy of the object."""
        return JsDoubleProxy(self.unwrap())

    def getBuffer(self, kind: Any = None) -> JsPlain:
        """The bytes of an object with Python's buffer protocol: an object whose `data` is a typed array of them.

        Args:
            kind: Which typed array; that of the object's own items, unless given.
        """
        buffer = _buffer(self.unwrap())
        if buffer is None:
            raise js_error("TypeError", "Object does not support the buffer protocol")
        return _PyBuffer({"data": buffer, "nbytes": buffer.byteLength, "offset": 0, "readonly": True})


class _PyBuffer(JsPlain):
    """What `getBuffer` gives."""

    def release(self) -> None:
        """Accepted: the bytes are a copy, and nothing needs to be let go."""


# JavaScript's own names of it, which the class's methods would hide from Python: both call them alike.
for _name in ("unwrap", "destroy", "copy", "getBuffer"):
    _method = vars(JsDoubleProxy)[_name]
    setattr(JsDoubleProxy, _name, _method.function)


def create_proxy(obj: C, /, *, capture_this: bool = False, roundtrip: bool = True) -> C:
    """Make a proxy that works until its `destroy()`.

    Args:
        obj: Usually a function.
        capture_this: Accepted and without effect.
        roundtrip: Accepted and without effect.

    Returns:
        A `JsDoubleProxy`, which has `destroy()` and `unwrap()` beside what the object has.
    """
    return JsDoubleProxy(obj)  # type: ignore[return-value]


def create_once_callable(obj: C, /) -> C:
    """A proxy of a function that can be called once.

    Args:
        obj: The function.
    """
    return JsDoubleProxy(obj, is_once=True)  # type: ignore[return-value]


def destroy_proxies(proxies: Any) -> None:
    """Destroy all proxies of an array.

    Args:
        proxies: The array.
    """
    for proxy in proxies:
        if isinstance(proxy, JsDoubleProxy):
            proxy.destroy()


__all__ = ["JsDoubleProxy", "create_once_callable", "create_proxy", "destroy_proxies", "to_js"]
