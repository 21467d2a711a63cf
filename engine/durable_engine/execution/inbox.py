"""The inbox of an execution: an event is stored when it arrives, and the oldest wait for its type takes it.

An event goes one way: whoever sends it hands it to the engine, the engine to the inbox of the present execution, the
inbox to a wait, and that one hands the payload to `run`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from durable_engine.instance import Instance
from durable_engine.rows import StepRow
from durable_engine.testing.modifications import InstanceModifications

from .fault_gate import FaultGate
from .services import Services


class OpenWait(Protocol):
    """A wait for an event that is under way."""

    row: StepRow
    future: asyncio.Future[Any]

    def receive(self, payload: bytes, at: int) -> None:
        """Take this event."""

    def report_abandoned(self) -> None:
        """Keep a finding: the wait's task was cancelled, and the wait stays."""


class Inbox:
    """The events of one execution, and the waits for them.

    Args:
        instance: The instance of the events.
        engine: Its engine.
        modifications: The modifications of the instance, which may have mocked an event.
        faults: The fault points that it passes.
    """

    def __init__(
        self,
        instance: Instance,
        engine: Services,
        modifications: InstanceModifications,
        faults: FaultGate,
    ) -> None:
        self._instance = instance
        self._store = engine.store
        self._observers = engine.observers
        self._modifications = modifications
        self._faults = faults
        self._waits: dict[str, list[OpenWait]] = {}

    def keep(self, event_type: str, payload: bytes, *, mocked: bool) -> None:
        """Store an event that no wait may take yet."""
        row, now = self._instance.row, self._instance.now_ms
        event = self._store.add_event(row.key, event_type, payload, now, mocked=mocked)
        self._observers.event_kept(row, event_type, event)

    def keep_mocked(self) -> None:
        """Store the mocked events that are there from the start."""
        for event in self._modifications.events:
            self.keep(event.event_type, event.payload, mocked=True)

    def receive(self, event_type: str, payload: bytes, *, mocked: bool) -> None:
        """An event arrives: a wait for its type takes it, else it is kept for one."""
        self.keep(event_type, payload, mocked=mocked)
        if not self._instance.closed:
            self.deliver(event_type)

    def add(self, event_type: str, wait: OpenWait) -> None:
        """A wait has begun: it takes an event that is kept, or the next one that nobody before it takes."""
        self._waits.setdefault(event_type, []).append(wait)

    def deliver(self, event_type: str) -> None:
        """Give kept events of that type to the waits for it, oldest to oldest."""
        instance = self._instance
        waiting = self._waits.get(event_type, [])
        while waiting:
            if self._faults.reach_event(event_type, waiting[0].row.key):
                return
            event = self._store.take_event(instance.row.key, event_type)
            if event is None:
                return
            wait = waiting.pop(0)
            key = wait.row.key
            self._observers.event_taken(instance, key, event_type, event.seq)
            if event.mocked:
                self._modifications.event_taken(event_type, key)
            wait.receive(event.payload, event.at)

    def remove(self, event_type: str, wait: OpenWait) -> None:
        """A wait takes no event any more."""
        waiting = self._waits.get(event_type, [])
        if wait in waiting:
            waiting.remove(wait)

    def has_wait(self, event_type: str) -> bool:
        """Whether `run` waits for an event of that type."""
        return bool(self._waits.get(event_type))

    def report_abandoned(self) -> None:
        """Keep findings of the waits that were cancelled while they waited."""
        for waiting in self._waits.values():
            for wait in waiting:
                if wait.future.cancelled():
                    wait.report_abandoned()
