"""The world beside a Worker's code: what, other than time, could settle something that this code waits for."""

from __future__ import annotations

import asyncio
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context
from types import FrameType
from typing import Any

from durable_engine.context.asyncio_internals import (
    WAKE,
    frames_of,
    gathered_by,
    scope_of,
    task_context,
    waiting_for,
)
from durable_engine.context.frames import Owner, has_part, is_users, owner_of
from durable_engine.context.loop_timers import timers_of
from durable_engine.context.scope import open_call
from durable_engine.guard.threads import is_idle, waking

from .asleep import mentions
from .timed_engine import TimedEngine

_TOOLS = frozenset({"_pydevd_bundle", "coverage", "debugpy", "execnet", "pydevd.py", "pytest_timeout.py", "xdist"})
"""Files and folders of tools whose threads have nothing to do with a test."""

_BEGINNING = threading.Thread._bootstrap_inner.__code__  # type: ignore[attr-defined]
"""Where each thread begins. Checked in CPython 3.11 to 3.14."""

# Checked in CPython 3.11 to 3.14: what ends an `asyncio.timeout`, an `asyncio.wait` and a `wait_for` of 3.11. Without
# them a limit around a wait of the test would count as something that is about to happen.
_LIMITS = (asyncio.Timeout._on_timeout, asyncio.tasks._release_waiter)  # type: ignore[attr-defined]


class World:
    """What there is besides the code of an engine's instances and calls.

    Args:
        engine: The engine.
        waiting: The tasks of the test that wait for the engine.
    """

    def __init__(self, engine: TimedEngine, waiting: Callable[[], set[Any]]) -> None:
        self._engine = engine
        self._waiting = waiting
        self._older = weakref.WeakSet(threading.enumerate())

    def is_workers(self, context: Context | None) -> bool:
        """Whether a context belongs to code of the Worker: of an instance, or of a call that is under way."""
        return scope_of(context) is not None or open_call(context, self._engine) is not None

    def tasks_of_test(self) -> list[asyncio.Task[Any]]:
        """The tasks that are no instance's and no call's, except those that wait for the engine."""
        tasks = asyncio.all_tasks(self._engine.loop) - self._waiting()
        return [task for task in tasks if not self.is_workers(task_context(task)) and not _is_runner(task)]

    @property
    def may_act(self) -> bool:
        """Whether a task of the test exists that does not itself wait for the engine."""
        return self._may_act_beside(())

    @property
    def is_at_work(self) -> bool:
        """Whether a thread of the Worker's code or a connection exists that may answer to what code awaits."""
        return self._engine.threads.are_at_work or bool(self._is_connected)

    @property
    def is_near(self) -> bool:
        """Whether anything exists that may do something in real time: the test, a connection, a thread, a timer."""
        return (
            self._is_connected is not False
            or bool(self._engine.clients.arriving)
            or self.threads > 0
            or bool(self.timers_of_test())
            or self._may_act_beside(self._engine.worker_calls.tasks())
        )

    @property
    def _is_connected(self) -> bool | None:
        """Whether the loop looks after a connection; None where it does not tell."""
        # Checked in CPython 3.11 to 3.14: the selector of a loop has its own pipe alone where nothing is connected.
        selector = getattr(self._engine.loop, "_selector", None)
        return None if selector is None else len(selector.get_map() or ()) > 1

    def _may_act_beside(self, calls: Iterable[asyncio.Task[Any]]) -> bool:
        waiting = self._waiting().union(calls)
        return any(not _waits_for(task, waiting) for task in self.tasks_of_test())

    def timers_of_test(self) -> list[Any]:
        """The timers that somebody else than the Worker has set; not those that limit a wait, or end a task's sleep."""
        return [
            handle
            for handle in timers_of(self._engine.loop).pending()
            if not handle._cancelled and not self.is_workers(handle._context) and not _is_limit(handle._callback)
        ]

    @property
    def threads(self) -> int:
        """How many threads are at work that were not there before the engine, and are no tool's."""
        frames = sys._current_frames()
        for thread in self._older:
            # One that was there before the engine has nothing of it, be it a server's, a tool's or an earlier test's.
            frame = frames.get(thread.ident or 0)
            if frame is not None and _runs_in(thread, frame):  # the next thread may have the id of one that has ended
                del frames[thread.ident or 0]
        return waking(frames) + sum(not is_idle(frame) and not _is_tools(frame) for frame in frames.values())

    def is_of_test(self, wanted: object) -> bool:
        """Whether a variable of the test's own code, in a function or its module, has hold of this."""
        frames = [*_stack(sys._getframe())]
        for task in self.tasks_of_test():
            frames += frames_of(task.get_coro())
        of_test = [frame for frame in frames if is_users(frame.f_code.co_filename)]
        return any(
            mentions(frame, wanted) or any(value is wanted for value in list(frame.f_globals.values()))
            for frame in of_test
        )


def _is_runner(task: asyncio.Task[Any]) -> bool:
    """Whether a task is that of anyio's plugin which waits for the test to end: the test is in another one."""
    # Checked in anyio 4.16. Where it is named otherwise, the test has a task that might act: short sleeps are real.
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and code.co_name == "_call_in_runner_task" and has_part(code.co_filename, {"anyio"})


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _runs_in(thread: threading.Thread, frame: FrameType) -> bool:
    """Whether a frame is a thread's, also if it counts as ended: where a signal interrupts a `join`, 3.11 says so."""
    return thread.is_alive() or any(
        one.f_code is _BEGINNING and one.f_locals.get("self") is thread for one in _stack(frame)
    )


def _is_tools(frame: FrameType) -> bool:
    """Whether a thread that is at this frame is a tool's, or began in code of ours; not one of a pool that calls us."""
    began = None
    for one in _stack(frame):
        file = one.f_code.co_filename
        if has_part(file, _TOOLS):
            return True
        began = began if file == threading.__file__ else file
    return began is not None and owner_of(began) is Owner.OURS


def _is_limit(callback: Any) -> bool:
    function = getattr(callback, "__func__", callback)
    # The sleep of a task is the task's, which is looked at by itself.
    if callback is WAKE or function in _LIMITS or (getattr(function, "__module__", None) or "").startswith("anyio."):
        return True
    code = getattr(function, "__code__", None)
    return code is not None and owner_of(code.co_filename) is Owner.OURS


def _waits_for(task: asyncio.Task[Any], waiting: set[Any]) -> bool:
    """Whether a task can go on only after one of these has: it awaits it, or a gathering of such."""
    future = waiting_for(task)
    while future is not None:
        if future in waiting:
            return True
        gathered = gathered_by(future)
        if gathered:
            pending = [child for child in gathered if not child.done()]
            return all(child in waiting or _waits_for(child, waiting) for child in pending)
        if not isinstance(future, asyncio.Task):
            return False
        future = waiting_for(future)
    return False
