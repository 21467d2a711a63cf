"""The base classes that a Worker's source derives from. Served as `workers.entrypoints`, and from `workers`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NoReturn, ParamSpec, TypeVar

from .binding_wrappers import BindingWrapper
from .environment import EnvWrapper

__all__ = ["DurableObject", "WorkerEntrypoint", "WorkflowEntrypoint", "handler"]

P = ParamSpec("P")
R = TypeVar("R")


class WorkerEntrypoint:
    """Base of a Worker's entrypoints: `fetch`, `scheduled` and RPC methods are defined by the subclass.

    Args:
        ctx: The execution context, with `wait_until`.
        env: The bindings.

    Example:
        >>> class Default(WorkerEntrypoint):
        ...     async def fetch(self, request):
        ...         return Response("hello")
    """

    def __init__(self, ctx: Any, env: Any) -> None:
        self.ctx = ctx
        self.env = env


class WorkflowEntrypoint:
    """Base of a workflow: the subclass defines `async def run(self, event, step)`.

    Args:
        ctx: The execution context, with `wait_until`.
        env: The bindings.

    Example:
        >>> class Orders(WorkflowEntrypoint):
        ...     async def run(self, event, step):
        ...         await step.sleep("cool down", "1 minute")
    """

    def __init__(self, ctx: Any, env: Any) -> None:
        self.ctx = ctx
        self.env = env


class DurableObjectAbort(BaseException):
    """Ends the code of a Durable Object that has called `ctx.abort()`."""


class DurableObjectContext:
    """`ctx` of a Durable Object: everything is the platform's own, but `storage`, which converts, and `abort`.

    Args:
        ctx: The platform's `ctx`.
    """

    def __new__(cls, ctx: Any) -> Any:
        """The same, where it is such a one already."""
        return ctx if isinstance(ctx, cls) else object.__new__(cls)

    def __init__(self, ctx: Any) -> None:
        if ctx is not self:
            self._ctx = ctx

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_ctx":
            raise AttributeError(name)
        value = getattr(self._ctx, name)
        if getattr(value, "_js_class", None) == "DurableObjectStorage":
            value = BindingWrapper(value)
        self.__dict__[name] = value
        return value

    def abort(self, reason: str | None = None) -> NoReturn:
        """End the object: what it wrote in this call is lost, and its next call makes it anew.

        Args:
            reason: What its calls fail with.

        Raises:
            DurableObjectAbort: Always.
        """
        if reason is None:
            self._ctx.abort()
        else:
            self._ctx.abort(reason)
        raise DurableObjectAbort(reason or "Durable Object abort requested")


class DurableObject:
    """Base of a Durable Object: RPC methods, `fetch`, `alarm` and `webSocketMessage` are defined by the subclass.

    Args:
        ctx: The object's id and storage, and what holds its events back or ends it.
        env: The bindings.

    Example:
        >>> class Counter(DurableObject):
        ...     async def add(self, amount):
        ...         value = (await self.ctx.storage.get("value") or 0) + amount
        ...         await self.ctx.storage.put("value", value)
        ...         return value
    """

    def __init__(self, ctx: Any, env: Any) -> None:
        self.ctx = DurableObjectContext(ctx)
        self.env = env

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        original = cls.__dict__.get("__init__")
        if original is None:
            return

        @functools.wraps(original)
        def wrapped(self: Any, ctx: Any, *args: Any, **options: Any) -> None:
            original(self, DurableObjectContext(ctx), *args, **options)

        cls.__init__ = wrapped  # type: ignore[method-assign]


def handler(func: Callable[P, R]) -> Callable[P, R]:
    """Have a function such as `on_fetch(request, env, ctx)` get the SDK's objects.

    Without it the function gets JavaScript's: a `js.Request`, and bindings that convert neither arguments nor results.

    Args:
        func: The function; `env` is wrapped where it is positional and second.

    Example:
        >>> @handler
        ... async def on_fetch(request, env, ctx):
        ...     return Response("hello")
    """

    @functools.wraps(func)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        given: tuple[Any, ...] = args
        if given and getattr(given[0], "_js_class", None) == "Request":
            from .request import Request

            given = (Request(given[0]), *given[1:])
        if len(given) > 1:
            given = (given[0], EnvWrapper(given[1]), *given[2:])
        return func(*given, **kwargs)

    return wrapper
