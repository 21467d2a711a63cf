"""Calls of the Worker's code other than workflows, such as its fetch handler: they end in bounded time as well."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable, Generator
from contextvars import Context
from typing import Any, TypeVar

from durable_engine.context.asyncio_internals import wake
from durable_engine.context.frames import show_frame
from durable_engine.context.processor_time import close_awaited
from durable_engine.context.scope import WorkerCall, current_call
from durable_engine.errors import WaitTimeoutError

from .guarded_engine import GuardedEngine
from .open_code import innermost
from .unwinding import GiveWay

R = TypeVar("R")

_WHAT_TO_DO = (
    "It may wait for something that nobody answers. If it is only slow, give it more time: "
    "`@pytest.mark.workflow(timeout=...)` or ini `workflows_timeout`."
)


async def call_bounded(engine: GuardedEngine, what: str | WorkerCall, call: Callable[[], Awaitable[R] | R]) -> R:
    """Call code of the Worker, and await what it returns, for as long as a wait may take; virtual time may move.

    Where the engine runs in real time, for no test, it may take as long as it does.

    Args:
        engine: The test's engine.
        what: Names the code at the start of a sentence, such as "The fetch handler"; or the call that begins.
        call: Calls it; what it returns is awaited where that can be.

    Raises:
        WaitTimeoutError: If it has not returned in time. It is left where it stands, and never goes on.
        EventLoopBlockedError: If it did not give way to the event loop in time.
    """
    __tracebackhide__ = True
    assert engine.loop
    worker_call = what if isinstance(what, WorkerCall) else WorkerCall(engine, what, engine.new_subrequests())
    token = current_call.set(worker_call)
    engine.worker_calls.enter(worker_call)
    try:
        outcome = call()
        if not inspect.isawaitable(outcome):
            return outcome
        awaited: Awaitable[R] = outcome if engine.is_live else _Bounded(engine, worker_call, outcome)
        return await awaited
    except GiveWay as exc:
        error = exc.unwinding.take() or exc
    finally:
        engine.worker_calls.leave(worker_call)
        with contextlib.suppress(ValueError):  # code that is closed after the test is so in another context
            current_call.reset(token)
    raise error


class _Bounded:
    """Awaits something, and gives it up when its time has passed: it may catch whatever is raised in it."""

    def __init__(self, engine: GuardedEngine, call: WorkerCall, awaitable: Awaitable[Any]) -> None:
        self._engine = engine
        self._call = call
        self._awaitable = awaitable
        self._is_late = False

    def __await__(self) -> Generator[Any, Any, Any]:
        __tracebackhide__ = True
        awaited: Any = self._awaitable if inspect.iscoroutine(self._awaitable) else self._awaitable.__await__()
        try:
            yielded = awaited.send(None)
        except StopIteration as stop:
            return stop.value  # most handlers of a test wait for nothing
        task = asyncio.current_task()
        assert task is not None
        self._engine.worker_calls.lead(self._call)
        expiry = self._engine.loop.call_later(self._engine.timeout, self._expire, task, context=Context())
        try:
            while True:
                go_on: Callable[[], Any] = lambda: awaited.send(None)  # noqa: E731 (it changes below)
                try:
                    yield yielded
                except GeneratorExit:
                    close_awaited(awaited)
                    raise
                except BaseException as exc:
                    go_on = _thrower(awaited, exc)
                if self._is_late:
                    raise self._error(awaited)
                try:
                    yielded = go_on()
                except StopIteration as stop:
                    return stop.value
        finally:
            expiry.cancel()

    def _expire(self, task: asyncio.Task[Any]) -> None:
        self._is_late = True
        wake(task)

    def _error(self, awaited: Any) -> WaitTimeoutError:
        task = self._call.task
        frame = innermost(task.get_coro() if isinstance(task, asyncio.Task) else awaited)
        place = "" if frame is None else f"It is at {show_frame(frame, self._engine.root)}.\n"
        self._engine.stopped_tasks.keep(awaited)
        return WaitTimeoutError(
            f"{self._call.what} has not returned within {self._engine.timeout:g} real seconds.\n{place}{_WHAT_TO_DO}"
        )


def _thrower(awaited: Any, exc: BaseException) -> Callable[[], Any]:
    return lambda: awaited.throw(exc)
