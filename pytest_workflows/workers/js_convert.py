"""`pyodide.ffi.to_js`, and the proxies that Python objects get on their way to JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, ParamSpec, TypeVar

from durable_engine import ConversionError, JsException, JsProxy
from pytest_workflows.javascript.collections import JsSet, buffer_from_python
from pytest_workflows.javascript.objects import JsArray, JsPlain, PyProxy, from_python, js_text

P = ParamSpec("P")
R = TypeVar("R")

_KEYS = (str, int, float, type(None))


def to_js(
    obj: Any,
    /,
    *,
    dict_converter: Callable[[Iterable[list[Any]]], Any] | None = None,
    default_converter: Callable[[Any, Callable[[Any], Any], Callable[[Any, Any], None]], Any] | None = None,
    depth: int = -1,
    pyproxies: object = None,
    create_pyproxies: bool = True,
) -> Any:
    """Convert a value to JavaScript: to a `JsProxy` for a list, tuple, set or dict, anything else as it is.

    Args:
        obj: The value.
        dict_converter: Makes the value for a dict, given its entries; usually `js.Object.fromEntries`.
        default_converter: Makes the value for an object for which there is no conversion, given the object, a
            function that converts further values, and one that is accepted for the platform's sake.
        depth: How many levels to convert; -1 for all.
        pyproxies: Accepted and without effect: proxies need no destroying here.
        create_pyproxies: Whether an object without a conversion may stay as it is.

    Raises:
        ConversionError: A dict key, or with `create_pyproxies=False` a value, has no JavaScript form.

    Example:
        >>> options = to_js({"id": "order-1", "params": {"sku": "A1"}}, dict_converter=Object.fromEntries)
        >>> await env.ORDERS.create(options)  # doctest: +SKIP
    """

    def convert(value: Any, left: int) -> Any:
        if value is None or isinstance(value, str | int | float | JsProxy):
            return from_python(value)
        if isinstance(value, bytes | memoryview):
            return buffer_from_python(value)
        if left == 0:
            return value
        if isinstance(value, dict):
            entries = [JsArray([_key(key), convert(item, left - 1)]) for key, item in value.items()]
            if dict_converter is not None:
                return dict_converter(JsArray(entries))
            return JsPlain({entry[0]: entry[1] for entry in entries})
        if isinstance(value, list | tuple):
            return JsArray([convert(item, left - 1) for item in value])
        if isinstance(value, set):
            return JsSet(convert(item, left - 1) for item in value)
        if default_converter:
            return default_converter(value, lambda item: convert(item, left - 1), lambda *_: None)
        if not create_pyproxies:
            raise ConversionError(f"No conversion known for {value!r}.")
        return PyProxy(value)

    made = convert(obj, depth)
    return obj if type(made) is PyProxy else made


def _key(key: object) -> object:
    if not isinstance(key, _KEYS):
        raise ConversionError(f"Cannot use {key!r} as a key for a Javascript Map")
    return js_text(key) if key is not None else "undefined"


class JsDoubleProxy(Generic[P, R]):
    """The proxy that `create_proxy` gives: stands for the object until it is destroyed."""

    def __init__(self, obj: Callable[P, R], *, once: bool = False) -> None:
        self._obj = obj
        self._once = once
        self._gone = ""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function that it stands for."""
        target = self.unwrap()
        if self._once:
            self._gone = "OnceProxy can only be called once"
        return target(*args, **kwargs)

    def unwrap(self) -> Callable[P, R]:
        """The object itself. Raises JsException once the proxy is destroyed."""
        if self._gone:
            raise JsException("Error", self._gone)
        return self._obj

    def destroy(self) -> None:
        """Let go of the object: no use of the proxy works from now on."""
        self._gone = "Object has already been destroyed"


def create_proxy(obj: Callable[P, R], /, *, capture_this: bool = False, roundtrip: bool = True) -> JsDoubleProxy[P, R]:
    """Make a proxy that works until its `destroy()`.

    Args:
        obj: Usually a function.
        capture_this: Accepted and without effect.
        roundtrip: Accepted and without effect.
    """
    return JsDoubleProxy(obj)


def create_once_callable(obj: Callable[P, R], /) -> JsDoubleProxy[P, R]:
    """A proxy of a function that can be called once.

    Args:
        obj: The function.
    """
    return JsDoubleProxy(obj, once=True)
