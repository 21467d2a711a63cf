"""The fault gate of an execution: the fault points that it passes, at one of which the engine may die."""

from __future__ import annotations

from contextvars import Context

from durable_engine.instance import Instance
from durable_engine.model import StepKey
from durable_engine.testing.faults import FaultKind, FaultPoint, point_of
from durable_engine.testing.modifications import InstanceModifications

from .services import Services


class FaultGate:
    """Passes the fault points of one execution.

    Args:
        instance: Whose fault points they are.
        engine: The engine that it lives on.
        modifications: What a test changed about the instance: it may crash somewhere.
    """

    def __init__(self, instance: Instance, engine: Services, modifications: InstanceModifications) -> None:
        self._instance = instance
        self._engine = engine
        self._faults = engine.faults
        self._store = engine.store
        self._modifications = modifications

    @property
    def _is_open(self) -> bool:
        """Whether anybody asks for fault points, and there is something to lose."""
        return (self._faults.active or self._modifications.has_crashes) and not self._instance.closed

    def reach(
        self, kind: FaultKind, key: StepKey | None = None, attempt: int | None = None, call: str | None = None
    ) -> bool:
        """Pass a fault point.

        Args:
            kind: Its kind.
            key: The step.
            attempt: The attempt of it.
            call: Of a call: which one.

        Returns:
            Whether the engine has died here: a new execution has begun, and this one must go no further.
        """
        if not self._is_open:
            return False
        point = point_of(self._instance, kind, key, attempt, call)
        armed = self._faults.pass_by(point)
        if armed is None and not self._modifications.crashes_at(point):
            return False
        self._crash(point, armed)
        return True

    def reach_inside(self, kind: FaultKind, key: StepKey, attempt: int | None = None) -> None:
        """Pass a fault point that lies in the middle of something that takes time."""
        if not self._is_open:
            return
        engine = self._engine
        point = point_of(self._instance, kind, key, attempt)
        armed = self._faults.pass_by(point)
        if armed is None and not self._modifications.crashes_at(point):
            return
        if armed is not None and armed.after:
            due = self._instance.now_ms + armed.after
            engine.schedule(due, lambda: self._die(point, armed), what=f"the crash at {point.short!r}")
        else:
            # Code that has just begun to sleep may go on to something else before it awaits that.
            engine.loop.call_soon(self._die, point, armed, context=Context())

    def reach_event(self, event_type: str, wait: StepKey) -> bool:
        """Pass the fault point of an event, if there is one of that type for a wait to take; returns as `reach`."""
        if not self._is_open or not self._store.has_event(self._instance.row.key, event_type):
            return False
        return self.reach("event", wait)

    def note_length(self, kind: FaultKind, key: StepKey, attempt: int | None, began: int) -> None:
        """Keep how long a sleep, a delay or a wait took, for a crash in its middle."""
        if self._faults.recording:
            self._faults.note_length(point_of(self._instance, kind, key, attempt), self._instance.now_ms - began)

    def _die(self, point: FaultPoint, armed: FaultPoint | None) -> None:
        if not self._instance.closed and not self._engine.closed:
            self._crash(point, armed)

    def _crash(self, point: FaultPoint, armed: FaultPoint | None) -> None:
        instance, deploy = self._instance, self._faults.deploy
        if armed is None or deploy is None:
            self._engine.lifecycle.crash(instance.workflow, instance.id, point)
        else:
            self._engine.lifecycle.deploy(deploy, instance, point)
