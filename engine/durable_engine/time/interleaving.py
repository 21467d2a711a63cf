"""Interleaving: which of several things goes first, where the platform promises nothing.

Without a seed the order is always the same: what is ready first goes first. With one, what could go at the same time is
held back until nothing else can run, and then let go one by one in an order that the seed decides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Interleaving:
    """The interleaving of an engine: the order of events that could happen in any order.

    Args:
        seed: The seed of the order; None keeps the order in which things became ready.

    Attributes:
        trace: The choices so far: which one was taken, of how many.
        has_choices: Whether several things could have gone first, whoever decided.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._random = None if seed is None else random.Random(seed)
        self._held: list[Callable[[], None]] = []
        self.trace: list[tuple[int, int]] = []
        self.has_choices = False

    @property
    def seeded(self) -> bool:
        """Whether a seed decides."""
        return self._random is not None

    @property
    def holds(self) -> bool:
        """Whether something waits to be let go."""
        return bool(self._held)

    def choose(self, options: Sequence[T]) -> T:
        """Take one of these; the first one without a seed."""
        return options[self._choose(len(options))]

    def _choose(self, count: int) -> int:
        if count < 2:
            return 0
        self.note_choices()
        taken = 0 if self._random is None else self._random.randrange(count)
        self.trace.append((taken, count))
        return taken

    def note_choices(self) -> None:
        """Several things could go first, whoever decides."""
        self.has_choices = True

    def hold(self, action: Callable[[], None]) -> None:
        """Keep something until it is chosen."""
        self._held.append(action)

    def let_one_go(self) -> None:
        """Let one of what is held happen."""
        self._held.pop(self._choose(len(self._held)))()
