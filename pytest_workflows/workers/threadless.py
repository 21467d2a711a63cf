"""The platform has no threads: what an application hands to one runs at once, in its place.

Starlette and FastAPI run plain functions through `anyio.to_thread.run_sync`, which the SDK replaces on the platform,
and Django through the loop's `run_in_executor`, which Pyodide's loop answers itself. Inside of an application that the
ASGI adapter calls, both run the function inline here too: no thread, so one order of events. Tests keep their threads.
Source: workers-runtime-sdk 1.9.5; Pyodide 314.0.7, `webloop`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

_is_threadless: ContextVar[bool] = ContextVar("pytest_workflows_threadless", default=False)


@contextlib.contextmanager
def no_threads() -> Iterator[None]:
    """Run what the block awaits without threads; the block belongs to one task."""
    _replace_executor(asyncio.get_running_loop())
    _anyio.replace()
    token = _is_threadless.set(True)
    try:
        yield
    finally:
        _is_threadless.reset(token)
        _anyio.put_back()


class _Anyio:
    """`anyio.to_thread.run_sync`, replaced while an application runs."""

    def __init__(self) -> None:
        self._original: Callable[..., Awaitable[Any]] | None = None
        self._users = 0

    def replace(self) -> None:
        self._users += 1
        module: Any = sys.modules.get("anyio.to_thread")
        if self._original is None and module is not None:
            self._original = module.run_sync
            module.run_sync = self._run_sync

    def put_back(self) -> None:
        self._users -= 1
        module: Any = sys.modules.get("anyio.to_thread")
        if self._users == 0 and self._original is not None:
            if module is not None and module.run_sync == self._run_sync:
                module.run_sync = self._original
            self._original = None

    async def _run_sync(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """The options say nothing where there is no thread."""
        if _is_threadless.get():
            return function(*args)
        from anyio import to_thread

        return await (self._original or to_thread.run_sync)(function, *args, **options)


_anyio = _Anyio()


def _replace_executor(loop: asyncio.AbstractEventLoop) -> None:
    """Let a loop run functions itself for an application; it does so from now on, and for nobody else."""
    if "run_in_executor" in getattr(loop, "__dict__", {}):
        return

    def run_in_executor(executor: Any, function: Callable[..., Any], *args: Any) -> Any:
        if not _is_threadless.get():
            return type(loop).run_in_executor(loop, executor, function, *args)
        future = loop.create_future()
        try:
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    with contextlib.suppress(AttributeError):  # a loop in C, such as uvloop's, keeps its threads
        loop.run_in_executor = run_in_executor  # type: ignore[assignment,method-assign]
