"""Clock reads: which user code reads the time, and how its source writes that.

The functions of the clock are C, and have no frames of their own.
"""

from __future__ import annotations

import ast
import re
import time
from datetime import date
from types import BuiltinFunctionType, FrameType

from pytest_workflows.sources.code_owner import is_generated, is_library
from pytest_workflows.sources.syntax import call_in_progress, name_of

_CLOCKS = frozenset(
    {
        "clock_gettime",
        "clock_gettime_ns",
        "gmtime",
        "localtime",
        "now",
        "strftime",
        "time",
        "time_ns",
        "today",
        "utcnow",
    }
)
_OF_A_CLOCK = re.compile(r"time|clock|now|today", re.IGNORECASE)
_LONGEST = 60


def find_reader(frame: FrameType | None) -> FrameType | None:
    """The frame of user code that is answerable for a read of the clock.

    What a library reads for itself is the library's, as `logging` takes the time of each line. What a library was
    given to call (pydantic a `default_factory`) is read by who called the library.

    Args:
        frame: Where the clock's function was called.

    Returns:
        The frame of user code, a test's included; None where a library reads for itself.
    """
    while frame is not None and is_library(frame.f_code.co_filename):
        if not is_generated(frame.f_code.co_filename):
            call = call_in_progress(frame)
            if call is None or _OF_A_CLOCK.search(name_of(call.func)):
                return None
        frame = frame.f_back
    return frame


def describe_read(frame: FrameType) -> tuple[str, str]:
    """The expression of user code that reads the time, and a clause about it.

    Args:
        frame: Where it reads.

    Returns:
        `datetime.now(UTC)` and "`datetime.now(UTC)` is called"; `Order()` and "`Order()` reads the time".
    """
    call = call_in_progress(frame)
    if call is None:
        return "the time", "the time is read"
    written = name_of(call.func)
    alias = _name_of_clock(frame.f_globals.get(written)) if isinstance(call.func, ast.Name) else None
    if alias is not None and alias.rpartition(".")[2] != written:
        return alias, f"`{alias}` is called"
    shown = ast.unparse(call)
    if len(shown) > _LONGEST:
        shown = f"{ast.unparse(call.func)}(...)"
    return shown, f"`{shown}` is called" if written in _CLOCKS else f"`{shown}` reads the time"


def _name_of_clock(function: object) -> str | None:
    """`time.time`, whatever name the function was given in the source."""
    if not isinstance(function, BuiltinFunctionType) or function.__name__ not in _CLOCKS:
        return None
    of = function.__self__
    if of is time:
        return f"time.{function.__name__}"
    return f"{of.__name__}.{function.__name__}" if isinstance(of, type) and issubclass(of, date) else None
