"""The protocol of the engine that a binding, a handle and a subscription call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from durable_engine.instance import Instance
from durable_engine.limits import Limits
from durable_engine.model import CronTrigger, Place
from durable_engine.storage.store import Store
from durable_engine.testing.observers import Observers
from durable_engine.testing.unawaited_calls import Calls
from durable_engine.values.boundary import JsDict
from durable_engine.workflow import KEPT, Retention, Workflow


class BindingEngine(Protocol):
    """An engine as the API calls it."""

    @property
    def limits(self) -> Limits:
        """The platform's limits, or lower ones."""
        ...

    @property
    def observers(self) -> Observers:
        """The observers, which are notified of everything that happens."""
        ...

    @property
    def store(self) -> Store:
        """The engine's storage."""
        ...

    @property
    def calls(self) -> Calls:
        """The calls of a test that must be awaited."""
        ...

    # -- the lifecycle of an instance --------------------------------------------------------------------------------

    def exists(self, workflow: Workflow, id: str) -> bool:
        """Whether the workflow has an instance of that id."""
        ...

    def find(self, workflow: Workflow, id: str) -> Instance | None:
        """The instance, or None."""
        ...

    def require(self, workflow: Workflow, id: str) -> Instance:
        """The instance; raises the platform's error where there is none."""
        ...

    def create(
        self,
        workflow: Workflow,
        id: str | None,
        params: bytes,
        retention: Retention = KEPT,
        trigger: CronTrigger | None = None,
    ) -> str:
        """Create an instance and let it run; returns its id."""
        ...

    def status(self, workflow: Workflow, id: str) -> JsDict:
        """The answer of a handle's `status()`."""
        ...

    def pause(self, workflow: Workflow, id: str) -> None:
        """Pause an instance once no callback of it runs."""

    def resume(self, workflow: Workflow, id: str) -> None:
        """Let a paused instance go on."""

    def restart(self, workflow: Workflow, id: str, options: JsDict) -> None:
        """Run an instance again, from the top or from a step on."""

    def terminate(self, workflow: Workflow, id: str) -> None:
        """End an instance now."""

    def delete(self, workflow: Workflow, id: str) -> None:
        """Delete an instance and everything that is stored of it."""

    def send_event(
        self, workflow: Workflow, id: str, event_type: str, payload: bytes, place: Place | None = None
    ) -> None:
        """Send an event: to a wait for its type, else kept for one."""

    # -- waiting for its history to grow -----------------------------------------------------------------------------

    def restarts_of(self, key: int) -> int:
        """The number of restarts of an instance, by the key of its row."""
        ...

    def next_change(self, about: tuple[str, str]) -> asyncio.Future[None]:
        """A future that is done when something changes about an instance."""
        ...

    def watching(self) -> AbstractContextManager[None]:
        """A block in which somebody waits for history to grow."""
        ...

    async def wait(self, evaluate: Callable[[], bool], describe: Callable[[], str], *, about: tuple[str, str]) -> None:
        """Wait while virtual time moves, until `evaluate` returns True."""
