"""What the guard needs of an engine: its loop, how long a wait may take, and where the test gets an error."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from .task_teardown import StoppedTasks
from .threads import WorkerThreads


class GuardedEngine(Protocol):
    """An engine whose code must give way to the event loop."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that the engine lives on."""
        ...

    @property
    def running_loop(self) -> asyncio.AbstractEventLoop | None:
        """The same, while it runs."""
        ...

    @property
    def timeout(self) -> float:
        """How long a wait may take, in real seconds, unless it says otherwise."""
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
    def stopped_tasks(self) -> StoppedTasks:
        """The tasks that were stopped, until they are closed."""
        ...

    def next_deadline(self) -> float | None:
        """When the first of the waits under way must have ended (`time.monotonic`); None where there is none."""
        ...

    def abort(self, error: BaseException) -> None:
        """Let whoever waits in the test have this error."""
