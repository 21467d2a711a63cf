"""The event loop of a test, as a thread sees it that wants something to run there: known, turning, blocked, or over."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from durable_engine import Engine

CHECK = 0.25
"""Seconds between two looks at a loop that does not turn."""

MOST_CHECKS = 8
"""Looks at a loop that stands at the same place, after which it is blocked; or without any loop."""

_NO_LOOP = (
    "No event loop runs in this test, and workflow_server serves the Worker on the test's loop. Make the test async, "
    "and let a synchronous client run in a thread: `await asyncio.to_thread(requests.get, workflow_server.url)`."
)
_BLOCKED = (
    "The test's event loop stands still at {place}, and workflow_server serves the Worker on that loop. Let a "
    "synchronous client run in a thread: `await asyncio.to_thread(requests.get, workflow_server.url)`; for a process, "
    "await `asyncio.create_subprocess_exec(...)`."
)
_OVER = "The test is over, and with it the Worker that it served."


class LoopError(Exception):
    """The loop of the test answers nothing.

    Args:
        message: Why, and what to do.
        is_mistake: Whether it is a mistake in the test; otherwise the test is over.
    """

    def __init__(self, message: str, *, is_mistake: bool) -> None:
        super().__init__(message)
        self.is_mistake = is_mistake


class LoopOfTest:
    """The loop of a test, which is known when the engine is first used, or runs in the main thread by then.

    Args:
        engine: Gives the engine.
        first: Called on the loop with the first turn.
    """

    def __init__(self, engine: Callable[[], Engine], first: Callable[[], object]) -> None:
        self._engine = engine
        self._first = first

    async def turn(self) -> None:
        """Wait until the loop has turned once: what is asked of it now is answered.

        Raises:
            LoopError: If it does not.
            Exception: What `first` raises.
        """
        loop = await self._find()
        here = asyncio.get_running_loop()
        turned: asyncio.Future[None] = here.create_future()
        loop.call_soon_threadsafe(self._turn, here, turned)
        last, same = None, 0
        while not turned.done():
            await asyncio.wait([turned], timeout=CHECK)
            if turned.done():
                break
            if not loop.is_running():
                raise LoopError(_OVER, is_mistake=False)
            frame = _frame_of_main()
            place = None if frame is None else (id(frame), frame.f_lasti)
            same, last = (same + 1 if place == last else 0), place
            if same >= MOST_CHECKS:
                raise LoopError(_BLOCKED.format(place=self._show(frame)), is_mistake=True)
        turned.result()

    def _turn(self, here: asyncio.AbstractEventLoop, turned: asyncio.Future[None]) -> None:
        """On the test's loop: note that it turns."""
        problem: BaseException | None = None
        try:
            if self._engine().loop is not None:
                self._first()
        except Exception as error:
            problem = error

        def note() -> None:
            if not turned.done() and problem is None:
                turned.set_result(None)
            elif not turned.done() and problem is not None:
                turned.set_exception(problem)

        here.call_soon_threadsafe(note)

    async def _find(self) -> asyncio.AbstractEventLoop:
        for _ in range(MOST_CHECKS):
            engine = self._engine()
            if engine.closed:
                raise LoopError(_OVER, is_mistake=False)
            loop = engine.running_loop or _loop_of_main()
            if loop is not None:
                return loop
            await asyncio.sleep(CHECK)
        raise LoopError(_NO_LOOP, is_mistake=True)

    def _show(self, frame: FrameType | None) -> str:
        from durable_engine import Owner, owner_of, shown_path

        while frame is not None and owner_of(frame.f_code.co_filename) is not Owner.USER:
            frame = frame.f_back
        if frame is None:
            return "an unknown place"
        return f"{shown_path(frame.f_code.co_filename, self._engine().root)}:{frame.f_lineno}"


def _frame_of_main() -> FrameType | None:
    return sys._current_frames().get(threading.main_thread().ident or 0)


def _loop_of_main() -> asyncio.AbstractEventLoop | None:
    """The loop that runs in the main thread, by its stack: nobody else knows it."""
    # Checked in CPython 3.11 to 3.14, and with uvloop: `asyncio.Runner.run`, and the loop's own methods, are there.
    frame = _frame_of_main()
    while frame is not None:
        owner = frame.f_locals.get("self") if frame.f_code.co_name in ("run", "run_forever") else None
        loop = owner.get_loop() if isinstance(owner, asyncio.Runner) else owner
        if isinstance(loop, asyncio.AbstractEventLoop) and loop.is_running():
            return loop
        frame = frame.f_back
    return None
