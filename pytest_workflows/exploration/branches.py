"""The branches of an execution: what runs at the same time has no order, so a step need not come of one before it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from durable_engine import Ask, StepKey

_ASKING: ContextVar[tuple[object, int]] = ContextVar("asking", default=(None, 0))
"""The execution whose code runs, and its branch; a task has those of the code that started it until it asks itself."""


class Branches:
    """The branches of one execution, and where its steps stand in them."""

    def __init__(self) -> None:
        self._of: dict[StepKey, int] = {}
        self._above: dict[int, tuple[int, ...]] = {}
        self._over_before: dict[int, frozenset[StepKey]] = {}
        self._answered: set[StepKey] = set()

    def ask(self, ask: Ask) -> None:
        """A step is asked for, by the code that calls this."""
        self._of.setdefault(ask.key, ask.branch)
        if ask.branch not in self._above:
            owner, parent = _ASKING.get()
            above = (parent, *self._above[parent]) if owner is self else (0,)
            self._above[ask.branch] = above if ask.branch else ()
            self._over_before[ask.branch] = frozenset(self._answered)
        _ASKING.set((self, ask.branch))

    def answer(self, key: StepKey) -> None:
        """A step has an outcome."""
        self._answered.add(key)

    def may_wait(self, key: StepKey, other: StepKey) -> bool:
        """Whether a step may have been asked for since another one, which was over before it, had its outcome.

        That is so in one branch, where the other's branch was started by the step's own, and where the step's branch
        began behind the other. Of a step that was not asked for here nothing else is known.
        """
        if key not in self._of or other not in self._of:
            return True
        mine, its = self._of[key], self._of[other]
        return mine == its or mine in self._above[its] or other in self._over_before[mine]
