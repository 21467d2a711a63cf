"""What a task of a Worker's code waits for: time alone, its own other code, or something that real time brings.

A step may do real I/O, which virtual time must not race. So time moves under a step only where all of its tasks wait
for time. asyncio does not say who settles a future; the frame that awaits it says what kind of thing it is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import IntEnum
from functools import partial
from types import FrameType
from typing import Any

import msgspec

from durable_engine.context.asyncio_internals import frames_of, gathered_by, waiting_for
from durable_engine.context.frames import Owner, owner_of

# Checked in CPython 3.11 to 3.14. Where a version does it otherwise, code that waits so counts as waiting for something
# foreign, and its sleeps are real.
_WAIT = asyncio.tasks._wait.__code__  # type: ignore[attr-defined]
_LOCKS = frozenset(kind.__code__.co_filename for kind in (asyncio.Event.wait, asyncio.Queue.get))


class Wait(IntEnum):
    """What code waits for; of several things the greatest counts."""

    TIME = 0
    """A timer, or other code of the Worker, which is looked at as well: also that which has a lock."""

    UNCLEAR = 1
    """An event, a queue, a future that other code of the Worker has too, a lock of the test: anybody may settle it."""

    FOREIGN = 2
    """A connection, a thread, something of the test, or anything unknown."""


class Surroundings(msgspec.Struct):
    """What is known about the code that a task belongs to.

    Args:
        timers: The timers that the code has set.
        tasks: Its unfinished tasks.
        settled_by_time: The ids of futures that virtual time settles: ends of sleeps, steps, waits for events.
        is_workers: Whether a task runs code of the Worker, which is looked at by itself.
        is_of_test: Whether the test itself has hold of something.
        follows_calls: Whether what awaits a stand-in waits for a call of the Worker's other code, which is looked at.
    """

    timers: Collection[Any]
    tasks: Collection[asyncio.Task[Any]]
    settled_by_time: Collection[int]
    is_workers: Callable[[asyncio.Task[Any]], bool]
    is_of_test: Callable[[object], bool]
    follows_calls: bool

    def of_all(self, tasks: Iterable[asyncio.Task[Any]]) -> Wait:
        """What the last of these suspended tasks waits for."""
        return max((self._of(waiting_for(task), task) for task in tasks), default=Wait.TIME)

    def _of_futures(self, futures: Iterable[Any]) -> Wait:
        return max((self._of(future, None) for future in futures if not future.done()), default=Wait.TIME)

    def _of(self, future: Any, task: asyncio.Task[Any] | None) -> Wait:
        if id(future) in self.settled_by_time or getattr(future, "settled_by_code", False):
            return Wait.TIME
        gathered = gathered_by(future)
        if gathered:
            return self._of_futures(gathered)
        if isinstance(future, asyncio.Task):
            return Wait.TIME if self.is_workers(future) else Wait.FOREIGN
        shielded = _shielded_by(future)
        if shielded is not None:
            return self._of(shielded, None)
        known = None if task is None else self._by_frames(list(frames_of(task.get_coro())), future)
        return self._of_holders(future, task) if known is None else known

    def _by_frames(self, frames: list[FrameType], future: object) -> Wait | None:
        """What a task with these frames waits for, the innermost one last; None for a future of no known kind."""
        frame = next(reversed(frames), None)
        if frame is None:
            return None
        code, variables = frame.f_code, frame.f_locals
        if code is _WAIT:
            return self._of_futures(variables["fs"])
        if variables.get("waiter") is future and "fut" in variables:  # pragma: no cover (`wait_for` of 3.11 alone)
            return self._of(variables["fut"], None)
        files = (frame.f_code.co_filename for frame in reversed(frames))
        awaiting = next((file for file in files if file not in _LOCKS), "")
        if self.follows_calls and owner_of(awaiting) is Owner.OURS:
            return Wait.TIME
        owner = variables.get("self")
        if _attributes(owner).get("_on_completed_fut") is future:
            return Wait.TIME  # a group of tasks, asyncio's or anyio's: they are the code's own
        if code.co_filename in _LOCKS:
            # Who has a lock works under it, and is looked at by itself; a signal comes from whoever gives it.
            is_lock = isinstance(owner, asyncio.Lock | asyncio.Semaphore)
            if self.is_of_test(owner):
                return Wait.UNCLEAR if is_lock else Wait.FOREIGN
            return Wait.TIME if is_lock else Wait.UNCLEAR
        return None

    def _of_holders(self, future: object, waiting: asyncio.Task[Any] | None) -> Wait:
        """Who may settle a future, by who has hold of it."""
        if self.is_of_test(future):
            return Wait.FOREIGN
        if any(_has_hold(timer._callback, future) or _has(timer._args or (), future) for timer in self.timers):
            return Wait.UNCLEAR
        others = (task for task in self.tasks if task is not waiting)
        frames = (frame for task in others for frame in frames_of(task.get_coro()))
        return Wait.UNCLEAR if any(mentions(frame, future) for frame in frames) else Wait.FOREIGN


def mentions(frame: FrameType, wanted: object) -> bool:
    """Whether a variable of a frame is this, or something that has it as an item or an attribute."""
    for value in list(frame.f_locals.values()):
        if value is wanted:
            return True
        if isinstance(value, dict):
            parts: Iterable[object] = value.values()
        elif isinstance(value, list | tuple | set | frozenset | deque):
            parts = value
        else:
            parts = _attributes(value).values()
        if _has(list(parts), wanted):
            return True
    return False


def _has(parts: Iterable[object], wanted: object) -> bool:
    """Whether one of these is this very object: `in` would ask them whether they are equal."""
    return any(part is wanted for part in parts)


def _attributes(value: object) -> Mapping[str, object]:
    """What an object keeps itself. Code of its own, such as `__getattr__`, is not called for it."""
    try:
        attributes: Mapping[str, object] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return attributes


def _shielded_by(future: Any) -> Any:
    """What `asyncio.shield` keeps from being cancelled behind this future; None where it is no such."""
    # Checked in CPython 3.11 to 3.14: the future has a callback whose closure has the inner one.
    for callback, _ in list(getattr(future, "_callbacks", None) or ()):
        if getattr(callback, "__name__", "") == "_outer_done_callback":
            names = dict(zip(callback.__code__.co_freevars, callback.__closure__, strict=True))
            return names["inner"].cell_contents
    return None


def _has_hold(callback: Any, wanted: object) -> bool:
    """Whether a callback is about this object: a method of it, or one that has it as an argument or a variable."""
    if isinstance(callback, partial):
        return _has(callback.args, wanted) or _has_hold(callback.func, wanted)
    if getattr(callback, "__self__", None) is wanted:
        return True
    return any(cell.cell_contents is wanted for cell in getattr(callback, "__closure__", None) or () if _is_set(cell))


def _is_set(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False
