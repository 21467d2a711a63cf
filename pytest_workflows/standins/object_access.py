"""What a test does with Durable Objects that no Worker can: look inside, set off the alarm, drop them from memory."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from durable_engine import InvalidArgumentError, hide_frames
from pytest_workflows.messages.short_repr import shown
from pytest_workflows.workers.entrypoints import DurableObjectContext

from .durable_ids import DurableObjectId
from .durable_objects import DurableObject, DurableObjectNamespace
from .running_object import RunningObject

hide_frames(__file__)

T = TypeVar("T")


async def run_in_durable_object(stub: Any, function: Callable[[Any, Any], Awaitable[T] | T]) -> T:
    """Call a function inside a Durable Object, which is made where it is not in memory.

    Args:
        stub: The object's stub, `workflow_env.COUNTER.getByName("a")`.
        function: Called with the object that the class made, and its `ctx`; a plain or an async function.

    Returns:
        What the function returns, as it is: nothing crosses.

    Raises:
        InvalidArgumentError: If that is no stub, or no function.

    Example:
        >>> async def test_counts(workflow_env):
        ...     stub = workflow_env.COUNTER.getByName("a")
        ...     await stub.add(3)
        ...     assert await run_in_durable_object(stub, lambda counter, ctx: ctx.storage.get("value")) == 3
    """
    object_ = _object_of("run_in_durable_object", stub)
    if not callable(function):
        raise InvalidArgumentError(
            f"run_in_durable_object takes a function of the object and its ctx, not {shown(function)}."
        )
    running = _running(object_)

    async def work(instance: Any) -> Any:
        result = function(instance, DurableObjectContext(running.state))
        return await result if inspect.isawaitable(result) else result

    return cast(T, await _inside(running, lambda: running.deliver(work), f"A function inside {running.what}"))


async def run_durable_object_alarm(stub: Any) -> bool:
    """Run the alarm of a Durable Object now, whatever the time is.

    Args:
        stub: The object's stub, `workflow_env.COUNTER.getByName("a")`.

    Returns:
        Whether an alarm was set. One whose handler raises is set once more, as it would be by itself.

    Raises:
        InvalidArgumentError: If that is no stub.
    """
    running = _running(_object_of("run_durable_object_alarm", stub))
    return await _inside(running, running.alarm.run, f"The alarm of {running.what}")


async def list_durable_object_ids(namespace: Any) -> list[DurableObjectId]:
    """The ids of the Durable Objects of a class that have stored anything, or are in memory, in order.

    Args:
        namespace: The binding, `workflow_env.COUNTER`.

    Raises:
        InvalidArgumentError: If that is no such binding.
    """
    binding = getattr(namespace, "_binding", namespace)
    if not isinstance(binding, DurableObjectNamespace):
        raise InvalidArgumentError(
            f"list_durable_object_ids takes a binding of Durable Objects, workflow_env.NAME, not {shown(namespace)}."
        )
    store = binding._class.store
    return [DurableObjectId(digits, store.names.get(digits)) for digits in sorted({*store.ids(), *store.running})]


async def evict_durable_object(stub: Any) -> bool:
    """Drop a Durable Object from memory, as the platform does with one that is idle; what it stored stays.

    Args:
        stub: The object's stub, `workflow_env.COUNTER.getByName("a")`.

    Returns:
        Whether it was in memory.

    Raises:
        InvalidArgumentError: If that is no stub, or a call of the object is under way.
    """
    object_ = _object_of("evict_durable_object", stub)
    running = object_._class.store.running.get(object_._id._digits)
    if running is None:
        return False
    if running.is_busy:
        raise InvalidArgumentError(f"{running.what} cannot be dropped from memory while a call of it is under way.")
    object_._class.forget(running)
    return True


def _object_of(function: str, stub: Any) -> DurableObject:
    binding = getattr(stub, "_binding", stub)
    if not isinstance(binding, DurableObject):
        raise InvalidArgumentError(
            f'{function} takes the stub of a Durable Object, workflow_env.NAME.getByName("..."), not {shown(stub)}.'
        )
    return binding


def _running(object_: DurableObject) -> RunningObject:
    return object_._class.running(object_._id)


async def _inside(running: RunningObject, work: Callable[[], Awaitable[T]], what: str) -> T:
    host = running.host
    return await host.wait(host.spawn(_awaited(work), what), what)


async def _awaited(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


__all__ = ["evict_durable_object", "list_durable_object_ids", "run_durable_object_alarm", "run_in_durable_object"]
