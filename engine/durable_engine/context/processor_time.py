"""Processor time: how long code keeps this thread's processor busy, without what is not its own.

Time is taken in slices, each from when the event loop lets code go on until it waits again. A slice within a slice (a
stand-in's work, another task's turn while code waits synchronously) belongs to nobody but itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from time import thread_time_ns
from typing import Any, TypeVar

T = TypeVar("T")


class _Nested(threading.local):
    """The nanoseconds that the slices within the present one took, and how many are open; each thread has its own."""

    ns = 0
    open = 0


_nested = _Nested()


class Stopwatch:
    """A measurement of the slices of some code.

    Attributes:
        ns: The nanoseconds so far.
    """

    __slots__ = ("ns",)

    def __init__(self) -> None:
        self.ns = 0

    def run(self, function: Callable[..., T], *args: Any, **named: Any) -> T:
        """Call a function: a slice."""
        __tracebackhide__ = True
        outer, _nested.ns = _nested.ns, 0
        _nested.open += 1
        began = thread_time_ns()
        try:
            return function(*args, **named)
        finally:
            took = thread_time_ns() - began
            self.ns += took - _nested.ns
            _nested.ns = outer + took
            _nested.open -= 1


class _Unmeasured(Stopwatch):
    """A measurement that nobody reads: it takes its slices out of the one that they are in, where there is one."""

    __slots__ = ()

    def run(self, function: Callable[..., T], *args: Any, **named: Any) -> T:
        """Call a function: a slice."""
        __tracebackhide__ = True
        return super().run(function, *args, **named) if _nested.open else function(*args, **named)


_UNMEASURED = _Unmeasured()


def close_awaited(awaited: Any) -> None:
    """Close what is awaited, as `await` does when what awaits it is closed.

    Nothing is raised in it: what the garbage collector has closed before would answer with an error of its own.

    Args:
        awaited: A coroutine, or what an `__await__` gives, which may be any iterator.
    """
    if hasattr(awaited, "close"):
        awaited.close()


class Timed:
    """An awaitable that measures each slice of another one.

    Args:
        awaitable: A coroutine, or anything else that can be awaited.
        watch: Measures it.
    """

    __slots__ = ("_awaitable", "_watch")

    def __init__(self, awaitable: Any, watch: Stopwatch) -> None:
        self._awaitable = awaitable
        self._watch = watch

    def __await__(self) -> Generator[Any, Any, Any]:
        __tracebackhide__ = True
        # `asyncio_internals.DRIVEN`: what looks for suspended code follows this variable.
        awaited: Any = self._awaitable if hasattr(self._awaitable, "send") else self._awaitable.__await__()
        run = self._watch.run
        send = getattr(awaited, "send", None) or (
            lambda _: next(awaited)
        )  # of an `__await__` of one's own: an iterator
        advance, argument = send, None
        while True:
            try:
                yielded = run(advance, argument)
            except StopIteration as stop:
                return stop.value
            try:
                argument = yield yielded
                advance = send
            except GeneratorExit:
                run(close_awaited, awaited)
                raise
            except BaseException as error:
                if not hasattr(awaited, "throw"):
                    raise
                advance, argument = awaited.throw, error


def untimed(awaitable: Any) -> Timed:
    """Await something that is not the measured code's own work, such as a stand-in's."""
    return Timed(awaitable, _UNMEASURED)


def run_untimed(function: Callable[..., T], *args: Any, **named: Any) -> T:
    """Call what is not the measured code's own work, such as a stand-in or what notifies observers."""
    __tracebackhide__ = True
    return _UNMEASURED.run(function, *args, **named)
