"""The future that `step.sleep` returns, which knows whether anybody waits for it.

Unlike a step or a wait, a sleep starts without `await`. One that nobody waits for is a finding at the instance's end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from durable_engine.model import Place


class SleepFuture(asyncio.Future[None]):
    """A sleep under way, over, or failed.

    Args:
        name: The sleep's name.
        place: Where in the user's source it was asked for.
        loop: The event loop.

    Attributes:
        used: Whether anybody awaited it, or asked how it ended.
    """

    def __init__(self, name: str, place: Place, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.name = name
        self.place = place
        self.used = False

    def __await__(self) -> Generator[Any, None, None]:
        """Wait for the sleep's end."""
        self.used = True
        return super().__await__()

    __iter__ = __await__

    def add_done_callback(self, *args: Any, **kwargs: Any) -> None:
        """Add a callback for its end, as `gather`, `wait` and `shield` do."""
        self.used = True
        super().add_done_callback(*args, **kwargs)

    def result(self) -> None:
        """None once it is over, as `Future.result`."""
        self.used = True
        return super().result()

    def exception(self) -> BaseException | None:
        """The exception that it failed with, as `Future.exception`."""
        self.used = True
        return super().exception()

    def fail(self, error: Exception) -> None:
        """Let the sleep fail; one whose outcome nobody reads fails silently, as on the platform."""
        self.set_exception(error)
        super().exception()
