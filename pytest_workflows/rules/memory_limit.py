"""memory-limit: while a step's callback ran, the process grew by more than an isolate may have."""

from __future__ import annotations

import sys
from collections.abc import Callable

from durable_engine import CallbackRun, Engine, Instance, StepKey
from pytest_workflows.sources.worker_code import Sources

from .base import RuleObserver
from .registry import register

_MIB = 2**20
_RESET = "/proc/self/clear_refs"
_STATUS = "/proc/self/status"
_PEAK_OF_MEMORY = b"5"
_NEGLIGIBLE = 2 * _MIB


@register(
    "memory-limit",
    consequence="the platform ends the isolate, and with it whatever else runs in it; Python itself has taken a part "
    "of its memory before",
    remedy="read and write what is large in parts: rows by a cursor, objects of R2 as streams or by ranges",
    is_advice=True,
)
class MemoryLimit(RuleObserver):
    """An observer that measures by how much the process grows while a callback runs.

    Linux alone shows the peak of a while. What the process had freed before and takes again is not seen.
    """

    def __init__(self, engine: Engine, sources: Sources) -> None:
        super().__init__(engine, sources)
        self._base = 0
        self._peak: Callable[[], int] = _peak
        self._running: dict[tuple[int, StepKey, int], _Growth] = {}

    def callback_started(self, instance: Instance, run: CallbackRun) -> None:
        """Begin to measure."""
        peak = self._peak()
        if abs(peak - self._base) > _NEGLIGIBLE:  # to reset it takes as long as everything else here together
            for growth in self._running.values():
                growth.note(peak)
            if not _reset_peak():
                return
            if _may_be_of_parent(_peak()):
                self._peak = _own_peak
            peak = self._base = self._peak()
        self._running[instance.row.key, run.key, run.attempt] = _Growth(peak)

    def callback_ended(self, instance: Instance, run: CallbackRun) -> None:
        """Add a finding if the process grew by more than the limit."""
        growth = self._running.pop((instance.row.key, run.key, run.attempt), None)
        limit = self._engine.limits.memory
        if growth is None:
            return
        growth.note(self._peak())
        instance.usage.note_memory(run.key, growth.most)
        if limit is not None and growth.most > limit and self.is_first_of(run.place):
            message = (
                f"the process grew by {growth.most / _MIB:,.0f} MiB while step {run.key.label!r} ran, "
                f"{growth.most / limit:,.1f} times the {limit // _MIB} MiB of an isolate"
            )
            self.report(message, run.place, instance.workflow, step=run.key.label)


class _Growth:
    """The growth of the process since some time.

    Args:
        base: Its size then, in bytes.

    Attributes:
        most: The most bytes that were noted beyond that.
    """

    __slots__ = ("_base", "most")

    def __init__(self, base: int) -> None:
        self._base = base
        self.most = 0

    def note(self, size: int) -> None:
        """Note the size of the process now."""
        self.most = max(self.most, size - self._base)


def _peak() -> int:
    """The largest size of the process since the peak was last reset, in bytes."""
    if not sys.platform.startswith("linux"):
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _own_peak() -> int:
    """The same, slowly, where a larger process started this one: that one's size counts above until this one has it."""
    try:
        with open(_STATUS, "rb", buffering=0) as file:
            sizes = dict(line.split(b":", 1) for line in file.read().splitlines() if b":" in line)
        return int(sizes[b"VmHWM"].split()[0]) * 1024
    except (OSError, LookupError, ValueError):
        return _peak()  # the system does not say


class _Floor:
    """The size below which `_peak` does not get after a reset: at most that of the process that started this one.

    Attributes:
        most: The most that it can be; None until that is known. To read it takes longer than all else here.
    """

    most: int | None = None


def _may_be_of_parent(peak: int) -> bool:
    """Whether `_peak`, after a reset, gives the size of the process that started this one.

    Args:
        peak: What it gives.
    """
    if _Floor.most is None or peak <= _Floor.most:
        own = _own_peak()
        if peak - own > _NEGLIGIBLE:
            return True
        _Floor.most = own
    return False


def _reset_peak() -> bool:
    """Let the peak begin at the present size; False where the system does not do that."""
    try:
        with open(_RESET, "wb", buffering=0) as file:
            file.write(_PEAK_OF_MEMORY)
    except OSError:
        return False
    return True
