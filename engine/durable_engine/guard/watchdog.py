"""A watchdog for user code that does not give way: `time.sleep`, a lock, a loop without `await`, a hard `finally`.

Such code stops the event loop, so nothing that runs on the loop can end it. One daemon thread a process checks, ten
times a second while there is something to guard, whether the loop still turns. Where it has not for longer than
a wait may take, the main thread gets a signal, whose handler raises in the very code that blocks. Code that catches
everything is left in the way that `unwinding.py` describes.

The signal is SIGURG: nobody uses it, it is ignored where nobody handles it, and it can be sent to a thread. SIGALRM and
the interval timers belong to others (pytest-timeout). No handler of SIGINT is replaced; the descriptor of
`signal.set_wakeup_fd` shows a Ctrl-C that user code caught.

C code that holds the interpreter's lock keeps this thread from running as well. While something must have ended in
time, the thread puts off two timers that count time on the processor. SIGVTALRM, for C code that checks signals (a
regular expression that backtracks), and the timer of `cpu_timer.py` for what does not.

C code that never checks signals, and Windows, which has no such signal: what blocks is printed and the process ends
with code 2, since nothing else can end it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import Any

from .cpu_timer import CpuTimer
from .unwinding import Unwinding, is_for_us

TICK = 0.1
"""Seconds between two checks."""

GRACE = 0.3
"""Seconds that code gets beyond the time that a wait may take."""

AGAIN = 0.02
"""Seconds between two signals to code that does not go."""

LAST = 1.2
"""Seconds after the first signal when the process ends, if code has not gone by then.

Time in which this process stood still does not count (Ctrl-Z, a container that has used up its share of the processor):
it could not go.
"""

HITS_IN_OURS = 25
"""Signals that code of ours gets before it is taken for user code that hangs in it."""

MOST_HITS = 40
"""Signals after which code that took them all counts as code that cannot be made to go."""

SPARED = 1.0
"""Seconds before the next check of a loop that code of the test blocks, which is not ours to end."""

SIGNAL: int | None = getattr(signal, "SIGURG", None) if hasattr(signal, "pthread_kill") else None
"""The signal that interrupts the main thread; None where there is no such signal (Windows)."""

MOST_IDLE = 20
"""The checks without any guard after which the thread ends."""

ALARM: int | None = getattr(signal, "SIGVTALRM", None)
"""The signal that comes when the process has used the processor for too long."""

# Kept here: a plugin may hide from a Worker's code what the platform lacks, and then whoever asks is looked at.
_VIRTUAL: int = getattr(signal, "ITIMER_VIRTUAL", 0)
_set_alarm: Any = getattr(signal, "setitimer", None)

_DEBUGGERS = frozenset({"bdb", "pdb", "pydevd", "_pydevd_bundle", "debugpy", "IPython"})


class Guard:
    """A guard: something that must give way in time, watched by the watchdog's thread.

    Attributes:
        unwinding: The unwinding that raises in the code in question, once it has not given way.
    """

    unwinding: Unwinding | None = None

    def is_overdue(self, now: float) -> bool:
        """Whether it has been at work for too long. Asked in the watchdog's thread.

        Args:
            now: The time by `time.monotonic`.
        """
        raise NotImplementedError

    def interrupt(self) -> None:
        """React to a Ctrl-C that has not reached the code that ends the session. Called in the watchdog's thread."""

    def deadline(self) -> float | None:
        """The time (`time.monotonic`) by which it must have given way; None where it need not, or may not be ours."""
        raise NotImplementedError

    def is_over(self) -> bool:
        """Whether it has given way since it was overdue. Asked in both threads."""
        raise NotImplementedError

    def applies(self) -> bool:
        """Whether what the main thread runs now is the code in question. Asked in the main thread, in that code."""
        raise NotImplementedError

    def owns(self, frame: FrameType) -> bool:
        """Whether the main thread, which runs `frame`, runs the code in question. Asked in the watchdog's thread."""
        raise NotImplementedError

    def spare(self, until: float) -> None:
        """Note that other code runs, which must not be touched."""
        raise NotImplementedError

    def error(self, frame: FrameType) -> BaseException:
        """The error for the test."""
        raise NotImplementedError

    def struck(self, unwinding: Unwinding) -> None:
        """Note that an exception is about to be raised in the code. Called in the main thread, in that code."""
        raise NotImplementedError


class Strike:
    """One attempt to get code off the main thread's stack.

    Args:
        guard: The guard whose code has not given way.
        is_interrupt: Whether it is for a Ctrl-C that the code caught.

    Attributes:
        hits: How often the signal has come to the code in question.
        is_spared: Whether other code runs.
        error: The error for the test, once it is known.
    """

    def __init__(self, guard: Guard, *, is_interrupt: bool) -> None:
        self.guard = guard
        self.is_interrupt = is_interrupt
        self.hits = 0
        self.is_spared = False
        self.error: BaseException | None = None

    def hit(self, frame: FrameType) -> None:
        """Handle the signal: raise in the code that it came to, if that is the code in question."""
        __tracebackhide__ = True
        if self.guard.is_over():
            return  # it has given way since the signal was sent, and other code runs
        if not self.guard.applies() or is_debugged(frame):
            self.is_spared = True
            return
        self.hits += 1
        if is_for_us(frame) and self.hits < HITS_IN_OURS:
            return  # code of ours goes on to the user's, or has just come from there
        unwinding = self.guard.unwinding
        if unwinding is not None and unwinding.is_active:
            unwinding.insist(frame)
        else:
            self.error = None if self.is_interrupt else self.guard.error(frame)
            unwinding = self.guard.unwinding = Unwinding(self.guard.applies, self.error)
            self.guard.struck(unwinding)
        raise unwinding.exception()


def is_debugged(frame: FrameType | None) -> bool:
    """Whether a debugger stands at its prompt in this code."""
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] in _DEBUGGERS:
            return True
        frame = frame.f_back
    return False


def end_process(text: str) -> None:  # pragma: no cover (a process that has ended has no figures)
    """Print a text on the real standard error and end the process with code 2."""
    os.write(2, text.encode(errors="backslashreplace"))
    os._exit(2)


def _identified(fd: int) -> tuple[int, os.stat_result] | None:
    """A file descriptor and what it stands for now; None where it stands for nothing."""
    try:
        return fd, os.fstat(fd)
    except OSError:
        return None


def _set_wakeup(before: tuple[int, os.stat_result] | None) -> None:
    """Let signals wake up through this descriptor again, unless it was closed, or its number has been used again."""
    if before is not None:
        fd, was = before
        now = _identified(fd)
        if now is not None and os.path.samestat(now[1], was):
            signal.set_wakeup_fd(fd)


class Watchdog:
    """The watchdog: checks guards from a thread of its own.

    Attributes:
        end_process: Called with a text where only the end of the process can help; it must not return.
        stderr: The file descriptor that is printed to where no code of Python can run any more.
    """

    def __init__(self) -> None:
        self.end_process: Callable[[str], None] = end_process
        self.stderr = 2
        self._guards: dict[Guard, None] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_stopping = False
        self._strike: Strike | None = None
        self._handler_before: Any = None
        self._before: tuple[int, os.stat_result] | None = None
        self._sockets: tuple[socket.socket, socket.socket] | None = None
        self._interrupted: float | None = None
        self._has_delivered_interrupt = False
        self._is_hitting = False
        self._cpu_timer: CpuTimer | None = None
        self._has_alarm = False

    # -- the main thread ---------------------------------------------------------------------------------------------

    def watch(self, guard: Guard) -> None:
        """Guard something that runs on the main thread, where tests run; elsewhere nothing can be done."""
        if threading.current_thread() is not threading.main_thread():
            return
        if self._sockets is None:
            self._sockets = self._open()
        if not self._guards:
            self._receive()  # what came too late for the last guard
            self._interrupted = None
            fd = self._sockets[1].fileno()
            self._before = _identified(signal.set_wakeup_fd(fd, warn_on_full_buffer=False))
        with self._lock:
            self._guards[guard] = None
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="durable-engine-watchdog", daemon=True)
                thread.start()
                self._thread = thread  # one that could not be started is none that `stop` waits for

    def unwatch(self, guard: Guard) -> None:
        """Stop guarding something."""
        if guard not in self._guards:
            return
        del self._guards[guard]
        if not self._guards:
            self._interrupted = None
            self.put_off()
            now = signal.set_wakeup_fd(-1)
            assert self._sockets is not None
            # An event loop may have put its own there, which it takes away itself.
            _set_wakeup(self._before if now == self._sockets[1].fileno() else _identified(now))

    def stop(self) -> None:
        """End the thread, and leave no signal handler behind. The next guard starts it anew."""
        for guard in list(self._guards):
            self.unwatch(guard)
        if self._sockets is None:
            return
        thread = self._thread
        if thread is not None:
            self._is_stopping = True
            self._sockets[1].send(b"\0")
            thread.join()
            self._is_stopping = False
        if self._cpu_timer is not None:
            self._cpu_timer.close()
            self._cpu_timer = None
        if ALARM is not None and signal.getsignal(ALARM) == self._on_alarm:
            _set_alarm(_VIRTUAL, 0)
            signal.signal(ALARM, signal.SIG_DFL)
        self._has_alarm = False
        for one in self._sockets:
            one.close()
        self._sockets = None
        if SIGNAL is not None and signal.getsignal(SIGNAL) == self._on_signal:
            signal.signal(SIGNAL, self._handler_before)

    def interrupt_arrived(self) -> None:
        """Note that a Ctrl-C has reached the code that ends the session."""
        self._interrupted = None

    @property
    def is_interrupted(self) -> bool:
        """Whether there was a Ctrl-C that has not arrived."""
        return self._interrupted is not None

    def _open(self) -> tuple[socket.socket, socket.socket]:
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        if SIGNAL is not None:
            self._handler_before = signal.signal(SIGNAL, self._on_signal)
        if ALARM is not None and signal.getsignal(ALARM) == signal.SIG_DFL:  # unless another tool uses the signal
            signal.signal(ALARM, self._on_alarm)
            self._has_alarm = True
        with contextlib.suppress(OSError):
            self._cpu_timer = CpuTimer(self.stderr)
        return reader, writer

    def put_off(self) -> None:
        """Put off the limit of time on the processor, since Python still runs: the first guard's rest, and more."""
        first = min((due for guard in list(self._guards) if (due := guard.deadline()) is not None), default=None)
        seconds = 0.0 if first is None else max(0.0, first - monotonic()) + GRACE + TICK
        if self._has_alarm:
            _set_alarm(_VIRTUAL, seconds, AGAIN if seconds else 0)
        if self._cpu_timer is not None:
            self._cpu_timer.set(seconds and seconds + LAST)

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        __tracebackhide__ = True
        strike = self._strike
        if strike is not None and frame is not None:
            self._hit(strike, frame)
        elif callable(self._handler_before):
            self._handler_before(signum, frame)

    def _hit(self, strike: Strike, frame: FrameType) -> None:
        __tracebackhide__ = True
        if self._is_hitting:
            return  # the last signal's handler has not come to its end
        self._is_hitting = True
        try:
            strike.hit(frame)
        finally:
            self._is_hitting = False

    def _on_alarm(self, signum: int, frame: FrameType | None) -> None:
        """Handle the processor's alarm: where the watchdog's thread could not run, do its work."""
        __tracebackhide__ = True
        for guard in list(self._guards):
            if frame is not None and self._strike is None and guard.is_overdue(monotonic()):
                self._hit(Strike(guard, is_interrupt=False), frame)

    # -- the watchdog's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._watch()
        finally:
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None  # it has failed: the next guard gets another one

    def _watch(self) -> None:
        idle = 0
        while True:
            self._listen(TICK)
            idle = 0 if self._guards else idle + 1
            if self._is_stopping or idle > MOST_IDLE:
                with self._lock:
                    if not self._guards:  # pragma: no branch (one may have come just now)
                        self._thread = None
                        return
            self._check_guards()

    def _check_guards(self) -> None:
        self.put_off()
        now = monotonic()
        for guard in list(self._guards):
            overdue = guard.is_overdue(now)
            if self._interrupted is not None and now - self._interrupted >= GRACE:
                if not self._has_delivered_interrupt:
                    guard.interrupt()
                self._press(guard, is_interrupt=True)
            elif overdue:
                self._press(guard, is_interrupt=False)
        self._has_delivered_interrupt = self._interrupted is not None and now - self._interrupted >= GRACE

    def _listen(self, seconds: float) -> None:
        """Wait, and receive signals meanwhile."""
        assert self._sockets is not None
        if select.select([self._sockets[0]], [], [], seconds)[0] and signal.SIGINT in self._receive():
            self._interrupted = self._interrupted or monotonic()

    def _receive(self) -> bytes:
        """The signals that have come, by their numbers; whoever is first gets them."""
        assert self._sockets is not None
        try:
            return self._sockets[0].recv(4096)
        except BlockingIOError:
            return b""

    def _press(self, guard: Guard, *, is_interrupt: bool) -> None:
        """Send the signal until the code has given way, or the process must end."""
        strike = self._strike = Strike(guard, is_interrupt=is_interrupt)
        waited = 0.0
        while not guard.is_over() and guard in self._guards:
            if is_interrupt and self._interrupted is None:
                break
            since = monotonic()
            if SIGNAL is not None:
                signal.pthread_kill(_main_thread(), SIGNAL)
            self._listen(AGAIN)
            waited += min(monotonic() - since, 2 * AGAIN)
            if strike.is_spared:
                guard.spare(monotonic() + SPARED)
                break
            # A machine that has much to do takes its time with each signal.
            if waited >= LAST and not 0 < strike.hits < MOST_HITS:
                self._give_up(strike)
                break
        self._strike = None

    def _give_up(self, strike: Strike) -> None:
        frame = sys._current_frames().get(_main_thread())
        if frame is None or is_debugged(frame) or not (strike.hits or strike.guard.owns(frame)):
            strike.guard.spare(monotonic() + SPARED)
            return
        why = "It catches all that is raised in it" if strike.hits else "It is in code that takes no signals"
        error = strike.error or strike.guard.error(frame)
        self.end_process(f"\n{error}\n{why}: only the end of this process ends it.\n")


def _main_thread() -> int:
    ident = threading.main_thread().ident
    assert ident is not None
    return ident


WATCHDOG = Watchdog()
"""The process's watchdog: signals and the main thread are the process's as well."""
