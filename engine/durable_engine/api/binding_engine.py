"""The protocol of the engine that a binding, a handle and a subscription call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from durable_engine.lifecycle import Lifecycle
from durable_engine.limits import Limits
from durable_engine.storage.store import Store
from durable_engine.testing.observers import Observers
from durable_engine.testing.unawaited_calls import Calls
from durable_engine.time.activity import Activity


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

    @property
    def lifecycle(self) -> Lifecycle:
        """The instances, and what the calls of bindings and handles do with them."""
        ...

    @property
    def activity(self) -> Activity:
        """The instances that are at work, and the listeners to their changes."""
        ...

    async def wait(self, evaluate: Callable[[], bool], describe: Callable[[], str], *, about: tuple[str, str]) -> None:
        """Wait while virtual time moves, until `evaluate` returns True."""
