"""What a call of a quick wrapper gives, where its answer is there at once: a coroutine, as of any call of a binding."""

from __future__ import annotations

from typing import TypeVar

from pytest_workflows.javascript.tasks import Turn, others_are_ready

T = TypeVar("T")


async def resolved(value: T) -> T:
    """An answer; others go first, where others are ready."""
    if others_are_ready():
        await Turn()
    return value


async def rejected(error: Exception) -> None:
    """An error in place of an answer."""
    if others_are_ready():
        await Turn()
    raise error
