"""A waiter: what one wait of a test is for, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from durable_engine.errors import InvalidArgumentError

MOST_SECONDS = 1_000_000_000
"""The longest timeout of a wait: some thirty years, which every timer of every system takes."""


def read_timeout(timeout: float | None, default: float) -> float:
    """Read the limit of a wait, in real seconds.

    Raises:
        InvalidArgumentError: If it is no number above 0, or beyond what timers take.
    """
    if timeout is None:
        return default
    if isinstance(timeout, int | float) and abs(timeout) > MOST_SECONDS:
        # Not by its repr: Python refuses to write an int of many thousand digits.
        raise InvalidArgumentError(
            f"timeout is a number of real seconds above 0 and up to {MOST_SECONDS:,}; this one is beyond that."
        )
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise InvalidArgumentError(f"timeout is a number of real seconds above 0, not {timeout!r}.")
    return timeout


class Waiter:
    """A waiter for a condition.

    Args:
        evaluate: Returns whether the condition holds; raises when it can no longer hold.
        describe: Describes the condition and the present state, for the error.
        about: The instance that it is about (workflow and id); None for the whole engine, until it is idle.
        for_step: Whether the end of the execution ends the wait.
        is_patient: Whether it goes on where nothing can run: what it waits for may come from elsewhere.

    Attributes:
        settled: Whether there is nothing left to wait for.
        error: What it must raise then, if anything.
    """

    def __init__(
        self,
        evaluate: Callable[[], bool],
        describe: Callable[[], str],
        about: tuple[str, str] | None = None,
        for_step: bool = False,
        is_patient: bool = False,
    ) -> None:
        self._evaluate = evaluate
        self.about = about
        self.for_step = for_step
        self.is_patient = is_patient
        self.describe = describe
        self.error: BaseException | None = None
        self.settled = False
        self.expired = False
        self.deadline = 0.0
        self.wake: asyncio.Future[None] | None = None
        self.task: asyncio.Task[Any] | None = None

    def check(self) -> None:
        """Find out whether the condition holds by now."""
        __tracebackhide__ = True
        if not self.settled:
            try:
                is_true = self._evaluate()
            except Exception as exc:
                self.reject(exc)
            else:
                if is_true:
                    self.satisfy()

    def satisfy(self) -> None:
        """The wait is over."""
        self.settled = True
        self.rouse()

    def reject(self, error: BaseException) -> None:
        """The wait is over, with this error."""
        if not self.settled:
            self.error = error
            self.satisfy()

    def rouse(self) -> None:
        """Let the waiter's task check its condition."""
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(None)
