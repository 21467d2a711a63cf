"""The tasks that JavaScript's promises and timers run as, and how they take turns with the rest of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from typing import Any


class Waiting(asyncio.Future[None]):
    """What awaits a promise. The engine's clock, which moves where all of a step waits for its timers, looks at it.

    Args:
        task: The promise's task; None where it has none.

    Attributes:
        settled_by_code: Whether other tasks and callbacks settle the promise, and nothing else.
    """

    def __init__(self, task: asyncio.Future[Any] | None) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._children = () if task is None else (task,)  # as the future of a `gather` has them
        self.settled_by_code = task is None


_running: set[asyncio.Future[Any]] = set()
"""The loop refers to its tasks weakly."""


def keep_running(task: asyncio.Future[Any]) -> None:
    """Keep a task until it is done, or the test is."""
    _running.add(task)
    task.add_done_callback(_running.discard)


def cancel_running() -> None:
    """Cancel what timers and promises of JavaScript have running: it ends with the test. For the plugin."""
    for task in list(_running):
        if not task.get_loop().is_closed():
            task.cancel()
    _running.clear()


class Turn:
    """Awaited, it lets others go first."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def others_are_ready() -> bool:
    """Whether anything else would run if this task let it. A loop that does not tell lets others go first always."""
    ready: Sequence[object] | None = getattr(asyncio.get_running_loop(), "_ready", None)
    return ready is None or bool(ready)
