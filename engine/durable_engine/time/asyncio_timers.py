"""asyncio's timers in virtual time: which of them fire there, and what holds time because real time must bring it.

Timers that `run`, a delay function or a call of the Worker's other code has set run on virtual time. Those of a step do
while the step is asleep: none of its tasks waits for anything but time. See `asleep.py` for how that is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from durable_engine.context.asyncio_internals import WAKE, scope_of, task_context, waiting_for
from durable_engine.context.frames import has_part, is_users
from durable_engine.context.loop_timers import FOREVER_MS, timers_of
from durable_engine.context.scope import Scope, open_call
from durable_engine.context.started_tasks import tasks_of
from durable_engine.instance import Instance

from .asleep import Surroundings, Wait
from .timed_engine import TimedEngine
from .world import World

SHORT_MS = 1000
"""A sleep of a step that is no longer may poll for something real: it is real while something real is there."""

_ABOUT_TIME = frozenset({"anyio", "async_timeout", "asyncio"})
"""The folders of asyncio, and of libraries that put its sleeps and limits in other words."""


class LoopTimer(NamedTuple):
    """A timer that code of the Worker has set on the loop.

    Attributes:
        due: When it is due in the engine's time, in epoch milliseconds.
        number: Of two that are due at once, the one of the smaller number was set first.
        length: How long it was when it was set, in milliseconds.
        file: The file whose code has set it.
        handle: asyncio's handle of it.
    """

    due: int
    number: int
    length: int
    file: str
    handle: Any

    @property
    def is_virtual(self) -> bool:
        """Whether it can run on virtual time: it is no library's, which may be about something real, and it ends."""
        return self.length < FOREVER_MS and _is_about_time(self.file)


class AsyncioTimers:
    """The timers that code of an engine's instances and calls has set on the loop, at one moment.

    It keeps what it has found out, so it is good until code runs again.

    Args:
        engine: The engine.
        world: What there is besides the Worker's code.
    """

    def __init__(self, engine: TimedEngine, world: World) -> None:
        self._engine = engine
        self._world = world
        self._asleep: dict[Scope, bool] = {}

    # -- what fires --------------------------------------------------------------------------------------------------

    def first(self) -> LoopTimer | None:
        """The timer that is due first, of those that run on virtual time now."""
        return min(self.virtual(), default=None, key=lambda timer: timer[:2])

    def virtual(self) -> list[LoopTimer]:
        """The timers that run on virtual time now, or come nearer where real time is moved by hand."""
        found: list[LoopTimer] = []
        for scope, timers in self._by_scope.items():
            # What an instance left running at its end goes on, and time does not move for it.
            if scope.is_virtual or (not scope.instance.closed and self._is_asleep(scope)):
                found += timers
        if self._of_calls and not self._are_calls_held:
            found += self._of_calls
        return [timer for timer in found if timer.is_virtual]

    def fire(self, timer: LoopTimer) -> None:
        """Let one fire, in the next turn of the loop."""
        handle = timer.handle
        self._engine.loop.call_soon(handle._callback, *handle._args, context=handle._context)
        handle.cancel()

    # -- what holds time ---------------------------------------------------------------------------------------------

    def hold(self) -> bool:
        """Whether something is at work that may wait for something foreign, so that virtual time stands still."""
        engine = self._engine
        calls = bool(engine.worker_calls.open)
        if calls and self._are_calls_held:
            return True
        if not engine.busy:
            return False
        if not calls and not any(_is_about_time(timer.file) for timers in self._by_scope.values() for timer in timers):
            return True
        at_work: dict[Instance, set[Scope]] = {instance: set() for instance in engine.busy}
        for scope in [*(scope for scope in self._tasks if scope.open == 0), *self._by_scope]:
            root = scope.instance.root
            # Where `run` waits for no step, what else there is are callbacks that have timed out.
            if scope.instance in at_work and (scope is root or root.open):
                at_work[scope.instance].add(scope)
        # An instance of which nothing is seen is at work in a way that cannot be seen; it may wait for a call.
        return not all(all(map(self._is_parked, scopes)) if scopes else calls for scopes in at_work.values())

    def hold_up(self, scope: Scope) -> bool:
        """Whether code of a scope that waits for a step or a sleep waits for something foreign beside it."""
        tasks = _by_scope(tasks_of(self._engine.loop, [scope.instance])).get(scope, ())
        return self._surroundings((), tasks, [scope.instance]).of_all(tasks) is Wait.FOREIGN

    def _is_parked(self, scope: Scope) -> bool:
        if not scope.is_virtual:
            return self._is_asleep(scope)
        has_timer = any(timer.is_virtual for timer in self._by_scope.get(scope, ()))
        if not scope.is_root:
            return has_timer  # a delay function holds time for a moment of its own
        return self._wait_of(scope) is not Wait.FOREIGN and (has_timer or bool(self._engine.worker_calls.open))

    def _is_asleep(self, scope: Scope) -> bool:
        """Whether all that happens next to a step's code is that time passes."""
        known = self._asleep.get(scope)
        if known is None:
            known = self._asleep[scope] = self._waits_for_time(scope)
        return known

    def _waits_for_time(self, scope: Scope) -> bool:
        wait = self._wait_of(scope)
        if wait is Wait.FOREIGN or self._has_threads:
            return False
        may_poll = any(timer.is_virtual and timer.length <= SHORT_MS for timer in self._by_scope.get(scope, ()))
        return not (wait is Wait.UNCLEAR or may_poll) or not self._is_near

    def _wait_of(self, scope: Scope) -> Wait:
        timers, tasks = self._by_scope.get(scope, ()), self._tasks.get(scope, ())
        sleeps = _sleeps(timers)
        if all(id(waiting_for(task)) in sleeps for task in tasks):
            return Wait.TIME  # as most are, of thousands of instances
        return self._surroundings(timers, tasks, [scope.instance]).of_all(tasks)

    @cached_property
    def _are_calls_held(self) -> bool:
        """Whether calls wait for more than time, and something foreign could answer."""
        if not self._is_near:
            return False
        tasks = self._engine.worker_calls.tasks()
        if self._surroundings(self._of_calls, tasks, ()).of_all(tasks) is not Wait.TIME:
            return True
        return self._world.is_at_work and any(timer.length <= SHORT_MS for timer in self._of_calls)

    # -- what there is -----------------------------------------------------------------------------------------------

    def _surroundings(
        self,
        timers: Collection[LoopTimer],
        tasks: Collection[asyncio.Task[Any]],
        instances: Iterable[Instance],
    ) -> Surroundings:
        steps = {id(step.future) for instance in instances for step in instance.operations.values()}
        return Surroundings(
            [timer.handle for timer in timers if timer.is_virtual],
            tasks,
            _sleeps(timers) | steps,
            lambda task: self._world.is_workers(task_context(task)),
            self._world.is_of_test,
            bool(self._engine.worker_calls.open),
        )

    @cached_property
    def _is_near(self) -> bool:
        return self._world.is_near

    @cached_property
    def _has_threads(self) -> bool:
        return self._engine.threads.are_at_work

    @cached_property
    def _tasks(self) -> dict[Scope, list[asyncio.Task[Any]]]:
        """The unfinished tasks of instances that are at work or have timers, by the scope of their code."""
        instances = {*self._engine.busy, *(scope.instance for scope in self._by_scope)}
        return _by_scope(tasks_of(self._engine.loop, instances))

    @cached_property
    def _of_calls(self) -> list[LoopTimer]:
        """The timers that code of calls has set."""
        engine = self._engine
        if not engine.worker_calls.open:
            return []
        return [
            self._timer(handle)
            for handle in timers_of(engine.loop).pending()
            if not handle._cancelled
            and scope_of(handle._context) is None
            and open_call(handle._context, engine) is not None
        ]

    @cached_property
    def _by_scope(self) -> dict[Scope, list[LoopTimer]]:
        """The timers that code of instances has set."""
        found: dict[Scope, list[LoopTimer]] = {}
        for handle in timers_of(self._engine.loop).pending():
            scope = scope_of(handle._context)
            if scope is not None and not handle._cancelled and scope.instance.belongs_to(self._engine):
                found.setdefault(scope, []).append(self._timer(handle))
        return found

    def _timer(self, handle: Any) -> LoopTimer:
        clock, timers = self._engine.clock, timers_of(self._engine.loop)
        due = timers.due(handle, clock.elapsed_ms)
        at = clock.now_ms + timers.left_ms(handle) if clock.is_real else clock.started_ms + due.at
        return LoopTimer(at, due.number, due.length, due.file, handle)


def _sleeps(timers: Iterable[LoopTimer]) -> set[int]:
    """The ids of the futures that are sleeps under way."""
    return {id(timer.handle._args[0]) for timer in timers if timer.handle._callback is WAKE}


def _by_scope(tasks: Iterable[asyncio.Task[Any]]) -> dict[Scope, list[asyncio.Task[Any]]]:
    """Tasks by the scope that their code belongs to; those of the test are left out."""
    found: dict[Scope, list[asyncio.Task[Any]]] = {}
    for task in tasks:
        scope = scope_of(task_context(task))
        if scope is not None:
            found.setdefault(scope, []).append(task)
    return found


@lru_cache(maxsize=4096)
def _is_about_time(file: str) -> bool:
    """Whether timers that code of this file sets are about time alone: a library's may be a connection's."""
    return is_users(file) or has_part(file, _ABOUT_TIME)
