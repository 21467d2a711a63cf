"""The path of a life: which steps `run` asked for, in which order, and whether a later life took another one.

Finished steps answer from storage by their identity, so a life must ask for the same steps as the one before it. Code
that runs at the same time may ask in any order; each branch of it must keep its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .faults import FaultPoint
from .findings import Findings
from .model import Ask, StepKey

_KINDS = {"do": "step.do", "sleep": "step.sleep", "wait_for_event": "step.wait_for_event"}


class Difference(NamedTuple):
    """The first place where two lives took different paths.

    Attributes:
        before: What the earlier life asked for; None where it had asked for no more.
        after: What the later life asked for; None where it did not ask.
    """

    before: Ask | None
    after: Ask | None

    @property
    def is_renamed(self) -> bool:
        """Whether it is the same step of the source under another name."""
        before, after = self.before, self.after
        return (
            before is not None
            and after is not None
            and (before.place, before.key.kind) == (after.place, after.key.kind)
            and before.key.name != after.key.name
        )

    def describe(self, when: str) -> str:
        """What is different, for a finding."""
        before, after = (None if ask is None else _shown(ask.key) for ask in self)
        if after is None:
            return f"{when} `run` did not ask for {before} again"
        if before is None:
            return f"{when} `run` asked for {after}, which it had not asked for before"
        return f"{when} `run` asked for {after} where it had asked for {before} before"


def compare(
    earlier: Sequence[Ask], later: Sequence[Ask], *, later_ended: bool, earlier_ended: bool = False
) -> Difference | None:
    """Find where a later life left the path of an earlier one.

    Args:
        earlier: What the earlier life asked for.
        later: What the later life asked for.
        later_ended: Whether the later life came to its end, so that it must have asked for everything.
        earlier_ended: Whether the earlier life came to its end, so that a later one must not ask for more.
    """
    after = _branches(later)
    for name, path in _branches(earlier).items():
        other = after.get(name)
        if other is None:
            # A branch is named after its first step. Was that one renamed? If not, timing may have led elsewhere.
            renamed = _renamed(path[0], later, {ask.key for ask in earlier})
            if renamed is not None:
                return Difference(path[0], renamed)
            continue
        for one, two in zip(path, other, strict=False):
            if one.key != two.key:
                return Difference(one, two)
        # How far a branch beside `run` comes may depend on when it was cancelled.
        if name is None and later_ended and len(path) > len(other):
            return Difference(path[len(other)], None)
        if name is None and earlier_ended and len(other) > len(path):
            return Difference(None, other[len(path)])
    return None


@dataclass(slots=True)
class Life:
    """A life of an instance.

    Attributes:
        path: What `run` asked for.
        lost_at: When its memory was lost, in epoch milliseconds; None for a life that was not lost.
        point: The fault point where that was; None where the test chose the moment.
    """

    path: list[Ask] = field(default_factory=list)
    lost_at: int | None = None
    point: FaultPoint | None = None


class Paths:
    """The paths of the lives of every instance of an engine, and the findings that come of them.

    Args:
        findings: Where findings go.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._lives: dict[int, list[Life]] = {}

    def begin(self, key: int) -> list[Ask]:
        """A life of an instance begins.

        Returns:
            Its path, which it adds to.
        """
        life = Life()
        self._lives.setdefault(key, []).append(life)
        return life.path

    def lost(self, key: int, at: int, point: FaultPoint | None) -> None:
        """The memory of the present life is lost."""
        life = self._lives[key][-1]
        life.lost_at, life.point = at, point

    def lives(self, key: int) -> list[Life]:
        """The lives of an instance since it was created or restarted, in order."""
        return list(self._lives.get(key, ()))

    def forget(self, key: int) -> None:
        """The instance was restarted or is gone."""
        self._lives.pop(key, None)

    def check(self, key: int, workflow: str, path: Sequence[Ask]) -> None:
        """A life has come to its end: it must have followed the lives before it."""
        for life in self._lives.get(key, ()):
            if life.path is not path:
                difference = compare(life.path, path, later_ended=True)
                if difference is not None:
                    self.report(difference, "after a restart", workflow)
                    return

    def report(self, difference: Difference, when: str, workflow: str, *, is_race: bool = False) -> None:
        """Keep the findings that a difference stands for."""
        told = difference.after or difference.before
        assert told is not None
        rules = ["changed-path"]
        if difference.is_renamed:
            rules.append("unstable-step-name")
        if is_race:
            rules.append("race-outside-step")
        for rule in rules:
            self._findings.add(
                rule, difference.describe(when), told.place, step=told.key.label, workflow=workflow, about=rule
            )


def _branches(path: Sequence[Ask]) -> dict[StepKey | None, list[Ask]]:
    """The asks of each branch, by its first step; those of `run` itself, which come first, by None."""
    found: dict[StepKey | None, list[Ask]] = {None: []}
    names: dict[int, StepKey | None] = {0: None}
    for ask in path:
        name = names.setdefault(ask.branch, ask.key)
        found.setdefault(name, []).append(ask)
    return found


def _renamed(ask: Ask, later: Sequence[Ask], known: set[StepKey]) -> Ask | None:
    """What stands in the place of a step that the later life did not ask for, under a name that is new."""
    if any(other.key == ask.key for other in later):
        return None
    for other in later:
        if other.place == ask.place and other.key.kind == ask.key.kind and other.key not in known:
            return other
    return None


def _shown(key: StepKey) -> str:
    return f"{_KINDS[key.kind]} {key.label!r}"
