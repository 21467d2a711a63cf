"""Detection of steps that only sleep: their asyncio timers may run on virtual time.

A step may do real I/O, and its libraries set timers of their own. So a step counts as asleep only where each of its
tasks is in an `asyncio.sleep`, or waits for another task of the step. Short sleeps are left to real time: code that
polls for something real sleeps so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Any

from durable_engine.context.asyncio_internals import WAKE, is_asyncios, scope_of, task_context, waiting_for
from durable_engine.context.scope import Scope

SHORT_MS = 1000
"""A sleep of a step that is no longer than this is real."""


def by_scope(tasks: Iterable[asyncio.Task[Any]]) -> dict[Scope, list[asyncio.Task[Any]]]:
    """Tasks by the scope that their code belongs to; those of the test are left out."""
    found: dict[Scope, list[asyncio.Task[Any]]] = {}
    for task in tasks:
        scope = scope_of(task_context(task))
        if scope is not None:
            found.setdefault(scope, []).append(task)
    return found


def is_asleep(timers: Collection[tuple[int, Any]], tasks: Collection[asyncio.Task[Any]]) -> bool:
    """Whether all that happens next to a step's code is that one of its timers fires.

    Args:
        timers: The timers that it has set: how long each was when it was set, in milliseconds, and its handle.
        tasks: Its unfinished tasks.
    """
    if not all(length > SHORT_MS and is_asyncios(handle._callback) for length, handle in timers):
        return False
    sleeps = {id(handle._args[0]) for _, handle in timers if handle._callback is WAKE}
    ends = sleeps.union(map(id, tasks))
    return all(_ends_with(waiting_for(task), ends) for task in tasks)


def _ends_with(future: Any, ends: set[int]) -> bool:
    # Checked in CPython 3.11 to 3.14: the future of a `gather` has `_children`. Without it a step that gathers sleeps
    # would count as at work, and its sleeps would be real.
    children = getattr(future, "_children", None)
    if children:
        return all(child.done() or id(child) in ends for child in children)
    # A promise of JavaScript that has no task of its own: what settles it is among the step's other tasks and timers.
    return id(future) in ends or getattr(future, "settled_by_code", False)
