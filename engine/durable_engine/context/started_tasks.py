"""The tasks that an instance's code has started, so that its end need not look through all tasks of the event loop.

asyncio knows the tasks of a loop and not who started them. While an engine uses a loop, the loop's task factory
registers each new task with the instance whose code makes it. Where code has put another factory in its place, nothing
is known, and all tasks of the loop are searched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from durable_engine.instance import Instance

from .scope import current_scope


class RegisteringFactory:
    """A task factory that registers each task with the instance whose code starts it.

    Args:
        inner: The factory that makes the tasks; None for asyncio's own way.
    """

    def __init__(self, inner: Callable[..., asyncio.Future[Any]] | None) -> None:
        self._inner = inner
        self._engines = 0

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """A further engine on the loop relies on it."""
        self._engines += 1
        loop.set_task_factory(self)

    def uninstall(self, loop: asyncio.AbstractEventLoop) -> None:
        """An engine relies on it no longer; after the last one the loop has the factory that it had."""
        self._engines -= 1
        if not self._engines:
            loop.set_task_factory(self._inner)

    def __call__(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Future[Any]:
        """Make a task. The options are those that this Python's event loop hands to a factory."""
        task = asyncio.Task(coro, loop=loop, **options) if self._inner is None else self._inner(loop, coro, **options)
        context = options.get("context")
        scope = current_scope.get() if context is None else context.get(current_scope)
        if scope is not None:
            scope.instance.started_tasks.add(task)  # type: ignore[arg-type]  # asyncio's factories make tasks
        return task


def register_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Register the loop's new tasks with their instances, until `stop_registering` was called as often."""
    factory = loop.get_task_factory()
    registering = factory if isinstance(factory, RegisteringFactory) else RegisteringFactory(factory)
    registering.install(loop)


def stop_registering(loop: asyncio.AbstractEventLoop) -> None:
    """Take back one `register_tasks`; the last one gives the loop the factory that it had."""
    factory = loop.get_task_factory()
    if isinstance(factory, RegisteringFactory):
        factory.uninstall(loop)


def tasks_of(loop: asyncio.AbstractEventLoop, instances: Iterable[Instance]) -> set[asyncio.Task[Any]]:
    """Tasks of the loop that have not ended, among them all that code of these instances has started."""
    if isinstance(loop.get_task_factory(), RegisteringFactory):
        return {task for instance in instances for task in instance.started_tasks if not task.done()}
    return asyncio.all_tasks(loop)
