"""The event loop of an engine, and the code of its instances that runs there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context

from durable_engine.context.loop_timers import EngineTime, stop_watching, watch_timers
from durable_engine.context.scope import current_scope
from durable_engine.context.started_tasks import register_tasks, stop_registering, tasks_of
from durable_engine.errors import EngineError
from durable_engine.instance import Instance

from .guarded_engine import GuardedEngine
from .loop_guard import LoopGuard
from .task_teardown import ReadyHandles, kill
from .watchdog import WATCHDOG


class EngineLoop:
    """The loop that was running when the engine was first used; nothing of the engine runs on another one.

    Args:
        engine: The engine.
        check_open: Raises if the engine is closed.

    Attributes:
        on_first_use: What is to be done once the loop is known.
    """

    def __init__(self, engine: GuardedEngine, check_open: Callable[[], None]) -> None:
        self._engine = engine
        self._check_open = check_open
        self._loop: asyncio.AbstractEventLoop | None = None
        self._guard = LoopGuard(engine)
        self._ready = ReadyHandles()
        self.on_first_use: list[Callable[[], object]] = []

    def get(self) -> asyncio.AbstractEventLoop:
        """The loop.

        Raises:
            EngineError: If it is not the one that runs.
        """
        known = self._loop
        if known is None or not known.is_running():
            self._check_open()
            try:
                running = asyncio.get_running_loop()
            except RuntimeError:
                raise EngineError(
                    "Workflows run on asyncio, as on the platform, and no asyncio loop is running here. Await in an "
                    'async test; with anyio\'s plugin let the fixture anyio_backend return "asyncio".'
                ) from None
            if known is not None:  # that loop does not run, so the present one is another
                raise EngineError(
                    "This engine was used on another event loop before. Await everything of a test on one loop: one "
                    "asyncio.run for all of it, and for its async fixtures the same loop_scope as the test."
                )
            self._use(running)
            known = self._loop = running
            if not self._engine.is_live:
                WATCHDOG.watch(self._guard)
            self._engine.threads.open()
            while self.on_first_use:
                self.on_first_use.pop(0)()
        return known

    def _use(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that the loop tells which tasks and timers are those of the engine's code."""
        register_tasks(loop)
        engine = self._engine
        time = EngineTime(lambda: engine.clock.elapsed_ms, lambda: engine.is_time_moving)
        watch_timers(loop, engine, time)

    @property
    def running(self) -> asyncio.AbstractEventLoop | None:
        """The loop, while it runs."""
        return self._loop if self._loop is not None and self._loop.is_running() else None

    @property
    def guard(self) -> LoopGuard:
        """The guard that the watchdog checks."""
        return self._guard

    def check(self) -> None:
        """Make sure that the engine's loop runs: nothing happens on another one.

        Raises:
            EngineError: If it is not.
        """
        assert self._loop is None or self.get()

    @contextlib.contextmanager
    def replaced(self) -> Iterator[asyncio.AbstractEventLoop]:
        """A block in which the engine uses a loop of its own, where none runs any more."""
        before, self._loop = self._loop, asyncio.new_event_loop()
        self._use(self._loop)
        try:
            yield self._loop
        finally:
            self._loop.close()
            self._loop = before

    # -- what runs there ---------------------------------------------------------------------------------------------

    @property
    def _open(self) -> asyncio.AbstractEventLoop | None:
        return self._loop if self._loop is not None and not self._loop.is_closed() else None

    def stop_tasks(self, instances: Iterable[Instance]) -> None:
        """Stop every task of these executions, which have ended: nothing of their code runs again."""
        stopped, loop = set(instances), self._open
        if stopped and loop is not None:
            kill(
                loop,
                lambda scope: scope.instance in stopped,
                self._engine.stopped_tasks,
                tasks_of(loop, stopped),
                ready=self._ready.of(loop, stopped),
            )
            scope = current_scope.get()
            if scope is not None and scope.instance in stopped and loop.is_running():
                # Their code runs just now: until its next await it goes on, and may start tasks on its way. One that
                # runs eagerly (`asyncio.eager_task_factory`) gets into asyncio's register only then.
                loop.call_soon(self._sweep, loop, context=Context())

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        kill(
            loop,
            lambda scope: scope.instance.belongs_to(self._engine) and scope.instance.killed,
            self._engine.stopped_tasks,
        )

    def stop_all(self) -> None:
        """Stop every task of the engine's instances, and of the Worker's code that runs on its own."""
        loop = self._open
        if loop is not None:
            kill(
                loop,
                lambda scope: scope.instance.belongs_to(self._engine),
                self._engine.stopped_tasks,
                dead_call=lambda call: call.is_own and call.engine is self._engine,
            )

    def test_ended(self) -> None:
        """End handlers' calls at the end of the test's call: tasks that they left running get as long as a wait."""
        self._guard.stopped()

    def leave_threads(self) -> None:
        """Let the end of the loop wait for no thread that code of the Worker has started."""
        loop = self._open
        if loop is not None:
            self._engine.threads.leave_behind(loop)

    def unwatch(self) -> None:
        """Stop the watchdog's check of the loop: the engine is closed."""
        self._guard.finish()
        WATCHDOG.unwatch(self._guard)

    def leave(self) -> None:
        """Give the loop back the task factory that it had: the engine is closed."""
        self._ready.forget()
        if self._loop is not None:
            stop_registering(self._loop)
            stop_watching(self._loop, self._engine)
