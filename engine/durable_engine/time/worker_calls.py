"""Calls of the Worker's code other than workflows: handlers, methods of objects, alarms, consumers.

They belong to no instance. While code of one can run, virtual time stands still, as for an instance; its asyncio timers
are timers of virtual time. What the test calls runs in the test's own task; what time or another call sets off runs in
a task of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, Protocol, TypeVar

from durable_engine.context.asyncio_internals import scope_of, task_context
from durable_engine.context.scope import WorkerCall, current_call, current_scope, in_service, open_call
from durable_engine.errors import WaitTimeoutError
from durable_engine.guard.bounded_calls import call_bounded
from durable_engine.guard.guarded_engine import GuardedEngine

from .clock import Clock, Timer

T = TypeVar("T")


class CallingEngine(GuardedEngine, Protocol):
    """An engine in whose time the Worker's code is called."""

    @property
    def clock(self) -> Clock:
        """Virtual time, or real."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the engine is closed."""
        ...

    def schedule(self, due: int, callback: Callable[[], None], *, what: str, round: int | None = None) -> Timer:
        """Let `callback` be called when the clock reaches `due` (epoch milliseconds)."""
        ...


class WorkerCalls:
    """The calls of an engine that are under way, and the timers that will make one.

    Args:
        engine: The engine.
        until: Lets virtual time move until something holds; None where time passes by itself.
    """

    def __init__(self, engine: CallingEngine, until: Callable[[WorkerCall], Coroutine[Any, Any, None]] | None) -> None:
        self._engine = engine
        self._until = until
        self._base: Context | None = None
        self._leads: dict[WorkerCall, asyncio.Task[None]] = {}
        self._is_stopped = False
        self.open: dict[WorkerCall, None] = {}

    # -- calls that are under way ------------------------------------------------------------------------------------

    def enter(self, call: WorkerCall) -> None:
        """Note that a call begins: while its code can run, virtual time stands still."""
        self.open[call] = None

    def leave(self, call: WorkerCall) -> None:
        """Note that a call is over."""
        call.is_open = False
        self.open.pop(call, None)
        lead = self._leads.pop(call, None)
        if lead is not None:
            lead.cancel()

    def lead(self, call: WorkerCall) -> None:
        """Let virtual time move while a call that the test made waits, until it is over."""
        if not call.is_own and self._until is not None:
            self._leads[call] = self._engine.loop.create_task(_lead(call, self._until), context=Context())

    def tasks(self) -> list[asyncio.Task[Any]]:
        """The unfinished tasks that run code of the calls under way, and no code of an instance that one created."""
        contexts = ((task, task_context(task)) for task in asyncio.all_tasks(self._engine.loop))
        return [task for task, of in contexts if scope_of(of) is None and open_call(of, self._engine) is not None]

    # -- calls that time or another call sets off --------------------------------------------------------------------

    def spawn(
        self, work: Coroutine[Any, Any, T], what: str, *, setup: Callable[[], object] | None = None, round: int = 0
    ) -> asyncio.Task[T]:
        """Run code of the Worker now, in a task of its own and in no instance's name.

        Args:
            work: What to run.
            what: Names it at the start of a sentence, such as "Method `add` of COUNTER".
            setup: Sets context variables for it.
            round: How many timers led to it, each set by the call before.

        Returns:
            The task; whoever wants its outcome awaits it.
        """
        call = WorkerCall(self._engine, what, self._engine.new_subrequests(), round or self.round(), is_own=True)
        self.enter(call)
        context = self._context()
        if setup is not None:
            context.run(setup)
        context.run(current_call.set, call)
        task = self._engine.loop.create_task(work, context=context)
        task.add_done_callback(lambda _: self.leave(call), context=Context())
        return task

    def call_at(
        self,
        due: int,
        callback: Callable[[], Awaitable[None]],
        what: str,
        *,
        setup: Callable[[], object] | None = None,
        round: int | None = None,
    ) -> Timer:
        """Have something done when the clock reaches `due`; while it is being done, time stands still.

        Args:
            due: When, in epoch milliseconds; one in the past is now.
            callback: Does it. What it raises is the test's.
            what: Names it at the start of a sentence, such as "The alarm of COUNTER".
            setup: Sets context variables for it.
            round: How many timers led to this one, each set by the call that the one before it made; found out by
                default.
        """
        engine = self._engine
        of_this = self.round() + 1 if round is None else round

        def fire() -> None:
            if not self._is_stopped and not engine.closed:
                self.spawn(self._deliver(callback), what, setup=setup, round=of_this)

        return engine.schedule(max(due, engine.clock.now_ms), fire, what=what, round=of_this)

    async def _deliver(self, callback: Callable[[], Awaitable[object]]) -> None:
        call = current_call.get()
        assert call is not None
        try:
            _: object = await call_bounded(self._engine, call, callback)
        except BaseException as error:
            # These two end the session; a process that serves goes on.
            of_session = () if self._engine.is_live else (KeyboardInterrupt, SystemExit)
            if isinstance(error, (asyncio.CancelledError, GeneratorExit, *of_session)):
                raise
            self._engine.abort(error)

    @staticmethod
    def round() -> int:
        """How many timers led to the running code."""
        call = current_call.get()
        return 0 if call is None or not call.is_own else call.round

    def stop(self) -> None:
        """The test's call is over: no timer makes a call any more."""
        self._is_stopped = True

    def _context(self) -> Context:
        """The context of the code that first used the engine: the test's, or a fixture's."""
        if self._base is None:
            self._base = copy_context()
            self._base.run(current_scope.set, None)
            self._base.run(current_call.set, None)
            self._base.run(in_service.set, False)
        return self._base.copy()


async def _lead(call: WorkerCall, until: Callable[[WorkerCall], Coroutine[Any, Any, None]]) -> None:
    with contextlib.suppress(WaitTimeoutError):  # the call is told in its own words
        await until(call)
