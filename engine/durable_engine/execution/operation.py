"""A durable operation: what a step of any kind is while it is under way.

Each keeps its row in the store up to date before its outcome is delivered to `run`, so that a later execution can
answer from storage.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from durable_engine.context.scope import Operation, Scope, context_for
from durable_engine.history import StepStatus
from durable_engine.model import StepKey
from durable_engine.rows import StepRow
from durable_engine.time.clock import Timer

from .execution import Execution, StepEvent


class DurableOperation(Operation):
    """A step of any kind that is under way.

    Args:
        instance: The execution that it belongs to.
        scope: Where the code waits that asked for it.
        row: The step as stored.

    Attributes:
        instance: As given.
        engine: The services of the execution's engine.
        row: As given.
        future: What `run` awaits.
        timer: What ends the wait for something, if anything does.
        began: When it began, or its retry delay did (epoch milliseconds).
    """

    __slots__ = ("_faults", "_modifications", "began", "engine", "future", "instance", "row", "timer")

    def __init__(self, instance: Execution, scope: Scope, row: StepRow) -> None:
        super().__init__(scope)
        self.instance = instance
        self.engine = instance.engine
        self.row = row
        self._faults = instance.faults
        self._modifications = instance.modifications
        self.future: asyncio.Future[Any] = instance.engine.loop.create_future()
        self.timer: Timer | None = None
        self.began = instance.now_ms
        instance.open_operation(row.key, self)

    @property
    def key(self) -> StepKey:
        """Which step it is."""
        return self.row.key

    def record(self, *events: StepEvent) -> None:
        """Store the row as it stands, and these lines of history."""
        self.instance.record_step(self.row, events)

    def wait_until(self, due: int, callback: Callable[[], None], what: str) -> None:
        """Park until the clock reaches `due`."""
        self.set_busy(False)
        self.timer = self.engine.schedule(due, callback, what=what, held=None)

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a time that has not come."""
        return self.row.status == "waiting" and self.timer is not None and not self.timer.cancelled

    def hasten(self) -> None:
        """Let what the step waits for be now."""
        timer = self.timer
        assert timer is not None
        come = timer.take()
        assert come is not None
        self.row.hasten(self.instance.now_ms)
        self.record()  # a pause that takes hold before `run` goes on changes nothing about it
        come()

    def soon(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call something in the next turn of the event loop."""
        loop = self.engine.loop
        loop.call_soon(callback, *arguments, context=context_for(self.scope))

    def cancel_timer(self) -> None:
        """Forget the timer, if there is one."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def end(
        self, status: StepStatus, *, result: bytes | None = None, error: bytes | None = None, flags: int = 0
    ) -> None:
        """Note in the row that the step is over."""
        self.cancel_timer()
        self.row.end(status, self.instance.now_ms, result=result, error=error, flags=flags)

    def give_back(self) -> None:
        """Take back what a modification answered: the memory is lost while the operation is under way."""

    def deliver(self, value: object = None, error: Exception | None = None) -> None:
        """Hand the stored outcome to `run`, when its turn comes: not before it is where it is kept."""
        hand_over = partial(self._hand_over, value, error)
        if self.engine.store.writes_later:
            self.set_busy(True)
            self.engine.when_stored(partial(self._deliver_stored, hand_over))
        else:
            self._deliver(hand_over)

    def _deliver_stored(self, hand_over: Callable[[], None]) -> None:
        if not self.instance.closed:  # it may have been stopped meanwhile: the next execution answers from storage
            self._deliver(hand_over)

    def _deliver(self, hand_over: Callable[[], None]) -> None:
        if self.instance.is_turn_open:
            self.set_busy(True)
            self.instance.take_turn(partial(self.unless_withheld, hand_over))
        else:
            self.unless_withheld(hand_over)

    def unless_withheld(self, action: Callable[[], None]) -> None:
        """Do something at once, or when a pause that is about to take hold of `run` does not."""
        if self.instance.withholds(self.scope):
            self.set_busy(False)
            self.instance.withhold(action)
        else:
            action()

    def _hand_over(self, value: object, error: Exception | None) -> None:
        self.instance.close_operation(self.key)
        self.close()
        # Code that awaited it may have been cancelled, which cancels the future: the outcome is stored all the same.
        if not self.future.done():
            if error is not None:
                self.future.set_exception(error)
                self.future.exception()  # else asyncio complains where the execution is stopped before
            else:
                self.future.set_result(value)
        self.instance.progress()
