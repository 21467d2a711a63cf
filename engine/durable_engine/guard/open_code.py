"""Await sites: the place that each step under way awaits at, for the message of a wait that timed out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import FrameType
from typing import Any

from durable_engine.context.asyncio_internals import frames_of, scope_of, task_context
from durable_engine.context.frames import is_users, show_frame
from durable_engine.context.scope import Scope

from .guarded_engine import GuardedEngine

MOST = 10
"""The most places that are shown."""

IF_SLOW = (
    "If it is only slow, give the wait more time: `timeout=`, `@pytest.mark.workflow(timeout=...)` or ini "
    "`workflows_timeout`."
)
WHAT_TO_DO = f"Stand in for what it awaits and never gets: mock the step, the event or the request.\n{IF_SLOW}"


def open_code(engine: GuardedEngine, about: tuple[str, str] | None) -> str:
    """Lines about the code that is at work: where it stands, which threads of it run, and what to do then.

    Args:
        engine: The engine.
        about: The instance's workflow and id; None for all.
    """
    lines = [*sorted(_places(engine, about)), *engine.threads.at_work()]
    more = [f"... and {len(lines) - MOST} more."] if len(lines) > MOST else []
    advice = [WHAT_TO_DO] if lines else []
    return "".join(f"\n{line}" for line in [*lines[:MOST], *more, *advice])


def _places(engine: GuardedEngine, about: tuple[str, str] | None) -> Iterator[str]:
    for task in asyncio.all_tasks(engine.loop):
        scope = scope_of(task_context(task))
        if scope is None or not scope.instance.belongs_to(engine) or scope.instance.closed or scope.open:
            continue
        if about is None or about == (scope.instance.workflow.name, scope.instance.id):
            frame = innermost(task.get_coro())
            if frame is not None:
                yield f"{name_of(scope)} is at {show_frame(frame, engine.root)}."


def name_of(scope: Scope) -> str:
    """The code of a scope, at the start of a sentence."""
    instance = scope.instance
    what = "run()" if scope.step is None else f"Step {scope.step.label!r} (attempt {scope.attempt})"
    return f"{what} of instance {instance.id!r} of {instance.workflow.name!r}"


def innermost(coroutine: Any) -> FrameType | None:
    """The innermost frame of the user's of a suspended coroutine, down what it awaits."""
    found = [frame for frame in frames_of(coroutine) if is_users(frame.f_code.co_filename)]
    return found[-1] if found else None
