"""The changes that a test can make to an instance: one small class each, with its data.

Whoever acts on changes asks for their class, with `match` and `assert_never` where all of them must be handled: mypy
names each reader that does not know a new one. What is in force, and what was used, is known in `modifications.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal

import msgspec

from durable_engine.errors import InvalidArgumentError
from durable_engine.model import StepKey

from .faults import FaultPoint

ChangeKind = Literal[
    "result", "callback", "error", "timeout", "event", "late_event", "event_timeout", "sleep", "retry_delay", "crash"
]
"""The names of changes in recordings."""


class Selector(msgspec.Struct, frozen=True):
    """The selector of a step: its name and which occurrence of it (1-based)."""

    name: str
    index: int = 1

    @classmethod
    def parse(cls, value: object) -> Selector:
        """Read `"name"`, `("name", 2)` or `{"name": "name", "index": 2}`.

        Raises:
            InvalidArgumentError: If it is none of these.
        """
        name: object = value
        index: object = 1
        if isinstance(value, tuple) and len(value) == 2:
            name, index = value
        elif isinstance(value, Mapping) and "name" in value and value.keys() <= {"name", "index"}:
            name, index = value["name"], value.get("index", 1)
        if not isinstance(name, str) or not name:
            raise InvalidArgumentError(
                f"{value!r} does not select a step. Give its name, or ('name', 2) or {{'name': 'name', 'index': 2}} "
                "for its second occurrence."
            )
        if isinstance(index, bool) or not isinstance(index, int) or index < 1:
            raise InvalidArgumentError(f"{value!r} selects occurrence {index!r} of a step; the first one is 1.")
        return cls(name, index)

    @classmethod
    def parse_many(cls, value: object) -> tuple[Selector, ...] | None:
        """Read None (all steps), one selector, or a list of them; a tuple is always one selector."""
        if value is None:
            return None
        if isinstance(value, list):
            if not value:
                raise InvalidArgumentError("An empty list selects no step. Leave the argument out to select all.")
            return tuple(cls.parse(item) for item in value)
        return (cls.parse(value),)

    def matches(self, key: StepKey) -> bool:
        """Whether that step is meant, whatever its kind."""
        return self.name == key.name and self.index == key.count

    def __str__(self) -> str:
        return repr(self.name) if self.index == 1 else f"({self.name!r}, {self.index})"


# -- what answers an attempt in the callback's place -------------------------------------------------------------------


class MockStepResult(msgspec.Struct, frozen=True):
    """A step's result, stored."""

    kind: ClassVar[ChangeKind] = "result"
    selector: Selector
    result: bytes


class MockStep(msgspec.Struct, frozen=True):
    """A function, plain or async, that runs in the callback's place."""

    kind: ClassVar[ChangeKind] = "callback"
    selector: Selector
    function: Callable[..., object]


class MockStepRaising(msgspec.Struct, frozen=True):
    """An exception, or its class, which every attempt raises."""

    kind: ClassVar[ChangeKind] = "callback"
    selector: Selector
    error: BaseException | type[BaseException]


class MockStepOutcomes(msgspec.Struct, frozen=True):
    """One outcome an attempt: an exception or its class is raised, anything else is the result."""

    kind: ClassVar[ChangeKind] = "callback"
    selector: Selector
    outcomes: Sequence[object]


class MockStepError(msgspec.Struct, frozen=True):
    """An error of attempts: of so many, or of all where `times` is None."""

    kind: ClassVar[ChangeKind] = "error"
    selector: Selector
    error: BaseException
    times: int | None = None


class ForceStepTimeout(msgspec.Struct, frozen=True):
    """Attempts that time out at once: so many, or all where `times` is None."""

    kind: ClassVar[ChangeKind] = "timeout"
    selector: Selector
    times: int | None = None


# -- time --------------------------------------------------------------------------------------------------------------


class DisableSleeps(msgspec.Struct, frozen=True):
    """A sleep that takes no time, or all of them."""

    kind: ClassVar[ChangeKind] = "sleep"
    selector: Selector | None = None


class DisableRetryDelays(msgspec.Struct, frozen=True):
    """Retries that come at once, of a step or of all."""

    kind: ClassVar[ChangeKind] = "retry_delay"
    selector: Selector | None = None


# -- events ------------------------------------------------------------------------------------------------------------


class MockEvent(msgspec.Struct, frozen=True):
    """An event that is there before anybody waits for its type; its payload is stored."""

    kind: ClassVar[ChangeKind] = "event"
    event_type: str
    payload: bytes


class MockLateEvent(msgspec.Struct, frozen=True):
    """An event that comes so many milliseconds after the first wait for its type began."""

    kind: ClassVar[ChangeKind] = "late_event"
    event_type: str
    payload: bytes
    after: int


class ForceEventTimeout(msgspec.Struct, frozen=True):
    """A wait that times out at once, whatever events there are."""

    kind: ClassVar[ChangeKind] = "event_timeout"
    selector: Selector


# -- the engine --------------------------------------------------------------------------------------------------------


class Crash(msgspec.Struct, frozen=True):
    """A death of the engine at a fault point, so many times."""

    kind: ClassVar[ChangeKind] = "crash"
    point: FaultPoint
    times: int = 1


StepFailure = MockStepError | ForceStepTimeout
"""Changes that fail attempts. Several of a step queue up, and go before one that answers it for good."""
StepAnswer = MockStepResult | MockStep | MockStepRaising | MockStepOutcomes
"""Changes that answer a step for good: one at most."""
StandIn = StepFailure | StepAnswer
EventMock = MockEvent | MockLateEvent

Change = StandIn | DisableSleeps | DisableRetryDelays | EventMock | ForceEventTimeout | Crash


def selector_of(change: Change) -> Selector | None:
    """The step that a change is for; None for all steps, or for none."""
    match change:
        case MockEvent() | MockLateEvent() | Crash():
            return None
        case _:
            return change.selector


def times_of(change: Change) -> int | None:
    """The number of attempts that a change holds for, or how often it happens; None for always."""
    match change:
        case MockStepError() | ForceStepTimeout() | Crash():
            return change.times
        case _:
            return None
