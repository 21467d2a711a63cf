"""Closing coroutines that user code left in its middle, in bounded time, whatever their `finally` blocks do."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from time import monotonic
from types import AsyncGeneratorType, FrameType
from typing import Any

from durable_engine.context.asyncio_internals import chain_of

from .unwinding import GiveWay, Unwinding
from .watchdog import TICK, WATCHDOG, Guard

PATIENCE = 0.5
"""Seconds that all coroutines together get for their `finally` blocks; those after them are checked once each."""

_TRIES = 3
"""The most attempts to end a coroutine that goes on when it is closed."""

_left_behind: list[Any] = []


@contextlib.contextmanager
def closing() -> Iterator[Closer]:
    """A context in which coroutines are closed, guarded by the watchdog."""
    closer = Closer()
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None  # for coroutines that fail while they are destroyed
    WATCHDOG.watch(closer)
    try:
        yield closer
    finally:
        WATCHDOG.unwatch(closer)
        sys.unraisablehook = hook


class Closer(Guard):
    """Closes coroutines, one after the other.

    Attributes:
        is_interrupted: Whether a Ctrl-C came meanwhile.
    """

    def __init__(self) -> None:
        self.is_interrupted = False
        self._ends = monotonic() + PATIENCE
        self._began: float | None = None
        self._checked: float | None = None

    def close(self, coroutine: Any) -> None:
        """Close a coroutine, and what it awaits; whatever that raises is discarded.

        One that cannot be made to end is left as it is until the process ends, and not touched then.
        """
        if isinstance(coroutine, AsyncGeneratorType):
            self._run(lambda: coroutine.aclose().send(None))
            if coroutine.ag_frame is not None:
                leave_behind(coroutine)  # the loop would run its code again
            return
        chain = list(chain_of(coroutine))
        self._run(coroutine.close)
        for one in reversed(chain):
            if not self.force(one):
                leave_behind(one)

    def force(self, coroutine: Any) -> bool:
        """Make a coroutine end that has not ended when it was closed, or cancelled.

        Returns:
            Whether it has ended.
        """
        for _ in range(_TRIES):
            if getattr(coroutine, "cr_frame", None) is not None:
                self._run(lambda: self._force(coroutine))
        return getattr(coroutine, "cr_frame", None) is None

    def _run(self, action: Any) -> None:
        try:  # from the first moment that the watchdog may raise in
            self._began = monotonic()
            WATCHDOG.put_off()
            action()
        except KeyboardInterrupt:
            self.is_interrupted = True
        except BaseException:
            pass
        finally:
            self._began = None
            if self.unwinding is not None:
                self.unwinding.finish()
                self.unwinding = None

    def _force(self, coroutine: Any) -> None:
        """End a coroutine that has caught GeneratorExit: raise in each of its lines, from the next one on."""
        unwinding = self.unwinding = Unwinding(self.applies, RuntimeError())
        unwinding.mark(coroutine.cr_frame)
        unwinding.insist(None)
        try:  # pragma: no cover (what is traced by others is not seen)
            coroutine.throw(unwinding.exception())
        except GiveWay:
            return
        coroutine.send(None)  # pragma: no cover (as above)

    # -- the watchdog's questions ------------------------------------------------------------------------------------

    def is_overdue(self, now: float) -> bool:
        """Whether a coroutine takes too long to end."""
        began = self._checked = self._began
        return began is not None and now >= max(self._ends, began + TICK / 2)

    def deadline(self) -> float | None:
        """The time by which the coroutine that is being closed must have ended."""
        began = self._began
        return None if began is None else max(self._ends, began)

    def is_over(self) -> bool:
        """Whether none is being closed, or another one: signals that were meant for the last are none of its own."""
        return self._began is None or self._began != self._checked

    def applies(self) -> bool:
        """Whether a coroutine is being closed: nothing else runs then."""
        return self._began is not None

    def owns(self, frame: FrameType) -> bool:
        """Whether a coroutine is being closed."""
        return self._began is not None

    def spare(self, until: float) -> None:
        """Do nothing: the coroutine has ended just now."""

    def error(self, frame: FrameType) -> BaseException:
        """The error that is printed where the process must end; otherwise nobody sees it."""
        return RuntimeError(
            f"Code of a workflow that was stopped does not come to its end: it is at {frame.f_code.co_filename}:"
            f"{frame.f_lineno}, in {frame.f_code.co_name}."
        )

    def struck(self, unwinding: Unwinding) -> None:
        """Do nothing: the coroutine is made to end."""


def leave_behind(something: Any) -> None:
    """Keep a coroutine from ever being destroyed: its code would run again, at the interpreter's exit at the latest."""
    _left_behind.append(something)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(something))
