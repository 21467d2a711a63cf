"""On whose behalf a thread or a task runs, for where no frame says: a library's code runs there alone."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

from durable_engine import hide_frames
from pytest_workflows.active_test import Caller

hide_frames(__file__)

_thread = threading.local()
_task_caller: contextvars.ContextVar[Caller | None] = contextvars.ContextVar("pytest_workflows_caller", default=None)
T = TypeVar("T")


def caller_of_thread() -> Caller | None:
    """The caller for which this thread runs a function of an event loop; None where that is not known."""
    return getattr(_thread, "caller", None)


def caller_of_task() -> Caller | None:
    """The caller that started the running task, in a workflow or a handler; None where that is not known."""
    return _task_caller.get()


def run_for(caller: Caller | None, function: Callable[..., T], *args: object) -> T:
    """Run a function in a thread, on behalf of the caller that asked the event loop for that."""
    before, _thread.caller = caller_of_thread(), caller
    try:
        return function(*args)
    finally:
        _thread.caller = before


def context_for(caller: Caller | None) -> contextvars.Context:
    """A copy of the current context, for a task that is started on this behalf."""
    context = contextvars.copy_context()
    context.run(_task_caller.set, caller)
    return context
