"""The calls of stand-ins that the code of workflows made, for reports of their runs."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from durable_engine import Observer

if TYPE_CHECKING:
    from durable_engine import Effect, Engine, InstanceRow

MOST_LIVE_CALLS = 1000
"""The calls of one instance that are kept where no test asks for them, the newest ones."""


class MadeCalls(Observer):
    """The calls of one engine's instances, in order.

    Args:
        most: The most of one instance that are kept, the newest; None for all.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._calls: dict[int, deque[Effect]] = {}

    def add(self, row: int, effect: Effect) -> None:
        """Note a call.

        Args:
            row: The key of the instance's row.
            effect: The call.
        """
        calls = self._calls.get(row)
        if calls is None:
            calls = self._calls[row] = deque(maxlen=self._most)
        calls.append(effect)

    def of(self, row: int) -> list[Effect]:
        """The calls of an instance, by the key of its row."""
        return list(self._calls.get(row, ()))

    def instance_discarded(self, row: InstanceRow) -> None:
        """Forget the calls of an instance that is gone."""
        self._calls.pop(row.key, None)


def made_calls(engine: Engine) -> MadeCalls:
    """The calls of an engine's instances."""
    found: MadeCalls | None = engine.attached.get(MadeCalls)
    if found is None:
        found = engine.attached[MadeCalls] = MadeCalls(MOST_LIVE_CALLS if engine.is_live else None)
        if engine.is_live:
            engine.observers.add(found)
    return found
