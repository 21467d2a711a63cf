"""JavaScript's timers: `setTimeout`, `setInterval`, `queueMicrotask`, `scheduler.wait`.

Each is an `asyncio.sleep`, so that time moves in them as it does in Python's own sleeps.
"""

from __future__ import annotations

import asyncio
from typing import Any

from .convert import call, is_missing, to_number
from .delays import after, clear_delay
from .events import until_aborted
from .objects import JsObject, JsPromise, js_error, option, promised


def set_timeout(function: Any, ms: Any = None, *values: Any) -> int:
    """JavaScript's `setTimeout`: call a function once, after some milliseconds."""
    return after(0 if ms is None else to_number(ms), lambda: call(function, *values))


def set_interval(function: Any, ms: Any = None, *values: Any) -> int:
    """JavaScript's `setInterval`: call a function again and again, some milliseconds apart."""
    return after(0 if ms is None else to_number(ms), lambda: call(function, *values), again=True)


def clear(number: Any = None) -> None:
    """JavaScript's `clearTimeout` and `clearInterval`: a timer that is not known is ignored."""
    if isinstance(number, int):
        clear_delay(number)


def queue_microtask(function: Any) -> None:
    """JavaScript's `queueMicrotask`: call a function as soon as the running code has ended."""
    asyncio.get_running_loop().call_soon(lambda: call(function))


class Scheduler(JsObject):
    """JavaScript's `scheduler`."""

    @promised
    def wait(self, ms: Any, options: Any = None) -> JsPromise:
        """A promise that is settled after some milliseconds.

        Args:
            ms: Milliseconds.
            options: `signal`, which ends the wait with an error.
        """
        if is_missing(ms):
            raise js_error("TypeError", "Failed to execute 'wait' on 'Scheduler': parameter 1 is not of type 'number'.")
        return until_aborted(JsPromise.running(asyncio.sleep(to_number(ms) / 1000)), option(options, "signal"))
