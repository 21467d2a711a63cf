"""The only importer of freezegun: user code sees the virtual clock in `datetime.now()` and `time.time()`.

Starting freezegun scans every loaded module, so tests that follow each other share one freezer: between them it is kept
and only moved. `time.monotonic` and `time.perf_counter` stay real, or deadlines in polling helpers would never come.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory

_REAL = (time.time, time.monotonic, time.monotonic_ns, time.perf_counter, time.perf_counter_ns)
_STAYS_REAL = ("monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")

_FROZEN = (
    "Time is frozen already, by freezegun outside of this plugin. A test of workflows has its own virtual clock: "
    'remove the freeze, and use @pytest.mark.workflow(now="2026-01-01T00:00:00Z") for where it starts and '
    "`await workflow_clock.advance(...)` to move it."
)


def nobody() -> None:
    """Hears of nothing."""


class Reads:
    """Who hears of it when code reads the time.

    Attributes:
        told: Called at each read, in the frames of who reads.
    """

    def __init__(self) -> None:
        self.told: Callable[[], None] = nobody


reads = Reads()


class Freezer:
    """The freezer that the tests of a session share."""

    def __init__(self) -> None:
        self._frozen: FrozenDateTimeFactory | None = None
        self._stop: Any = None

    @property
    def frozen(self) -> bool:
        """Whether user code sees virtual time."""
        return self._frozen is not None

    def start(self, now: datetime) -> None:
        """Let user code see this time, from now on.

        Raises:
            pytest.UsageError: If somebody else has frozen time.
        """
        if self._frozen is not None:
            self.check()
            self.move_to(now)
            return
        import freezegun
        from freezegun import api

        if api.freeze_factories:
            raise pytest.UsageError(_FROZEN)
        freezer = freezegun.freeze_time(
            _naive(now), real_asyncio=True, ignore=["_pytest.timing", "pytest_workflows.recordings"]
        )
        frozen = freezer.start()
        for module, attribute, original in list(freezer.undo_changes):
            if original in _REAL[1:]:
                setattr(module, attribute, original)
        for name, real in zip(_STAYS_REAL, _REAL[1:], strict=True):
            setattr(time, name, real)
        _tell_of_reads(frozen)
        self._frozen, self._stop = frozen, freezer.stop  # type: ignore[assignment]

    def check(self) -> None:
        """See to it that nobody has frozen time inside of ours.

        Raises:
            pytest.UsageError: If somebody has.
        """
        if self._frozen is not None and not self._on_top():
            raise pytest.UsageError(_FROZEN)

    def _on_top(self) -> bool:
        from freezegun import api

        return bool(api.freeze_factories) and api.freeze_factories[-1] is self._frozen

    def move_to(self, now: datetime) -> None:
        """Follow the virtual clock."""
        if self._frozen is not None:
            self._frozen.move_to(_naive(now))

    def stop(self) -> None:
        """Let everybody see real time again; stopping twice is fine.

        While somebody else's freeze lies inside of ours (a wider fixture's), ours stays: they end in turn.
        """
        if self._frozen is not None and self._on_top():
            self._frozen = None
            self._stop()


def _tell_of_reads(frozen: Any) -> None:
    """Whoever reads the time calls this object: let it tell."""
    kind: Any = type(frozen)

    class Told(kind):  # type: ignore[misc]  # freezegun is not imported before it is needed
        def __call__(self) -> Any:
            reads.told()
            return super().__call__()

    frozen.__class__ = Told


def is_freezers(file: str) -> bool:
    """Whether code of that file shows user code the time in the freezer's name."""
    api = sys.modules.get("freezegun.api")
    return api is not None and file == api.__file__


def real_seconds() -> int:
    """The real time in whole seconds since the epoch, frozen or not."""
    return int(_REAL[0]())


def _naive(now: datetime) -> datetime:
    return now.replace(tzinfo=None)
