"""A Durable Object in memory: it is made by its first call, its events come one after another through its sections.

Source: workerd 1.20261117.1, observed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from durable_engine import JsException, hide_frames
from pytest_workflows.javascript.objects import js_error

from .crossing import call_python
from .durable_ids import DurableObjectId
from .handler_calls import log
from .object_alarms import AlarmInvocationInfo
from .object_sections import Sections
from .object_state import DurableObjectState
from .object_storage import DurableObjectStorage, ObjectWrites

if TYPE_CHECKING:
    from .durable_objects import ObjectClass

hide_frames(__file__)

T = TypeVar("T")


class RunningObject:
    """A Durable Object in memory.

    Args:
        object_class: Its class.
        id: Its id, with the name that its first caller knew.

    Attributes:
        id: As given.
        host: The test.
        what: Names it at the start of a sentence.
        sections: Its open sections.
        sockets: Its WebSockets.
        alarm: Its alarm.
        writes: What it wrote last.
        broken: What its calls fail with, once it has ended.
        instance: What the class made.
        state: Its `ctx`, as JavaScript has it.
    """

    def __init__(self, object_class: ObjectClass, id: DurableObjectId) -> None:
        self._class = object_class
        self.id = id
        self.host = host = object_class.host
        self.what = object_class.what(id)
        self.sections = Sections()
        self.sockets = object_class.sockets(id)
        self.broken: BaseException | None = None
        self.instance: Any = None
        self._is_made = False
        self._tasks: set[asyncio.Task[Any]] = set()
        data = object_class.store.data(id._digits)
        self.alarm = object_class.alarm(id)
        on_first = self._keep_soon if object_class.store.is_kept else None
        self.writes = ObjectWrites(data, host.now_ms, self.alarm.changed, on_first)
        self.state = DurableObjectState(
            self,
            id,
            DurableObjectStorage(
                self.writes,
                self.sections,
                host,
                is_sqlite=object_class.is_sqlite,
                clears_alarm=host.is_on("delete_all_deletes_alarm", "2026-02-24"),
                has_optional_fields=host.is_on("pedantic_optional_fields", "2025-12-03"),
            ),
        )

    # -- events --------------------------------------------------------------------------------------------------------

    async def deliver(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Do something in the object, when no section of it is open.

        Args:
            work: What to do with what the class made.

        Raises:
            BaseException: What the object ended with, if it did meanwhile.
        """
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if not self._is_made:
                self._make()
            if self.sections.is_open:
                await self.sections.wait()
            result = await work(self.instance)
        except BaseException:
            if self.broken is not None:
                _uncancel(task)
                raise self._end_of_call() from None
            raise
        finally:
            self._tasks.discard(task)
            if self.broken is None:
                self._keep()
        if self.broken is not None:
            raise self._end_of_call()
        return result

    def _keep(self) -> None:
        """Make what was written last; an object whose writes cannot be kept is ended."""
        try:
            self.writes.keep()
        except JsException as error:
            self.end(error)
            raise

    def _keep_soon(self) -> None:
        """Make what is being written before anybody else's turn comes: the process may end at any time."""

        def keep() -> None:
            if self.broken is None:
                with contextlib.suppress(JsException):  # the calls that are under way fail with it
                    self._keep()

        asyncio.get_running_loop().call_soon(keep)

    def _make(self) -> None:
        try:
            self.instance = self._class.make(self.state)
            self._is_made = True
        except BaseException:
            self._class.forget(self)
            raise

    def _end_of_call(self) -> BaseException:
        error = self.broken
        assert error is not None
        if not isinstance(error, JsException):
            return error
        again = js_error(error.name, error.message)
        again.__dict__.update(vars(error))
        again.durableObjectReset = True  # type: ignore[attr-defined]
        return again

    async def call_handler(self, name: str, *args: Any) -> None:
        """Call a handler with as many arguments as it takes.

        Args:
            name: The handler.
            *args: Its arguments, values of JavaScript.

        Raises:
            JsException: What it raises, or that there is none.
        """

        async def work(instance: Any) -> None:
            handler = getattr(instance, name, None)
            if handler is None:
                raise js_error("Error", f"Handler does not export a {name}() function.")
            await call_python(self.host, handler, args, takes_fewer=True)

        await self.deliver(work)

    async def handle_alarm(self, info: AlarmInvocationInfo) -> bool:
        """Run the alarm's handler; whether it succeeded. What it raises is in the log.

        Args:
            info: What it is given.
        """
        try:
            await self.call_handler("alarm", info)
        except Exception as error:
            # The class may fail with anything as it is made: that ends a test, and no process that serves.
            if not (isinstance(error, JsException) or self._class.store.is_kept):
                raise
            log(f"The alarm of {self.what}", error)
            return False
        return True

    # -- its end -------------------------------------------------------------------------------------------------------

    def end(self, error: BaseException) -> None:
        """End it: what it wrote last is undone, and the calls that are under way fail.

        Args:
            error: What they fail with.
        """
        if self.broken is not None:
            return
        self.broken = error
        is_lost = self.writes.undo()
        self.writes.is_over = self._class.store.is_kept
        self._class.forget(self)
        if is_lost:
            self.host.warn(
                "lost-write",
                f"{self.what} was ended right after it wrote: what it wrote in this call is lost, although it awaited "
                "the write. Await self.ctx.storage.sync() before it ends.",
            )
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()

    @property
    def is_busy(self) -> bool:
        """Whether a call of it is under way."""
        return bool(self._tasks)


def _uncancel(task: asyncio.Task[Any]) -> None:
    while task.cancelling():
        task.uncancel()


__all__ = ["RunningObject"]
