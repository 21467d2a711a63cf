"""Failures: the form of an exception in storage, in the `except` blocks of `run`, and as an instance's end.

Source: docs/reference/fidelity.md, "Exceptions"; tests/engine/golden/boundary.json holds what was observed.
"""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import Self

import msgspec

from durable_engine.context.frames import is_hidden
from durable_engine.errors import FATAL_NOT_SERIALISABLE, JsException, NonRetryableError
from durable_engine.text.source_paths import shown_path

from .boundary import BoundaryError

_NON_RETRYABLE = "NonRetryableError"
_NON_RETRYABLE_SHOWN = re.compile(
    rf'Step threw a NonRetryableError with message "{_NON_RETRYABLE}(?:: (?P<reason>.*))?"', re.DOTALL
)
_NEVER_RETRIED = frozenset({"WorkflowFatalError"})


class ErrorInfo(msgspec.Struct, frozen=True):
    """An error as the engine records it.

    Attributes:
        name: The JavaScript error's name.
        message: Its message.
        retryable: Whether a further attempt may be made.
        reason: The message of a `NonRetryableError`, for rebuilding it.
    """

    name: str
    message: str
    retryable: bool = True
    reason: str | None = None

    def public(self) -> dict[str, str]:
        """Name and message, as history and reports show them."""
        return {"name": self.name, "message": _storable(self.message)}

    @classmethod
    def from_public(cls, name: str, message: str) -> Self:
        """Read an error from the name and message that history shows."""
        found = _NON_RETRYABLE_SHOWN.fullmatch(message) if name == "WorkflowFatalError" else None
        if found is not None:
            return cls(name, message, retryable=False, reason=found["reason"] or "")
        if name == _NON_RETRYABLE:  # as production's tools may show it
            return cls(name, message, retryable=False, reason=message.removeprefix(f"{name}: "))
        return cls(name, message, retryable=name not in _NEVER_RETRIED)

    def dump(self) -> bytes:
        """The error as bytes for storage."""
        reason = None if self.reason is None else _storable(self.reason)
        return msgspec.msgpack.encode(msgspec.structs.replace(self, message=_storable(self.message), reason=reason))

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read an error from storage."""
        return msgspec.msgpack.decode(data, type=cls)


class _Crossed(JsException):
    """The JavaScript error between the raised exception and the one that `run` catches."""


_Crossed.__module__, _Crossed.__name__, _Crossed.__qualname__ = "pyodide.ffi", "JsException", "JsException"


def end_of_unserialisable(step: str) -> ErrorInfo:
    """The error of an instance that ends at once, `run` unasked: a step of that name returned an unserialisable value.

    Source: docs/reference/fidelity.md, "Steps".
    """
    return ErrorInfo("WorkflowFatalError", FATAL_NOT_SERIALISABLE.format(name=step))


def describe(exc: BaseException, root: Path | None = None, *, preserve: bool = True) -> ErrorInfo:
    """Describe an exception that a step's callback raised, as the engine records it.

    Args:
        exc: The exception.
        root: The project's folder, which the traceback leaves out.
        preserve: Whether a `NonRetryableError` is shown as it is: the platform does so from a compatibility date on.
    """
    if isinstance(exc, BoundaryError):
        return ErrorInfo(exc.name, _storable(exc.message))
    text = _storable(_formatted(exc, root))  # so that `run` gets now what it gets from storage
    # The platform knows the exception by its name alone, so that a class of the user's own counts as well.
    if type(exc).__qualname__ == _NON_RETRYABLE:
        reason = _last_line_message(text)
        if preserve:
            return ErrorInfo(_NON_RETRYABLE, reason, retryable=False, reason=reason)
        shown = f"{_NON_RETRYABLE}: {reason}" if reason else _NON_RETRYABLE
        message = f'Step threw a NonRetryableError with message "{shown}"'
        return ErrorInfo("WorkflowFatalError", message, retryable=False, reason=reason)
    return ErrorInfo("Error", f"PythonError: {text}")


def rebuild(info: ErrorInfo, original: BaseException | None = None) -> Exception:
    """Rebuild the exception that `run` catches.

    Args:
        info: The recorded error.
        original: The exception itself, if it is still at hand; it ends the chain of causes.
    """
    if info.reason is not None:
        crossed = _Crossed("Error", f"{_NON_RETRYABLE}: {info.reason}" if info.reason else _NON_RETRYABLE)
    else:
        error = js_error(info.name, info.message)
        crossed = _Crossed(error.name, error.message)
    crossed.__cause__ = original
    # As on the platform, what `run` catches is a new exception whose cause is the JavaScript error.
    caught = _caught(info, crossed)
    caught.__cause__ = crossed
    caught.__suppress_context__ = True
    return caught


def _caught(info: ErrorInfo, crossed: JsException) -> Exception:
    if info.reason is not None:
        return NonRetryableError(info.reason) if info.reason else NonRetryableError()
    lines = info.message.rstrip().split("\n")
    if info.message.startswith("PythonError") and len(lines) > 1:
        if lines[-1].startswith("TypeError"):
            return TypeError(lines[-1])
        if lines[-1].startswith("ValueError"):
            return ValueError(lines[-1])
        if lines[-1].startswith("workers.workflows.NonRetryableError"):
            return NonRetryableError(lines[-1])
    return JsException(crossed.name, crossed.message)


def js_error(name: str, message: str) -> JsException:
    """An error of the engine as Python gets it: a name that JavaScript does not know is folded into the message."""
    if name in ("Error", "TypeError", "RangeError", "DataCloneError"):
        return JsException(name, message)
    return JsException("Error", f"{name}: {message}")


def original_of(exc: BaseException) -> BaseException:
    """The exception at the end of the causes that `rebuild` made; any other exception is its own original."""
    crossed = exc.__cause__
    if isinstance(crossed, _Crossed) and crossed.__cause__ is not None:
        return crossed.__cause__
    return exc


def instance_error(exc: BaseException, root: Path | None = None) -> dict[str, str]:
    """Describe the error of an instance whose `run` an exception escaped from.

    Args:
        exc: The exception.
        root: The project's folder, which the traceback leaves out.
    """
    if isinstance(exc, BoundaryError):
        return {"name": exc.name, "message": _storable(exc.message)}
    return {"name": "Error", "message": _storable(f"PythonError: {_formatted(exc, root)}")}


class _Stack(traceback.StackSummary):
    """A stack that is announced even where none of its frames are left: `run` reads the first line."""

    def __bool__(self) -> bool:
        return True


def _formatted(exc: BaseException, root: Path | None) -> str:
    """The traceback as Python prints it, causes included, without the engine's own frames.

    It is a part of history, and the same on every machine: paths are shortened, and the marks below a line of source,
    which differ between versions of Python, are left out.
    """
    summary = traceback.TracebackException.from_exception(exc)
    _tidy(summary, exc, root)
    summary.stack = _Stack(summary.stack)
    fact = exc.fact if isinstance(exc, JsException) else None
    if fact is None:
        return "".join(summary.format())
    # Our own note goes before what the platform says, so that the text ends as it does there.
    summary.__notes__ = None
    *frames, said = summary.format()
    notes = [f"{note}\n" for note in exc.__notes__ if note != fact]
    return "".join([*frames, f"  {fact}\n", said, *notes])


def _tidy(summary: traceback.TracebackException, exc: BaseException, root: Path | None) -> None:
    """Remove the engine's own parts: frames, and the links from a crossed error to its original."""
    stack = [_portable(frame, root) for frame in summary.stack if not is_hidden(frame.filename)]
    summary.stack = _Stack(stack) if summary.stack or isinstance(exc, _Crossed) else traceback.StackSummary()
    if isinstance(exc.__cause__, _Crossed) and summary.__cause__ is not None:
        if isinstance(exc, JsException):
            summary.__cause__ = None  # on the platform both are one exception
        else:
            summary.__cause__.__cause__ = None
    pairs = [(summary.__cause__, exc.__cause__), (summary.__context__, exc.__context__)]
    if isinstance(exc, BaseExceptionGroup):
        pairs += zip(summary.exceptions or (), exc.exceptions, strict=False)
    for part, error in pairs:
        if part is not None and error is not None:
            _tidy(part, error, root)


def _portable(frame: traceback.FrameSummary, root: Path | None) -> traceback.FrameSummary:
    return traceback.FrameSummary(
        shown_path(frame.filename, root), frame.lineno, frame.name, lookup_line=False, line=frame.line or ""
    )


def _last_line_message(text: str) -> str:
    """The text behind the first `: ` of a traceback's last line, as the SDK reads a NonRetryableError's message."""
    lines = [line for line in text.split("\n") if line.strip()]
    return lines[-1].partition(": ")[2]


def _storable(text: str) -> str:
    """A text without what UTF-8 cannot encode, such as names of files that are no text."""
    return text.encode("utf-8", "backslashreplace").decode()
