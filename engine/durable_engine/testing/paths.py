"""Execution paths: the steps that `run` asked for, in order, and whether a later execution took another path.

Finished steps answer from storage by their identity, so each execution must ask for the same steps as before. Code
that runs at the same time may ask in any order; each branch of it must keep its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from durable_engine.model import Ask, StepKey
from durable_engine.values.durations import in_words

from .faults import FaultPoint
from .findings import Findings

_KINDS = {"do": "step.do", "sleep": "step.sleep", "wait_for_event": "step.wait_for_event"}


class Difference(NamedTuple):
    """The first place where two executions took different paths.

    Attributes:
        before: The step that the earlier execution asked for; None where it had asked for no more.
        after: The step that the later execution asked for; None where it did not ask.
        is_renamed: Whether it is the same step of the source under another name, unknown to the other execution.
    """

    before: Ask | None
    after: Ask | None
    is_renamed: bool = False

    def describe(self, when: str) -> str:
        """The difference in words, for a finding."""
        # Sleeps of one name that differ in their duration alone have one label.
        is_same = self.before is not None and self.after is not None and self.before.key[:3] == self.after.key[:3]
        before, after = (None if ask is None else _shown(ask.key, with_duration=is_same) for ask in self[:2])
        if after is None:
            return f"{when} `run` did not ask for {before} again"
        if before is None:
            return f"{when} `run` asked for {after}, which it had not asked for before"
        return f"{when} `run` asked for {after} where it had asked for {before} before"


def compare(
    earlier: Sequence[Ask],
    later: Sequence[Ask],
    *,
    later_ended: bool,
    earlier_ended: bool = False,
    is_complete: bool = True,
) -> Difference | None:
    """Find where a later execution left the path of an earlier one.

    Args:
        earlier: The steps that the earlier execution asked for.
        later: The steps that the later execution asked for.
        later_ended: Whether the later execution came to its end, so that it must have asked for everything.
        earlier_ended: Whether the earlier execution came to its end, so that a later one must not ask for more.
        is_complete: Whether one of them ended well. It knows every step that there is, as long as nothing failed: one
            of several branches may end `run` before the others have got far.
    """
    return _compare_run(earlier, later, later_ended=later_ended, earlier_ended=earlier_ended) or _compare_branches(
        earlier, later, is_complete=is_complete
    )


def _compare_run(
    earlier: Sequence[Ask], later: Sequence[Ask], *, later_ended: bool, earlier_ended: bool
) -> Difference | None:
    """Compare the steps that `run` itself asks for, one after the other: they must come in the same order."""
    # Which of several steps asks for a shared dependency depends on which comes first.
    path = _of_run(earlier, but=_beside_run(later))
    other = _of_run(later, but=_beside_run(earlier))
    for one, two in zip(path, other, strict=False):
        if one.key != two.key:
            return Difference(one, two, _is_renamed(one, two, earlier, later))
    if later_ended and len(path) > len(other):
        return Difference(path[len(other)], None)
    if earlier_ended and len(other) > len(path):
        return Difference(None, other[len(path)])
    return None


def _compare_branches(earlier: Sequence[Ask], later: Sequence[Ask], *, is_complete: bool) -> Difference | None:
    """Compare the branches beside `run`, which come in any order, and may be cancelled at any point.

    So they differ for certain only where something else stands in the place of a step, and neither execution knows the
    other's at all.
    """
    others = _branches(later)
    for name, path in _branches(earlier).items():
        if name in others:
            for one, two in zip(path, others[name], strict=False):
                if one.key != two.key and _are_strangers(one, two, earlier, later):
                    return Difference(one, two, _is_renamed(one, two, earlier, later))
        elif is_complete:
            # A branch is named after its first step. Was that one renamed? If not, timing may have led elsewhere.
            for two in later:
                if _is_renamed(path[0], two, earlier, later):
                    return Difference(path[0], two, is_renamed=True)
    return None


def _are_strangers(one: Ask, two: Ask, earlier: Sequence[Ask], later: Sequence[Ask]) -> bool:
    """Whether neither execution asks for the step that the other one asked for here."""
    return all(ask.key != one.key for ask in later) and all(ask.key != two.key for ask in earlier)


def _is_renamed(one: Ask, two: Ask, earlier: Sequence[Ask], later: Sequence[Ask]) -> bool:
    """Whether two different steps are one of the source, under a name that only its own execution knows."""
    is_same = (one.place, one.key.kind) == (two.place, two.key.kind) and one.key.name != two.key.name
    return is_same and _are_strangers(one, two, earlier, later)


class ExecutionRecord(msgspec.Struct):
    """An execution of an instance.

    Attributes:
        path: The steps that `run` asked for.
        lost_at: When its memory was lost, in epoch milliseconds; None for one that was not lost.
        point: The fault point where that was; None where the test chose the moment.
        is_replaced: Whether another source was deployed then, which may take another path.
    """

    path: list[Ask] = msgspec.field(default_factory=list)
    lost_at: int | None = None
    point: FaultPoint | None = None
    is_replaced: bool = False


class Paths:
    """The paths of the executions of every instance of an engine, and the findings that come of them.

    Args:
        findings: Where findings go.
        most: The most executions of an instance that are kept, the newest; None for all.
    """

    def __init__(self, findings: Findings, most: int | None = None) -> None:
        self._findings = findings
        self._most = most
        self._executions: dict[int, list[ExecutionRecord]] = {}

    def begin(self, key: int) -> list[Ask]:
        """Note that an execution of an instance begins.

        Returns:
            Its path, which it adds to.
        """
        execution = ExecutionRecord()
        executions = self._executions.setdefault(key, [])
        executions.append(execution)
        if self._most is not None:
            del executions[: -self._most]
        return execution.path

    def lost(self, key: int, at: int, point: FaultPoint | None) -> None:
        """Note that the memory of the present execution is lost."""
        execution = self._executions[key][-1]
        execution.lost_at, execution.point = at, point

    def replaced(self) -> None:
        """Note that another source is deployed: no execution after this must follow those before it."""
        for executions in self._executions.values():
            for execution in executions:
                execution.is_replaced = True

    def executions(self, key: int) -> list[ExecutionRecord]:
        """The executions of an instance since it was created or restarted, in order."""
        return list(self._executions.get(key, ()))

    def forget(self, key: int) -> None:
        """Forget the executions of an instance: it was restarted or is gone."""
        self._executions.pop(key, None)

    def check(self, key: int, workflow: str, path: Sequence[Ask], *, is_complete: bool) -> None:
        """Check an execution that has ended, complete or failed: it must have followed those before it."""
        for execution in self._executions.get(key, ()):
            if execution.path is not path and not execution.is_replaced:
                difference = compare(execution.path, path, later_ended=True, is_complete=is_complete)
                if difference is not None:
                    self.report(difference, "after a restart", workflow)
                    return

    def report(self, difference: Difference, when: str, workflow: str, *, is_race: bool = False) -> None:
        """Keep the findings that a difference stands for."""
        ask = difference.after or difference.before
        assert ask is not None
        rules = ["changed-path"]
        if is_race:
            rules.append("race-outside-step")
        elif difference.is_renamed:
            rules.append("unstable-step-name")
        for rule in rules:
            self._findings.add(
                rule, difference.describe(when), ask.place, step=ask.key.label, workflow=workflow, about=rule
            )


def _of_run(path: Sequence[Ask], *, but: set[StepKey]) -> list[Ask]:
    return [ask for ask in path if ask.branch == 0 and ask.key not in but]


def _beside_run(path: Sequence[Ask]) -> set[StepKey]:
    return {ask.key for ask in path if ask.branch}


def _branches(path: Sequence[Ask]) -> dict[StepKey, list[Ask]]:
    """The asks of each branch beside `run`, by its first step."""
    names: dict[int, StepKey] = {}
    found: dict[StepKey, list[Ask]] = {}
    for ask in path:
        if ask.branch:
            found.setdefault(names.setdefault(ask.branch, ask.key), []).append(ask)
    return found


def _shown(key: StepKey, *, with_duration: bool) -> str:
    duration = f" of {in_words(key.duration)}" if with_duration and key.duration is not None else ""
    return f"{_KINDS[key.kind]} {key.label!r}{duration}"
