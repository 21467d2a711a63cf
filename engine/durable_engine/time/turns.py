"""Turns: when something happens that could as well come after something else."""

from __future__ import annotations

from collections.abc import Callable

from durable_engine.instance import Instance

from .interleaving import Interleaving


class Turns:
    """Lets things happen at once, or when the seed of the interleaving lets them.

    Args:
        order: The interleaving.
        let_go: Sees to it that what the interleaving holds is let go, one by one.

    Attributes:
        seeded: Whether a seed decides who goes first.
    """

    def __init__(self, interleaving: Interleaving, let_go: Callable[[], None]) -> None:
        self._interleaving = interleaving
        self._let_go = let_go
        self._open = 0
        self.seeded = interleaving.seeded

    def take(
        self, instance: Instance, action: Callable[[], None], *, dropped: Callable[[], object] | None = None
    ) -> None:
        """Do something at once, or when its turn comes.

        Args:
            instance: Whose execution it belongs to; when that is over, it is dropped.
            action: What to do.
            dropped: Called in its place when it is dropped.
        """
        if not self.seeded:
            action()
            return
        self._interleaving.hold(unless_closed(instance, action, dropped))
        self._let_go()

    def operation_opened(self) -> None:
        """Count a step that has begun, of whatever instance: of two that are open, either may be the first to end."""
        self._open += 1
        if self._open > 1:
            self._interleaving.note_choices()

    def operations_closed(self, count: int) -> None:
        """Count steps that are no longer under way."""
        self._open -= count


def unless_closed(
    instance: Instance, action: Callable[[], None], dropped: Callable[[], object] | None
) -> Callable[[], None]:
    """An action of an execution that is put off: where that is over by then, `dropped` is called in its place."""

    def act() -> None:
        if not instance.closed:
            action()
        elif dropped is not None:
            dropped()

    return act
