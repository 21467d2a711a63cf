"""Background tasks of the ASGI adapter, and its logger."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from .context import run_behind

__all__ = ["background_tasks", "logger", "run_in_background"]

logger = logging.getLogger("asgi")

background_tasks: set[asyncio.Future[Any]] = set()
"""The tasks, under the SDK's name."""


def run_in_background(coro: Awaitable[Any]) -> asyncio.Future[Any]:
    """Run an awaitable as a task, which ends with the test; what it raises is logged.

    Args:
        coro: A coroutine, task or future.

    Returns:
        The task.
    """
    future = run_behind(coro)
    background_tasks.add(future)
    future.add_done_callback(_log_failure)
    return future


def _log_failure(future: asyncio.Future[Any]) -> None:
    background_tasks.discard(future)
    error = None if future.cancelled() else future.exception()
    if error is not None:
        logger.error("Unhandled exception in background task", exc_info=error)
