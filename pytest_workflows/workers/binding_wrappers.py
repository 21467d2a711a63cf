"""The SDK's wrappers of the bindings of `env`: arguments and results are converted, attributes are remembered.

Source: workers-runtime-sdk 1.9.5, `workers/rpc.py`; observed on Pyodide 314.0.7 with workerd 1.20261117.1.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from durable_engine import JsProxy, hide_frames
from pytest_workflows.javascript.objects import JsFunction, JsObject, JsPlain, JsPromise
from pytest_workflows.javascript.rpc import RpcHolder, python_from_rpc, python_to_rpc

from .js_view import RESPONSE_BODIES

hide_frames(__file__)

PASSTHROUGH = RESPONSE_BODIES | {"Headers"}
"""The classes whose objects no wrapper comes around."""


T = TypeVar("T", bound=type)


def _named_as_in_the_sdk(made: T) -> T:
    """The class by the name that a Worker sees: `workers.rpc._BindingWrapper`."""
    made.__name__ = made.__qualname__ = f"_{made.__name__}"
    made.__module__ = "workers.rpc"
    return made


class Calls(Protocol):
    """The log of the calls of one binding; it decides what becomes of a call."""

    def call(
        self,
        wrapper: BindingWrapper,
        method: str,
        invoke: Callable[[Any], Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Make a call, and keep a record of it.

        Args:
            wrapper: The wrapper that it is a call of: the binding's own, or one of an object that it gave.
            method: The method, by the platform's name.
            invoke: Makes the call, given the origin of the objects in its result; gives its result converted, or a
                coroutine that does.
            args: Its arguments, as the Worker gave them.
            kwargs: Its keywords.

        Returns:
            What the Worker gets.
        """

    def is_idle(self) -> bool:
        """Whether a call that is made now has only to be noted, and need not go through `call`."""

    def note(
        self,
        method: str | None,
        args: tuple[Any, ...],
        answer: Any = None,
        convert: Callable[..., Any] | None = None,
        error: BaseException | None = None,
        prepared: tuple[Any, ...] | None = None,
        bound: tuple[Any, ...] | None = None,
    ) -> None:
        """Keep a record of a call that was made while the log was idle, and of what began the statement that it sent.

        Args:
            method: The method, by the platform's name; None for no call beyond what began the statement.
            args: Its arguments, as the Worker gave them.
            answer: What came of it.
            convert: Makes what the Worker gets, given `answer` and the arguments; None where it gets nothing to keep.
            error: What was raised instead.
            prepared: The arguments of the `prepare` before it; None where the log has it, or there was none.
            bound: Those of `bind`.
        """


@_named_as_in_the_sdk
class BindingWrapper(RpcHolder):
    """What `env.NAME` is for most bindings, and what their calls give (`_BindingWrapper`).

    Args:
        binding: The object of JavaScript.
        calls: The log of the binding's calls; None for none.
        origin: What the object came from: the record or effect of the call that gave it. The log's own affair.
    """

    _calls: Calls | None
    _origin: Any

    def __new__(cls, binding: Any, calls: Calls | None = None, origin: Any = None) -> Any:
        """The same, where it is such a wrapper already."""
        return binding if isinstance(binding, cls) else object.__new__(cls)

    def __init__(self, binding: Any, calls: Calls | None = None, origin: Any = None) -> None:
        if binding is not self:
            self._binding, self._calls, self._origin = binding, calls, origin

    def _wrap(self, value: Any, origin: Any) -> Any:
        if not isinstance(value, JsProxy) or getattr(value, "_js_class", None) in PASSTHROUGH:
            return value
        if callable(value):
            return RpcStubWrapper(value, self._calls, origin)
        return _quick.get(type(value), self._class)(value, self._calls, origin)

    @property
    def _class(self) -> type[BindingWrapper]:
        return type(self)

    def _converted(self, result: Any, origin: Any) -> Any:
        converted = python_from_rpc(result)
        if type(converted) is list:
            return [self._wrap(item, origin) for item in converted]
        return self._wrap(converted, origin) if isinstance(converted, JsProxy) else converted

    def _invoke(self, method: str, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        calls = self._calls
        if calls is None:
            return self._carry_out(function, args, kwargs, self._origin)
        return calls.call(self, method, lambda origin: self._carry_out(function, args, kwargs, origin), args, kwargs)

    def _carry_out(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], origin: Any) -> Any:
        values = [python_to_rpc(value) for value in args]
        if kwargs:
            values.append(JsPlain({key: python_to_rpc(value) for key, value in kwargs.items()}))
        result = function.call_js(values) if isinstance(function, JsFunction) else function(*values)
        if isinstance(result, JsPromise) or inspect.isawaitable(result):
            return self._awaited(result, origin)
        return self._converted(result, origin)

    async def _awaited(self, promise: Any, origin: Any) -> Any:
        return self._converted(await promise, origin)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        attribute = getattr(self._binding, name)
        made: Any
        if callable(attribute):

            def made(*args: Any, **kwargs: Any) -> Any:
                return self._invoke(name, attribute, args, kwargs)

            made.__name__, made.__qualname__ = "wrapper", "_BindingWrapper._getattr_helper.<locals>.wrapper"
        else:
            made = self._converted(attribute, self._origin)
        self.__dict__[name] = made
        return made

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int):
            return self._converted(self._binding[key], self._origin)
        return self._converted(getattr(self._binding, key), self._origin)

    def __iter__(self) -> Iterator[Any]:
        if not hasattr(self._binding, "__iter__"):
            raise TypeError(f"'{class_of(self._binding)}' object is not iterable")
        for item in self._binding:
            yield self._converted(item, self._origin)

    @property
    def _real_name(self) -> str:
        return class_of(self._binding)

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        length = getattr(self._binding, "length", None)
        if not isinstance(length, int):
            raise TypeError(f"'{class_of(self._binding)}' object has no len()")
        return length


class QuickWrapper(BindingWrapper):
    """Base of the wrappers that do for one class of JavaScript what `BindingWrapper` does for any, in fewer steps.

    To a Worker such a wrapper is a `BindingWrapper`, by its name too.
    """

    def __init_subclass__(cls, *, wraps: type | None = None) -> None:
        if wraps is not None:
            _quick[wraps] = cls
        cls.__name__, cls.__qualname__ = BindingWrapper.__name__, BindingWrapper.__qualname__
        cls.__module__ = BindingWrapper.__module__

    @property
    def _class(self) -> type[BindingWrapper]:
        return BindingWrapper


_quick: dict[type, type[BindingWrapper]] = {}
"""The wrappers of their own, by the class of JavaScript."""


@_named_as_in_the_sdk
class RpcStubWrapper(BindingWrapper):
    """A function, or the stub of an object, that came over RPC (`_RpcStubWrapper`)."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self._invoke("()", self._binding, args, kwargs)


@_named_as_in_the_sdk
class FetcherWrapper(BindingWrapper):
    """A service binding, or the stub of a Durable Object (`_FetcherWrapper`)."""

    async def fetch(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request to it; nothing happens before it is awaited.

        Args:
            *args: A URL or a `Request`.
            **kwargs: As for `workers.fetch`.

        Returns:
            The `Response`.
        """
        from .sdk_fetch import fetch

        def invoke(origin: Any) -> Any:
            return fetch(*args, fetcher=self._binding.fetch, **kwargs)

        if self._calls is None:
            return await invoke(None)
        return await self._calls.call(self, "fetch", invoke, args, kwargs)


@_named_as_in_the_sdk
class DurableObjectNamespaceWrapper(RpcHolder):
    """A namespace of Durable Objects (`_DurableObjectNamespaceWrapper`): ids are raw, arguments are not converted.

    Args:
        binding: The namespace.
        calls: The log of the binding's calls; None for none.
    """

    def __init__(self, binding: Any, calls: Calls | None = None) -> None:
        self._binding, self._calls = binding, calls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._binding, name)

    def get(self, *args: Any, **kwargs: Any) -> FetcherWrapper:
        """The stub of an object, by its id."""
        return FetcherWrapper(self._binding.get(*args, **kwargs), self._calls)

    def getByName(self, *args: Any, **kwargs: Any) -> FetcherWrapper:
        """The stub of an object, by its name."""
        return FetcherWrapper(self._binding.getByName(*args, **kwargs), self._calls)

    def jurisdiction(self, *args: Any, **kwargs: Any) -> DurableObjectNamespaceWrapper:
        """The namespace within a jurisdiction."""
        return DurableObjectNamespaceWrapper(self._binding.jurisdiction(*args, **kwargs), self._calls)


WRAPPED = frozenset(
    (
        *("KvNamespace", "R2Bucket", "D1Database", "WorkerQueue", "Ai", "VectorizeIndexImpl", "AnalyticsEngine"),
        *("AnalyticsEngineDataset", "LocalAnalyticsEngineDataset", "ImagesBindingImpl", "HostedImagesBindingImpl"),
        "Ratelimit",
    )
)
"""The classes of bindings that get a `BindingWrapper`."""


def wrap_binding(value: Any, calls: Calls | None = None) -> Any:
    """What a Worker gets as `env.NAME`; a value of any other class stays as it is.

    Args:
        value: The binding, as JavaScript has it.
        calls: The log of its calls; None for none.
    """
    name = class_of(value) if isinstance(value, JsObject) else None
    if name == "Fetcher":
        return FetcherWrapper(value, calls)
    if name == "DurableObjectNamespace":
        return DurableObjectNamespaceWrapper(value, calls)
    return _quick.get(type(value), BindingWrapper)(value, calls) if name in WRAPPED else value


def class_of(value: Any) -> str:
    """The name of a JavaScript object's class."""
    return getattr(value, "_js_class", type(value).__name__)
