"""The thread on which the Worker's code runs, with an event loop of its own: no request waits behind it unheard."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

_STOPPING = 5.0
"""Seconds that code of the Worker has to give way at the end."""

_TURN = 1.0
"""Seconds within which a loop turns then whose code gives way."""

_WRITING = 60.0
"""Seconds that what is done at the end may take while the loop turns: a disk may be slow."""


class EngineThread:
    """A thread with an event loop that runs until it is stopped."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Let the loop run."""
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        while not self._is_stopping:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:  # of a task that the Worker's code has started
                logging.getLogger("pytest_workflows").error("A task of the Worker raised %r", error, exc_info=error)
        asyncio.set_event_loop(None)

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Let something run on the loop.

        Args:
            work: What to run.
        """
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Let something run on the loop, and wait for it.

        Args:
            work: What to run.
        """
        return self.submit(work).result()

    async def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """Let something run on the loop, and await it on another one.

        Args:
            work: What to run.
        """
        return await asyncio.wrap_future(self.submit(work))

    def where(self, folder: str) -> str:
        """Where the thread is just now, as file and line; empty where it does not run.

        Args:
            folder: The folder whose innermost code is meant, if any of it runs.
        """
        frame = sys._current_frames().get(self._thread.ident or -1)
        stack = traceback.extract_stack(frame) if frame is not None else []
        own = [one for one in stack if one.filename.startswith(folder)]
        return "".join(f"{one.filename}:{one.lineno}: {one.line}" for one in (own or stack)[-1:])

    def stop(self, last: Coroutine[Any, Any, None]) -> bool:
        """End the loop.

        Args:
            last: What is done before.

        Returns:
            Whether it has ended: False where code of the Worker does not give way.
        """
        ending, until = self.submit(last), monotonic() + _WRITING
        try:
            while not wait([ending], _STOPPING).done:
                if not self._turns() or monotonic() > until:
                    return False
            ending.result()
        except BaseException:
            self._end()
            raise
        return self._end()

    def _turns(self) -> bool:
        turned = threading.Event()
        self._loop.call_soon_threadsafe(turned.set)
        return turned.wait(_TURN)

    def _end(self) -> bool:
        self._is_stopping = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOPPING)
        if self._thread.is_alive():
            return False
        self._loop.run_until_complete(_cancel_all())
        self._loop.close()
        return True


async def _cancel_all() -> None:
    """As `asyncio.run` does: what still runs is cancelled."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
