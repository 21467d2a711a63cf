"""What the calls of handlers and of methods have in common: arguments, what they leave behind, and the log."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any

from durable_engine import JsException, hide_frames, running_call

hide_frames(__file__)


def takes(handler: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    """Whether a handler can be called with these arguments; one that says nothing of its own takes any.

    Args:
        handler: The handler, bound.
        arguments: The arguments.
    """
    signature = _signature_of(handler)
    return signature is None or _fits(signature, arguments)


def as_many_as_taken(handler: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments for a handler such as `fetch`: the platform leaves out what it does not take, from the right.

    Args:
        handler: The handler, bound.
        arguments: The arguments; all of them are given where fewer do not help.
    """
    signature = _signature_of(handler)
    if signature is not None:
        for count in range(len(arguments), -1, -1):
            if _fits(signature, arguments[:count]):
                return arguments[:count]
    return arguments


def _signature_of(handler: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(handler)
    except (TypeError, ValueError):
        return None


def _fits(signature: inspect.Signature, arguments: tuple[Any, ...]) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


async def finish(background: list[asyncio.Future[Any]], whose: str) -> None:
    """Wait for the work that a call left behind; what it raises is in the log, as on the platform.

    Args:
        background: The work, a list that may grow meanwhile.
        whose: Who left it: `the fetch handler`.
    """
    call = running_call()
    what = None if call is None else call.what
    for task in background:
        if not task.done():
            coroutine = task.get_coro() if isinstance(task, asyncio.Task) else None
            name = getattr(coroutine, "__qualname__", "something")
            if call is not None:
                call.what = f"`{name}()`, which {whose} gave to waitUntil,"
                call.task = task
            await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            log(f"What {whose} gave to waitUntil", error)
    if call is not None and what is not None:
        call.what, call.task = what, None


def log(what: str, error: BaseException) -> None:
    """Write an exception that the platform catches to the log, which pytest shows where the test fails.

    Args:
        what: What raised it, at the start of a sentence.
        error: The exception.
    """
    kind = error.name if isinstance(error, JsException) else type(error).__qualname__
    logging.getLogger("pytest_workflows").error("%s raised %s", what, kind, exc_info=error)


__all__ = ["as_many_as_taken", "finish", "log", "takes"]
