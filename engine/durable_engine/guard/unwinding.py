"""Getting user code off the stack that catches everything: an exception that is raised again until nothing is left.

An exception that a signal's handler raises ends a `time.sleep`, a lock's `acquire` or an empty loop. In
`while True: try: ... except BaseException: pass` it is caught, and the loop goes on. So the exception notices that it
was dropped, and from then on every further line of that code raises it anew. One that is raised inside an `except`
clause is not caught by the same `try`, so each time at least one `try` is left. Nothing is raised in code of ours, such
as an observer that the code's end is shown to: it would leave open what it has opened.

Checked in CPython 3.11 to 3.14: a trace function that raises is switched off by that, and its frame's `f_trace` is
cleared. Hence the destructor, which switches it on again at the very place where the exception was dropped. Where
somebody keeps the exception, the next call of anything does so: a profile function sees it, which stays switched on.
If a later version kept such a trace function, the destructor would be needless; without `f_trace_opcodes`, code on a
single line (`while True: pass`) could not be left.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeAlias

from durable_engine.context.frames import Owner, is_callback, is_ours, owner_of

TraceFunction: TypeAlias = Callable[[FrameType, str, Any], Any]
"""What `sys.settrace` takes."""


class Unwinding:
    """Raises in user code until nothing of it is left on the stack.

    Args:
        applies: Whether what the running thread runs now is the code that must go.
        error: The error for the test; None where it is a Ctrl-C.

    Attributes:
        is_active: Whether code that catches the exception gets another one.
    """

    def __init__(self, applies: Callable[[], bool], error: BaseException | None = None) -> None:
        self.is_active = True
        self._applies = applies
        self._error = error
        self._is_taken = False
        self._frames: list[FrameType] = []
        self._trace_before = sys.gettrace()
        self._profile_before = sys.getprofile()

    def exception(self) -> BaseException:
        """The exception, a new one each time, to be raised in the code that must go."""
        return Interrupted(self) if self._error is None else GiveWay(self)

    def take(self) -> BaseException | None:
        """Hand over the error for the test, to the first who asks. Nothing more is raised."""
        self.finish()
        error = None if self._is_taken else self._error
        self._is_taken = True
        return error

    def insist(self, frame: FrameType | None) -> None:
        """Let every further line raise: of this frame, of those that called it, and of what they call."""
        while frame is not None and not is_callback(frame):
            self.mark(frame)
            frame = frame.f_back
        sys.setprofile(self._profile)
        sys.settrace(self._trace)

    def mark(self, frame: FrameType) -> None:
        """Let every further line of this frame raise, once tracing is on."""
        if not is_ours(frame.f_code.co_filename):
            self._frames.append(frame)
            frame.f_trace = self._trace
            frame.f_trace_opcodes = True

    def dropped(self, frame: FrameType | None) -> None:
        """Note that one of its exceptions was destroyed; where code that must go runs on, in `frame`, it was caught."""
        if self.is_active and self._applies():
            self.insist(frame)

    def finish(self) -> None:
        """Stop raising, and let an earlier tracer (a debugger, coverage) go on."""
        if not self.is_active:
            return
        self.is_active = False
        frames, self._frames = self._frames, []
        if frames:  # pragma: no branch (as in what follows)
            self._restore(frames)  # pragma: no cover

    def _restore(self, frames: list[FrameType]) -> None:  # pragma: no cover (what traces is not seen)
        sys.setprofile(self._profile_before)
        sys.settrace(self._trace_before)
        for frame in frames:
            frame.f_trace = None
            frame.f_trace_opcodes = False

    def _trace(
        self, frame: FrameType, event: str, argument: Any
    ) -> TraceFunction | None:  # pragma: no cover (what traces is not seen)
        is_ours_now = is_for_us(frame) if event == "call" else is_ours(frame.f_code.co_filename)
        if not self.is_active or is_ours_now or not self._applies():
            return None
        if event in ("call", "line", "opcode"):
            raise self.exception()
        return self._trace

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:  # pragma: no cover (as above)
        if sys.gettrace() is None and not is_for_us(frame) and self.is_active and self._applies():
            self.insist(frame)


def is_for_us(frame: FrameType | None) -> bool:
    """Whether a frame is of code of ours, or of what a library does for it.

    Args:
        frame: The innermost frame.
    """
    while frame is not None and not is_callback(frame):
        owner = owner_of(frame.f_code.co_filename)
        if owner in (Owner.OURS, Owner.USER):
            return owner is Owner.OURS
        frame = frame.f_back
    return False


class _Raised:
    """An exception that says when it is destroyed."""

    unwinding: Unwinding

    def __del__(self) -> None:
        self.unwinding.dropped(sys._getframe().f_back)


class GiveWay(_Raised, BaseException):
    """Raised in user code that does not give way; no `except Exception` catches it.

    Args:
        unwinding: The unwinding that raises it.
    """

    def __init__(self, unwinding: Unwinding) -> None:
        super().__init__()
        self.unwinding = unwinding


class Interrupted(_Raised, KeyboardInterrupt):
    """Ctrl-C, raised again in user code that caught the first one."""

    def __init__(self, unwinding: Unwinding) -> None:
        super().__init__()
        self.unwinding = unwinding


# It is shown where the session ends: as what it is for whoever pressed the keys.
Interrupted.__name__ = Interrupted.__qualname__ = "KeyboardInterrupt"
Interrupted.__module__ = "builtins"
