"""The await stack of a step: the lines of the Worker's source on the way from `run` to the step."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any, NamedTuple

from pytest_workflows.sources.worker_code import Sources

_LOOPS_CALL = asyncio.Handle._run.__code__
"""The frame of the event loop that runs a task. Further out are the loop and whoever runs it: no code of the task.

A private name of asyncio, in 3.11 to 3.14; without it the stack would go on into the caller of the loop.
"""


class Line(NamedTuple):
    """A line of a function on the await stack.

    Attributes:
        code: The function's code.
        number: The line.
    """

    code: CodeType
    number: int


def running_lines(sources: Sources) -> list[Line]:
    """The Worker's functions that are on the stack of the running task, from the inside out."""
    return [Line(frame.f_code, frame.f_lineno) for frame in sources.frames_within(sys._getframe(1), _LOOPS_CALL)]


def lines_that_await(task: asyncio.Task[Any] | None, future: asyncio.Future[Any], sources: Sources) -> list[Line]:
    """The Worker's functions of a task that awaits a future, from the inside out; none if the task awaits another.

    What a task awaits is `_fut_waiter`, a private attribute of asyncio's tasks in 3.11 to 3.14, in C as in Python. In a
    version without it no line is found, and the rules that ask stay silent.
    """
    if task is None or getattr(task, "_fut_waiter", None) is not future:
        return []
    frames = [frame for frame in _suspended(task.get_coro()) if sources.is_code(frame.f_code)]
    return [Line(frame.f_code, frame.f_lineno) for frame in reversed(frames)]


def lines_that_gather(task: asyncio.Task[Any], child: asyncio.Task[Any], sources: Sources) -> list[Line]:
    """The Worker's functions of a task that awaits a gathering or a group of tasks, one of which is `child`.

    The children are `_children` of the future that `asyncio.gather` returns, and `_tasks` of a TaskGroup: private
    attributes in 3.11 to 3.14. In a version without them no line is found.

    Returns:
        The lines from the inside out; none if the task awaits something else.
    """
    children = getattr(getattr(task, "_fut_waiter", None), "_children", ())
    gathers = any(other is child for other in children)
    found = []
    for frame in _suspended(task.get_coro()):
        if frame.f_code.co_qualname.startswith("TaskGroup."):
            gathers = gathers or child in getattr(frame.f_locals.get("self"), "_tasks", ())
        elif sources.is_code(frame.f_code):
            found.append(Line(frame.f_code, frame.f_lineno))
    return found[::-1] if gathers else []


def _suspended(coroutine: Any) -> Iterator[FrameType]:
    while coroutine is not None:
        for prefix in ("cr", "gi", "ag"):
            frame = getattr(coroutine, f"{prefix}_frame", None)
            if frame is not None:
                yield frame
                coroutine = getattr(coroutine, f"{prefix}_await", None) or getattr(coroutine, "gi_yieldfrom", None)
                break
        else:
            return
