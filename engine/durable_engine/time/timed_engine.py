"""The protocol of an engine that virtual time needs: its clock, and who is at work."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, Protocol

from durable_engine.context.scope import WorkerCall
from durable_engine.guard.guarded_engine import GuardedEngine, OpenCalls
from durable_engine.instance import Instance

from .clients import Clients
from .clock import Clock
from .interleaving import Interleaving


class TimedEngine(GuardedEngine, Protocol):
    """An engine on whose time tests wait."""

    @property
    def clock(self) -> Clock:
        """Virtual time, or real."""
        ...

    @property
    def interleaving(self) -> Interleaving:
        """The interleaving, which chooses the first of several that could go."""
        ...

    @property
    def busy(self) -> Collection[Instance]:
        """The instances that are at work: while there is one, virtual time stands still."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the engine is closed."""
        ...

    @property
    def clients(self) -> Clients:
        """The clients of the Worker in other threads and processes."""
        ...

    @property
    def worker_calls(self) -> TimedCalls:
        """The calls of the Worker's code other than workflows."""
        ...


class TimedCalls(OpenCalls, Protocol):
    """Calls that virtual time stands still for, or moves under."""

    @property
    def open(self) -> Collection[WorkerCall]:
        """Those that are under way."""
        ...

    def tasks(self) -> list[asyncio.Task[Any]]:
        """The unfinished tasks that run their code."""
        ...
