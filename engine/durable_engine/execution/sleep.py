"""The operation of a `sleep` or `sleep_until`."""

from __future__ import annotations

from durable_engine.context.scope import Scope
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
        instance, key, row = self.instance, self.key, self.row
        if row.due is None:
            row.wait_until(instance.now_ms + duration)
            self.record((SLEEP_START, {"durationMs": duration}, None))
            instance.step_started(key)
        assert row.due is not None
        if row.due <= instance.now_ms or instance.takes_no_time(key):
            self.soon(self._complete)
        else:
            self.wait_until(row.due, self._complete, f"the end of sleep {key.label!r}")
        self._faults.reach_inside("sleep", key)

    def _complete(self) -> None:
        if self.instance.closed:
            return
        self._faults.note_length("sleep", self.key, None, self.began)
        self.end("complete")
        self.record((SLEEP_COMPLETE, None, None))
        self.instance.step_finished(self.key)
        self.deliver()
