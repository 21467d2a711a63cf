"""The protocol of the services that executions need of their engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from durable_engine.instance import Instance, InstanceEngine
from durable_engine.limits import Limits
from durable_engine.storage.store import Store
from durable_engine.testing.faults import FaultPoint, Faults
from durable_engine.testing.findings import Findings
from durable_engine.testing.hazards import Hazards
from durable_engine.testing.modifications import InstanceModifications
from durable_engine.testing.observers import Observers
from durable_engine.testing.paths import Paths
from durable_engine.testing.pending_errors import PendingErrors
from durable_engine.testing.step_findings import StepFindings
from durable_engine.time.activity import Activity
from durable_engine.time.clock import Clock, Timer
from durable_engine.time.turns import Turns
from durable_engine.usage import InstanceUsage
from durable_engine.workflow import Workflow


class InstanceOwner(Protocol):
    """The owner of the instances, for requests of an execution beyond its own end."""

    def modifications_of(self, workflow: Workflow, id: str) -> InstanceModifications:
        """The modifications of an instance."""
        ...

    def await_late_events(self, key: tuple[str, str], event_type: str) -> None:
        """Note that a wait has begun: mocked events of its type that come later are on their way from now on."""

    def crash(self, workflow: Workflow, id: str, point: FaultPoint | None = None) -> None:
        """Lose an instance's memory and recover it from storage."""

    def deploy(self, replace: Callable[[], None], first: Instance, point: FaultPoint) -> None:
        """Deploy another source: every instance loses its memory, and recovers with that source."""

    def free_slots(self, workflow: Workflow, ids: Iterable[str]) -> None:
        """Free the slots of instances that run no more: as many go on that are queued."""


class Services(InstanceEngine, Protocol):
    """The services of an engine for executions: time, storage, observers, modifications."""

    @property
    def clock(self) -> Clock:
        """Virtual time, or real."""
        ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The engine's event loop."""
        ...

    @property
    def store(self) -> Store:
        """The engine's storage."""
        ...

    def when_stored(self, action: Callable[[], None]) -> None:
        """Do something once everything written so far is where it is kept, and its turn has come."""

    @property
    def limits(self) -> Limits:
        """The platform's limits, or lower ones."""
        ...

    @property
    def root(self) -> Path | None:
        """The project's folder."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether it runs in real time, for no test: what an execution leaves must not gather."""
        ...

    @property
    def passthrough(self) -> tuple[type[BaseException], ...]:
        """Exceptions that are meant for the test: a workflow never sees them."""
        ...

    @property
    def exceptions(self) -> dict[int, BaseException]:
        """The exceptions that instances failed with, by the key of their row."""
        ...

    def usage_of(self, key: int) -> InstanceUsage:
        """What an instance has used of what the platform limits, by the key of its row."""
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

    @property
    def step_findings(self) -> StepFindings:
        """The findings about steps."""
        ...

    @property
    def pending_errors(self) -> PendingErrors:
        """The errors that the test must get."""
        ...

    # -- time and turns ----------------------------------------------------------------------------------------------

    @property
    def turns(self) -> Turns:
        """The turns of what could as well come after something else."""
        ...

    @property
    def activity(self) -> Activity:
        """The instances that are at work, and the listeners to their changes."""
        ...

    def schedule(
        self, due: int, callback: Callable[[], None], *, what: str, held: Callable[[], bool] | None = None
    ) -> Timer:
        """Let `callback` be called when the clock reaches `due` (epoch milliseconds)."""
        ...

    def release(self, timer: Timer) -> None:
        """Let a timer fire that was held back."""

    async def settle(self, *, most: int | None = None) -> None:
        """Let everything of the instances that can run do so, at the present time."""

    # -- what becomes of the instance --------------------------------------------------------------------------------

    @property
    def lifecycle(self) -> InstanceOwner:
        """The instances of the engine."""
        ...

    def stop_tasks(self, instances: Iterable[Instance]) -> None:
        """Stop every task of these executions, which have ended."""

    def abort(self, error: BaseException) -> None:
        """Hand an exception of user code that is meant for the test to whoever waits."""
