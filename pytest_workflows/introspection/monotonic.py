"""`time.monotonic` for a Worker's code: it counts virtual time too, so that deadlines which code makes of it come.

A step that polls `while time.monotonic() < deadline` between sleeps, which take virtual time, would go on for ever. For
all other code, the standard library's and asyncio's too, it is what it was: what waits in real time lives by it.
`time.perf_counter` stays real for everybody: it is for measuring.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

_NAMES = ("monotonic", "monotonic_ns")
_standard: set[str] = set()
"""Files of the standard library that have asked: the event loop does so a few dozen times a test."""


class MonotonicTime:
    """The functions in the place of `time.monotonic` and `time.monotonic_ns`."""

    def __init__(self) -> None:
        self._real: dict[str, Callable[[], Any]] = {}

    def install(self) -> None:
        """Put them in their place; twice is fine."""
        if not self._real:
            self._real = {name: getattr(time, name) for name in _NAMES}
            seconds, nanoseconds = self._real.values()

            @functools.wraps(seconds)
            def monotonic() -> float:
                frame = sys._getframe(1)
                real: float = seconds()
                return real if frame.f_code.co_filename in _standard else real + _virtual_ms(frame) / 1000

            @functools.wraps(nanoseconds)
            def monotonic_ns() -> int:
                return int(nanoseconds()) + _virtual_ms(sys._getframe(1)) * 1_000_000

            time.monotonic, time.monotonic_ns = monotonic, monotonic_ns

    def uninstall(self) -> None:
        """Put back what was there."""
        for name, function in self._real.items():
            setattr(time, name, function)
        self._real = {}


def _virtual_ms(frame: FrameType) -> int:
    """The milliseconds of virtual time that have passed for the code of this frame: none but for a Worker's."""
    durable_engine: Any = sys.modules.get("durable_engine")  # no session without workflows imports it
    running_engine = getattr(durable_engine, "running_engine", None)
    if running_engine is None:
        return 0
    kinds, file = durable_engine.Owner, frame.f_code.co_filename
    owner = durable_engine.owner_of(file)
    if owner is kinds.STANDARD:
        _standard.add(file)
    if owner not in (kinds.USER, kinds.INSTALLED):
        return 0
    engine = running_engine()
    return 0 if engine is None else int(engine.clock.elapsed_ms)


monotonic_time = MonotonicTime()
