"""Recorded steps as modifications of a test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from durable_engine.history import FINAL_STEP_STATUSES
from pytest_workflows.recordings import Attempt, Recording, Step, untag
from pytest_workflows.recordings.format.model import ErrorRecord
from pytest_workflows.recordings.production import UNKNOWN_ERROR

from .errors import Exceptions, is_timeout
from .layout import Group, Node, call, lay_out
from .literals import Imports, literal, text

DEPTH = 3
"""The indentation of the lines in `async with instance.modify()`, in the test."""


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
        self._steps = steps_that_run(recording)

    def lines(self) -> Iterator[str]:
        """The lines, without their indentation."""
        for step in self._steps:
            if step.kind == "do":
                yield from self._do(step)
            elif step.kind == "wait_for_event" and step.status == "errored":
                yield _call("m.force_event_timeout", selector(step))
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
        return "timeout" if is_timeout(error) else str(self._exceptions.source(error))

    def _failure(self, step: Step, error: ErrorRecord, times: int | None) -> str:
        count = [] if times is None else [f"times={times}"]
        if is_timeout(error):
            return _call("m.force_step_timeout", selector(step), *count)
        if error.message == UNKNOWN_ERROR:
            self._imports.unknown = True
            return _call("m.mock_step", selector(step), 'lambda: unknown("what it failed with")')
        return _call("m.mock_step_error", selector(step), self._exceptions.source(error), *count)

    def _result(self, step: Step) -> str:
        return _call("m.mock_step_result", selector(step), literal(untag(step.result), self._imports))

    # -- events ------------------------------------------------------------------------------------------------------

    def _events(self) -> Iterator[str]:
        waits = [step for step in self._steps if step.kind == "wait_for_event" and step.status == "complete"]
        for step in sorted(waits, key=_taken_at):
            payload = untag(step.result.get("payload")) if isinstance(step.result, dict) else None
            if step.event_type is None:
                yield f"# Not known: the type of the event that {text(step.label)} took. Put it in the place of ..."
                yield f"# m.mock_event(..., {literal(payload, Imports())})"
            else:
                yield _call("m.mock_event", text(step.event_type), literal(payload, self._imports))


def steps_that_run(recording: Recording) -> list[Step]:
    """The steps that the test asks for: nothing inside of a callback that a mock answers for runs."""
    answered: set[str] = set()
    found = []
    for step in recording.steps:
        is_inside = step.parent in answered
        if step.kind == "do" and (is_inside or step.status in FINAL_STEP_STATUSES):
            answered.add(step.label)
        if not is_inside:
            found.append(step)
    return found


def selector(step: Step, count: int | None = None) -> Node:
    """The selector of a step, for a modifier or a wait; of a sleep, `count` is the occurrence of its name."""
    name, index = text(step.name), count or step.count
    return name if index == 1 else Group("(", (name, str(index)), ")")


def _call(name: str, *arguments: Node) -> str:
    return lay_out(call(name, *arguments), DEPTH)


def _taken_at(step: Step) -> float:
    return step.ended_at.timestamp() if step.ended_at is not None else 0.0
