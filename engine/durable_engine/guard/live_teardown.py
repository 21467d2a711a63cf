"""Task teardown in real time: what was stopped is closed in the next turn of the loop, since no test's end comes.

Python has no way to destroy a coroutine without its `finally` blocks, so these run. What they ask of a step, a binding
or a handle waits for ever, as for all stopped code; the platform, which ends the whole isolate, runs none of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextvars import Context
from typing import Any, cast
from weakref import WeakSet

from durable_engine.context.scope import Scope, current_scope
from durable_engine.instance import Instance

from .task_teardown import StoppedTasks


class _Stopped:
    """The instance of stopped code that is being closed: whatever that asks for, it gets no answer."""

    engine = None
    killed = True
    replaying = False

    def __init__(self) -> None:
        self.started_tasks: WeakSet[asyncio.Task[Any]] = WeakSet()

    def belongs_to(self, engine: object) -> bool:
        """Whether an engine is its own: it has none."""
        return False

    def end_replay(self) -> None:
        """It is no replay."""

    def hold(self) -> asyncio.Future[None]:
        """A future that is never done."""
        return asyncio.get_running_loop().create_future()


class LiveStoppedTasks(StoppedTasks):
    """The tasks of stopped executions, which are closed soon.

    Args:
        running_loop: Gives the engine's loop, or None where it does not run.
    """

    def __init__(self, running_loop: Callable[[], asyncio.AbstractEventLoop | None]) -> None:
        super().__init__()
        self._running_loop = running_loop
        self._closing: asyncio.Handle | None = None
        self._context = Context()
        self._context.run(current_scope.set, Scope(cast(Instance, _Stopped()), lambda _: None))

    def keep_task(self, task: asyncio.Task[Any]) -> None:
        """Close a task, which must not run again, in the next turn."""
        super().keep_task(task)
        self._close_soon()

    def keep(self, coroutine: Any) -> None:
        """Close a coroutine, which nobody awaits any more, in the next turn."""
        super().keep(coroutine)
        self._close_soon()

    def _close_soon(self) -> None:
        loop = self._running_loop()
        if self._closing is None and loop is not None:
            self._closing = loop.call_soon(self._close_now, context=self._context)

    def _close_now(self) -> None:
        self._closing = None
        with contextlib.suppress(KeyboardInterrupt):  # raised by a `finally` block: it ends no process that serves
            self.close()
