"""Modifications: the changes that a test makes to an instance, and how a step finds those for it.

A `Modification` is plain data, shared by every instance that it covers; whether anything used it is known there. How
often it has answered is counted per instance and lifetime of its memo, in `InstanceModifications`, since a restart
counts anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from durable_engine.errors import InvalidArgumentError, ModificationError
from durable_engine.model import StepKey
from durable_engine.time.clock import Timer

from .faults import FaultPoint

ModificationKind = Literal[
    "result", "callback", "error", "timeout", "event", "late_event", "event_timeout", "sleep", "retry_delay", "crash"
]


@dataclass(frozen=True, slots=True)
class Selector:
    """Names a step: its name and which occurrence of it (1-based)."""

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


@dataclass(slots=True, eq=False)
class Modification:
    """One change that a test asked for.

    Attributes:
        kind: The kind of change.
        call: How the test wrote it, for messages: `mock_step_result('charge')`.
        selector: The step that it is for; None for all of them, or for an event.
        payload: The stored result, the exception (or its class), the callable or list of outcomes, or the event: type
            and stored payload, and for a late one how many milliseconds after the first wait for its type it comes.
        times: For how many attempts; None for all.
        used: Whether anything was answered by it.
    """

    kind: ModificationKind
    call: str
    selector: Selector | None = None
    payload: Any = None
    times: int | None = None
    used: bool = False
    required: bool = True


@dataclass(slots=True)
class _Applied:
    modification: Modification
    general: bool
    answered: int = 0
    timer: Timer | None = None
    sent: bool = False
    taken_by: StepKey | None = None

    @property
    def is_there(self) -> bool:
        """Whether it is an event that was sent and that no wait has taken."""
        return not self.answered and (self.sent or self.modification.kind == "event")

    def send(self, send: Callable[[bytes], None]) -> None:
        """Send the event now."""
        self.timer = None
        self.sent = True
        send(self.modification.payload[1])

    def drop_timer(self) -> None:
        """Cancel the event's timer, if it is on its way."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


@dataclass(slots=True)
class InstanceModifications:
    """The modifications of one instance: its own, and those made for every instance of its workflow.

    An own mock of a step goes before a general one.
    """

    _applied: list[_Applied] = field(default_factory=list)

    def add(self, modification: Modification, *, general: bool = False) -> None:
        """Put a modification in force.

        Raises:
            ModificationError: If it contradicts one that is in force.
        """
        check_consistent([entry.modification for entry in self._applied if entry.general == general], modification)
        self._applied.append(_Applied(modification, general))

    def add_all(self, modifications: Iterable[Modification]) -> None:
        """Put several in force, or none of them if one contradicts the others.

        Raises:
            ModificationError: If one does.
        """
        before = list(self._applied)
        try:
            for modification in modifications:
                self.add(modification)
        except ModificationError:
            self._applied = before
            raise

    def forget_answers(self, kept: Container[StepKey]) -> None:
        """Count anew: the instance was restarted. An event that a kept wait has taken stays taken.

        Args:
            kept: The steps whose outcome is kept.
        """
        self.drop_timers()
        for entry in self._applied:
            if entry.taken_by is None or entry.taken_by not in kept:
                entry.answered = 0
                entry.sent = False
                entry.taken_by = None

    def drop_timers(self) -> None:
        """Cancel the events that are on their way: the instance has ended or is gone."""
        for entry in self._applied:
            entry.drop_timer()

    def for_attempt(self, key: StepKey) -> Modification | None:
        """The modification that answers the next attempt of a step in the callback's place; None lets the callback run.

        Errors and timeouts queue up in the order given, one an attempt; a mocked result answers once they are used up.
        """
        mine = [entry for entry in self._applied if _selects(entry.modification, key)]
        for kinds in (("error", "timeout"), ("result", "callback")):
            for entry in sorted(mine, key=lambda entry: entry.general):
                one = entry.modification
                if one.kind in kinds and (one.times is None or entry.answered < one.times):
                    entry.answered += 1
                    one.used = True
                    return one
        return None

    def give_back(self, modification: Modification) -> None:
        """Take an answer back whose attempt was lost: the next attempt gets the same."""
        for entry in self._applied:
            if entry.modification is modification:
                entry.answered -= 1

    def crashes_at(self, point: FaultPoint) -> bool:
        """Whether the engine is to die at this point."""
        for entry in self._applied:
            one = entry.modification
            if one.kind == "crash" and one.payload.covers(point) and (one.times or 1) > entry.answered:
                entry.answered += 1
                one.used = True
                return True
        return False

    @property
    def all(self) -> list[Modification]:
        """All modifications, in the order given."""
        return [entry.modification for entry in self._applied]

    @property
    def has_crashes(self) -> bool:
        """Whether the engine is to die at some point."""
        return any(entry.modification.kind == "crash" for entry in self._applied)

    def outcome(self, key: StepKey, modification: Modification) -> Any:
        """The next outcome of `mock_step` with an iterable.

        Raises:
            ModificationError: If there is none left.
        """
        entry = next(entry for entry in self._applied if entry.modification is modification)
        outcomes = modification.payload
        if entry.answered > len(outcomes):
            raise ModificationError(
                f"{modification.call} has {len(outcomes)} outcome(s), and attempt {entry.answered} of step "
                f"{key.label!r} asked for one more. Give an outcome for each attempt, or a callable."
            )
        return outcomes[entry.answered - 1]

    def takes_no_time(self, key: StepKey, kind: Literal["sleep", "retry_delay"]) -> bool:
        """Whether that sleep, or the retry delays of that step, are disabled."""
        return self._use(kind, key)

    def wait_times_out(self, key: StepKey) -> bool:
        """Whether that wait is forced to time out."""
        return self._use("event_timeout", key)

    def event_taken(self, event_type: str, wait: StepKey) -> None:
        """Note that a mocked event was delivered to that wait."""
        mine = (
            entry
            for entry in self._applied
            if entry.modification.kind in ("event", "late_event")
            and entry.modification.payload[0] == event_type
            and entry.is_there
        )
        entry = next(mine)
        entry.answered = 1
        entry.taken_by = wait
        entry.modification.used = True

    def wait_began(
        self, event_type: str, schedule: Callable[[int, Callable[[], None]], Timer], send: Callable[[bytes], None]
    ) -> None:
        """Note that a wait for events of that type has begun: late events are on their way from now on.

        Args:
            event_type: Their type.
            schedule: Lets something happen after so many milliseconds.
            send: Sends an event with this payload.
        """
        for entry in self._applied:
            one = entry.modification
            if one.kind == "late_event" and one.payload[0] == event_type and entry.timer is None and not entry.sent:
                entry.timer = schedule(one.payload[2], partial(entry.send, send))

    @property
    def events(self) -> list[tuple[str, bytes]]:
        """The mocked events that no wait has taken: type and stored payload, in the order given."""
        events = (entry for entry in self._applied if entry.modification.kind == "event")
        return [entry.modification.payload for entry in events if not entry.answered]

    def _use(self, kind: ModificationKind, key: StepKey) -> bool:
        found = False
        for entry in self._applied:
            one = entry.modification
            if one.kind == kind and (one.selector is None or one.selector.matches(key)):
                one.used = found = True
        return found


def check_consistent(existing: Iterable[Modification], new: Modification) -> None:
    """See to it that a new modification does not contradict those before it.

    Raises:
        ModificationError: If a step's result is mocked twice, or an error comes after a result.
    """
    if new.kind not in ("result", "callback", "error", "timeout"):
        return
    assert new.selector is not None
    for old in existing:
        if old.selector != new.selector or old.kind not in ("result", "callback"):
            continue
        if new.kind in ("result", "callback"):
            raise ModificationError(
                f"Trying to mock step '{new.selector.name}' multiple times! {new.call} follows {old.call}. "
                f"Keep one of them; for different outcomes of one step use mock_step({new.selector}, [...])."
            )
        raise ModificationError(
            f"Trying to mock error on step '{new.selector.name}' after mocking its result! {new.call} follows "
            f"{old.call}. Give the errors first: the result answers once they are used up."
        )


def exception_in(outcome: object) -> BaseException | type[BaseException] | None:
    """The exception that an outcome raises, or its class, as in `unittest.mock`; None for anything else."""
    if isinstance(outcome, BaseException):
        return outcome.with_traceback(None)
    return outcome if isinstance(outcome, type) and issubclass(outcome, BaseException) else None


def call_with_named(function: Any, values: Mapping[str, Any], own: Iterable[str]) -> Any:
    """Call a stand-in with those of a step's arguments that it names.

    Args:
        function: Plain or async; parameters named `ctx` or after a dependency get that value. One that takes anything
            (a `Mock`, `**kwargs`) gets the arguments that the callback itself has, by name.
        values: The values that can be named: those of the dependencies, and `ctx`.
        own: The names of the callback's own parameters.

    Raises:
        ModificationError: If it names one that the step does not have and that has no default.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # builtins without a signature
        return function()
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            named.update({name: values[name] for name in own if name not in named})
        elif parameter.kind is parameter.VAR_POSITIONAL:
            continue
        elif parameter.name in values:
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(values[parameter.name])
            else:
                named[parameter.name] = values[parameter.name]
        elif parameter.default is parameter.empty:
            raise ModificationError(
                f"The stand-in {function!r} takes {parameter.name!r}, which the step does not have. "
                f"It can take: {', '.join(sorted(values))}."
            )
    return function(*positional, **named)


def _selects(modification: Modification, key: StepKey) -> bool:
    return (
        modification.kind in ("error", "timeout", "result", "callback")
        and modification.selector is not None
        and modification.selector.matches(key)
    )
