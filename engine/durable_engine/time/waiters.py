"""What the waits of an engine have in common, whatever its time is."""

from __future__ import annotations

import asyncio

from .ready import Ready
from .timed_engine import TimedEngine
from .waiter import Waiter


class Waiters:
    """All waiters of an engine.

    Args:
        engine: The engine.

    Attributes:
        ready: What can run.
    """

    def __init__(self, engine: TimedEngine) -> None:
        self._engine = engine
        self._waiters: dict[Waiter, None] = {}
        self.ready = Ready(engine)

    def progress(self) -> None:
        """Note that something happened that a waiter may be interested in."""

    def reject(self, error: BaseException) -> None:
        """End every wait with this error."""
        for waiter in list(self._waiters):
            waiter.reject(error)
        self.progress()

    def reject_steps(self, about: tuple[str, str], error: BaseException) -> None:
        """End every wait for a step of that instance with this error."""
        for waiter in list(self._waiters):
            if waiter.for_step and waiter.about == about:
                waiter.reject(error)

    async def settle(self, most: int | None = None) -> None:
        """Let everything runnable run, without waiting for callbacks that wait for something foreign.

        Args:
            most: For so many turns of the event loop; None until nothing runs.
        """
        turns = 0
        await asyncio.sleep(0)
        loop = self._engine.loop
        while self.ready.runnable(loop) and turns != most:
            turns += 1
            await asyncio.sleep(0)
