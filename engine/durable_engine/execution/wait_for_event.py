"""The operation of a `wait_for_event`."""

from __future__ import annotations

from durable_engine.context.scope import Scope
from durable_engine.errors import EXECUTION_TIMED_OUT
from durable_engine.history import WAIT_COMPLETE, WAIT_START, WAIT_TIMED_OUT
from durable_engine.model import Place
from durable_engine.rows import StepRow
from durable_engine.values.boundary import decode, encode_object
from durable_engine.values.datetimes import to_datetime
from durable_engine.values.failures import ErrorInfo, rebuild

from .execution import Execution
from .operation import DurableOperation


class EventOperation(DurableOperation):
    """A `wait_for_event` under way."""

    __slots__ = ("_inbox", "_place", "event_type")

    def __init__(self, instance: Execution, scope: Scope, row: StepRow, place: Place) -> None:
        super().__init__(instance, scope, row)
        self._inbox = instance.inbox
        self._place = place

    def begin(self, event_type: str, timeout: int) -> None:
        """Take an event that is there already, or wait for one."""
        self.event_type = event_type
        instance, key, row = self.instance, self.key, self.row
        if row.due is None:
            row.wait_until(instance.now_ms + timeout)
            self.record((WAIT_START, {"event": event_type}, None))
            instance.step_started(key)
            instance.await_late_events(event_type)
        assert row.due is not None
        if self._modifications.wait_times_out(key):
            self.soon(self._time_out, timeout)
            return
        self._inbox.add(event_type, self)
        instance.wait_started(key, event_type, self._place)
        self.wait_until(row.due, lambda: self._time_out(timeout), f"the timeout of wait {key.label!r}")
        self._inbox.deliver(event_type)
        if row.status == "waiting":
            self._faults.reach_inside("wait", key)

    def receive(self, payload: bytes, at: int) -> None:
        """Take this event, whether anybody still waits for it or not."""
        self._faults.note_length("wait", self.key, None, self.began)
        if self.future.cancelled():
            self.report_abandoned()
        event = encode_object("payload", payload, type=self.event_type, timestamp=to_datetime(at))
        self.end("complete", result=event)
        self.record((WAIT_COMPLETE, None, event))
        self.instance.step_finished(self.key)
        self.deliver(decode(event))

    def report_abandoned(self) -> None:
        """Keep a finding: the wait's task was cancelled, and the wait stays."""
        findings = self.engine.step_findings
        findings.abandoned_wait(self.key, self.event_type, self._place, self.instance.workflow)

    def _time_out(self, timeout: int) -> None:
        if self.instance.closed or self.row.status != "waiting":
            return
        self._faults.note_length("wait", self.key, None, self.began)
        self._inbox.remove(self.event_type, self)
        info = ErrorInfo("WorkflowTimeoutError", EXECUTION_TIMED_OUT.format(ms=timeout))
        self.end("errored", error=info.dump())
        self.record((WAIT_TIMED_OUT, info.public(), None))
        self.instance.step_finished(self.key)
        self.deliver(error=rebuild(info))
