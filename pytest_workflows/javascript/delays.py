"""Calls that are made after a time, each with a number by which it is taken back."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from .tasks import keep_running

_numbers = itertools.count(1)
_pending: dict[int, asyncio.Task[None]] = {}


def after(ms: float, callback: Callable[[], Any], *, again: bool = False) -> int:
    """Call back after a time.

    Args:
        ms: Milliseconds; what is no number counts as 0.
        callback: What is called.
        again: Whether to call back every time that so much has passed.

    Returns:
        A number for `clear_delay`.
    """
    number = next(_numbers)
    seconds = max(0.0, ms / 1000) if ms == ms else 0.0

    async def wait() -> None:
        try:
            await asyncio.sleep(seconds)
            while again and number in _pending:
                callback()
                await asyncio.sleep(seconds)
        finally:
            is_cleared = _pending.pop(number, None) is None
        if not (again or is_cleared):
            callback()

    task = _pending[number] = asyncio.get_running_loop().create_task(wait())
    keep_running(task)
    return number


def clear_delay(number: int) -> None:
    """Take a call back; one that is not known is ignored."""
    task = _pending.pop(number, None)
    if task is not None and task is not asyncio.current_task():
        task.cancel()
