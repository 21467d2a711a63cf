"""The step ledger of an execution: which steps earlier executions have stored, and which ones `run` asks for now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from durable_engine.history import FINAL_STEP_STATUSES, StepKind
from durable_engine.model import StepKey
from durable_engine.rows import FORGOTTEN, StepRow


class StepLedger:
    """The steps of an instance by their identity: kind, name and occurrence, and the duration of a sleep.

    Args:
        stored: What earlier executions have stored, in order of start.

    Attributes:
        size: The bytes of all results.
    """

    def __init__(self, stored: Iterable[StepRow]) -> None:
        self._rows = {step.key: step for step in stored}
        self._forgotten = {key: row for key, row in self._rows.items() if row.flags & FORGOTTEN}
        self._next_seq = max((step.seq for step in self._rows.values()), default=0) + 1
        self._stored_ends = _ends_of_sleeps(self._rows.values())
        self._counts: dict[tuple[StepKind, str, int | None], int] = {}
        self._sleeps_by_name: dict[StepKey, int] = {}
        self.size = sum(len(step.result or b"") for step in self._rows.values())

    # -- identities --------------------------------------------------------------------------------------------------

    def count(self, kind: StepKind, name: str) -> StepKey:
        """The identity of the step that `run` asks for now."""
        return StepKey(kind, name, self._count(kind, name))

    def count_sleep(self, name: str, duration: int, until: int | None = None) -> StepKey:
        """The identity of the sleep that `run` asks for now.

        Args:
            name: Its name.
            duration: How long it is, in milliseconds.
            until: Where `run` names its end: that end, in epoch milliseconds.
        """
        stored = self._stored_sleep(name, until)
        if stored is None:
            key = StepKey("sleep", name, self._count("sleep", name, duration), duration)
        else:
            key = stored
            counted: tuple[StepKind, str, int | None] = ("sleep", name, key.duration)
            self._counts[counted] = max(self._counts.get(counted, 0), key.count)
        self._sleeps_by_name[key] = self._count("sleep", name)
        return key

    def _count(self, kind: StepKind, name: str, duration: int | None = None) -> int:
        count = self._counts.get((kind, name, duration), 0) + 1
        self._counts[kind, name, duration] = count
        return count

    def has_slept_until(self, name: str, until: int) -> bool:
        """Whether an earlier execution began a sleep of that name and end that this one has not asked for yet."""
        return self._stored_sleep(name, until) is not None

    def _stored_sleep(self, name: str, until: int | None) -> StepKey | None:
        """The stored sleep until a point in time: the rest of it grows shorter, and it is the same sleep."""
        ends = () if until is None else self._stored_ends.get((name, until), ())
        return next((key for key in ends if key not in self._sleeps_by_name), None)

    def sleep_by_name(self, key: StepKey) -> int | None:
        """Which occurrence of its name a sleep is, whatever its duration; None for any other step."""
        return self._sleeps_by_name.get(key)

    def distinguishing_duration(self, key: StepKey) -> int | None:
        """A sleep's duration, where its count alone does not tell it from another sleep of its name."""
        return key.duration if self._sleeps_by_name.get(key, key.count) != key.count else None

    def selected(self, sleep: StepKey) -> StepKey:
        """A sleep as a test's selectors count it: by the name alone."""
        return StepKey(sleep.kind, sleep.name, self._sleeps_by_name[sleep])

    # -- rows --------------------------------------------------------------------------------------------------------

    def open(self, key: StepKey, now_ms: int) -> StepRow:
        """The step's row: as an earlier execution left it, or new."""
        row = self._rows.get(key)
        if row is None or row.flags & FORGOTTEN:
            row = StepRow(key, self._next_seq, now_ms)
            self._next_seq += 1
            self._rows[key] = row
        return row

    def find(self, key: StepKey) -> StepRow | None:
        """A step of this execution, or of an earlier one whose outcome is remembered; None if it was not asked for."""
        row = self._rows.get(key)
        return None if row is self._forgotten.get(key) else row

    def stored(self, key: StepKey) -> StepRow | None:
        """A step's row, whatever became of it; None if there is none."""
        return self._rows.get(key)

    def remembered(self, key: StepKey) -> StepRow | None:
        """A step whose outcome an earlier execution has stored, or None."""
        row = self._rows.get(key)
        if row is None or row.flags & FORGOTTEN or row.status not in FINAL_STEP_STATUSES:
            return None
        return row

    def lost_attempts(self) -> Iterator[StepRow]:
        """The steps of which an attempt was under way when the memory was lost."""
        for step in self._rows.values():
            if step.key.kind == "do" and step.status == "running" and step.attempts:
                yield step

    def add_result(self, data: bytes) -> None:
        """A step has a result, which counts against the instance's storage."""
        self.size += len(data)


def _ends_of_sleeps(steps: Iterable[StepRow]) -> dict[tuple[str, int], list[StepKey]]:
    """The stored sleeps, in order of their start, by their name and the point in time that they last until."""
    ends: dict[tuple[str, int], list[StepKey]] = {}
    for step in steps:
        if step.key.duration is not None:
            ends.setdefault((step.key.name, step.started_at + step.key.duration), []).append(step.key)
    return ends
