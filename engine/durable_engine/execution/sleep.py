"""The operation of a `sleep` or `sleep_until`."""

from __future__ import annotations

from durable_engine.context.scope import Scope, context_for
from durable_engine.history import SLEEP_COMPLETE, SLEEP_START
from durable_engine.model import Place
from durable_engine.rows import StepRow

from .execution import Execution
from .operation import DurableOperation


class SleepOperation(DurableOperation):
    """A `sleep` or `sleep_until` under way."""

    __slots__ = ()

    def __init__(self, instance: Execution, scope: Scope, row: StepRow, place: Place) -> None:
        super().__init__(instance, scope, row)
        self.future = instance.new_sleep(row.key.name, place)

    def begin(self, duration: int) -> None:
        """Start the sleep, or go on with the rest of it."""
        engine = self.instance.engine
        if self.row.due is None:
            self.row.due = engine.clock.now_ms + duration
            self.row.change_status("waiting")
            self.record((SLEEP_START, {"durationMs": duration}, None))
            engine.observers.step_started(self.instance, self.row.key)
        key = self.row.key
        if self.row.due <= engine.clock.now_ms or self.instance.takes_no_time(key):
            engine.loop.call_soon(self._complete, context=context_for(self.scope))
        else:
            self.wait_until(self.row.due, self._complete, f"the end of sleep {key.label!r}")
        self.instance.reach_inside("sleep", key)

    def _complete(self) -> None:
        if self.instance.closed:
            return
        self.instance.note_length("sleep", self.row.key, None, self.began)
        self.end("complete")
        self.record((SLEEP_COMPLETE, None, None))
        self.instance.engine.observers.step_finished(self.instance, self.row.key)
        self.deliver()
