"""The operation of a `wait_for_event`."""

from __future__ import annotations

from durable_engine.context.scope import Scope, context_for
from durable_engine.errors import EXECUTION_TIMED_OUT
from durable_engine.history import WAIT_COMPLETE, WAIT_START, WAIT_TIMED_OUT
from durable_engine.rows import StepRow
from durable_engine.values.boundary import decode, encode_object
from durable_engine.values.datetimes import to_datetime
from durable_engine.values.failures import ErrorInfo, rebuild

from .execution import Execution
from .operation import DurableOperation


class EventOperation(DurableOperation):
    """A `wait_for_event` under way."""

    __slots__ = ("_place", "event_type")

    def __init__(self, instance: Execution, scope: Scope, row: StepRow, place: tuple[str, int]) -> None:
        super().__init__(instance, scope, row)
        self._place = place

    def begin(self, event_type: str, timeout: int) -> None:
        """Take an event that is there already, or wait for one."""
        self.event_type = event_type
        engine = self.instance.engine
        if self.row.due is None:
            self.row.due = engine.clock.now_ms + timeout
            self.row.change_status("waiting")
            self.record((WAIT_START, {"event": event_type}, None))
            engine.observers.step_started(self.instance, self.row.key)
            engine.lifecycle.await_late_events(self.instance.key, event_type)
        if self.instance.modifications.wait_times_out(self.row.key):
            engine.loop.call_soon(self._time_out, timeout, context=context_for(self.scope))
            return
        self.instance.inbox.add(event_type, self)
        engine.observers.wait_started(self.instance, self.row.key, event_type, self._place)
        self.wait_until(self.row.due, lambda: self._time_out(timeout), f"the timeout of wait {self.row.key.label!r}")
        self.instance.inbox.deliver(event_type)
        if self.row.status == "waiting":
            self.instance.reach_inside("wait", self.row.key)

    def receive(self, payload: bytes, at: int) -> None:
        """Take this event, whether anybody still waits for it or not."""
        self.instance.note_length("wait", self.row.key, None, self.began)
        if self.future.cancelled():
            self.report_abandoned()
        self.end("complete")
        self.row.result = encode_object("payload", payload, type=self.event_type, timestamp=to_datetime(at))
        self.record((WAIT_COMPLETE, None, self.row.result))
        self.instance.engine.observers.step_finished(self.instance, self.row.key)
        self.deliver(decode(self.row.result))

    def report_abandoned(self) -> None:
        """Keep a finding: the wait's task was cancelled, and the wait stays."""
        self.instance.engine.step_findings.abandoned_wait(
            self.row.key, self.event_type, self._place, self.instance.workflow
        )

    def _time_out(self, timeout: int) -> None:
        if self.instance.closed or self.row.status != "waiting":
            return
        self.instance.note_length("wait", self.row.key, None, self.began)
        self.instance.inbox.remove(self.event_type, self)
        info = ErrorInfo("WorkflowTimeoutError", EXECUTION_TIMED_OUT.format(ms=timeout))
        self.end("errored")
        self.row.error = info.dump()
        self.record((WAIT_TIMED_OUT, info.public(), None))
        self.instance.engine.observers.step_finished(self.instance, self.row.key)
        self.deliver(error=rebuild(info))
