"""A limit for C code that keeps every thread of Python from running, the watchdog's as well: `sum(range(10**15))`.

Such code holds the interpreter's lock, so no thread of Python can act on it; on Linux the kernel can. A timer of it
starts a thread of the C library, which prints the stack and ends the process. It counts time on the processor, so
that neither a stopped process (Ctrl-Z) nor a debugger uses any of it up.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
from typing import Any

CODE = 2
"""The exit code of the process."""

PRINTING = 0.3
"""Seconds that printing the stack may take."""

_CPU_CLOCK = 2  # CLOCK_PROCESS_CPUTIME_ID
_SIGEV_THREAD = 2
_TEXT = (
    "Code of a Worker keeps Python from running anything else, for longer than a wait may take, and takes no "
    "signals: it is in C code that holds the lock of the interpreter. Only the end of this process ends it, with code "
    "2. The main thread, the last one here, shows where it is:"
)


class _Event(ctypes.Structure):
    """`struct sigevent` of Linux, for a function that a thread of the C library calls."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("rest", ctypes.c_char * 64),
    )


class _Times(ctypes.Structure):
    """`struct itimerspec`."""

    _fields_ = (
        ("interval", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class CpuTimer:
    """Prints the stack and ends the process, when it has used the processor for so long and nobody has put that off.

    Args:
        stderr: The file descriptor that is printed to.

    Raises:
        OSError: If the system has no such timer.
    """

    def __init__(self, stderr: int) -> None:
        if not sys.platform.startswith("linux"):
            raise OSError("only Linux has a timer that needs no thread of Python")
        self._libc: Any = ctypes.CDLL(None, use_errno=True)
        self._stderr = os.dup(stderr)
        os.set_inheritable(self._stderr, True)  # for the shell that prints; `subprocess` closes it for others
        self._signal = signal.SIGRTMAX - 1
        faulthandler.register(self._signal, file=self._stderr, all_threads=True)
        command = f"echo >&{self._stderr}; echo '{_TEXT}' >&{self._stderr}; kill -{int(self._signal)} {os.getpid()}"
        self._command = ctypes.create_string_buffer(command.encode())
        # One of a test's waits after the other sets them: what can be kept is not made anew each time.
        self._timers = [
            (self._create(self._libc.system, ctypes.addressof(self._command)), _Times(), 0.0),
            (self._create(self._libc._exit, CODE), _Times(), PRINTING),
        ]

    def _create(self, function: Any, argument: int) -> ctypes.c_void_p:
        timer = ctypes.c_void_p()
        address = ctypes.cast(function, ctypes.c_void_p)
        event = _Event(value=argument, notify=_SIGEV_THREAD, function=address)
        if self._libc.timer_create(_CPU_CLOCK, ctypes.byref(event), ctypes.byref(timer)):
            raise OSError(ctypes.get_errno(), "timer_create")
        return timer

    def set(self, seconds: float) -> None:
        """End the process after so many seconds on the processor; 0 never."""
        for timer, times, later in self._timers:
            due = seconds and seconds + later
            times.value, times.value_ns = int(due), int(due % 1 * 1e9)
            self._libc.timer_settime(timer, 0, ctypes.byref(times), None)

    def close(self) -> None:
        """Give the timers back."""
        for timer, _, _ in self._timers:
            self._libc.timer_delete(timer)
        faulthandler.unregister(self._signal)
        os.close(self._stderr)
