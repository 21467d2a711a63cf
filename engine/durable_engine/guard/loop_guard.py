"""A guard of the event loop under a test: code of the Worker must give way to the loop in time."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from contextvars import Context
from time import monotonic
from types import FrameType

from durable_engine.context.asyncio_internals import chain_of, scope_of, task_context, wake
from durable_engine.context.frames import is_callback, is_hidden, is_users, show_frame
from durable_engine.context.scope import Scope, current_call, current_scope
from durable_engine.errors import EventLoopBlockedError
from durable_engine.text.source_paths import shown_path

from .closing import closing
from .guarded_engine import GuardedEngine
from .open_code import IF_SLOW, name_of
from .unwinding import GiveWay, Unwinding
from .watchdog import GRACE, TICK, WATCHDOG, Guard

MOST_FRAMES = 12
"""The most frames of the code that blocks that are shown."""

WHAT_TO_DO = (
    "While it runs nothing else can: no event, no timer, no wait of the test.\nAwait what takes long, put what blocks "
    f"into `await asyncio.to_thread(...)`, or stand in for it.\n{IF_SLOW}"
)


class LoopGuard(Guard):
    """The watchdog's guard of an engine's event loop.

    Args:
        engine: The engine.
    """

    def __init__(self, engine: GuardedEngine) -> None:
        self._engine = engine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked: float | None = None
        self._not_before = 0.0
        self._stopped_at: float | None = None

    # -- the watchdog's thread ---------------------------------------------------------------------------------------

    def is_overdue(self, now: float) -> bool:
        """Whether code has kept the loop from turning, beyond what the waits under way allow."""
        loop = self._engine.running_loop
        asked = self._asked
        if loop is None or loop is not self._loop or asked is None:
            self._ask(loop, now)
            return False
        if now < self._not_before:
            return False
        deadline = self._engine.next_deadline()
        return now >= max(asked + TICK, (asked + self._engine.timeout if deadline is None else deadline) + GRACE)

    def _ask(self, loop: asyncio.AbstractEventLoop | None, now: float) -> None:
        self._loop = self._asked = None
        if loop is not None:
            self._loop, self._asked = loop, now
            with suppress(RuntimeError):  # the loop was closed just now
                loop.call_soon_threadsafe(answer, self, context=Context())

    def deadline(self) -> float | None:
        """The time by which the first wait must have ended; without one it may be the test's code that computes."""
        return self._engine.next_deadline() if self._engine.running_loop is not None else None

    def is_over(self) -> bool:
        """Whether the loop has turned."""
        return self._asked is None

    def spare(self, until: float) -> None:
        """Do nothing: the test's own code blocks the loop."""
        self._not_before = until

    def owns(self, frame: FrameType) -> bool:
        """Whether it is a task of this engine's instances that runs."""
        return self._scope_elsewhere(frame) is not None

    def _scope_elsewhere(self, frame: FrameType) -> Scope | None:
        """The scope of the code that the main thread runs, as seen from another thread."""
        loop = self._loop
        task = None if loop is None else asyncio.current_task(loop)
        scope = None if task is None else scope_of(task_context(task))
        if scope is None and sys.version_info < (3, 12):  # pragma: no cover (no task shows its context there)
            scope = _scope_of_frames(frame)
        return scope if scope is not None and scope.instance.belongs_to(self._engine) else None

    def interrupt(self) -> None:
        """Raise a Ctrl-C from the loop, where nobody catches it: user code that gives way has caught the first one."""
        loop = self._engine.running_loop
        if loop is not None and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_interrupt, context=Context())

    # -- the main thread ---------------------------------------------------------------------------------------------

    def answered(self) -> None:
        """Note that the loop turns."""
        self._asked = None
        stopped = self._stopped_at
        if stopped is not None and self._loop is not None and monotonic() > stopped + self._engine.timeout:
            end_calls(self._loop, self._engine)

    def stopped(self) -> None:
        """The test's call is over: what handlers left running gets as long as a wait to end when it is cancelled."""
        self.finish()
        self._stopped_at = monotonic()

    def applies(self) -> bool:
        """Whether code of this engine's instances runs, or a handler that the test called."""
        return self._scope() is not None or self._call() is not None

    def _scope(self) -> Scope | None:
        scope = current_scope.get()
        return scope if scope is not None and scope.instance.belongs_to(self._engine) else None

    def _call(self) -> str | None:
        call = current_call.get()
        return call.what if call is not None and call.engine is self._engine else None

    def error(self, frame: FrameType) -> BaseException:
        """The error for the test: the code that blocks, its place, and how long it has been there."""
        seconds = monotonic() - (self._asked or monotonic())
        frames = self._frames(frame)
        root = self._engine.root
        place = f"{shown_path(frames[0].f_code.co_filename, root)}:{frames[0].f_lineno}"
        return EventLoopBlockedError(
            f"{self._what(frame)} does not give way: it has been at {place} for {seconds:.1f} real seconds, and was "
            "stopped there.\n" + "\n".join([*(f"  {show_frame(one, root)}" for one in frames), WHAT_TO_DO])
        )

    def _what(self, frame: FrameType) -> str:
        scope = self._scope() or self._scope_elsewhere(frame)
        return (self._call() or "Code of a workflow") if scope is None else name_of(scope)

    def _frames(self, frame: FrameType) -> list[FrameType]:
        """The frames of the user's code that blocks, the innermost first."""
        found: list[FrameType] = []
        current: FrameType | None = frame
        while current is not None and not is_callback(current):
            if is_users(current.f_code.co_filename):
                found.append(current)
            current = current.f_back
        return found[:MOST_FRAMES] or [frame]

    def struck(self, unwinding: Unwinding) -> None:
        """Make sure that the test gets the error once the loop turns again, wherever the exception went."""
        scope = self._scope()
        task = asyncio.current_task()
        asyncio.get_running_loop().call_soon(self._deliver, unwinding, scope, task, context=Context())

    def _deliver(self, unwinding: Unwinding, scope: Scope | None, task: asyncio.Task[object] | None) -> None:
        self.finish()
        if task is not None and task.done() and not task.cancelled() and isinstance(task.exception(), GiveWay):
            # Checked in CPython 3.11 to 3.14: otherwise asyncio would log an exception that nobody retrieves, since
            # the code that awaits the task is stopped.
            task._log_traceback = False
        error = unwinding.take()
        if error is None:
            return
        if scope is not None:
            scope.instance.abort(error)
        else:
            self._engine.abort(error)

    def finish(self) -> None:
        """Stop raising in code that did not give way."""
        if self.unwinding is not None:
            self.unwinding.finish()
            self.unwinding = None


def _scope_of_frames(frame: FrameType | None) -> Scope | None:  # pragma: no cover (Python 3.11 alone)
    """The scope of the nearest code of ours that called what a frame runs: a step's attempt, or an instance."""
    while frame is not None and not is_callback(frame):
        caller = frame.f_locals.get("self") if is_hidden(frame.f_code.co_filename) else None
        scope = getattr(caller, "_child", None) or getattr(caller, "root", None)
        if isinstance(scope, Scope):
            return scope
        frame = frame.f_back
    return None


def answer(guard: LoopGuard) -> None:
    """Note that the loop turns. Code that inspects the loop's queue knows this callback as nobody's work."""
    guard.answered()


def end_calls(loop: asyncio.AbstractEventLoop, engine: GuardedEngine) -> None:
    """End the tasks that calls of handlers have left running and that catch their cancellation."""
    for task in asyncio.all_tasks(loop):
        context = task_context(task)
        call = None if context is None else context.get(current_call)
        if call is not None and call.engine is engine:
            with closing() as closer:
                for coroutine in reversed(list(chain_of(task.get_coro()))):
                    closer.force(coroutine)
            wake(task)


def _interrupt() -> None:
    if WATCHDOG.is_interrupted:
        raise KeyboardInterrupt
