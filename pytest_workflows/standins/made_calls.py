"""The calls of stand-ins that the code of workflows made, for reports of their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from durable_engine import Effect, Engine


class MadeCalls:
    """The calls of one engine's instances, in order."""

    def __init__(self) -> None:
        self._calls: dict[int, list[Effect]] = {}

    def add(self, row: int, effect: Effect) -> None:
        """Note a call.

        Args:
            row: The key of the instance's row.
            effect: The call.
        """
        self._calls.setdefault(row, []).append(effect)

    def of(self, row: int) -> list[Effect]:
        """The calls of an instance, by the key of its row."""
        return list(self._calls.get(row, ()))


def made_calls(engine: Engine) -> MadeCalls:
    """The calls of an engine's instances."""
    found: MadeCalls | None = engine.attached.get(MadeCalls)
    if found is None:
        found = engine.attached[MadeCalls] = MadeCalls()
    return found
