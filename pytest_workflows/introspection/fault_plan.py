"""Fault plans: the faults of one run, as plain data that prints as the code that makes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from durable_engine import FaultPoint, InvalidArgumentError, Modification, Selector, changes, duration_ms, encode

TIMEOUT = "timeout"
_EVENT_FORM = (
    "Write ('type', payload) for one that is there early, or ('type', payload, '2 hours') for one that is late."
)


@dataclass(frozen=True, repr=False)
class FaultPlan:
    """The faults of a run: which attempts fail and how, where the engine dies, and when events come.

    `m.apply(plan)` puts it in force. A fault that the run never comes to is no error.

    Attributes:
        attempts: For each step (its name, or `("name", 2)`) how its first attempts end: an exception instance, or
            `"timeout"`. The attempts after them are left alone.
        crashes: Fault points at which the engine dies once each, such as `"lost:charge card#1"`.
        events: The events that come, each once: `("type", payload)` is there before anybody waits for it,
            `("type", payload, "2 hours")` comes that long after the first wait for its type began.

    Raises:
        InvalidArgumentError: If one of them is not as it must be.

    Example:
        ```python
        FaultPlan(attempts={"charge card": [ConnectionError("busy"), "timeout"]}, crashes=["lost:ship#1"])
        ```
    """

    attempts: Mapping[Any, Sequence[BaseException | str]] = field(default_factory=dict)
    crashes: Sequence[str] = ()
    events: Sequence[tuple[Any, ...]] = ()

    def __post_init__(self) -> None:
        self.modifications()

    def __repr__(self) -> str:
        given = ((one.name, getattr(self, one.name)) for one in fields(self))
        return f"FaultPlan({', '.join(f'{name}={value!r}' for name, value in given if value)})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """The text that Hypothesis prints of a failing example: code to paste."""
        printer.text(repr(self))

    def modifications(self) -> list[Modification]:
        """The modifications of the plan, made anew, none of them required to be used."""
        return [*self._of_attempts(), *self._of_crashes(), *self._of_events()]

    def _of_attempts(self) -> Iterator[Modification]:
        if not isinstance(self.attempts, Mapping):
            raise InvalidArgumentError(
                "A FaultPlan's attempts are a dict of steps, as in {'charge': [OSError('down')]}, not "
                f"{self.attempts!r}."
            )
        for step, outcomes in self.attempts.items():
            selector = Selector.parse(step)
            for outcome in _listed(outcomes, "attempts"):
                if outcome == TIMEOUT:
                    call = f"force_step_timeout({selector}, times=1)"
                    yield Modification(changes.ForceStepTimeout(selector, 1), call, required=False)
                elif isinstance(outcome, BaseException):
                    call = f"mock_step_error({selector}, {outcome!r}, times=1)"
                    yield Modification(changes.MockStepError(selector, outcome, 1), call, required=False)
                else:
                    raise InvalidArgumentError(
                        f"An attempt of a FaultPlan ends with an exception instance or {TIMEOUT!r}, not {outcome!r}."
                    )

    def _of_crashes(self) -> Iterator[Modification]:
        for point in _listed(self.crashes, "crashes"):
            yield Modification(changes.Crash(FaultPoint.parse(point)), f"crash({point!r})", required=False)

    def _of_events(self) -> Iterator[Modification]:
        for event in _listed(self.events, "events"):
            if not isinstance(event, tuple) or len(event) not in (2, 3):
                raise InvalidArgumentError(f"{event!r} is no event of a FaultPlan. {_EVENT_FORM}")
            yield event_modification(*event, required=False)


def event_modification(
    event_type: object, payload: Any, after: object = None, *, required: bool = True
) -> Modification:
    """The modification for an event that is there early, or that comes some time after a wait for it began.

    Args:
        event_type: Its type.
        payload: Any value that the platform takes.
        after: How long after the first wait for its type began: a text such as `"2 hours"`, or milliseconds; None for
            an event that is there before.
        required: Whether it is an error if no wait takes it.

    Raises:
        InvalidArgumentError: If type or duration are not as they must be.
        TypeError, JsException: If the payload cannot cross the boundary.
    """
    if not isinstance(event_type, str) or not event_type:
        raise InvalidArgumentError(f"mock_event takes the event's type, a text, not {event_type!r}.")
    data = encode(payload)
    if after is None:
        return Modification(changes.MockEvent(event_type, data), f"mock_event({event_type!r})", required=required)
    ms = duration_ms(after, "How long after the wait's beginning the event comes")
    call = f"mock_event({event_type!r}, after={after!r})"
    return Modification(changes.MockLateEvent(event_type, data, ms), call, required=required)


def _listed(value: object, what: str) -> list[Any]:
    # A text is a sequence too, of letters: the likeliest slip.
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidArgumentError(f"A FaultPlan takes a list for {what}, not {value!r}.")
    return list(value)
