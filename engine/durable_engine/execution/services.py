"""What executions need of the engine that they live on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from durable_engine.instance import Instance, InstanceEngine
from durable_engine.limits import Limits
from durable_engine.model import Place, StepKey
from durable_engine.storage.store import Store
from durable_engine.testing.faults import FaultPoint, Faults
from durable_engine.testing.findings import Findings
from durable_engine.testing.hazards import Hazards
from durable_engine.testing.modifications import InstanceModifications
from durable_engine.testing.observers import Observers
from durable_engine.testing.paths import Paths
from durable_engine.time.clock import Timer, VirtualClock
from durable_engine.time.interleaving import Interleaving
from durable_engine.workflow import Workflow


class Services(InstanceEngine, Protocol):
    """The services of an engine, for what runs steps: time, storage, who is notified, what a test changed."""

    @property
    def clock(self) -> VirtualClock:
        """Virtual time."""
        ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that the engine lives on."""
        ...

    @property
    def store(self) -> Store:
        """The engine's storage."""
        ...

    @property
    def limits(self) -> Limits:
        """The platform's limits, or lower ones."""
        ...

    @property
    def root(self) -> Path | None:
        """The project's folder."""
        ...

    @property
    def passthrough(self) -> tuple[type[BaseException], ...]:
        """Exceptions that are meant for the test: a workflow never sees them."""
        ...

    @property
    def exceptions(self) -> dict[int, BaseException]:
        """What instances failed with, by the key of their row."""
        ...

    # -- who is notified, and what the test changed ------------------------------------------------------------------

    @property
    def observers(self) -> Observers:
        """Notified of what happens."""
        ...

    @property
    def faults(self) -> Faults:
        """The fault points of the engine."""
        ...

    @property
    def findings(self) -> Findings:
        """The broken rules that were noticed."""
        ...

    @property
    def hazards(self) -> Hazards:
        """Notices where the vendor's engine would do something else."""
        ...

    @property
    def paths(self) -> Paths:
        """The paths of all executions."""
        ...

    def modifications_of(self, workflow: Workflow, id: str) -> InstanceModifications:
        """The modifications of an instance."""
        ...

    def await_late_events(self, key: tuple[str, str], event_type: str) -> None:
        """A wait has begun: mocked events of its type that come later are on their way from now on."""

    def comes_of_unprovided(self, error: BaseException | None, instance: Instance) -> bool:
        """Whether what ends an attempt or an instance comes of something that is not provided."""
        ...

    def report_duration(self, text: str, place: Place) -> None:
        """Warn of a duration whose unit the platform does not know."""

    def report_abandoned_wait(self, key: StepKey, event_type: str, place: Place, workflow: Workflow) -> None:
        """Keep a finding: a wait whose task was cancelled stays, and takes the next event."""

    def report_missing_await(self, what: str, place: Place, workflow: Workflow) -> None:
        """Keep a finding: nobody awaited a step."""

    # -- time and turns ----------------------------------------------------------------------------------------------

    @property
    def interleaving(self) -> Interleaving:
        """Who goes first of several that could."""
        ...

    def schedule(
        self, due: int, callback: Callable[[], None], *, what: str, held: Callable[[], bool] | None = None
    ) -> Timer:
        """Let `callback` be called when the clock reaches `due` (epoch milliseconds)."""
        ...

    def release(self, timer: Timer) -> None:
        """What held a timer back is over."""

    def in_turn(
        self, instance: Instance, action: Callable[[], None], *, dropped: Callable[[], object] | None = None
    ) -> None:
        """Do something that could as well come after something else."""

    def operation_opened(self) -> None:
        """A step has begun, of whatever instance."""

    def operations_closed(self, count: int) -> None:
        """So many steps are no longer under way."""

    async def settle(self, *, most: int | None = None) -> None:
        """Let everything of the instances that can run do so, at the present time."""

    # -- what becomes of the instance --------------------------------------------------------------------------------

    def mark_busy(self, instance: Instance, busy: bool) -> None:
        """Note whether an instance is at work."""

    def progress(self, instance: Instance) -> None:
        """Something changed about an instance that somebody may wait for."""

    def recorded(self, instance: Instance) -> None:
        """History has grown."""

    def forget_busy(self, instance: Instance) -> None:
        """An execution is stopped, and is not at work any more."""

    def stop_tasks(self, instances: Iterable[Instance]) -> None:
        """Stop every task of these executions, which have ended."""

    def crash(self, workflow: Workflow, id: str, point: FaultPoint | None = None) -> None:
        """Lose an instance's memory and recover it from storage."""

    def free_slots(self, workflow: Workflow, ids: Iterable[str]) -> None:
        """Instances run no more: let as many go on that are queued."""

    def abort(self, error: BaseException) -> None:
        """Something was raised in user code that is meant for the test."""
