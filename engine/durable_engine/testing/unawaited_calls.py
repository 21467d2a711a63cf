"""Unawaited calls: calls of a test that only begin when they are awaited, and so did nothing."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from durable_engine.context.frames import place_of_user
from durable_engine.context.scope import current_scope
from durable_engine.errors import MissingAwaitError
from durable_engine.model import Place

R = TypeVar("R")


class Call:
    """A call of a test that was made and has not begun.

    Args:
        what: The call, as code has it.
        place: Where in the test.
    """

    def __init__(self, what: str, place: Place) -> None:
        self.what = what
        self.place = place

    def __str__(self) -> str:
        file, line = self.place
        return f"{file}:{line}: {self.what} was never awaited, so that it did nothing. Write `await` before it."


class Calls:
    """The calls of a test that have not begun so far.

    Args:
        report_lost: Called with a call that nobody can await any more, which is forgotten then; None where the end of
            a test asks for all of them.
    """

    def __init__(self, report_lost: Callable[[Call], object] | None = None) -> None:
        self._report_lost = report_lost
        self._waiting: dict[Call, None] = {}
        self._kept: set[Call] = set()

    def note(self, what: str) -> Call:
        """A call that is to be awaited was made.

        Args:
            what: The call, as code has it.
        """
        call = Call(what, place_of_user())
        self._waiting[call] = None
        return call

    def begun(self, call: Call) -> None:
        """Note that the call was awaited."""
        self._waiting.pop(call, None)

    def watch(self, what: str, start: Callable[[], Coroutine[Any, Any, R]]) -> Coroutine[Any, Any, R]:
        """Wrap a call in an awaitable that knows whether it was awaited.

        Args:
            what: The call, as code has it.
            start: Makes the coroutine that does it. Code of a workflow gets just that.
        """
        return start() if current_scope.get() is not None else _Watched(self, self.note(what), start)

    @property
    def forgotten(self) -> list[Call]:
        """The calls that nobody has awaited so far, in the order in which they were made."""
        return list(self._waiting)

    def check(self) -> None:
        """At the end of a test: all calls must have been awaited, or be about to.

        Raises:
            MissingAwaitError: If nobody holds what a call returned, or nobody will await it.
        """
        __tracebackhide__ = True
        lost = [str(call) for call in self._waiting if call not in self._kept]
        if lost:
            raise MissingAwaitError("\n".join(lost))

    def keep(self, call: Call) -> None:
        """Note that somebody holds the call's result."""
        self._kept.add(call)

    def lose(self, call: Call) -> None:
        """Note that nobody holds the call's result any more."""
        self._kept.discard(call)
        if self._report_lost is not None and call in self._waiting:
            self.begun(call)
            self._report_lost(call)


class _Watched(Coroutine[Any, Any, R]):
    """A coroutine that is made when it is first awaited.

    Args:
        calls: Keeps the call until then.
        call: The call.
        start: Makes the coroutine.
    """

    def __init__(self, calls: Calls, call: Call, start: Callable[[], Coroutine[Any, Any, R]]) -> None:
        self._calls = calls
        self._call = call
        self._start = start
        self._coroutine: Coroutine[Any, Any, R] | None = None
        calls.keep(call)

    def __repr__(self) -> str:
        return f"<coroutine of {self._call.what}>"

    def __del__(self) -> None:
        self._calls.lose(self._call)

    def _begun(self) -> Coroutine[Any, Any, R]:
        if self._coroutine is None:
            self._calls.begun(self._call)
            self._coroutine = self._start()
        return self._coroutine

    def __await__(self) -> Generator[Any, Any, R]:
        return self._begun().__await__()

    def send(self, value: Any) -> object:
        """Go on, as `Coroutine.send`."""
        return self._begun().send(value)

    def throw(self, *error: Any) -> object:
        """Raise inside, as `Coroutine.throw`."""
        return self._begun().throw(*error)

    def close(self) -> None:
        """Close, as `Coroutine.close`: the call is not wanted."""
        self._calls.begun(self._call)
        if self._coroutine is not None:
            self._coroutine.close()
