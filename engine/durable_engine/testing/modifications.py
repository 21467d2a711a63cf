"""Modifications: the changes that a test asked for, what they answered, and how a step asks whether it is meant.

A `Modification` is shared by every instance that it covers; whether anything used it is known there. How often it has
answered is counted per run of an instance, in `InstanceModifications`, since a restart counts anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec

from durable_engine.errors import ModificationError
from durable_engine.model import StepKey
from durable_engine.time.clock import Timer

from .changes import (
    Change,
    Crash,
    DisableRetryDelays,
    DisableSleeps,
    EventMock,
    ForceEventTimeout,
    MockEvent,
    MockLateEvent,
    MockStepOutcomes,
    Selector,
    StandIn,
    StepAnswer,
    StepFailure,
    selector_of,
    times_of,
)
from .faults import FaultPoint


class Modification(msgspec.Struct, eq=False):
    """One change that a test asked for.

    Attributes:
        change: The change.
        call: How the test wrote it, for messages: `mock_step_result('charge')`.
        required: Whether it is an error if nothing uses it.
        used: Whether anything was answered by it.
    """

    change: Change
    call: str
    required: bool = True
    used: bool = False

    @property
    def selector(self) -> Selector | None:
        """The step that it is for; None for all of them, or for none."""
        return selector_of(self.change)

    @property
    def times(self) -> int | None:
        """The number of attempts that it holds for, or how often it happens; None for always."""
        return times_of(self.change)


class Answer(NamedTuple):
    """The answer to an attempt in the callback's place.

    Attributes:
        stand_in: The change that answers.
        number: How often its modification has answered by now, this time included.
        modification: The modification that it is of.
    """

    stand_in: StandIn
    number: int
    modification: Modification

    def next_outcome(self, outcomes: MockStepOutcomes, key: StepKey) -> object:
        """The outcome that `mock_step` was given for this attempt.

        Raises:
            ModificationError: If there is none left.
        """
        if self.number > len(outcomes.outcomes):
            raise ModificationError(
                f"{self.modification.call} has {len(outcomes.outcomes)} outcome(s), and attempt {self.number} of step "
                f"{key.label!r} asked for one more. Give an outcome for each attempt, or a callable."
            )
        return outcomes.outcomes[self.number - 1]


class _Applied(msgspec.Struct):
    modification: Modification
    general: bool
    answered: int = 0
    timer: Timer | None = None
    sent: bool = False
    taken_by: StepKey | None = None

    @property
    def change(self) -> Change:
        """The change."""
        return self.modification.change

    def stands_in_for(self, key: StepKey) -> StandIn | None:
        """The change for attempts of that step; None if it is about something else."""
        change = self.change
        return change if isinstance(change, StandIn) and change.selector.matches(key) else None

    def answers(self, event_type: str) -> bool:
        """Whether it is an event of that type which is there, and which no wait has taken."""
        change = self.change
        if not isinstance(change, EventMock) or change.event_type != event_type:
            return False
        return not self.answered and (self.sent or isinstance(change, MockEvent))

    def use(self) -> None:
        """Count that it answers, or happens, once more."""
        self.answered += 1
        self.modification.used = True

    def send(self, send: Callable[[bytes], None], payload: bytes) -> None:
        """Send the event now."""
        self.timer = None
        self.sent = True
        send(payload)

    def drop_timer(self) -> None:
        """Cancel the event's timer, if it is on its way."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class InstanceModifications(msgspec.Struct):
    """The modifications of one instance: its own, and those made for every instance of its workflow.

    An own mock of a step goes before a general one.

    Attributes:
        has_crashes: Whether the engine is to die at some point.
    """

    _applied: list[_Applied] = msgspec.field(default_factory=list)
    has_crashes: bool = False

    def add(self, modification: Modification, *, general: bool = False) -> None:
        """Put a modification in force.

        Raises:
            ModificationError: If it contradicts one that is in force.
        """
        check_consistent([entry.modification for entry in self._applied if entry.general == general], modification)
        self._applied.append(_Applied(modification, general))
        self.has_crashes = self.has_crashes or isinstance(modification.change, Crash)

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
            self.has_crashes = any(isinstance(entry.change, Crash) for entry in before)
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

    def for_attempt(self, key: StepKey) -> Answer | None:
        """The modification that answers the next attempt of a step in the callback's place; None lets the callback run.

        Errors and timeouts queue up in the order given, one an attempt; a mocked result answers once they are used up.
        """
        if not self._applied:
            return None
        own_first = sorted(self._applied, key=lambda entry: entry.general)
        mine = [(entry, change) for entry in own_first if (change := entry.stands_in_for(key)) is not None]
        failures = [one for one in mine if isinstance(one[1], StepFailure)]
        answers = [one for one in mine if isinstance(one[1], StepAnswer)]
        for entry, stand_in in [*failures, *answers]:
            times = times_of(stand_in)
            if times is None or entry.answered < times:
                entry.use()
                return Answer(stand_in, entry.answered, entry.modification)
        return None

    def give_back(self, answer: Answer) -> None:
        """Take an answer back whose attempt was lost: the next one gets the same."""
        for entry in self._applied:
            if entry.modification is answer.modification:
                entry.answered -= 1

    def crashes_at(self, point: FaultPoint) -> bool:
        """Whether the engine is to die at this point."""
        for entry in self._applied:
            change = entry.change
            if isinstance(change, Crash) and change.point.covers(point) and change.times > entry.answered:
                entry.use()
                return True
        return False

    @property
    def all(self) -> list[Modification]:
        """All modifications, in the order given."""
        return [entry.modification for entry in self._applied]

    def disables_sleep(self, key: StepKey) -> bool:
        """Whether that sleep takes no time."""
        return self._use(DisableSleeps, key)

    def disables_retry_delay(self, key: StepKey) -> bool:
        """Whether retries of that step come at once."""
        return self._use(DisableRetryDelays, key)

    def wait_times_out(self, key: StepKey) -> bool:
        """Whether that wait is forced to time out."""
        return self._use(ForceEventTimeout, key)

    def event_taken(self, event_type: str, wait: StepKey) -> None:
        """Note that a mocked event was delivered to that wait."""
        entry = next(entry for entry in self._applied if entry.answers(event_type))
        entry.use()
        entry.taken_by = wait

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
            change = entry.change
            if not isinstance(change, MockLateEvent) or change.event_type != event_type:
                continue
            if entry.timer is None and not entry.sent:
                entry.timer = schedule(change.after, partial(entry.send, send, change.payload))

    @property
    def events(self) -> list[MockEvent]:
        """The mocked events that are there from the start and that no wait has taken, in the order given."""
        return [entry.change for entry in self._applied if isinstance(entry.change, MockEvent) and not entry.answered]

    def _use(self, kind: type[DisableSleeps | DisableRetryDelays | ForceEventTimeout], key: StepKey) -> bool:
        found = False
        for entry in self._applied:
            change = entry.change
            if isinstance(change, kind) and (change.selector is None or change.selector.matches(key)):
                entry.modification.used = found = True
        return found


def check_consistent(existing: Iterable[Modification], new: Modification) -> None:
    """Make sure that a new modification does not contradict those before it.

    Raises:
        ModificationError: If a step's result is mocked twice, or an error comes after a result.
    """
    change = new.change
    if not isinstance(change, StandIn):
        return
    selector = change.selector
    for old in existing:
        if not isinstance(old.change, StepAnswer) or old.change.selector != selector:
            continue
        if isinstance(change, StepAnswer):
            raise ModificationError(
                f"Trying to mock step '{selector.name}' multiple times! {new.call} follows {old.call}. "
                f"Keep one of them; for different outcomes of one step use mock_step({selector}, [...])."
            )
        raise ModificationError(
            f"Trying to mock error on step '{selector.name}' after mocking its result! {new.call} follows "
            f"{old.call}. Give the errors first: the result answers once they are used up."
        )


def exception_in(outcome: object) -> BaseException | type[BaseException] | None:
    """The exception that an outcome raises, or its class, as in `unittest.mock`; None for anything else."""
    if isinstance(outcome, BaseException):
        return outcome.with_traceback(None)
    return outcome if isinstance(outcome, type) and issubclass(outcome, BaseException) else None


def call_with_named(function: Callable[..., object], values: Mapping[str, Any], own: Iterable[str]) -> object:
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
