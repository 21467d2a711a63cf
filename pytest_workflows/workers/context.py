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


async def finish_background() -> list[BaseException]:
    """Wait for everything that `wait_until` left running on this event loop, and for what that leaves running in turn.

    For the plugin: a test's loop must not close under background work.

    Returns:
        The exceptions that background work ended with, cancellations included.
    """
    failures: list[BaseException] = []
    loop = asyncio.get_running_loop()
    while tasks := [task for task in _background if task.get_loop() is loop]:
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        failures += [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        # A future finished by hand may still have its callback ahead of it.
        _background.difference_update(tasks)
    return failures


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
