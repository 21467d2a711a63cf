"""The only importer of time-machine: user code sees the virtual clock wherever it reads the time of day.

time-machine changes the C functions themselves, not names that lead to them. So classes stay the real ones, and a
reference that was taken at import (`field(default_factory=datetime.now)`) sees virtual time too. Each read asks the
traveller for the time, which is where reads are noticed, and where tools that are not user code get the real time.
`time.monotonic` and `time.perf_counter` stay real, or deadlines in polling helpers would never come.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from time_machine import Traveller, travel

_FROZEN = (
    "Time is frozen already, by {} outside of this plugin. A test of workflows has its own virtual clock: "
    'remove the freeze, and use @pytest.mark.workflow(now="2026-01-01T00:00:00Z") for where it starts and '
    "`await workflow_clock.advance(...)` to move it."
)
_TOOLS = frozenset(
    {
        "_pytest",
        "allure_commons",
        "allure_pytest",
        "coverage",
        "execnet",
        "pluggy",
        "prompt_toolkit",
        "selenium",
        "xdist",
    }
)
"""Packages that measure and report tests, or wait for the world: they read the real time."""
_OURS = "pytest_workflows"


def nobody() -> None:
    """The listener while no rule watches."""


class Reads:
    """The listener to user code's reads of the time.

    Attributes:
        notify: Called at each read, in the frames of who reads.
    """

    def __init__(self) -> None:
        self.notify: Callable[[], None] = nobody


reads = Reads()


class Freezer:
    """The freezer: shows virtual time to user code, and real time again; one for a session."""

    def __init__(self) -> None:
        self._travel: travel | None = None
        self._traveller: Traveller | None = None
        self._now: datetime | None = None

    @property
    def frozen(self) -> bool:
        """Whether user code sees virtual time."""
        return self._traveller is not None

    @property
    def now(self) -> datetime | None:
        """The virtual time that user code sees; None where it sees the real one."""
        return self._now

    def start(self, now: datetime) -> None:
        """Let user code see this time, from now on.

        Args:
            now: Aware, in UTC: the local time is UTC as well then, as it is on the platform.

        Raises:
            pytest.UsageError: If somebody else has frozen time.
        """
        if self._traveller is not None:
            self.check()
            self.move_to(now)
            return
        self._refuse_others()
        import time_machine

        self._travel = time_machine.travel(now, tick=False)
        self._traveller = _noticing(self._travel.start())
        self._now = now

    def check(self) -> None:
        """Make sure that nobody has frozen time inside of ours.

        Raises:
            pytest.UsageError: If somebody has.
        """
        if self._traveller is not None:
            self._refuse_others()

    def _refuse_others(self) -> None:
        other = "freezegun" if _is_freezegun_active() else None if self._is_innermost() else "time-machine"
        if other is not None:
            raise pytest.UsageError(_FROZEN.format(other))

    def _is_innermost(self) -> bool:
        """Whether ours is the innermost travel of time-machine, or there is none at all."""
        time_machine = sys.modules.get("time_machine")
        stack: list[Any] = [] if time_machine is None else time_machine.traveller_stack
        return (stack[-1] if stack else None) is self._traveller

    def move_to(self, now: datetime) -> None:
        """Follow the virtual clock."""
        if self._traveller is not None and self._now is not None:
            # Unlike move_to of time-machine, this keeps the order of the uuid7s of one millisecond.
            self._traveller.shift(now - self._now)
            self._now = now

    def stop(self) -> None:
        """Let everybody see real time again; stopping twice is fine.

        While somebody else's travel lies inside of ours (a wider fixture's), ours stays: they end in turn.
        """
        if self._travel is not None and self._is_innermost():
            os.environ.setdefault("TZ", "UTC")  # time-machine restores what was there before, and fails without
            self._travel.stop()
            self._travel = self._traveller = self._now = None


def _noticing(traveller: Traveller) -> Traveller:
    """A traveller that notifies of reads of the time."""
    kind: Any = type(traveller)
    traveller.__class__ = _noticing_kind(kind)
    return traveller


@functools.cache
def _noticing_kind(kind: Any) -> Any:
    """The class of such travellers, one for all tests."""
    from time_machine import escape_hatch

    real_time_ns = escape_hatch.time.time_ns

    class Noticing(kind):  # type: ignore[misc]  # time-machine is not imported before it is needed
        def time_ns(self) -> int:
            if _is_tool(sys._getframe().f_back):
                return real_time_ns()
            reads.notify()
            time_ns: int = super().time_ns()
            return time_ns

    return Noticing


_verdicts: dict[str, bool] = {}


def _is_tool(frame: FrameType | None) -> bool:
    """Whether code of pytest, or of a plugin that is no library for user code, asks."""
    if frame is None:  # a thread that runs nothing but the C function
        return False
    name = frame.f_globals.get("__name__") or ""
    verdict = _verdicts.get(name)
    if verdict is None:
        package = name.partition(".")[0]
        verdict = _verdicts[name] = package in _TOOLS or (
            # An installed plugin: a user's own helpers may have such a name too.
            package.startswith("pytest_") and package != _OURS and _is_library(frame.f_code.co_filename)
        )
    return verdict


def _is_library(file: str) -> bool:
    from pytest_workflows.sources.code_owner import is_library  # by now the engine is loaded: somebody watches time

    return is_library(file)


def _is_freezegun_active() -> bool:
    api = sys.modules.get("freezegun.api")
    return api is not None and bool(api.freeze_factories)


def real_seconds() -> int:
    """The real time in whole seconds since the epoch, frozen or not."""
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return int(time_machine.escape_hatch.time.time())
    return int(time.time())
