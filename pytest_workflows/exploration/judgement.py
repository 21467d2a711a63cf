"""The judgement of a changed source: whether an instance that the old source began ends with the same effects.

The steps that the old source had begun are known, in their order. Today's source asks for its steps one after the
other. It may do so on another path, as long as every step that had begun is taken up, and none is done in front of one
whose effect has come already. A path that is the very same is a stricter demand, which is made elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from durable_engine import StepKey

DifferenceKind = Literal["renamed", "changed sleep", "lost", "reordered", "late"]


@dataclass(frozen=True, slots=True)
class BegunStep:
    """A step that the old source had begun.

    Attributes:
        key: Its identity.
        began: Its beginning's place in the order of all beginnings and ends; minus infinity where that is not known.
        ended: The same of its end; infinity for one that is open, or whose end is not known.
    """

    key: StepKey
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class PathDifference:
    """A step that today's source does not take up as the old one left it.

    Attributes:
        old: The step that had begun.
        new: The step of today's source that stands where it stood, or in front of it; None where there is none.
        kind: `"renamed"`: it is not taken up, and `new` does its work again. `"changed sleep"`: the same, of a sleep
            that has another duration. `"lost"`: it is not taken up, and nothing of its kind is in its place.
            `"reordered"`: `new`, which the old source began after its end, is taken up before it, or without it.
            `"late"`: `new`, which the old source did not have, is done before it is taken up, and after its effect.
    """

    old: StepKey
    new: StepKey | None
    kind: DifferenceKind


class Judgement:
    """The judgement of one run of today's source that goes on with what the old source had begun.

    Args:
        begun: The steps that the old source had begun, those of callbacks left out, in order of their beginnings.
        may_wait: Whether the first of two steps may have waited for the second in the old source; None where nothing
            is known but their times.

    Attributes:
        new: The steps of today's source that the old one had not begun, in the order in which they were asked for.
    """

    def __init__(self, begun: Sequence[BegunStep], may_wait: Callable[[StepKey, StepKey], bool] | None = None) -> None:
        self._begun = {step.key: step for step in begun}
        self._missing = dict(self._begun)
        self._may_wait = may_wait
        self._instead: dict[StepKey, list[StepKey]] = {}
        self.new: list[StepKey] = []

    @property
    def missing(self) -> list[StepKey]:
        """The steps that had begun and were not taken up so far, in order of their beginnings."""
        return list(self._missing)

    def ask(self, key: StepKey, answered: Sequence[StepKey] = ()) -> PathDifference | None:
        """Judge a step that today's source asks for.

        Args:
            key: The step. All that are asked for outside of callbacks are given, in order.
            answered: The new steps that have an outcome by now, so that this step may come of it, in order. What runs
                at the same time as others is to be answered after them, or the order of both is made up.
        """
        step = self._missing.pop(key, None)
        if step is None:
            if key not in self._begun:
                self._note_new(key)
            return None
        passed = next((other.key for other in self._missing.values() if self._came_before(other, step)), None)
        if passed is not None:
            return self._replaced(passed) or PathDifference(passed, key, "reordered")
        # A sleep or a wait has no effect of its own that could come in front of a new step's.
        return PathDifference(key, answered[0], "late") if key.kind == "do" and answered else None

    def finish(self) -> PathDifference | None:
        """Judge what is left, where the run goes no further."""
        first = next(iter(self._missing), None)
        return None if first is None else self._replaced(first) or PathDifference(first, None, "lost")

    def _came_before(self, other: BegunStep, step: BegunStep) -> bool:
        is_earlier = other.ended < step.began
        return is_earlier and (self._may_wait is None or self._may_wait(step.key, other.key))

    def _note_new(self, key: StepKey) -> None:
        self.new.append(key)
        first = next(iter(self._missing), None)
        if first is not None:
            self._instead.setdefault(first, []).append(key)

    def _replaced(self, old: StepKey) -> PathDifference | None:
        """The difference of a step in whose place today's source has another one, if it has."""
        others = self._instead.get(old)
        if others is None:
            return None
        new = max(others, key=lambda one: (one.kind == old.kind, SequenceMatcher(None, one.name, old.name).ratio()))
        if new.kind != old.kind:
            return PathDifference(old, new, "lost")
        return PathDifference(old, new, "changed sleep" if (new.kind, new.name) == ("sleep", old.name) else "renamed")
