"""`pyodide.ffi.run_sync`: waits for something in a function that cannot await, and lets everything else run meanwhile.

On the platform the WebAssembly stack is switched. Here the running event loop takes turns of its own from within, until
what is waited for is done. What that costs: waits nest. Where two tasks are in `run_sync`, the one that came last goes
on first, however soon the other's result is there; so the order of events is the same in every run, but not always the
platform's.
"""

from __future__ import annotations

import asyncio
import inspect
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Awaitable
from typing import Any

from durable_engine import hide_frames
from pytest_workflows.javascript.objects import JsPromise, to_python

__all__ = ["can_run_sync", "run_sync"]

hide_frames(__file__)

_NO_LOOP = (
    "run_sync waits by the running event loop, and none is running here. Call it from a handler, a step or an async "
    "function, directly or through plain functions."
)
_OTHER_LOOP = (
    "run_sync needs asyncio's own event loop: {name} cannot take turns from within one of its callbacks. Run the test "
    "without it."
)


def can_run_sync() -> bool:
    """Whether `run_sync` works here: whether an event loop of asyncio's own is running."""
    return hasattr(asyncio._get_running_loop(), "_run_once")


def run_sync(awaitable: Awaitable[Any]) -> Any:
    """Wait for an awaitable, and give its result.

    Args:
        awaitable: A coroutine, a future, or a promise.

    Raises:
        RuntimeError: No event loop is running, or one that cannot take turns from within.
    """
    if isinstance(awaitable, JsPromise) and awaitable._is_settled:
        if awaitable._error is not None:
            raise awaitable._error
        return to_python(awaitable._value)
    loop: Any = asyncio._get_running_loop()
    if not can_run_sync():
        if inspect.iscoroutine(awaitable):
            awaitable.close()
        raise RuntimeError(_NO_LOOP if loop is None else _OTHER_LOOP.format(name=type(loop).__module__))
    waiting = loop.create_task(_wait_for(awaitable))
    current = asyncio.current_task(loop)
    if current is not None:
        _leave_task(loop, current)
    # CPython 3.14, asyncio.base_events: `_run_once` has counted the callbacks that were ready when it began, and takes
    # as many; those that run within are taken from it, and something must stand in their places.
    counted = len(loop._ready)
    try:
        while not waiting.done():
            loop._run_once()
    finally:
        for _ in range(counted - len(loop._ready)):
            loop.call_soon(_nothing)
        if current is not None:
            _enter_task(loop, current)
        if not waiting.done():
            waiting.cancel()
    return waiting.result()


async def _wait_for(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _nothing() -> None:
    """Stand in the place of a callback that ran."""
