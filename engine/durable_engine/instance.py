"""An instance, as observers, hooks and rules get it: its identity, its state, and its engine.

What runs it is an `Execution`, which has more than that (`execution/execution.py`). These protocols let the rooms below
speak of an instance without knowing how it runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from weakref import WeakSet

from .history import InstanceStatus
from .model import Ask, Effect, StepKey
from .rows import InstanceRow, StepRow
from .usage import InstanceUsage
from .workflow import Workflow


class ClockReader(Protocol):
    """Virtual time, to be read."""

    @property
    def now(self) -> datetime:
        """The virtual time: aware, UTC."""
        ...

    @property
    def now_ms(self) -> int:
        """The virtual time in epoch milliseconds."""
        ...


class Cancellable(Protocol):
    """A timer that was set."""

    def cancel(self) -> None:
        """Cancel the timer: its callback is not called."""


class InstanceEngine(Protocol):
    """The engine of an instance, as observers, hooks and rules may use it."""

    @property
    def clock(self) -> ClockReader:
        """The engine's virtual time."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the engine, and with it the test, has ended."""
        ...

    @property
    def bindings(self) -> Mapping[str, object]:
        """The workflow bindings by name."""
        ...

    def exists(self, workflow: Workflow, id: str) -> bool:
        """Whether the workflow has an instance of that id."""
        ...

    def schedule(self, due: int, callback: Callable[[], None], *, what: str) -> Cancellable:
        """Let `callback` be called when the clock reaches `due` (epoch milliseconds)."""
        ...

    def send_event(self, workflow: Workflow, id: str, event_type: str, payload: bytes) -> None:
        """Send an event to an instance."""


class ScopeState(Protocol):
    """The public part of a scope: a place where code runs and waits."""

    @property
    def open(self) -> int:
        """The number of operations that the code waits for."""
        ...


class OpenStep(Protocol):
    """A step that is under way."""

    @property
    def future(self) -> asyncio.Future[Any]:
        """The future that `run` awaits."""
        ...


class Instance(Protocol):
    """An instance of a workflow, in its present execution."""

    @property
    def id(self) -> str:
        """The instance's id."""
        ...

    @property
    def key(self) -> tuple[str, str]:
        """The instance's identity: its workflow's binding name, and its id."""
        ...

    @property
    def workflow(self) -> Workflow:
        """The workflow that it runs."""
        ...

    @property
    def row(self) -> InstanceRow:
        """Its state in the store."""
        ...

    @property
    def status(self) -> InstanceStatus:
        """The status as the platform reports it; `waiting` while `run` is parked on sleeps and events alone."""
        ...

    @property
    def engine(self) -> InstanceEngine:
        """Its engine."""
        ...

    def belongs_to(self, engine: object) -> bool:
        """Whether an engine is its own."""
        ...

    @property
    def usage(self) -> InstanceUsage:
        """What it has used of what the platform limits."""
        ...

    @property
    def now_ms(self) -> int:
        """The virtual time that its code sees, in epoch milliseconds."""
        ...

    @property
    def finished(self) -> bool:
        """Whether it has reached a final status."""
        ...

    @property
    def killed(self) -> bool:
        """Whether this execution was stopped from outside: by a crash, a pause, the end of the test."""
        ...

    @property
    def closed(self) -> bool:
        """Whether code of this execution may do nothing any more."""
        ...

    @property
    def replaying(self) -> bool:
        """Whether `run` is only replayed for a check, so that nothing may have an effect."""
        ...

    @property
    def path(self) -> Sequence[Ask]:
        """The steps that `run` has asked for in this execution, in order."""
        ...

    @property
    def root(self) -> ScopeState:
        """The scope of `run`."""
        ...

    @property
    def operations(self) -> Mapping[StepKey, OpenStep]:
        """The steps that are under way."""
        ...

    @property
    def started_tasks(self) -> WeakSet[asyncio.Task[Any]]:
        """The tasks that its code has started."""
        ...

    def find_step(self, key: StepKey) -> StepRow | None:
        """A step as stored; None if it has not been asked for."""
        ...

    def sleep_by_name(self, key: StepKey) -> int | None:
        """The occurrence of its name that a sleep is, whatever its duration; None for any other step."""
        ...

    def distinguishing_duration(self, key: StepKey) -> int | None:
        """A sleep's duration, where its count alone does not distinguish it from another sleep of its name."""
        ...

    def abort(self, exc: BaseException) -> None:
        """Stop here, and hand the test an exception that is meant for it."""

    def abort_soon(self, error: BaseException) -> None:
        """Hand an observer's exception to the test, once the step that it was notified of is over."""

    def end_replay(self) -> None:
        """End a replay, which has come to something that it cannot answer; any other execution goes on."""

    def note_effect(self, effect: Effect) -> None:
        """Notify observers of a call that its code made."""

    def call_done(self, step: StepKey, attempt: int | None, call: str) -> bool:
        """Pass the fault point of a call that a callback made; returns whether the engine has died there."""
        ...

    def hold(self) -> asyncio.Future[None]:
        """A future that is never done, for code that may go no further."""
        ...
