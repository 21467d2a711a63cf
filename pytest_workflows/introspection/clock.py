"""The virtual clock as a test sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from durable_engine import Engine


class WorkflowClock:
    """The virtual clock of a test.

    Args:
        engine: Gives the test's engine: each example of a property test has another one.
    """

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._get_engine = engine

    def __repr__(self) -> str:
        return f"<workflow clock at {self.now.isoformat()}>"

    @property
    def _engine(self) -> Engine:
        return self._get_engine()

    @property
    def now(self) -> datetime:
        """The virtual time: aware, UTC."""
        return self._engine.clock.now

    async def advance(self, duration: str | float | timedelta) -> None:
        """Move forward by hand; every timer that comes due on the way fires at its time.

        Args:
            duration: A `timedelta`, milliseconds, or a text such as `"3 days"`.

        Raises:
            InvalidArgumentError: If it cannot be read or is negative.
        """
        await self._engine.advance(duration)

    async def travel_to(self, when: datetime) -> None:
        """Move forward by hand, to a point in time.

        Args:
            when: A `datetime`; a naive one is UTC.

        Raises:
            InvalidArgumentError: If that is in the past, or no `datetime`.
        """
        await self._engine.travel_to(when)
