"""Worker threads: threads that code of a Worker starts; nothing waits for one that does not end.

Nothing can end a thread from outside. So while an engine is open, a thread that starts in code of a workflow counts as
a daemon for the interpreter, which then does not wait for it at its exit; what the code sees of it stays as it is.
Checked in CPython 3.11 to 3.14: `Thread._daemonic` is read while the thread starts, and not later.
A version that reads it later would wait for such threads at the interpreter's exit.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import thread as pool
from contextvars import Context
from functools import partial, wraps
from pathlib import Path
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from durable_engine.context.frames import is_users, place_of_user, show_frame
from durable_engine.context.scope import current_scope, open_call, running_engine
from durable_engine.model import Place
from durable_engine.text.source_paths import shown_path

_start = threading.Thread.start
# Checked in CPython 3.11 to 3.14. If a version calls them otherwise, this module cannot be imported; if a pool's thread
# waits in another function, idle threads would be reported as at work.
_IDLE = pool._worker.__code__
"""The code in which a pool's thread waits for work."""
_WORK = pool._WorkItem.run.__code__
"""The code in which a pool's thread works."""


class WorkerThreads:
    """The threads that code of an engine's instances has started.

    Args:
        engine: The engine, to be compared.
        root: The project's folder, if it is known.
    """

    def __init__(self, engine: object, root: Path | None) -> None:
        self._engine = engine
        self._root = root
        self._started: WeakKeyDictionary[threading.Thread, Place] = WeakKeyDictionary()

    def open(self) -> None:
        """Record started threads from now on."""
        _open.add(self)
        threading.Thread.start = _recorded_start  # type: ignore[method-assign, assignment]

    def close(self) -> None:
        """Record started threads no longer."""
        _open.discard(self)
        if not _open and threading.Thread.start is _recorded_start:
            threading.Thread.start = _start  # type: ignore[method-assign]

    def belong_to(self, engine: object) -> bool:
        """Whether it is this engine's instances that start them."""
        return self._engine is engine

    def note(self, thread: threading.Thread, place: Place) -> None:
        """Note that a thread is started, from that place."""
        self._started[thread] = place

    @property
    def are_at_work(self) -> bool:
        """Whether one of them has not ended."""
        return any(True for _ in self._at_work())

    def at_work(self) -> list[str]:
        """The threads that have not ended, a sentence for each."""
        return [self._show(thread, frame) for thread, frame in self._at_work()]

    def _at_work(self) -> Iterator[tuple[threading.Thread, FrameType]]:
        frames = sys._current_frames()
        frames.pop(threading.get_ident(), None)  # our own one, which knows `frames`
        for thread in threading.enumerate():
            frame = frames.get(thread.ident or 0)
            if frame is None or is_idle(frame):
                continue
            if thread in self._started or self._works_for(frame):
                yield thread, frame

    def _works_for(self, frame: FrameType) -> bool:
        """Whether a pool's thread, whoever started it, does what code of an instance gave to `asyncio.to_thread`."""
        current: FrameType | None = frame
        while current is not None:
            if current.f_code is _WORK:
                item = current.f_locals["self"]
                if item.future.done():
                    return False  # what awaits it has been told already
                function = item.fn if hasattr(item, "fn") else item.task[0]  # 3.14 keeps them together
                context = context_of(function)
                scope = None if context is None else context.get(current_scope)
                is_of_call = open_call(context, self._engine) is not None
                return is_of_call or (scope is not None and scope.instance.belongs_to(self._engine))
            current = current.f_back
        return False

    def _show(self, thread: threading.Thread, frame: FrameType | None) -> str:
        root = self._root
        while frame is not None and not is_users(frame.f_code.co_filename):
            frame = frame.f_back
        where = "" if frame is None else f": it is at {show_frame(frame, root)}"
        file, line = self._started.get(thread, ("", 0))
        started = f", started at {shown_path(file, root)}:{line}," if file else ""
        return (
            f"Thread {thread.name!r}{started} has not ended{where}. Nothing can stop a thread: the test's end leaves "
            "it behind."
        )

    def leave_behind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let neither the loop's end nor the interpreter's exit wait for those that have not ended."""
        left = {thread for thread, _ in self._at_work()}
        # Checked in CPython 3.11 to 3.14; uvloop does not show it. Without it the loop's end joins the executor's
        # threads, and waits for one that does not end.
        executor: Any = getattr(loop, "_default_executor", None)
        if executor is not None and left.intersection(executor._threads):
            loop._default_executor = None  # type: ignore[attr-defined]  # asyncio makes a new one when it needs one
            executor.shutdown(wait=False)
        for thread in left:
            pool._threads_queues.pop(thread, None)  # type: ignore[attr-defined]  # joined at the interpreter's exit


_open: WeakSet[WorkerThreads] = WeakSet()
"""The engines that take note of new threads."""


def is_idle(frame: FrameType) -> bool:
    """Whether a thread of a pool waits for work.

    Args:
        frame: Its innermost frame.
    """
    return frame.f_code is _IDLE


def waking(frames: Mapping[int, FrameType]) -> int:
    """How many threads of pools have got work, and have not woken yet.

    Args:
        frames: The innermost frames of the threads in question, by their identifiers.
    """
    idle: Counter[Any] = Counter()
    for thread in list(pool._threads_queues):
        frame, begun_with = frames.get(thread.ident or 0), getattr(thread, "_args", None)  # of one that has ended: none
        executor = begun_with[0]() if begun_with and frame is not None and is_idle(frame) else None
        if executor is not None:
            idle[executor] += 1
    return sum(min(count, max(0, _given(executor, count))) for executor, count in idle.items())


def _given(executor: Any, idle: int) -> int:
    """How much work of a pool no thread of it does yet, where so many seem to be idle."""
    # Checked in CPython 3.11 to 3.15: work is in the queue, and from 3.13 on it is handed to a thread that waits at the
    # queue. A pool counts the idle ones before that; in older versions the count is off where another thread was first.
    waiting: int = executor._work_queue.qsize()
    return waiting if sys.version_info < (3, 13) else waiting + idle - executor._idle_semaphore._value


def context_of(function: Any) -> Context | None:
    """The context that `asyncio.to_thread` runs a function in, also where somebody has wrapped that once more."""
    for part in (getattr(function, "func", None), *getattr(function, "args", ())):
        owner = getattr(part, "__self__", None)
        context = owner if isinstance(owner, Context) else context_of(part) if isinstance(part, partial) else None
        if context is not None:
            return context
    return None


@wraps(_start)
def _recorded_start(thread: threading.Thread) -> None:
    engine = running_engine()
    threads = next((one for one in _open if one.belong_to(engine)), None)
    if threads is None:
        _start(thread)
        return
    threads.note(thread, place_of_user())
    before = thread.daemon
    thread._daemonic = True  # type: ignore[attr-defined]
    try:
        _start(thread)
    finally:
        thread._daemonic = before  # type: ignore[attr-defined]
