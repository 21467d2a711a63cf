"""The platform has no threads: what an application hands to one runs at once, in its place.

Starlette and FastAPI run plain functions through `anyio.to_thread.run_sync`, which the SDK replaces on the platform, and
Django through the loop's `run_in_executor`, which Pyodide's loop answers itself. Inside of an application that the ASGI
adapter calls, both run the function inline here too: no thread, so one order of events. Tests keep their threads.
Source: workers-runtime-sdk 1.9.5; Pyodide 314.0.7, `webloop`.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

_is_threadless: ContextVar[bool] = ContextVar("pytest_workflows_threadless", default=False)
_original: Callable[..., Awaitable[Any]] | None = None
_depth = 0


def is_threadless() -> bool:
    """Whether the running code belongs to an application that has no threads."""
    return _is_threadless.get()


@contextmanager
def no_threads() -> Iterator[None]:
    """Run what the block awaits without threads; the block belongs to one task."""
    _patch()
    token = _is_threadless.set(True)
    try:
        yield
    finally:
        _is_threadless.reset(token)
        _restore()


def _patch() -> None:
    global _depth, _original
    _depth += 1
    module = sys.modules.get("anyio.to_thread")
    if _original is None and module is not None:
        _original = module.run_sync
        module.run_sync = _run_sync  # type: ignore[attr-defined]


def _restore() -> None:
    global _depth, _original
    _depth -= 1
    if _depth == 0 and _original is not None:
        module: ModuleType | None = sys.modules.get("anyio.to_thread")
        if module is not None and module.run_sync is _run_sync:
            module.run_sync = _original  # type: ignore[attr-defined]
        _original = None


async def _run_sync(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Stands for `anyio.to_thread.run_sync`: its options say nothing where there is no thread."""
    if is_threadless():
        return function(*args)
    assert _original is not None
    return await _original(function, *args, **options)
