"""Task teardown: an execution's tasks are parked where they stand, and never run again while the test can see it.

Cancelling would run `except` and `finally` blocks of user code, which a crash does not. So the tasks are cut off from
whatever would wake them, and taken out of asyncio's register so that nobody cancels them later. The coroutines are
closed after the test's report, when nobody can see it any more (`StoppedTasks.close`).
Checked in CPython 3.11 to 3.14: `_unregister_task` takes a task out of `asyncio.all_tasks`, `_log_destroy_pending`
keeps asyncio from complaining of it, and `_asyncgens` has the async generators that the loop closes at its end. Without
one of them `finally` blocks of stopped code would run while the test can see it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import warnings
from collections.abc import Callable, Iterable
from contextvars import Context
from itertools import islice
from types import AsyncGeneratorType
from typing import Any

from durable_engine.context.asyncio_internals import chain_of, detach, ready_handles, scope_of, task_context
from durable_engine.context.loop_timers import pending_timers
from durable_engine.context.scope import Scope, WorkerCall, current_call, current_scope
from durable_engine.instance import Instance

from .closing import closing

FEW = 64
"""The callbacks that a loop is about to run, among which it is no work to look for those of one instance."""


def kill(
    loop: asyncio.AbstractEventLoop,
    dead: Callable[[Scope], bool],
    stopped_tasks: StoppedTasks,
    tasks: Iterable[asyncio.Task[Any]] | None = None,
    *,
    ready: Iterable[Any] | None = None,
    dead_call: Callable[[WorkerCall], bool] = lambda _: False,
) -> None:
    """Stop every task, callback and timer whose scope or call is dead.

    Args:
        loop: The loop that they live on.
        dead: Says of a scope whether its execution was stopped.
        dead_call: Says of a call of the Worker's code whether it is stopped.
        stopped_tasks: Keeps the stopped tasks until they can be closed.
        tasks: Where the tasks are to be found; None for all of the loop.
        ready: Where the callbacks are to be found that are about to run; None for all of the loop.
    """
    stopping: set[asyncio.Task[Any]] = set()

    def is_dead(context: Context | None) -> bool:
        scope = scope_of(context)
        if scope is not None:
            return dead(scope)
        call = None if context is None else context.get(current_call)
        return call is not None and dead_call(call)

    for handle in (ready_handles(loop) or ()) if ready is None else ready:
        if is_dead(handle._context):
            owner = getattr(handle._callback, "__self__", None)
            if isinstance(owner, asyncio.Task):
                stopping.add(owner)
            # The coroutine with which the loop would close an async generator; asyncio would complain of it.
            for argument in handle._args or ():
                if asyncio.iscoroutine(argument):
                    stopped_tasks.keep(argument)
            handle.cancel()
    for handle in pending_timers(loop):
        if is_dead(handle._context):
            handle.cancel()
    for task in asyncio.all_tasks(loop) if tasks is None else tasks:
        if is_dead(task_context(task)):
            stopping.add(task)
    stopping.update(_running_dead(loop, dead))
    for task in stopping:
        detach(task)
        stopped_tasks.keep_task(task)
        _take_generators(loop, task, stopped_tasks)


class ReadyHandles:
    """The callbacks that a loop is about to run, by the instance whose code they are.

    Where a test ends thousands of instances before the loop turns, each one's are found without a look at all others'.
    """

    def __init__(self) -> None:
        self._first = self._last = None
        self._count = 0
        self._by_instance: dict[Instance, list[Any]] = {}

    def of(self, loop: asyncio.AbstractEventLoop, instances: Iterable[Instance]) -> list[Any] | None:
        """Those of these instances; None where it is no work to look at all of them.

        Args:
            loop: The loop.
            instances: The instances.
        """
        ready: Any = getattr(loop, "_ready", ())
        if len(ready) <= FEW:
            self.forget()
            return None
        # What was there stays as it is until the loop runs it: new callbacks come behind it.
        count = self._count
        if count > len(ready) or ready[0] is not self._first or ready[count - 1] is not self._last:
            self.forget()
        for handle in reversed(list(islice(reversed(ready), len(ready) - self._count))):
            scope = scope_of(handle._context)
            if scope is not None:
                self._by_instance.setdefault(scope.instance, []).append(handle)
        self._count, self._first, self._last = len(ready), ready[0], ready[-1]
        return [handle for instance in instances for handle in self._by_instance.pop(instance, ())]

    def forget(self) -> None:
        """Hold on to none of them."""
        self._first = self._last = None
        self._count = 0
        self._by_instance.clear()


def _take_generators(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any], stopped_tasks: StoppedTasks) -> None:
    """Take the async generators that a stopped task iterates over from the loop, which would close them at its end."""
    known = getattr(loop, "_asyncgens", None)
    if known:
        for coroutine in chain_of(task.get_coro()):
            for found in gc.get_referents(coroutine):
                if isinstance(found, AsyncGeneratorType) and found in known:
                    known.discard(found)
                    stopped_tasks.keep(found)


class StoppedTasks:
    """The tasks of stopped executions, kept where they stand until the test's report is written."""

    def __init__(self) -> None:
        self._stopped: list[Any] = []

    def keep_task(self, task: asyncio.Task[Any]) -> None:
        """Keep a task that must not run again."""
        asyncio.tasks._unregister_task(task)
        # It stays pending for ever; asyncio's complaint about that would blame the user.
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._stopped.append(task)

    def keep(self, coroutine: Any) -> None:
        """Keep a coroutine that nobody awaits any more."""
        self._stopped.append(coroutine)

    def close(self) -> None:
        """Close the coroutines: `finally` blocks run now, and whatever they print, warn or raise is discarded.

        Raises:
            KeyboardInterrupt: If it came meanwhile. All of them are closed all the same.
        """
        stopped, self._stopped = self._stopped, []
        if not stopped:
            return
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
            closing() as closer,
        ):
            warnings.simplefilter("ignore")
            for one in stopped:
                if not isinstance(one, asyncio.Task):
                    closer.close(one)
                elif not one.done():  # Python 3.12.1 crashes if an eager task that has ended is asked for its coroutine
                    closer.close(one.get_coro())
        if closer.is_interrupted:
            raise KeyboardInterrupt


def _running_dead(loop: asyncio.AbstractEventLoop, dead: Callable[[Scope], bool]) -> list[asyncio.Task[Any]]:
    """The running task, if its own execution is stopped: it is suspended for ever soon, or comes to its end."""
    scope = current_scope.get()
    task = asyncio.current_task(loop)
    return [task] if task is not None and scope is not None and dead(scope) else []
