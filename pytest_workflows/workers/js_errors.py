"""Errors of JavaScript built-ins that SDK code raises.

A constructor of the SDK lets a `JsException` out, its static helpers turn the same error into ValueError or
TypeError. The classes here are both, so that `except` finds them whichever way a source was written.
"""

from __future__ import annotations

from durable_engine import JsException


class JsRangeError(JsException, ValueError):
    """JavaScript's RangeError."""

    def __init__(self, message: str) -> None:
        super().__init__("RangeError", message)


class JsTypeError(JsException, TypeError):
    """JavaScript's TypeError."""

    def __init__(self, message: str) -> None:
        super().__init__("TypeError", message)


for _class in (JsRangeError, JsTypeError):
    # A traceback names it as the platform's would: what a step raised is recognised by its traceback's last line.
    _class.__module__, _class.__name__, _class.__qualname__ = "pyodide.ffi", "JsException", "JsException"


def to_python_exception(error: JsException) -> Exception:
    """The Python exception that the SDK's static helpers raise in place of a JavaScript error."""
    if error.name == "RangeError":
        return ValueError(error.message)
    if error.name == "TypeError":
        return TypeError(error.message)
    return error
