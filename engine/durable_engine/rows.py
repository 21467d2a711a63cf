"""The rows that are stored: an instance, its steps, its history, the events that nothing has taken.

An execution works on them, and `storage/store.py` writes and reads them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from .errors import InternalError
from .history import NEW, NEXT_STATUSES, NEXT_STEP_STATUSES, HistoryKind, StepStatus, StoredStatus, StoredStepStatus
from .model import CronTrigger, StepKey

MOCKED = 1
SENSITIVE = 2
FORGOTTEN = 4
"""Flags of a step: answered by a modification; its result is secret; its failure is not remembered on replay."""


class InstanceRow(msgspec.Struct, array_like=True, gc=False):
    """An instance as stored. Its status is read by whoever likes, and written by `change_status` alone.

    `source` says who created it, where that was neither a binding nor a cron trigger. Files have the fields by their
    order: a new one comes last, and has a default (`storage/journal.py`).
    """

    key: int
    workflow: str
    id: str
    created_at: int
    params: bytes
    status: StoredStatus
    output: bytes | None = None
    error: bytes | None = None
    ended_at: int | None = None
    paused_at: int | None = None
    success_retention: int | None = None
    error_retention: int | None = None
    cron: bytes | None = None
    source: str | None = None

    @property
    def trigger(self) -> CronTrigger | None:
        """The cron trigger that made the instance, if one did."""
        return None if self.cron is None else msgspec.msgpack.decode(self.cron, type=CronTrigger)

    def change_status(self, status: StoredStatus) -> None:
        """Go on to another status.

        Raises:
            InternalError: If that status cannot follow the present one.
        """
        if status not in NEXT_STATUSES[self.status]:
            raise _impossible(f"instance {self.id!r} of {self.workflow!r}", self.status, status)
        self.status = status

    def note_end(self, at: int, output: bytes | None) -> None:
        """The instance has ended, with this output."""
        self.output, self.ended_at = output, at

    def fail(self, error: bytes) -> None:
        """The instance is about to end with this error."""
        self.error = error

    def note_pause(self, at: int) -> None:
        """The instance is paused from now on."""
        self.paused_at = at

    def end_pause(self) -> int | None:
        """The pause is over; returns since when it was, or None where there was none."""
        began, self.paused_at = self.paused_at, None
        return began

    def begin_anew(self) -> None:
        """The instance is restarted: it has not ended."""
        self.output = self.error = self.ended_at = None

    def is_expired(self, now: int) -> bool:
        """Whether the instance has ended and is kept no longer."""
        if self.ended_at is None:
            return False
        kept = self._retention
        return kept is not None and now >= self.ended_at + kept

    def is_unclaimed(self, now: int, kept: int) -> bool:
        """Whether the instance has ended so long ago, and nobody said for how long it is kept."""
        return self._retention is None and self.ended_at is not None and now >= self.ended_at + kept

    def expires_at(self, kept: int) -> int | None:
        """When the instance is kept no longer, in epoch milliseconds; None while it has not ended.

        Args:
            kept: For how many milliseconds after its end, where nobody said for how long.
        """
        if self.ended_at is None:
            return None
        return self.ended_at + (kept if self._retention is None else self._retention)

    @property
    def _retention(self) -> int | None:
        return self.success_retention if self.status == "complete" else self.error_retention


class StepRow(msgspec.Struct, array_like=True, gc=False):
    """A step as stored. Its status is read by whoever likes, and written by `change_status` alone.

    `seq` is its place in the order of starts, `failures` leaves lost attempts out. Files have its fields by their
    order, as those of `InstanceRow`.
    """

    key: StepKey
    seq: int
    started_at: int
    status: StoredStepStatus = NEW
    ended_at: int | None = None
    due: int | None = None
    attempts: int = 0
    failures: int = 0
    result: bytes | None = None
    error: bytes | None = None
    inputs: bytes | None = None
    flags: int = 0

    def change_status(self, status: StoredStepStatus) -> None:
        """Go on to another status.

        Raises:
            InternalError: If that status cannot follow the present one.
        """
        if status not in NEXT_STEP_STATUSES[self.status]:
            raise _impossible(f"step {self.key.label!r}", self.status, status)
        self.status = status

    def begin(self, inputs: bytes | None, flags: int) -> None:
        """The step begins to run, with these values of its dependencies."""
        self.change_status("running")
        self.inputs = inputs
        self.mark(flags)

    def restore(self, inputs: bytes | None, flags: int) -> None:
        """The step is about to be played from a recording, which says this of it."""
        self.inputs = inputs
        self.mark(flags)

    def wait_until(self, due: int) -> None:
        """The step waits until then, at most (epoch milliseconds)."""
        self.change_status("waiting")
        self.due = due

    def begin_attempt(self) -> None:
        """A further attempt begins."""
        self.change_status("running")
        self.attempts += 1
        self.due = None

    def note_failure(self) -> None:
        """An attempt has failed, which counts against the limit."""
        self.failures += 1

    def end(
        self, status: StepStatus, at: int, *, result: bytes | None = None, error: bytes | None = None, flags: int = 0
    ) -> None:
        """The step has its outcome."""
        self.change_status(status)
        self.due = None
        self.ended_at = at
        self.result, self.error = result, error
        self.mark(flags)

    def mark(self, flags: int) -> None:
        """Set flags."""
        self.flags |= flags

    def shift(self, ms: int) -> None:
        """The instance was paused for so long: what the step waits for comes later by as much."""
        assert self.due is not None
        self.due += ms

    def hasten(self, now: int) -> None:
        """What the step waits for is now."""
        self.due = now


class HistoryRow(NamedTuple):
    """A line of history as stored: `detail` is small and plain, `value` crossed the boundary."""

    kind: HistoryKind
    key: StepKey | None
    at: int
    detail: dict[str, Any] | None = None
    value: bytes | None = None


class EventRow(NamedTuple):
    """An event that was sent and not yet taken."""

    seq: int
    type: str
    payload: bytes
    at: int
    mocked: bool


def _impossible(what: str, before: str, after: str) -> InternalError:
    return InternalError(
        f"The {what} was to go from {before!r} to {after!r}, which none does. That is a mistake of the engine, and not "
        "of your workflow or test: please report it with this traceback."
    )
