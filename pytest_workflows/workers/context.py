"""What a Worker gets as `ctx`, and the work it leaves running behind a response."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

# The event loop refers to its tasks weakly: without this set, background work could vanish half-way.
_background: set[asyncio.Future[Any]] = set()


def wait_until(awaitable: Awaitable[Any]) -> None:
    """Let `awaitable` run on after the response was returned (`workers.wait_until`).

    Args:
        awaitable: A coroutine, task or future. A coroutine is scheduled as a task at once.

    Raises:
        TypeError: It is not awaitable.

    Example:
        >>> wait_until(write_audit_log(request))  # doctest: +SKIP
    """
    task = asyncio.ensure_future(awaitable)
    _background.add(task)
    task.add_done_callback(_background.discard)


def cancel_background() -> None:
    """Cancel what `wait_until` left running: it ends with the test. For the plugin."""
    for task in list(_background):
        if not task.get_loop().is_closed():
            task.cancel()
    _background.clear()


class ExecutionContext:
    """The `ctx` of an entrypoint or a handler.

    Example:
        >>> worker = MyWorker(ExecutionContext(), env)  # doctest: +SKIP
    """

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        """Let `awaitable` run on after the response was returned."""
        wait_until(awaitable)

    waitUntil = wait_until

    def passThroughOnException(self) -> None:
        """Accepted and without effect: a test has no origin server to pass a failed request to."""
