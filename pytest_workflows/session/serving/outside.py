"""Clients outside of this process: processes that a test has started, and connections that do not come from here."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterable
from pathlib import Path

_TASKS = Path("/proc/self/task")


class OutsideClients:
    """What there is outside of the process that may call the Worker."""

    def __init__(self) -> None:
        self._older = _children()
        self._own: dict[tuple[str, int], bool] = {}

    def processes(self) -> int:
        """How many processes run that this one has started since; none where the system does not tell."""
        return sum(_runs(child) for child in _children() - self._older)

    def others(self, clients: Iterable[tuple[str, int]]) -> int:
        """How many of these addresses are of other processes.

        Args:
            clients: Host and port of the other end of each connection.
        """
        return sum(not self._is_own(client) for client in clients)

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


def _runs(process: int) -> bool:
    """Whether a process has not ended: one that nobody has waited for is still listed."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


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
