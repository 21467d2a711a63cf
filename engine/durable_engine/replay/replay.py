"""Replaying a finished instance from its own storage, to see whether `run` asks for the same steps again.

Nothing of it has an effect: no callback runs, nothing is stored, calls outside of steps are not made, and output and
warnings are discarded. Where storage and history cannot answer, the check ends there, silently.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from durable_engine.context.scope import Scope, context_for
from durable_engine.execution.execution import Execution, settle_answer
from durable_engine.execution.services import Services
from durable_engine.execution.step import Step
from durable_engine.guard.unwinding import GiveWay
from durable_engine.history import FINAL_STEP_STATUSES, STEP_ENDS, FinalStatus
from durable_engine.model import Ask, Place, StepKey
from durable_engine.rows import StepRow
from durable_engine.testing.paths import Difference, compare
from durable_engine.values.failures import end_of_unserialisable
from durable_engine.values.unknown_value import UnknownValue

LATER = timedelta(hours=1, minutes=1, seconds=1)
"""A replay in production comes later than the run: what depends on the time must show."""

_TURNS = 1000
"""Turns of the event loop after which a `run` that polls with `asyncio.sleep(0)` counts as waiting."""


class Replay(Execution):
    """An execution that only asks for steps.

    Args:
        engine: The engine that holds the instance.
        instance: The instance, which has ended.
        backwards: Whether what ended last is answered first, and before it what has not ended, as if it had.

    Attributes:
        ended: Whether `run` came to the end that it had come to before.
        passed: The sleeps until a time that has passed, with their places.
        had_choices: Whether several steps could have been the first to be answered.
    """

    replaying = True

    def __init__(self, engine: Services, instance: Execution, *, backwards: bool = False) -> None:
        super().__init__(engine, instance.workflow, msgspec.structs.replace(instance.row, status="running"), Step)
        self.ended = False
        self.had_choices = False
        self._wanted = instance.row.status
        self._backwards = backwards
        self._over = False
        self.passed: list[tuple[StepKey, Place]] = []
        self._answers: list[tuple[int, asyncio.Future[Any], StepRow]] = []
        self._open = 0
        self._ranks = engine.store.ranks(instance.row.key, STEP_ENDS)
        self._last = max(self._ranks.values(), default=0) + 1
        error = instance.row.error
        self._end_message = None if error is None else msgspec.msgpack.decode(error)["message"]

    @property
    def now_ms(self) -> int:
        """The virtual time that its code sees, in epoch milliseconds."""
        return self._clock.now_ms + LATER // timedelta(milliseconds=1)

    @property
    def path(self) -> list[Ask]:
        """The steps that `run` has asked for."""
        return self._path

    async def play(self) -> None:
        """Run from the top, answering one step after the other, until nothing more can be answered."""
        self._start(context_for(self.root))
        await self.engine.settle(most=_TURNS)
        while self._answers and not self._over:
            self.had_choices |= len(self._answers) + self._open > 1
            rank = max if self._backwards else min
            entry = rank(self._answers, key=lambda answer: answer[0])
            self._answers.remove(entry)
            self._settle(entry[1], entry[2])
            await self.engine.settle(most=_TURNS)

    def _settle(self, future: asyncio.Future[Any], row: StepRow) -> None:
        if _has_ended(row) or row.key.kind == "sleep" or future.done():
            settle_answer(future, row)
        else:
            future.set_result(UnknownValue("the step had not ended when `run` did"))

    def end_replay(self) -> None:
        """End the replay: something was called that cannot be answered, and nothing after it counts."""
        self._over = True

    def ask(self, key: StepKey, place: Place) -> None:
        """Note that `run` asks for a step; no observer is notified."""
        if not self._over:
            self._note_ask(key, place)

    def sleeps_until(self, key: StepKey, until: int, place: Place) -> None:
        """Note a time that has passed, to be reported when findings are kept again."""
        if not self._over and self._hazards.has_passed(self, key, until, self.find_step(key)):
            self.passed.append((key, place))

    def remembered(self, key: StepKey) -> StepRow | None:
        """A step's outcome: as stored, or as history has it where the platform would run the step again.

        One that ended its instance at once has none: it never reached `run`.
        """
        row = self.ledger.stored(key)
        if row is None or self._ended_by(row):
            return None
        if _has_ended(row) or self._backwards:
            return row
        self._open += 1
        return None

    def _ended_by(self, row: StepRow) -> bool:
        return row.status == "errored" and end_of_unserialisable(row.key.name).message == self._end_message

    def answer(self, row: StepRow) -> asyncio.Future[Any]:
        """The stored outcome, when it is its turn."""
        future: asyncio.Future[Any] = self.hold()
        self._answers.append((self._ranks.get(row.key, self._last), future, row))
        return future

    def answer_sleep(self, row: StepRow, place: Place) -> asyncio.Future[None]:
        """The end of a sleep, when it is its turn, as for any other step."""
        return self.answer(row)

    def abort(self, exc: BaseException) -> None:
        """Ignore an exception that is meant for the test: the test got it when the instance ran.

        Raises:
            KeyboardInterrupt: As it is.
        """
        if isinstance(exc, KeyboardInterrupt):
            raise exc
        if isinstance(exc, GiveWay):
            exc.unwinding.take()
        self._over = True

    def _fail(self, exc: BaseException) -> None:
        self._finish("errored")

    def _end(self, status: FinalStatus, detail: dict[str, Any] | None = None, value: bytes | None = None) -> None:
        self._finish(status)

    def _finish(self, status: FinalStatus) -> None:
        self.row.change_status(status)
        # A failure that comes only here is due to what a replay lacks, such as a fake that is closed by now.
        self.ended = status == self._wanted and not self._over

    def _parked_or_busy(self, root: Scope) -> None:
        """Do nothing: time does not stand still for a replay."""


def _has_ended(row: StepRow) -> bool:
    return row.status in FINAL_STEP_STATUSES


async def check_by_replay(engine: Services, instance: Execution) -> None:
    """Replay an instance that has ended, and keep a finding where it asks for other steps.

    Args:
        engine: The engine that holds it.
        instance: The instance.
    """
    if not instance.path or not instance.finished:
        return
    with _unseen(engine):
        replay = await _played(Replay(engine, instance))
        difference = _difference(instance, replay)
        is_race = False
        if difference is None and replay.had_choices:
            difference = _difference(instance, await _played(Replay(engine, instance, backwards=True)))
            is_race = difference is not None
    for key, place in replay.passed:
        engine.hazards.report_passed(instance, key, place)
    if difference is not None:
        when = "with the stored results answered in another order" if is_race else "in a replay"
        engine.paths.report(difference, when, instance.workflow.name, is_race=is_race)


async def _played(replay: Replay) -> Replay:
    with _tasks_of(replay.engine.loop) as tasks:
        try:
            await replay.play()
        finally:
            replay.kill()
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # asyncio would complain of a failure that `run` never awaited
    if all(task.done() for task in tasks):
        replay.dismantle()
    return replay


@contextlib.contextmanager
def _tasks_of(loop: asyncio.AbstractEventLoop) -> Iterator[list[asyncio.Task[Any]]]:
    """The tasks that are started while the block runs."""
    tasks: list[asyncio.Task[Any]] = []
    before = loop.get_task_factory()

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Future[Any]:
        task = asyncio.Task(coroutine, loop=loop, **options) if before is None else before(loop, coroutine, **options)
        tasks.append(task)  # type: ignore[arg-type]  # a factory may make any future; asyncio's make tasks
        return task

    loop.set_task_factory(make)
    try:
        yield tasks
    finally:
        loop.set_task_factory(before)


def _difference(instance: Execution, replay: Replay) -> Difference | None:
    return compare(
        instance.path,
        replay.path,
        later_ended=replay.ended,
        earlier_ended=instance.row.status != "terminated",
        is_complete=instance.row.status == "complete",
    )


@contextlib.contextmanager
def _unseen(engine: Services) -> Iterator[None]:
    """A block in which output, log records, warnings and findings are discarded, and user code sees a later time."""
    # `logging.disable` does it too, and clears what every logger of the process has cached, twice.
    is_enabled_for = logging.Logger.isEnabledFor
    logging.Logger.isEnabledFor = _is_never_enabled_for  # type: ignore[method-assign, assignment]
    engine.findings.muted = True
    _show_time(engine, LATER)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        _show_time(engine, timedelta())
        engine.findings.muted = False
        logging.Logger.isEnabledFor = is_enabled_for  # type: ignore[method-assign]


def _is_never_enabled_for(logger: logging.Logger, level: int) -> bool:
    return False


def _show_time(engine: Services, later: timedelta) -> None:
    for observer in engine.clock.observers:
        observer(engine.clock.now + later)
