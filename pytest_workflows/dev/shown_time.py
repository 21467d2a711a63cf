"""The time that the Worker's code reads: the engine's, once that was moved by hand."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from durable_engine import RealClock

if TYPE_CHECKING:
    from time_machine import Traveller, travel


def real_clock() -> RealClock:
    """A clock that reads the machine's time, whatever is shown."""
    return RealClock(wall_ms=_wall_ms)


def _wall_ms() -> int:
    import time

    time_machine: Any = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return int(time_machine.escape_hatch.time.time_ns()) // 1_000_000
    return time.time_ns() // 1_000_000


class ShownTime:
    """Shows a clock's time to whoever asks for the time of day; nothing is touched until it is moved by hand.

    Args:
        clock: The clock.
    """

    def __init__(self, clock: RealClock) -> None:
        self._clock = clock
        self._travel: travel | None = None
        self._traveller: Traveller | None = None
        self._moved_ms = 0

    def start(self) -> None:
        """Follow the clock from now on."""
        self._clock.observers.append(self._follow)
        if self._clock.moved_ms:
            self._follow(self._clock.now)

    def _follow(self, now: datetime) -> None:
        if self._traveller is None:
            import time_machine

            # A clock counts milliseconds, and what was read before is finer: no step back.
            self._travel = time_machine.travel(now + timedelta(milliseconds=1), tick=True)
            self._traveller = self._travel.start()
        else:
            self._traveller.shift((self._clock.moved_ms - self._moved_ms) / 1000)
        self._moved_ms = self._clock.moved_ms

    def stop(self) -> None:
        """Show the machine's time again."""
        if self._follow in self._clock.observers:
            self._clock.observers.remove(self._follow)
        if self._travel is not None:
            self._travel.stop()
            self._travel = self._traveller = None
