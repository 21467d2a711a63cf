"""A durable operation: what a step of any kind is while it is under way.

Each keeps its row in the store up to date before its outcome is delivered to `run`, so that a later execution can
answer from storage.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from durable_engine.context.scope import Operation, Scope
from durable_engine.history import StepEventKind, StepStatus
from durable_engine.rows import HistoryRow, StepRow
from durable_engine.time.clock import Timer

from .execution import Execution


class DurableOperation(Operation):
    """A step of any kind that is under way."""

    __slots__ = ("began", "future", "instance", "row", "timer")

    def __init__(self, instance: Execution, scope: Scope, row: StepRow) -> None:
        super().__init__(scope)
        self.instance = instance
        self.row = row
        self.future: asyncio.Future[Any] = instance.engine.loop.create_future()
        self.timer: Timer | None = None
        self.began = instance.engine.clock.now_ms
        instance.operations[row.key] = self
        instance.engine.turns.operation_opened()

    def record(self, *events: tuple[StepEventKind, dict[str, Any] | None, bytes | None]) -> None:
        """Store the row as it stands, and these lines of history."""
        now = self.instance.engine.clock.now_ms
        key = self.row.key
        self.instance.engine.store.record(
            self.instance.row.key,
            [HistoryRow(kind, key, now, detail, value) for kind, detail, value in events],
            self.row,
        )
        self.instance.engine.activity.recorded(self.instance)

    def wait_until(self, due: int, callback: Callable[[], None], what: str) -> None:
        """Park until the clock reaches `due`."""
        self.set_busy(False)
        self.timer = self.instance.engine.schedule(due, callback, what=what, held=None)

    def cancel_timer(self) -> None:
        """Forget the timer, if there is one."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def end(self, status: StepStatus) -> None:
        """Note in the row that the step is over."""
        self.cancel_timer()
        self.row.change_status(status)
        self.row.due = None
        self.row.ended_at = self.instance.engine.clock.now_ms

    def give_back(self) -> None:
        """Take back what a modification answered: the memory is lost while the operation is under way."""

    @property
    def withheld(self) -> bool:
        """Whether a pause is about to take hold of `run`; what a callback does inside goes on until it has ended."""
        return self.instance.withheld is not None and self.scope is self.instance.root

    def deliver(self, value: object = None, error: Exception | None = None) -> None:
        """Hand the stored outcome to `run`, when its turn comes."""
        if self.instance.engine.turns.seeded:
            self.set_busy(True)
        self.instance.engine.turns.take(self.instance, lambda: self._deliver(value, error))

    def _deliver(self, value: object, error: Exception | None) -> None:
        if self.withheld:
            self._withhold(lambda: self._hand_over(value, error))
        else:
            self._hand_over(value, error)

    def _withhold(self, action: Callable[[], None]) -> None:
        assert self.instance.withheld is not None
        self.set_busy(False)
        self.instance.withheld.append(action)

    def _hand_over(self, value: object, error: Exception | None) -> None:
        del self.instance.operations[self.row.key]
        self.instance.engine.turns.operations_closed(1)
        self.close()
        # Code that awaited it may have been cancelled, which cancels the future: the outcome is stored all the same.
        if not self.future.done():
            if error is not None:
                self.future.set_exception(error)
                self.future.exception()  # asyncio would complain if the execution was killed before it has seen this
            else:
                self.future.set_result(value)
        self.instance.engine.activity.progress(self.instance)
