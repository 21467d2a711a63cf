"""Clients outside of this process: processes that a test has started, and connections that do not come from here."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path

_TASKS = Path("/proc/self/task")


_TO_START = 5.0
"""Real seconds that a process has until it asks for something."""


class OutsideClients:
    """What there is outside of the process that may call the Worker.

    Args:
        connected: Gives host and port of the other end of each connection.
    """

    def __init__(self, connected: Callable[[], Iterable[tuple[str, int]]]) -> None:
        self._connected = connected
        self._older = _children()
        self._own: dict[tuple[str, int], bool] = {}
        self._last: float | None = None

    def note(self, client: tuple[str, int] | None) -> None:
        """Note a request, by the other end of its connection."""
        if self._last is None or client is None or not self._is_own(client):
            self._last = _now()

    def count(self) -> int:
        """How many clients there seem to be outside of this process; its threads are counted elsewhere."""
        # Until the first request has come, nobody knows where from.
        return max(self._last is None, len(self._processes()), self._others())

    def is_starting(self) -> bool:
        """Whether a process that the test has started has not had the time to ask."""
        now = _now()
        return any(
            began is not None and now - began < _TO_START and (self._last is None or began > self._last)
            for began in map(_began, self._processes())
        )

    def processor_time(self) -> float:
        """How many seconds of processor time the processes that the test has started, and theirs, have used so far."""
        return sum(map(_used, _with_descendants(self._processes())))

    def _processes(self) -> list[int]:
        """The processes that run which this one has started since; none where the system does not tell."""
        return [child for child in _children() - self._older if _runs(child)]

    def _others(self) -> int:
        """How many connections are another process'."""
        return sum(not self._is_own(client) for client in self._connected())

    def _is_own(self, client: tuple[str, int]) -> bool:
        if client not in self._own:
            self._own[client] = client in _own_ends()
        return self._own[client]


def _children() -> set[int]:
    """The processes that threads of this one have started."""
    found: set[int] = set()
    with contextlib.suppress(OSError):  # not on every system
        for thread in os.listdir(_TASKS):
            with contextlib.suppress(OSError):
                found.update(map(int, (_TASKS / thread / "children").read_text().split()))
    return found


def _with_descendants(processes: list[int]) -> list[int]:
    """Processes, and those that they have started: what a driver of a browser started is the client."""
    found = list(processes)
    for process in found:
        with contextlib.suppress(OSError):  # it is gone, or not on every system
            # Those of its first thread: to ask each of a browser's hundreds of threads takes too long.
            found += map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())
    return found


def _runs(process: int) -> bool:
    """Whether a process has not ended: one that nobody has waited for is still listed."""
    return (_fields(process) or ["Z"])[0] not in ("Z", "X")


def _began(process: int) -> float | None:
    """When a process began, in seconds since the system did; None for one that is gone."""
    fields = _fields(process)
    return float(fields[19]) / os.sysconf("SC_CLK_TCK") if fields else None


def _used(process: int) -> float:
    """The seconds of processor time that a process and its ended children have used; 0 for one that is gone."""
    fields = _fields(process)
    return sum(map(float, fields[11:15])) / os.sysconf("SC_CLK_TCK") if fields else 0


def _now() -> float:
    """The seconds since the system began, or since some other moment where no process is known."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _fields(process: int) -> list[str]:
    """What the system says of a process, from its state on."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _own_ends() -> set[tuple[str, int]]:
    """Host and port of this process' end of each of its connections; none where the system does not tell."""
    found: set[tuple[str, int]] = set()
    with contextlib.suppress(OSError):
        for name in os.listdir("/dev/fd"):
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                    with socket.socket(fileno=os.dup(int(name))) as end:
                        if end.family in (socket.AF_INET, socket.AF_INET6):
                            found.add(end.getsockname()[:2])
    return found
