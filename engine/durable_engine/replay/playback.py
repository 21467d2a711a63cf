"""Playback: an execution whose steps are answered from a recording, attempt by attempt, at the recorded times.

No callback runs and no modification is asked, but the history is written as it was, on the virtual clock. A script says
what was recorded; from a step on it may leave everything to the execution itself, which then runs for real.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from durable_engine.context.scope import Scope
from durable_engine.execution.execution import Execution
from durable_engine.execution.operation import DurableOperation
from durable_engine.execution.services import Services
from durable_engine.execution.step import Step
from durable_engine.history import ATTEMPT_START, STEP_START, WAITING_STARTS, StepEventKind, StepStatus
from durable_engine.model import Ask, Place, StepKey
from durable_engine.rows import FORGOTTEN, MOCKED, SENSITIVE, InstanceRow, StepRow
from durable_engine.values.boundary import decode
from durable_engine.values.failures import ErrorInfo, rebuild
from durable_engine.workflow import Workflow


class PlayedLine(NamedTuple):
    """A recorded event of a step.

    Attributes:
        at: When, in epoch milliseconds; None where that is not known: at once.
        kind: Of the history's event.
        detail: Of the history's event.
        value: Of the history's event, stored.
    """

    at: int | None
    kind: StepEventKind
    detail: dict[str, Any] | None = None
    value: bytes | None = None


class PlayedStep(msgspec.Struct, frozen=True):
    """A step as it was recorded.

    Attributes:
        key: The step's identity.
        rank: Its place in the order in which steps ended.
        status: Its status at the end of the recording; one that had not ended never does.
        lines: Its recorded events, in order; the last ones, all at one time, are its end if it had one.
        ended_at: When that was, in epoch milliseconds, if it is known.
        ending: How many of the lines are its end.
        inputs: The dependencies' values, stored.
        result: Its result, stored.
        error: The error that it failed with for good.
        fatal: The error that it ended its instance with, where it did so at once.
        mocked: Whether a modification had answered.
        sensitive: Whether its output is secret.
    """

    key: StepKey
    rank: int
    status: StepStatus
    lines: Sequence[PlayedLine]
    ended_at: int | None = None
    ending: int = 0
    inputs: bytes | None = None
    result: bytes | None = None
    error: ErrorInfo | None = None
    fatal: ErrorInfo | None = None
    mocked: bool = False
    sensitive: bool = False


@dataclass(slots=True)
class Script:
    """The script of a playback; a subclass knows the recording.

    Attributes:
        terminated_at: When the instance was terminated from outside, in epoch milliseconds; None if it was not.
        played: How many lines of each step were played, so that a crash does not play them again.
    """

    terminated_at: int | None = None
    played: dict[StepKey, int] = field(default_factory=dict)

    def begins(self, instance: Execution) -> None:
        """Note that an execution begins."""

    def check(self, instance: Execution, ask: Ask) -> Exception | None:
        """Check a step that `run` asks for; an error ends the execution, and every wait for it raises that error."""
        raise NotImplementedError

    def find(self, key: StepKey) -> PlayedStep | None:
        """The recorded step of that identity; None lets it run for real."""
        raise NotImplementedError


class PlayedExecution(Execution):
    """An execution that follows a script.

    Args:
        engine: Its engine.
        workflow: The workflow that it runs.
        row: Its state in the store.
        script: The script that it follows.
    """

    def __init__(self, engine: Services, workflow: Workflow, row: InstanceRow, script: Script) -> None:
        super().__init__(engine, workflow, row, Step)
        self._script = script

    def start(self) -> None:
        """Begin to run, from the top."""
        super().start()
        self._script.begins(self)
        if self._script.terminated_at is not None:
            self._terminate_at(self._script.terminated_at)

    def _terminate_at(self, due: int) -> None:
        self.engine.schedule(due, self._terminate, what="the recorded end by terminate()")

    def _terminate(self) -> None:
        if self.closed:
            return
        if any(isinstance(one, PlayedOperation) and one.is_due for one in self.operations.values()):
            self._terminate_at(self.now_ms)
        else:
            self.terminate()

    def ask(self, key: StepKey, place: Place) -> None:
        """Note that `run` asks for a step, and see whether the script has that."""
        super().ask(key, place)
        error = self._script.check(self, self.path[-1])
        if error is not None:
            self.abort(error)

    def remembered(self, key: StepKey) -> StepRow | None:
        """A step whose outcome is stored, or in the script."""
        row = super().remembered(key)
        if row is None and (self.closed or self._script.find(key) is not None):
            return self.open_row(key)
        return row

    def answer(self, row: StepRow) -> asyncio.Future[Any]:
        """The outcome of a step, at the recorded time."""
        if self.closed:
            return self.hold()
        if super().remembered(row.key) is not None:
            return super().answer(row)
        return self._play(row)

    def answer_sleep(self, row: StepRow, place: Place) -> asyncio.Future[None]:
        """The end of a sleep, at the recorded time."""
        if not self.closed and super().remembered(row.key) is not None:
            return super().answer_sleep(row, place)
        return self.answer(row)

    def _play(self, row: StepRow) -> asyncio.Future[Any]:
        step = self._script.find(row.key)
        assert step is not None
        operation = PlayedOperation(self, self.scope, row, step, self._script)
        operation.begin()
        return operation.future


class PlayedOperation(DurableOperation):
    """A recorded step under way."""

    __slots__ = ("_script", "_step")

    def __init__(self, instance: Execution, scope: Scope, row: StepRow, step: PlayedStep, script: Script) -> None:
        super().__init__(instance, scope, row)
        self._step = step
        self._script = script

    def begin(self) -> None:
        """Start the operation, or go on where an earlier execution left off."""
        step, row = self._step, self.row
        if step.key not in self._script.played:
            self._script.played[step.key] = 0
            row.restore(step.inputs, (MOCKED if step.mocked else 0) | (SENSITIVE if step.sensitive else 0))
            self._go_on()
            self.instance.step_started(step.key)
        else:
            self._go_on()

    @property
    def _at(self) -> int:
        return self._script.played[self._step.key]

    @property
    def _ends_next(self) -> bool:
        return self._step.ending > 0 and self._at == len(self._step.lines) - self._step.ending

    @property
    def _due(self) -> int:
        at = self._step.lines[self._at].at if self._at < len(self._step.lines) else self._step.ended_at
        now = self.instance.now_ms
        return now if at is None else max(at, now)

    @property
    def is_due(self) -> bool:
        """Whether its end is the next thing that happens to it, and comes now."""
        return self._ends_next and self._due <= self.instance.now_ms

    def _go_on(self) -> None:
        now = self.instance.now_ms
        while not self._ends_next and self._at < len(self._step.lines) and self._due <= now:
            self._begin_or_wait(self._step.lines[self._at])
        if self._ends_next or self._at < len(self._step.lines):
            # The end comes by a timer always: what else ended at that time and before it must come first.
            self.wait_until(self._due, self._fire, f"the recorded end of {self.key.label!r}")
        else:
            self.set_busy(False)

    def _begin_or_wait(self, line: PlayedLine) -> None:
        row = self.row
        if line.kind == STEP_START:
            row.change_status("running")
        elif line.kind == ATTEMPT_START:
            row.begin_attempt()
        elif line.kind in WAITING_STARTS or (line.detail and "retryDelayMs" in line.detail):
            row.change_status("waiting")
        self._write(line)

    def _write(self, line: PlayedLine) -> None:
        self._script.played[self.key] += 1
        self.record((line.kind, line.detail, line.value))

    def _fire(self) -> None:
        if not self._ends_next:
            self._go_on()
        elif self._must_wait():
            self.wait_until(self._due, self._fire, f"the recorded end of {self.key.label!r}")
        else:
            self._end()

    def _must_wait(self) -> bool:
        """Whether something ends now that ended before this in the recording."""
        operations = self.instance.operations
        return any(
            isinstance(other, PlayedOperation) and other.is_due and other._step.rank < self._step.rank
            for other in operations.values()
        )

    def _end(self) -> None:
        step, error = self._step, self._step.error
        is_forgotten = error is not None and not error.retryable and step.key.kind == "do"
        self.end(
            step.status,
            result=step.result,
            error=None if error is None else error.dump(),
            flags=FORGOTTEN if is_forgotten else 0,
        )
        while self._at < len(step.lines):
            self._write(step.lines[self._at])
        self.record()
        self.instance.step_finished(self.key)
        if step.fatal is not None:
            self.instance.end_at_once(step.fatal)
        elif error is not None:
            self.deliver(error=rebuild(error))
        else:
            self.deliver(None if step.result is None else decode(step.result))
