"""Pending errors for the test: its waits raise them, and those that no wait raised come at the test's end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from durable_engine.context.scope import current_scope
from durable_engine.errors import StepFailedError, UnreachableStatusError, WaitTimeoutError
from durable_engine.instance import Instance

from .effects import is_over
from .unprovided import UnprovidedUses

_IN_VAIN = (StepFailedError, UnreachableStatusError, WaitTimeoutError)
"""The exceptions of a wait whose condition does not come true."""


class PendingErrors:
    """Errors that the test must get: those that user code raised for it, and the uses of unprovided things.

    Args:
        unprovided: The uses of unprovided things.
        reject: Ends every wait with an error.
    """

    def __init__(self, unprovided: UnprovidedUses, reject: Callable[[BaseException], None]) -> None:
        self._unprovided = unprovided
        self._reject = reject
        self._aborted: BaseException | None = None
        self._raised: list[tuple[BaseException, asyncio.Task[Any]]] = []

    def add(self, error: BaseException) -> None:
        """Hand an exception of user code that is meant for the test to whoever waits."""
        if self._aborted is None:
            self._aborted = error
        self._reject(error)

    def take(self) -> BaseException | None:
        """Take the exception that user code raised for the test, if any; the caller hands it to the test."""
        aborted, self._aborted = self._aborted, None
        return aborted

    def raise_now(self) -> None:
        """Raise a kept exception in the task of the test that waits now; that task may catch it."""
        __tracebackhide__ = True
        error = self.take()
        if error is not None:
            self._raise_in_test(error)

    async def during(self, wait: Coroutine[Any, Any, None], about: tuple[str, str] | None = None) -> None:
        """Wait, and raise an error that the test must get meanwhile.

        Args:
            wait: The wait.
            about: The instance that it is about, by its workflow's binding name and its id; None for none.
        """
        __tracebackhide__ = True
        try:
            await wait
        except BaseException as error:
            if error is self._aborted:
                self.raise_now()
            use = self._unprovided.behind(about) if isinstance(error, _IN_VAIN) else None
            if use is None:
                raise
        else:
            return
        self._unprovided.report(use)
        self._raise_in_test(use)

    def _raise_in_test(self, error: BaseException) -> NoReturn:
        __tracebackhide__ = True
        task = asyncio.current_task()
        assert task is not None
        self._raised.append((error, task))
        raise error

    def raise_lost(self) -> None:
        """Raise a kept exception if the test has not got it: nobody waited, or a lost task did."""
        __tracebackhide__ = True
        for error, task in self._raised:
            # Checked in CPython 3.11 to 3.14: a task clears this when its outcome is asked for. Without it, an
            # exception that the test has caught would be raised once more.
            if task.done() and task._log_traceback:
                raise error
        if self._aborted is not None:
            raise self._aborted

    # -- what is not provided ----------------------------------------------------------------------------------------

    def keep_unprovided(self, error: BaseException) -> None:
        """Keep a use of something that is not provided by the running code, unless that was stopped.

        Args:
            error: One of the exceptions that say so, which is about to be raised there.
        """
        scope = current_scope.get()
        if not is_over():
            self._unprovided.keep(error, None if scope is None else scope.instance.key)

    def comes_of_unprovided(self, error: BaseException | None, instance: Instance) -> bool:
        """Whether the error of an attempt or an instance comes of something unprovided; if so, that use is kept."""
        use = self._unprovided.find(error)
        if use is not None and not instance.replaying:
            self._unprovided.keep(use, instance.key)
        return use is not None
