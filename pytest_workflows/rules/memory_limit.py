"""memory-limit: while a step's callback ran, the process grew by more than an isolate may have."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable

from durable_engine import CallbackRun, Engine, Instance, StepKey
from pytest_workflows.sources.worker_code import Sources

from .base import RuleObserver
from .registry import register

with contextlib.suppress(ImportError):  # Windows has none
    import resource

_MIB = 2**20
_RESET = "/proc/self/clear_refs"
_STATUS = "/proc/self/status"
_SIZES = "/proc/self/statm"
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
        self._has_begun = False
        self._running: dict[tuple[int, StepKey, int], _Growth] = {}

    def callback_started(self, instance: Instance, run: CallbackRun) -> None:
        """Begin to measure."""
        peak = _Process.peak()
        is_new, self._has_begun = not self._has_begun, True
        # To reset it takes longer than everything else here together, and most tests leave the process as it was.
        if abs(peak - _Process.base) > _NEGLIGIBLE or (is_new and _has_shrunk_below(_Process.base)):
            for growth in self._running.values():
                growth.note(peak)
            if not _reset_peak():
                return
            _Process.peak = _own_peak if _may_be_of_parent(_peak()) else _peak
            peak = _Process.base = _Process.peak()
        self._running[instance.row.key, run.key, run.attempt] = _Growth(peak)

    def callback_ended(self, instance: Instance, run: CallbackRun) -> None:
        """Add a finding if the process grew by more than the limit."""
        growth = self._running.pop((instance.row.key, run.key, run.attempt), None)
        limit = self._engine.limits.memory
        if growth is None:
            return
        growth.note(_Process.peak())
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
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _own_peak() -> int:
    """The same, slowly, where a larger process started this one: that one's size counts above until this one has it."""
    try:
        with open(_STATUS, "rb", buffering=0) as file:
            sizes = dict(line.split(b":", 1) for line in file.read().splitlines() if b":" in line)
        return int(sizes[b"VmHWM"].split()[0]) * 1024
    except (OSError, LookupError, ValueError):
        return _peak()  # the system does not say


class _Process:
    """What the process's peak of memory is measured from: it is the process's own, whatever engine asks.

    Attributes:
        base: The size when the peak was last reset.
        peak: Gives the largest size since then.
    """

    base = 0
    peak: Callable[[], int] = _peak


def _has_shrunk_below(size: int) -> bool:
    """Whether the process is now much smaller than this: it could grow up to its peak, and nothing would show it."""
    try:
        with open(_SIZES, "rb", buffering=0) as file:
            resident = int(file.read(256).split()[1]) * _page_size()
    except (OSError, LookupError, ValueError):
        return False  # the system does not say
    return size - resident > _NEGLIGIBLE


@functools.cache
def _page_size() -> int:
    return resource.getpagesize()


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
