"""Questions to what is served: on its loop, and answered in words where that loop does not give way."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import sysconfig
import threading
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from durable_engine import Shown, StoreError, is_hidden

from .errors import INTERNAL, ApiError
from .served import on_loop

if TYPE_CHECKING:
    from .served import Served

T = TypeVar("T")

_LIBRARIES: Final = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "<frozen"})

PATIENCE = 10.0
"""Real seconds that an answer may take, where the loop is another one."""


class Asker:
    """Asks something of what is served.

    Args:
        served: What is served.
        patience: Real seconds that an answer may take; `PATIENCE` by default.
    """

    def __init__(self, served: Served, patience: float | None = None) -> None:
        self.served = served
        self._patience = PATIENCE if patience is None else patience
        self._thread: int | None = None

    async def ask(self, question: Callable[[], Awaitable[T]], *, is_long: bool = False, is_reading: bool = False) -> T:
        """Ask something, on the loop of what is served; what was written by then is on disk.

        Args:
            question: Makes what is awaited there.
            is_long: Whether it takes its time, as a handler of the Worker does.
            is_reading: Whether it changes nothing: where nothing can be stored, it shows what is in memory.

        Raises:
            ApiError: If the loop does not give way, or nothing can be stored.
        """
        try:
            if is_long or asyncio.get_running_loop() is self.served.loop:
                return await on_loop(self.served, question, is_reading=is_reading)
            asked = on_loop(self.served, self._known(question), is_reading=is_reading)
            return await self._in_time(asked, may_be_done=not is_reading)
        except StoreError as error:
            raise ApiError(503, INTERNAL, str(error), may_be_done=True) from None

    async def read(self, question: Callable[[], T], about: Callable[[T], Shown | None] = lambda _: None) -> T:
        """The same for something that waits for nothing. Where nothing can be stored, it shows what is in memory.

        Args:
            question: Gives the answer, on the loop of what is served.
            about: Gives what an answer tells of, where that is not everything: nothing else has to be on disk.

        Raises:
            ApiError: If the loop does not give way.
        """
        loop, here = self.served.loop, asyncio.get_running_loop()
        if here is loop:
            try:
                return question()
            finally:
                with contextlib.suppress(StoreError):
                    await self.served.engine.store.stored()
        answered: asyncio.Future[T] = here.create_future()

        def answer() -> None:
            self._thread = threading.get_ident()
            try:
                found = question()
                settle: Callable[[], None] = partial(answered.set_result, found)
                shown = about(found)
            except Exception as error:  # that there is no such instance is an answer as well
                settle, shown = partial(answered.set_exception, error), None
            self.served.engine.store.once_stored(lambda _: _tell(answered, settle), shown)

        # Each task that starts or wakes on the way would cost a turn of that loop, which has much to do.
        loop.call_soon_threadsafe(answer)
        return await self._in_time(answered, may_be_done=False)

    async def made(self, make: Callable[[], T]) -> T:
        """What takes its time, such as the shape of a thousand steps: made in a thread, and others are answered.

        Args:
            make: Makes it, of nothing that changes meanwhile.
        """
        if asyncio.get_running_loop() is self.served.loop:
            return make()
        return await asyncio.to_thread(make)

    def _known(self, question: Callable[[], Awaitable[T]]) -> Callable[[], Coroutine[Any, Any, T]]:
        """The same question, which notes the thread that it is answered in."""

        async def known() -> T:
            self._thread = threading.get_ident()
            return await question()

        return known

    async def _in_time(self, answer: Awaitable[T], *, may_be_done: bool) -> T:
        try:
            return await asyncio.wait_for(answer, self._patience)
        except TimeoutError:
            why = f"{self._why()} What was asked for may still be done then." if may_be_done else self._why()
            raise ApiError(503, INTERNAL, why, may_be_done=may_be_done) from None

    def _why(self) -> str:
        place = self._place()
        where = f", at {place}" if place else ""
        return (
            f"The Worker's code has not given way to the event loop for {self._patience:g} seconds{where}. A call that "
            "blocks (time.sleep, a long calculation, a driver that is not async) holds up everything else here; the "
            "answer comes once it is over."
        )

    def _place(self) -> str | None:
        """File and line of the code that runs on that loop, where it is known which thread that is."""
        frame = None if self._thread is None else sys._current_frames().get(self._thread)
        for found in reversed(traceback.extract_stack(frame) if frame is not None else []):
            if not is_hidden(found.filename) and not found.filename.startswith(_LIBRARIES):
                return f"{found.filename}:{found.lineno}"
        return None


def _tell(answered: asyncio.Future[Any], settle: Callable[[], object]) -> None:
    """Settle a future of another loop, from whichever thread; nobody awaits one whose loop is over."""
    loop = answered.get_loop()
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(lambda: None if answered.done() else settle())
