"""Recording proxies: the test's own objects in a workflow's `env`, each behind a proxy that notifies of calls.

The proxy behaves as the object: `isinstance`, equality, `len`, `await`, iteration, context managers and attributes are
the object's. A call is reported as an effect of the service that it began at, and its result is behind a proxy too,
so that `env.DB.prepare(sql).bind(id).first()` is seen to its end. Plain values come back as they are.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
from array import array
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from numbers import Number
from pathlib import PurePath
from types import AsyncGeneratorType, CoroutineType, GeneratorType, ModuleType
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID
from weakref import WeakKeyDictionary

import wrapt

from durable_engine import (
    Effect,
    InstanceHandle,
    JsNull,
    JsProxy,
    ReplayEnded,
    Scope,
    TransparentProxy,
    WorkflowBinding,
    acting_scope,
    count_subrequest,
    current_scope,
    hide_frames,
    inside_service,
    make_effect,
    notify_effect,
    run_untimed,
)

from .missing_binding import MissingBinding

hide_frames(__file__)

T = TypeVar("T")

_RAW = (
    *(type(None), str, bytes, bytearray, memoryview, array, Number),
    *(list, dict, set, frozenset, tuple, range),
    *(date, time, timedelta, tzinfo, UUID, Decimal, Enum, PurePath, BaseException),
    *(type, ModuleType, asyncio.Future),
    *(JsProxy, JsNull, WorkflowBinding, InstanceHandle, MissingBinding, TransparentProxy),
)
"""Types whose values are handed over as they are: plain ones, and those that notify of calls themselves."""

_SDK = ("pytest_workflows.workers", "workers.rpc")
"""Modules of classes whose objects notify of calls themselves, as far as there is something to notify of."""

BUILDERS = frozenset(
    (
        *("prepare", "bind", "with_session", "withSession"),  # D1
        *("id_from_name", "idFromName", "id_from_string", "idFromString", "new_unique_id", "newUniqueId"),
        *("get", "get_by_name", "getByName", "jurisdiction"),  # Durable Objects
        *("gateway", "input", "transform", "output", "draw"),  # AI Gateway, Images
        *("from", "from_", "table", "collection", "document", "doc", "where", "filter", "eq", "order", "order_by"),
        *("limit", "with_options", "client", "session", "database", "schema", "path", "ref"),  # clients of others
    )
)
"""Calls that only begin a chain where they return an object at once: calls that really go out are awaited."""


class Source(NamedTuple):
    """The source of an object: the way on which it was reached.

    Attributes:
        service: The binding's name.
        path: The way from the binding to it: `prepare(...).bind`; empty for the binding itself.
        origin: The last call on that way.
        awaited: Whether it came out of an awaited result.
    """

    service: str
    path: str = ""
    origin: Effect | None = None
    awaited: bool = False

    def attribute(self, name: str) -> Source:
        """The source of one of its attributes."""
        return self._replace(path=f"{self.path}.{name}" if self.path else name)

    def result(self, effect: Effect) -> Source:
        """The source of the result of a call of it."""
        return self._replace(path=f"{self.path}(...)", origin=effect)


def record(value: T, service: str) -> T:
    """The proxy of a binding for the code of workflows; it has the type of what it stands for.

    Args:
        value: The test's object.
        service: The binding's name.

    Returns:
        The proxy; a plain value as it is.
    """
    return _proxied(value, Source(service))


def unproxied(value: Any) -> object:
    """The object behind a proxy; lists, tuples and dicts that hold proxies are copied without them."""
    if isinstance(value, TransparentProxy):
        wrapped: object = value.__wrapped__  # type: ignore[attr-defined]
        return wrapped
    kind = type(value)
    if kind is list or kind is tuple:
        items = [unproxied(item) for item in value]
        whole: object = kind(items) if any(map(_differ, items, value)) else value
        return whole
    if kind is dict:
        found = {key: unproxied(item) for key, item in value.items()}
        return found if any(map(_differ, found.values(), value.values())) else value
    return value


def _origins(value: Any) -> Iterator[Effect]:
    """The calls that gave the objects in a call's arguments."""
    if isinstance(value, _Recorded):
        if value._self_source.origin is not None:
            yield value._self_source.origin
    elif type(value) in (list, tuple, dict):
        for item in value.values() if type(value) is dict else value:
            yield from _origins(item)


def _differ(one: object, other: object) -> bool:
    return one is not other


def _is_raw(value: object) -> bool:
    return isinstance(value, _RAW) or type(value).__module__.startswith(_SDK)


def _proxied(value: T, source: Source) -> T:
    return value if _is_raw(value) else cast(T, _class_for(type(value))(value, source))


class _Recorded(wrapt.BaseObjectProxy[Any], TransparentProxy):
    """A proxy; what its object's type has of the special methods below is added by `_class_for`."""

    def __init__(self, wrapped: Any, source: Source) -> None:
        super().__init__(wrapped)
        self._self_source = source
        self._self_parts: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__wrapped__, name)
        if _is_raw(value) or name.startswith("__") or isinstance(self.__wrapped__, _RUNNING):
            return value
        part = self._self_parts.get(name)
        # Each access makes a new bound method, but an object that is kept there has one proxy.
        if part is None or part.__wrapped__ is not value:
            part = self._self_parts[name] = _proxied(value, self._self_source.attribute(name))
        return part

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value if name.startswith("_self_") else unproxied(value))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.__wrapped__[key] = unproxied(value)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __copy__(self) -> object:
        return copy.copy(self.__wrapped__)

    def __deepcopy__(self, memo: dict[int, Any]) -> object:
        return copy.deepcopy(self.__wrapped__, memo)

    def __reduce_ex__(self, protocol: Any) -> str | tuple[Any, ...]:
        made: str | tuple[Any, ...] = self.__wrapped__.__reduce_ex__(protocol)
        return made


_RUNNING = (CoroutineType, GeneratorType, AsyncGeneratorType)
"""Code that runs already: its methods are how it is driven, and no calls of the service."""


# -- calls -------------------------------------------------------------------------------------------------------------


def _call(self: _Recorded, /, *args: Any, **kwargs: Any) -> object:
    __tracebackhide__ = True
    called, source = self.__wrapped__, self._self_source
    given = tuple(_origins((args, kwargs)))
    args, kwargs = tuple(map(unproxied, args)), {name: unproxied(value) for name, value in kwargs.items()}
    scope = acting_scope()
    if scope is None:
        return _not_acting(called, args, kwargs)
    if scope.instance.replaying:
        return _end_replay(called, scope)
    is_counted = _surely_goes_out(source)
    refused = count_subrequest("service") if is_counted else None
    if refused is not None:
        return _refuse(called, refused)
    effect = make_effect(scope, source.service, source.path or "()", args, kwargs, source.origin, given)
    try:
        with inside_service():
            answer = run_untimed(called, *args, **kwargs)
    except BaseException:
        notify_effect(scope, effect)
        raise
    result = _proxied(answer, source.result(effect))
    if _goes_out(source, result):
        refused = None if is_counted else count_subrequest("service")
        if refused is not None:
            if inspect.iscoroutine(answer):
                answer.close()
            return _refuse(called, refused)
        notify_effect(scope, effect)
    return result


def _refuse(called: Any, error: Exception) -> Coroutine[Any, Any, None]:
    """Answer a call that is one too many: it raises, or what it returns does when it is awaited."""
    __tracebackhide__ = True
    if inspect.iscoroutinefunction(called):
        return _raise(error)
    raise error


async def _raise(error: Exception) -> None:
    raise error


def _not_acting(called: Callable[..., T], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> T:
    """A call by a test or a fake that got hold of a proxy, or by code that is closed after the test."""
    __tracebackhide__ = True
    scope = current_scope.get()
    if scope is not None and scope.instance.replaying:
        raise ReplayEnded
    return called(*args, **kwargs)


def _end_replay(called: Any, scope: Scope) -> Coroutine[Any, Any, None]:
    """Answer a call in a replay, which calls nothing: an awaitable never comes, and anything else ends `run`."""
    __tracebackhide__ = True
    scope.instance.end_replay()
    if inspect.iscoroutinefunction(called):
        return _never(scope)
    raise ReplayEnded


async def _never(scope: Scope) -> None:
    await scope.instance.hold()


def _surely_goes_out(source: Source) -> bool:
    """Whether a call reaches the service, whatever it returns."""
    return not source.awaited and source.path.rpartition(".")[2] not in BUILDERS


def _goes_out(source: Source, result: Any) -> bool:
    """Whether a call reached the service, rather than only beginning a chain or reading what was fetched before."""
    if not isinstance(result, TransparentProxy):
        return not source.awaited
    if _has(type(result.__wrapped__), "__await__"):  # type: ignore[attr-defined]
        return True
    return _surely_goes_out(source)


# -- special methods ---------------------------------------------------------------------------------------------------


class _Running:
    """An iterator that drives an awaitable: its code is the service's, and its result is behind a proxy."""

    __slots__ = ("_iterator", "_source")

    def __init__(self, iterator: Any, source: Source) -> None:
        self._iterator = iterator
        self._source = source

    def __iter__(self) -> _Running:
        return self

    def __next__(self) -> object:
        __tracebackhide__ = True
        return _drive(self._source, next, self._iterator)

    def send(self, value: Any) -> object:
        __tracebackhide__ = True
        if value is None:
            return _drive(self._source, next, self._iterator)
        return _drive(self._source, self._iterator.send, value)

    def throw(self, *error: Any) -> object:
        __tracebackhide__ = True
        return _drive(self._source, self._iterator.throw, *error)

    def close(self) -> None:
        self._iterator.close()


def _drive(source: Source, advance: Callable[..., T], *args: Any) -> T:
    __tracebackhide__ = True
    try:
        with inside_service():
            return run_untimed(advance, *args)
    except StopIteration as stop:
        raise StopIteration(_proxied(stop.value, source._replace(awaited=True))) from None


def _await(self: _Recorded) -> _Running:
    return _Running(self.__wrapped__.__await__(), self._self_source)


def _send(self: _Recorded, value: Any) -> object:
    __tracebackhide__ = True
    return _drive(self._self_source, self.__wrapped__.send, value)


def _throw(self: _Recorded, *error: Any) -> object:
    __tracebackhide__ = True
    return _drive(self._self_source, self.__wrapped__.throw, *error)


def _close(self: _Recorded) -> None:
    self.__wrapped__.close()


def _passing_on(name: str) -> Callable[..., Any]:
    """A special method whose result belongs to the service as well."""

    def special(self: _Recorded, *args: Any) -> object:
        __tracebackhide__ = True
        wrapped = self.__wrapped__
        with inside_service():
            given = getattr(type(wrapped), name)(wrapped, *map(unproxied, args))
        return _proxied(given, self._self_source)

    special.__name__ = name
    return special


_SPECIAL: dict[str, Callable[..., Any]] = {
    "__call__": _call,
    "__await__": _await,
    **{
        name: _passing_on(name)
        for name in ("__iter__", "__next__", "__aiter__", "__anext__", "__enter__", "__aenter__", "__getitem__")
    },
}
_OF_COROUTINES: dict[str, Callable[..., Any]] = {"send": _send, "throw": _throw, "close": _close}
_classes: WeakKeyDictionary[type, type[_Recorded]] = WeakKeyDictionary()


def _class_for(kind: type) -> type[_Recorded]:
    """The class of proxies for objects of a type: it has the special methods that the type has."""
    found = _classes.get(kind)
    if found is None:
        members: dict[str, Any] = {name: method for name, method in _SPECIAL.items() if _has(kind, name)}
        if issubclass(kind, CoroutineType):
            members |= _OF_COROUTINES
        if hasattr(kind, "__dataclass_fields__"):
            members["__dataclass_fields__"] = kind.__dataclass_fields__
        found = _classes[kind] = type(kind.__name__, (_Recorded,), {"__qualname__": kind.__qualname__, **members})
    return found


def _has(kind: type, name: str) -> bool:
    """Whether objects of a type have a special method; `hasattr` would find those of the type itself as well."""
    return any(name in vars(base) for base in kind.__mro__)
