"""The protocol of an engine that the guard needs: its loop, the limit of a wait, and the way to the test."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from durable_engine.context.scope import WorkerCall
from durable_engine.usage import Subrequests

from .task_teardown import StoppedTasks
from .threads import WorkerThreads


class OpenCalls(Protocol):
    """The calls of the Worker's code that are under way."""

    def enter(self, call: WorkerCall) -> None:
        """Note that a call begins: while its code can run, virtual time stands still."""

    def leave(self, call: WorkerCall) -> None:
        """Note that a call is over."""

    def lead(self, call: WorkerCall) -> None:
        """Let virtual time move while a call waits, until it is over."""


class ClockFace(Protocol):
    """Virtual time, to be read."""

    @property
    def elapsed_ms(self) -> int:
        """The milliseconds that have passed on it."""
        ...


class GuardedEngine(Protocol):
    """An engine whose code must give way to the event loop."""

    @property
    def clock(self) -> ClockFace:
        """Virtual time."""
        ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The engine's event loop."""
        ...

    @property
    def running_loop(self) -> asyncio.AbstractEventLoop | None:
        """The engine's event loop, while it runs."""
        ...

    @property
    def timeout(self) -> float:
        """The limit of a wait, in real seconds, unless it has another one."""
        ...

    @property
    def root(self) -> Path | None:
        """The project's folder."""
        ...

    @property
    def threads(self) -> WorkerThreads:
        """The threads that code of the engine's instances has started."""
        ...

    @property
    def worker_calls(self) -> OpenCalls:
        """The calls of handlers, objects and alarms."""
        ...

    @property
    def stopped_tasks(self) -> StoppedTasks:
        """The tasks that were stopped, until they are closed."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether it runs in real time, for no test: nothing is ended because it takes long."""
        ...

    @property
    def is_time_moving(self) -> bool:
        """Whether virtual time moves now: what is due fires without real time."""
        ...

    def new_subrequests(self) -> Subrequests:
        """The count of the subrequests of one call of the Worker's code."""
        ...

    def next_deadline(self) -> float | None:
        """The time (`time.monotonic`) by which the first of the waits must have ended; None where there is none."""
        ...

    def abort(self, error: BaseException) -> None:
        """Hand this error to the test's waits."""
