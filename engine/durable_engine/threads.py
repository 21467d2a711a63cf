"""Threads that code of a Worker starts: nothing waits for one that does not end.

Nothing can end a thread from outside. So while an engine is open, a thread that starts in code of a workflow counts as
a daemon for the interpreter, which then does not wait for it at its exit; what the code sees of it stays as it is.
Looked at in CPython 3.11 to 3.14: `Thread._daemonic` is read while the thread starts, and not later.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import thread as pool
from functools import wraps
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from .frames import is_users, place_of_user, show_frame
from .model import Place
from .scope import running_engine
from .source_paths import shown_path

if TYPE_CHECKING:
    from .engine import Engine

_start = threading.Thread.start
_open: WeakSet[Engine] = WeakSet()
_IDLE = pool._worker.__code__
"""What a thread of a pool is in while it has nothing to do."""


class WorkerThreads:
    """The threads that code of an engine's instances has started.

    Args:
        engine: The engine.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._started: WeakKeyDictionary[threading.Thread, Place] = WeakKeyDictionary()

    def open(self) -> None:
        """Take note of threads from now on."""
        _open.add(self._engine)
        threading.Thread.start = _noted_start  # type: ignore[method-assign, assignment]

    def close(self) -> None:
        """Take note of them no longer."""
        _open.discard(self._engine)
        if not _open and threading.Thread.start is _noted_start:
            threading.Thread.start = _start  # type: ignore[method-assign]

    def note(self, thread: threading.Thread, place: Place) -> None:
        """A thread is started, from that place."""
        self._started[thread] = place

    def at_work(self) -> list[str]:
        """The threads that have not ended, a sentence for each."""
        return [self._show(thread, place, frame) for thread, place, frame in self._at_work()]

    def _at_work(self) -> Iterator[tuple[threading.Thread, Place, FrameType]]:
        frames = sys._current_frames()
        for thread, place in list(self._started.items()):
            frame = frames.get(thread.ident or 0)
            if thread.is_alive() and frame is not None and frame.f_code is not _IDLE:
                yield thread, place, frame

    def _show(self, thread: threading.Thread, place: Place, frame: FrameType | None) -> str:
        root = self._engine.root
        while frame is not None and not is_users(frame.f_code.co_filename):
            frame = frame.f_back
        where = "" if frame is None else f": it is at {show_frame(frame, root)}"
        file, line = place
        return (
            f"Thread {thread.name!r}, started at {shown_path(file, root)}:{line}, has not ended{where}. "
            "Nothing can stop a thread: the test's end leaves it behind."
        )

    def leave_behind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let neither the loop's end nor the interpreter's exit wait for those that have not ended."""
        left = {thread for thread, *_ in self._at_work()}
        executor: Any = getattr(loop, "_default_executor", None)  # uvloop does not show it
        if executor is not None and left.intersection(executor._threads):
            loop._default_executor = None  # type: ignore[attr-defined]  # asyncio makes a new one when it needs one
            executor.shutdown(wait=False)
        for thread in left:
            pool._threads_queues.pop(thread, None)  # type: ignore[attr-defined]  # joined at the interpreter's exit


@wraps(_start)
def _noted_start(thread: threading.Thread) -> None:
    engine = running_engine()
    if engine is None:
        _start(thread)
        return
    engine.threads.note(thread, place_of_user())
    before = thread.daemon
    thread._daemonic = True  # type: ignore[attr-defined]
    try:
        _start(thread)
    finally:
        thread._daemonic = before  # type: ignore[attr-defined]
