"""What is kept of an instance that is gone: an introspector goes on answering from it."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, NoReturn

import msgspec

from durable_engine import HistoryEvent, InstanceNotFoundError, JsDict, StepRecord, hide_frames, status_answer
from pytest_workflows.timeline.run import Run

hide_frames(__file__)


class LastState(msgspec.Struct, frozen=True):
    """The records of an instance that is gone.

    Attributes:
        run: Its run; None where it never existed.
        exception: The exception that ended it.
    """

    run: Run | None = None
    exception: BaseException | None = None

    @property
    def status(self) -> JsDict:
        """The last answer of `status()`; empty for one that never existed."""
        return JsDict() if self.run is None else status_answer(self.run.row, self.run.status, self.run.lines)

    @property
    def steps(self) -> list[StepRecord]:
        """Its steps; none of one that never existed."""
        return [] if self.run is None else self.run.step_records

    @property
    def history(self) -> list[HistoryEvent]:
        """Its history; empty for one that never existed."""
        return [] if self.run is None else self.run.history_events

    def require(self, introspector: object) -> Run:
        """Its run.

        Args:
            introspector: Who asks, for the message.

        Raises:
            InstanceNotFoundError: If there was no such instance.
        """
        if self.run is None:
            raise InstanceNotFoundError(f"{introspector!r} was disposed of, and its instance never existed.")
        return self.run


class LastStatus(JsDict, Coroutine[Any, Any, JsDict]):
    """The last status of an instance that is gone: a dict, and what gives that dict when it is awaited."""

    def __await__(self) -> Generator[Any, Any, JsDict]:
        yield from ()
        return JsDict(self)

    def send(self, value: Any) -> NoReturn:
        """Answer at once: the value is there."""
        raise StopIteration(JsDict(self))

    def throw(self, *error: Any) -> NoReturn:
        """Raise the error: nothing is under way into which it could be thrown."""
        raise StopIteration(JsDict(self))

    def close(self) -> None:
        """Do nothing: nothing is open."""
