"""The protocol of the services that executions need of their engine."""

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
    """The services of an engine for executions: time, storage, observers, modifications."""

    @property
    def clock(self) -> VirtualClock:
        """Virtual time."""
        ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The engine's event loop."""
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
        """The exceptions that instances failed with, by the key of their row."""
        ...

    # -- who is notified, and what the test changed ------------------------------------------------------------------

    @property
    def observers(self) -> Observers:
        """The observers, which are notified of everything that happens."""
        ...

    @property
    def faults(self) -> Faults:
        """The fault points of the engine."""
        ...

    @property
    def findings(self) -> Findings:
        """The findings: the broken rules that were noticed."""
        ...

    @property
    def hazards(self) -> Hazards:
        """The observer that notices where the vendor's engine would do something else."""
        ...

    @property
    def paths(self) -> Paths:
        """The paths of all executions."""
        ...

    def modifications_of(self, workflow: Workflow, id: str) -> InstanceModifications:
        """The modifications of an instance."""
        ...

    def await_late_events(self, key: tuple[str, str], event_type: str) -> None:
        """Note that a wait has begun: mocked events of its type that come later are on their way from now on."""

    def comes_of_unprovided(self, error: BaseException | None, instance: Instance) -> bool:
        """Whether the error of an attempt or an instance comes of something that is not provided."""
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
        """The interleaving, which chooses the first of several that could go."""
        ...

    def schedule(
        self, due: int, callback: Callable[[], None], *, what: str, held: Callable[[], bool] | None = None
    ) -> Timer:
        """Let `callback` be called when the clock reaches `due` (epoch milliseconds)."""
        ...

    def release(self, timer: Timer) -> None:
        """Let a timer fire that was held back."""

    def in_turn(
        self, instance: Instance, action: Callable[[], None], *, dropped: Callable[[], object] | None = None
    ) -> None:
        """Do something that could as well come after something else."""

    def operation_opened(self) -> None:
        """Count a step that has begun, of whatever instance."""

    def operations_closed(self, count: int) -> None:
        """Count steps that are no longer under way."""

    async def settle(self, *, most: int | None = None) -> None:
        """Let everything of the instances that can run do so, at the present time."""

    # -- what becomes of the instance --------------------------------------------------------------------------------

    def mark_busy(self, instance: Instance, busy: bool) -> None:
        """Note whether an instance is at work."""

    def progress(self, instance: Instance) -> None:
        """Note that something changed about an instance that somebody may wait for."""

    def recorded(self, instance: Instance) -> None:
        """Note that history has grown."""

    def forget_busy(self, instance: Instance) -> None:
        """Note that an execution is stopped, and is not at work any more."""

    def stop_tasks(self, instances: Iterable[Instance]) -> None:
        """Stop every task of these executions, which have ended."""

    def crash(self, workflow: Workflow, id: str, point: FaultPoint | None = None) -> None:
        """Lose an instance's memory and recover it from storage."""

    def free_slots(self, workflow: Workflow, ids: Iterable[str]) -> None:
        """Free the slots of instances that run no more: as many go on that are queued."""

    def abort(self, error: BaseException) -> None:
        """Hand an exception of user code that is meant for the test to whoever waits."""
