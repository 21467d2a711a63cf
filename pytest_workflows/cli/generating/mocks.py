"""Recorded steps as modifications of a test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from pytest_workflows.recordings import Attempt, Recording, Step, untag
from pytest_workflows.recordings.model import ErrorRecord
from pytest_workflows.recordings.production import UNKNOWN_ERROR

from .errors import Exceptions, is_timeout
from .literals import INDENT, WIDTH, Imports, is_whole, literal, text

DEPTH = 3
"""How deep the lines of `async with instance.modify()` stand in the test."""


class Mocks:
    """The modifications that let a test go the recorded way.

    Args:
        recording: The recording.
        imports: Takes the names that they need.
        exceptions: Makes the exceptions that they raise.
    """

    def __init__(self, recording: Recording, imports: Imports, exceptions: Exceptions) -> None:
        self._recording = recording
        self._imports = imports
        self._exceptions = exceptions

    def lines(self) -> Iterator[str]:
        """The lines, without their indentation."""
        for step in self._recording.steps:
            if step.kind == "do":
                yield from self._do(step)
            elif step.kind == "wait_for_event" and step.status == "errored":
                yield f"m.force_event_timeout({selector(step)})"
        yield from self._events()

    def _do(self, step: Step) -> Iterator[str]:
        if step.status in ("running", "waiting"):
            how = "may have ended" if step.unknown_outcome else "had not ended"
            yield f"# {text(step.name)} {how}: it goes on for real."
        failed = [attempt for attempt in step.attempts if attempt.error is not None and not attempt.lost]
        if step.status == "errored":
            yield from self._failed(step, failed)
            return
        yield from self._failures(step, failed, for_good=False)
        if step.status == "complete":
            yield self._result(step)

    def _failed(self, step: Step, failed: list[Attempt]) -> Iterator[str]:
        yield "# It failed for good. Without its mock the step's own code runs."
        if failed:
            yield from self._failures(step, failed, for_good=True)
        elif step.error is not None:
            yield self._failure(step, step.error, None)

    def _failures(self, step: Step, failed: list[Attempt], *, for_good: bool) -> Iterator[str]:
        alike = [list(group) for _, group in groupby(failed, key=lambda attempt: self._key(attempt.error))]
        for number, attempts in enumerate(alike, start=1):
            error = attempts[0].error
            assert error is not None
            is_last = for_good and number == len(alike)
            yield self._failure(step, error, None if is_last else len(attempts))

    def _key(self, error: ErrorRecord | None) -> str:
        assert error is not None
        return "timeout" if is_timeout(error) else self._exceptions.source(error)

    def _failure(self, step: Step, error: ErrorRecord, times: int | None) -> str:
        count = "" if times is None else f", times={times}"
        if is_timeout(error):
            return call("m.force_step_timeout", selector(step), count.removeprefix(", "))
        if error.message == UNKNOWN_ERROR:
            self._imports.unknown = True
            return call("m.mock_step", selector(step), 'lambda: unknown("what it failed with")')
        return call("m.mock_step_error", selector(step), self._exceptions.source(error), count.removeprefix(", "))

    def _result(self, step: Step) -> str:
        value = untag(step.result)
        start = f"m.mock_step_result({selector(step)}, "
        if is_whole(value):
            shown = literal(value, self._imports, indent=DEPTH, before=len(start) + 1)
            return call("m.mock_step_result", selector(step), shown)
        shown = literal(value, self._imports, indent=DEPTH + 1, before=len("lambda: ,"))
        return exploded("m.mock_step", selector(step), f"lambda: {shown}")

    # -- events ------------------------------------------------------------------------------------------------------

    def _events(self) -> Iterator[str]:
        waits = [step for step in self._recording.steps if step.kind == "wait_for_event" and step.status == "complete"]
        for step in sorted(waits, key=_taken_at):
            payload = untag(step.result.get("payload")) if isinstance(step.result, dict) else None
            if step.event_type is None:
                yield f"# Not known: the type of the event that {text(step.label)} took. Put it in the place of ..."
                yield f"# m.mock_event(..., {literal(payload, Imports())})"
            elif is_whole(payload):
                start = f"m.mock_event({text(step.event_type)}, "
                shown = literal(payload, self._imports, indent=DEPTH, before=len(start) + 1)
                yield call("m.mock_event", text(step.event_type), shown)
            else:
                shown = literal(payload, self._imports, indent=DEPTH + 1, before=1)
                yield exploded("m.mock_event", text(step.event_type), shown)


def selector(step: Step) -> str:
    """How a modifier and a wait name a step."""
    return text(step.name) if step.count == 1 else f"({text(step.name)}, {step.count})"


def call(name: str, *arguments: str) -> str:
    """A call, an argument a line where it does not fit into one."""
    given = [argument for argument in arguments if argument]
    flat = f"{name}({', '.join(given)})"
    first, *more = flat.splitlines()
    if len(first) + len(INDENT) * DEPTH <= WIDTH:
        return "\n".join([first, *more])
    return exploded(name, *(argument.replace("\n", f"\n{INDENT}") for argument in given))


def exploded(name: str, *arguments: str) -> str:
    """A call with an argument a line."""
    inner = INDENT * (DEPTH + 1)
    return "\n".join([f"{name}(", *(f"{inner}{argument}," for argument in arguments), f"{INDENT * DEPTH})"])


def _taken_at(step: Step) -> float:
    return step.ended_at.timestamp() if step.ended_at is not None else 0.0
