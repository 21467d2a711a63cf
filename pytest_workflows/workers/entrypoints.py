"""The base classes that a Worker's source derives from. Served as `workers.entrypoints`, and from `workers`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

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


class DurableObject:
    """Base of a Durable Object, so that a source which has one beside its workflows can be imported.

    Nothing here makes objects of it: a binding to one is missing, like any other, until `workflow_bindings` has a fake.

    Args:
        ctx: The object's state and storage.
        env: The bindings.
    """

    def __init__(self, ctx: Any, env: Any) -> None:
        self.ctx = ctx
        self.env = env


def handler(func: Callable[P, R]) -> Callable[P, R]:
    """Mark a module-level handler such as `on_fetch(request, env, ctx)`.

    On the platform it turns the JavaScript arguments into Python ones. Here they are Python objects already,
    so the function comes back as it is.

    Example:
        >>> @handler
        ... async def on_fetch(request, env, ctx):
        ...     return Response("hello")
    """
    return func
