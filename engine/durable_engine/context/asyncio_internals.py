"""Internals of asyncio: the callbacks and tasks of a loop, the futures that they wait for, and their scopes.

Checked in CPython 3.11 to 3.14, whose C and Python classes both have these attributes. A loop that does not keep them
where asyncio's own does (uvloop) shows fewer of them. What would break without them: `_ready` and `_callbacks` are read
to stop and to wake tasks, so that stopped code would run on; without `_fut_waiter` nothing says what a task waits for,
and virtual time would move while code runs; without `_set_result_unless_cancelled` this module cannot be imported.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable, Iterator
from contextvars import Context
from types import AsyncGeneratorType, FrameType
from typing import Any

from .scope import Scope, current_scope

WAKE = asyncio.futures._set_result_unless_cancelled  # type: ignore[attr-defined]
"""The callback that ends an `asyncio.sleep`."""

DRIVEN = "awaited"
"""The variable in which a generator of ours keeps what it sends to by itself."""


def scope_of(context: Context | None) -> Scope | None:
    """The scope that a context belongs to, or None for code of the test."""
    return context.get(current_scope) if context is not None else None


def ready_handles(loop: asyncio.AbstractEventLoop) -> list[Any] | None:
    """The callbacks that the loop is about to run, or None for a loop that does not show them (uvloop)."""
    ready = getattr(loop, "_ready", None)
    return None if ready is None else list(ready)


def task_context(task: asyncio.Task[Any]) -> Context | None:
    """The context that a suspended task runs in, or None where it cannot be determined."""
    if not hasattr(task, "get_context"):  # pragma: no cover (Python 3.11 alone; coverage is measured on a later one)
        return _context_of_waker(task)
    context: Context = task.get_context()
    return context


def _context_of_waker(task: asyncio.Task[Any]) -> Context | None:  # pragma: no cover (Python 3.11 alone)
    """The context of a suspended task on Python 3.11, which has no accessor.

    The future that the task waits for keeps the context beside the callback that wakes the task.
    """
    for callback, context in wakers(task):
        if getattr(callback, "__self__", None) is task:
            return context
    return None


def waiting_for(task: asyncio.Future[Any]) -> asyncio.Future[Any] | None:
    """The future that a task is suspended on, or None."""
    return getattr(task, "_fut_waiter", None)


def gathered_by(future: Any) -> list[Any]:
    """The futures that one of a `gather` waits for; none for any other future.

    Checked in CPython 3.11 to 3.14: the future of a `gather` has `_children`. Without it the sleeps of a step that
    gathers them would be real, and a wait of the test for what never happens, within a gathering, would end by its
    timeout alone. On a loop that does not show its queue, code whose gathered steps have all ended would count as
    waiting, and virtual time would move under it.
    """
    return list(getattr(future, "_children", None) or ())


def wake(task: asyncio.Task[Any]) -> None:
    """Let a suspended task go on now, whatever it waits for; that stays as it is."""
    for callback, context in detach(task):
        done = task.get_loop().create_future()
        done.set_result(None)
        task.get_loop().call_soon(callback, done, context=context)


def detach(task: asyncio.Task[Any]) -> list[tuple[Any, Context]]:
    """Take a task off what it is suspended on, which stays as it is; returns what would have woken it."""
    future = waiting_for(task)
    mine = [(callback, context) for callback, context in wakers(task) if getattr(callback, "__self__", None) is task]
    for callback, _ in mine:
        assert future is not None
        future.remove_done_callback(callback)
    return mine


def wakers(task: asyncio.Task[Any]) -> Iterable[tuple[Any, Context]]:
    """The callbacks of what a task is suspended on, with their contexts; one of them wakes the task."""
    future = waiting_for(task)
    return list(getattr(future, "_callbacks", None) or ())


def frames_of(coroutine: Any) -> Iterator[FrameType]:
    """The frames of a suspended coroutine, from its own inwards down what it awaits."""
    return (frame for frame in map(_frame, chain_of(coroutine)) if frame is not None)


def chain_of(coroutine: Any) -> Iterator[Any]:
    """A suspended coroutine, the awaitable that it awaits, and so on inwards.

    Checked in CPython 3.11 to 3.14: the awaitable of an async generator's next value refers to the generator. Without
    it code that awaits inside of one would count as waiting for something unknown, and its sleeps would be real.
    """
    while coroutine is not None:
        yield coroutine
        if _frame(coroutine) is None:
            coroutine = next((one for one in gc.get_referents(coroutine) if isinstance(one, AsyncGeneratorType)), None)
        else:
            coroutine = _awaited_by(coroutine)


def _frame(coroutine: Any) -> FrameType | None:
    frames = (getattr(coroutine, f"{kind}_frame", None) for kind in ("cr", "gi", "ag"))
    return next(filter(None, frames), None)


def _awaited_by(coroutine: Any) -> Any:
    """What a suspended coroutine, an async generator or the generator of an awaitable waits for."""
    names = ("cr_await", "ag_await", "gi_yieldfrom")
    awaited = next(filter(None, (getattr(coroutine, name, None) for name in names)), None)
    frame = getattr(coroutine, "gi_frame", None)
    if awaited is None and frame is not None:
        awaited = frame.f_locals.get(DRIVEN)  # it sends to what it waits for by itself
    return awaited
