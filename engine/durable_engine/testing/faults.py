"""Fault points: the places in an execution where the engine may die, their names, and which one is armed.

The engine passes its fault points in every run. Where one is armed, the instance's memory is
lost there, and a new execution starts from storage.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from durable_engine.errors import InvalidArgumentError
from durable_engine.instance import Instance
from durable_engine.model import StepKey

FaultKind = Literal["before", "call", "lost", "stored", "sleep", "retry", "wait", "event", "end"]

_TITLES: dict[str, str] = {
    "before": "before {step}",
    "call": "after {call} in {step}",
    "lost": "lost result of {step}",
    "stored": "stored result of {step}",
    "sleep": "in sleep {step}",
    "retry": "in retry delay of {step}",
    "wait": "in wait {step}",
    "event": "event for {step}",
    "end": "before the end is stored",
}
FORM = (
    "A fault point is a kind, a step's name and its occurrence, as in 'lost:charge card#1' (also 'lost:charge card', "
    "its first occurrence), or 'end'. Kinds: before, call, lost, stored, sleep, retry, wait, event. ' attempt 2' and "
    "' in BINDING/instance-id' may follow, where sleeps of one name differ ' of 500ms', and of a call which one it is, "
    "as in 'call:charge card#1 after DB.run#2'."
)
_POINT = re.compile(
    r"(?:(?P<kind>before|call|lost|stored|sleep|retry|wait|event):(?P<step>.+?)(?:#(?P<count>[1-9]\d*))?"
    r"(?: after (?P<call>[^\s#]+#[1-9]\d*))?(?: of (?P<duration>-?\d+)ms)?(?: attempt (?P<attempt>[1-9]\d*))?"
    r"|(?P<end>end))"
    r"(?: in (?P<workflow>[^/\s]+)/(?P<instance>[\w, */#-]+))?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class FaultPoint:
    """A place in an execution where the engine may die.

    Attributes:
        kind: `before` an attempt starts; `call`: a binding has done what the callback asked for, and the callback does
            not know; `lost`: its callback returned and the result is not stored; `stored`: the
            result is stored and `run` has not seen it; in a `sleep`, a `retry` delay, a `wait`; an `event` arrived and
            is not stored as the wait's result; before the instance's `end` is stored.
        step: The step's name; None for `end`.
        count: Which occurrence of that name, 1-based; of a sleep, among those of its duration.
        attempt: The step's attempt; None stands for any.
        workflow: The workflow's binding name; None stands for any.
        instance: The instance's id; None stands for any.
        after: In a sleep, a delay or a wait: milliseconds of virtual time after its start.
        duration: The sleep's duration in milliseconds, where another sleep of its name has another one; None stands
            for any.
        lasts: Of a sleep that was reached: its duration, whether or not another one has another.
        call: Of a call: the binding, the method, and which call of it in its attempt: `DB.run#2`; None stands for any.
    """

    kind: FaultKind
    step: str | None = None
    count: int = 1
    attempt: int | None = None
    workflow: str | None = None
    instance: str | None = None
    after: int = field(default=0, compare=False)
    duration: int | None = None
    lasts: int | None = field(default=None, compare=False)
    call: str | None = None

    @classmethod
    def parse(cls, text: object) -> FaultPoint:
        """Read `lost:charge card#1`, `end`, or what `str` of a point gives.

        Raises:
            InvalidArgumentError: If it is none; the message shows the form.
        """
        found = _POINT.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise InvalidArgumentError(f"{text!r} is no fault point. {FORM}")
        attempt, duration = found["attempt"], found["duration"]
        return cls(
            found["kind"] or "end",  # type: ignore[arg-type]  # the pattern knows the kinds
            found["step"],
            int(found["count"] or 1),
            int(attempt) if attempt else None,
            found["workflow"],
            found["instance"],
            duration=None if duration is None else int(duration),
            call=found["call"],
        )

    def __str__(self) -> str:
        return f"{self.short}{self.where}"

    @property
    def where(self) -> str:
        """The instance that the point belongs to, if that is known: ` in ORDERS/order-2`."""
        return f" in {self.workflow}/{self.instance}" if self.instance is not None else ""

    @property
    def short(self) -> str:
        """The point without the instance that it belongs to."""
        if self.step is None:
            return self.kind
        return f"{self._named}{self._of_duration}{_later(self.attempt)}"

    @property
    def _named(self) -> str:
        after = "" if self.call is None else f" after {self.call}"
        return f"{self.kind}:{self.step}#{self.count}{after}"

    @property
    def _of_duration(self) -> str:
        return "" if self.duration is None else f" of {self.duration}ms"

    @property
    def title(self) -> str:
        """The point for people: `lost result of "charge card"`."""
        occurrence = f" ({self.count})" if self.count > 1 else ""
        step = f'"{self.step}"{occurrence}{self._of_duration}'
        call = "a call" if self.call is None else _of_call(self.call)
        return _TITLES[self.kind].format(step=step, call=call) + _later(self.attempt)

    def shortest(self, among: Iterable[FaultPoint]) -> str:
        """The shortest text that names this point and no other one of those."""
        points = list(among)
        exact = f"{self._named} attempt {self.attempt}" if self.attempt else self.short
        for text in (self.short, exact, f"{self.short}{self.where}"):
            if sum(self.parse(text).covers(point) for point in points) <= 1:
                return text
        return f"{exact}{self.where}"

    def covers(self, reached: FaultPoint) -> bool:
        """Whether a reached point is this one, whose open parts match anything."""
        return (
            (self.kind, self.step, self.count) == (reached.kind, reached.step, reached.count)
            and self.duration in (None, reached.duration, reached.lasts)
            and self.attempt in (None, reached.attempt)
            and self.call in (None, reached.call)
            and self.workflow in (None, reached.workflow)
            and self.instance in (None, reached.instance)
        )


class Faults:
    """The fault points of one engine.

    Attributes:
        recording: Whether the points that are reached are kept.
        struck: Whether the armed point was reached, and the engine died there.
        deploy: What is done where the armed point is reached, while no instance is in memory: another source is
            deployed. None where the one instance is lost alone.
    """

    def __init__(self) -> None:
        self.recording = False
        self.struck = False
        self.deploy: Callable[[], None] | None = None
        self._armed: FaultPoint | None = None
        self._reached: dict[FaultPoint, int] = {}

    @property
    def active(self) -> bool:
        """Whether fault points are recorded or one is armed."""
        return self.recording or self._armed is not None

    @property
    def reached(self) -> list[FaultPoint]:
        """The points so far, each once, in the order in which they were first reached."""
        return [replace(point, after=after) for point, after in self._reached.items()]

    def arm(self, point: FaultPoint) -> None:
        """Let the engine die once, where this point is reached first."""
        self._armed = point
        self.struck = False

    def pass_by(self, point: FaultPoint) -> FaultPoint | None:
        """Note that a point is reached.

        Returns:
            The armed point, if the engine is to die here.
        """
        if self.recording:
            self._reached.setdefault(point, 0)
        if self._armed is not None and not self.struck and self._armed.covers(point):
            self.struck = True
            return self._armed
        return None

    def note_length(self, point: FaultPoint, ms: int) -> None:
        """Note how many milliseconds a sleep, a delay or a wait took: half of it is well inside."""
        if self._reached.get(point) == 0:
            self._reached[point] = ms // 2


def point_of(
    instance: Instance, kind: FaultKind, key: StepKey | None, attempt: int | None, call: str | None = None
) -> FaultPoint:
    """The fault point that an instance has reached."""
    step, count = (None, 1) if key is None else (key.name, key.count)
    if key is None or key.duration is None:
        return FaultPoint(kind, step, count, attempt, instance.workflow.name, instance.id, call=call)
    return FaultPoint(
        kind,
        step,
        count,
        attempt,
        instance.workflow.name,
        instance.id,
        duration=instance.distinguishing_duration(key),
        lasts=key.duration,
    )


def _of_call(call: str) -> str:
    """A call as a title shows it: `DB.run`, `DB.run (2)`."""
    name, _, number = call.partition("#")
    return name if number == "1" else f"{name} ({number})"


def _later(attempt: int | None) -> str:
    return f" attempt {attempt}" if attempt is not None and attempt > 1 else ""
