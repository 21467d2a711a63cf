"""The records that the engine hands out. They are frozen: a test may keep them, compare them, and print them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from .history import HistoryKind, StepKind, StepStatus
from .text.stable_repr import Shown

Place = tuple[str, int]
"""File and line of the user's source."""


class StepKey(NamedTuple):
    """The identity of a step: its kind, its name, a sleep's duration, and which occurrence of these it is (1-based).

    The duration is in milliseconds, and None for a step that is no sleep: sleeps of one name and different durations
    are counted each for themselves, as on the platform.
    """

    kind: StepKind
    name: str
    count: int  # type: ignore[assignment]  # it shadows tuple.count, which nobody needs here
    duration: int | None = None

    @property
    def label(self) -> str:
        """The name as history shows it: `charge-1`."""
        return f"{self.name}-{self.count}"


class CronTrigger(NamedTuple):
    """The cron trigger that made an instance.

    Attributes:
        cron: The cron expression, as the configuration has it.
        scheduled_time: When it was due, in epoch milliseconds.
    """

    cron: str
    scheduled_time: int

    @property
    def instance_id(self) -> str:
        """The id of the instance that it makes."""
        return f"{self.cron}-{self.scheduled_time}"


@dataclass(frozen=True, slots=True, repr=False)
class AttemptRecord(Shown):
    """One attempt of a step.

    Attributes:
        number: 1 for the first attempt.
        started_at: Virtual time (aware, UTC).
        ended_at: Virtual time, or None while it runs.
        error: `{"name": ..., "message": ...}`, or None.
        retry_delay: How long the engine waits before the next attempt, or None if there is none.
    """

    number: int
    started_at: datetime
    ended_at: datetime | None = None
    error: dict[str, str] | None = None
    retry_delay: timedelta | None = None


@dataclass(frozen=True, slots=True, repr=False)
class StepRecord(Shown):
    """A step as it stands now.

    Attributes:
        name: The step's name.
        count: Which occurrence of that name this is, 1-based; of a sleep, among those of its name and duration.
        kind: `"do"`, `"sleep"` or `"wait_for_event"`.
        status: `"running"`, `"waiting"` (a sleep, an event, a retry delay), `"complete"` or `"errored"`.
        attempts: The attempts so far, oldest first; empty for sleeps and waits.
        inputs: The dependencies' values by name; `"[REDACTED]"` for sensitive outputs.
        result: The value that `run` got, None until there is one; `"[REDACTED]"` for sensitive outputs.
        error: `{"name": ..., "message": ...}` of a step that failed for good, else None.
        started_at: Virtual time (aware, UTC).
        ended_at: Virtual time, or None while it is not finished.
        mocked: Whether a modification answered in the callback's place.
        duration: Of a sleep: how long it was to take; None for other steps.
    """

    name: str
    count: int
    kind: StepKind
    status: StepStatus
    started_at: datetime
    ended_at: datetime | None = None
    attempts: list[AttemptRecord] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    result: Any = None
    error: dict[str, str] | None = None
    mocked: bool = False
    duration: timedelta | None = None

    @property
    def key(self) -> StepKey:
        """The step's identity."""
        duration = None if self.duration is None else round(self.duration / timedelta(milliseconds=1))
        return StepKey(self.kind, self.name, self.count, duration)


@dataclass(frozen=True, slots=True, repr=False)
class HistoryEvent(Shown):
    """One line of an instance's history.

    Attributes:
        kind: Such as `STEP_START`; docs/reference/introspection.md lists them in their order.
        step: The step's name with its occurrence, `charge-1`; None for events of the instance.
        at: Virtual time (aware, UTC).
        detail: The data of that kind of event: `config`, `result`, `error`, `durationMs`, ...
    """

    kind: HistoryKind
    step: str | None
    at: datetime
    detail: dict[str, Any]


class Ask(msgspec.Struct, frozen=True, gc=False):
    """A step that `run` asked for, outside of callbacks.

    Attributes:
        key: The step's identity.
        place: The place in the user's source.
        branch: 0 for `run` itself; a number for each task that it started, in order of their first step.
    """

    key: StepKey
    place: Place
    branch: int


class CallbackRun(msgspec.Struct, frozen=True, eq=False):
    """One run of a step's callback.

    Attributes:
        key: The callback's step.
        attempt: In which attempt.
        function: The user's function.
        inputs: The dependencies' values that it is called with, by name.
        place: Where the step was declared.
        is_async: Whether other code may run between its start and its end.
    """

    key: StepKey
    attempt: int
    function: Callable[..., Any]
    inputs: Mapping[str, Any]
    place: Place
    is_async: bool


class Effect(msgspec.Struct, frozen=True, eq=False):
    """A call that code of an instance made on something outside of it: a binding, a fake, an HTTP service.

    Attributes:
        service: The binding's name, or the host of a request.
        method: The called method: `send`, `prepare(...).bind(...).run`, `POST /charges`; `()` for the service itself.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        place: The place in the user's source.
        step: The step whose callback made it; None for code of `run` outside of its steps.
        attempt: The attempt of that step.
        origin: The call that gave the object it was made on: `prepare(sql)` for `prepare(sql).run()`.
    """

    service: str
    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    place: Place
    step: StepKey | None = None
    attempt: int | None = None
    origin: Effect | None = None
    given: tuple[Effect, ...] = ()
