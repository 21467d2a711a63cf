"""Patience: the time that tasks of a test get to do what they are about to, before a timer fires under them."""

from __future__ import annotations

import asyncio
import math
import weakref
from collections.abc import Awaitable, Callable
from time import process_time, thread_time
from typing import Any

from durable_engine.context.asyncio_internals import WAKE, ready_handles, waiting_for
from durable_engine.context.loop_timers import timers_of
from durable_engine.context.scope import current_scope
from durable_engine.guard.loop_guard import answer

from .clients import Outside
from .timed_engine import TimedEngine
from .world import World

PATIENCE = 100
"""Turns of the event loop that tasks of the test get before a timer fires under them, until one of them acts."""

CHECK_AGAIN = 0.02
"""Seconds between two checks of what the engine is not notified of."""

SOON_MS = 1000
"""Real milliseconds: a task of the test that sleeps for no longer is about to act."""

AT_WORK = 0.002
"""Seconds of processor time between two checks: clients that use more are at work on what they are about to ask."""

MOST_WORK = 5.0
"""Real seconds that clients get for such work; the rest of their time is for those that sleep."""


class Patience:
    """The patience with tasks of the test.

    Args:
        engine: The engine.
        world: Knows the tasks of the test.
        until_progress: Waits until something happens, for so many real seconds at most.
    """

    def __init__(self, engine: TimedEngine, world: World, until_progress: Callable[[float], Awaitable[None]]) -> None:
        self._engine = engine
        self._world = world
        self._until_progress = until_progress
        self._patience = PATIENCE
        self._left_for_timers = self._left_for_clients = SOON_MS / 1000
        self._left_for_work = MOST_WORK
        self._waited_for: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()

    async def let_test_act(self) -> bool:
        """Give tasks of the test the time to do what they are about to: no timer fires under them.

        Those that spin or sleep over and over and never act do not stop time.

        Returns:
            Whether there were any.
        """
        if self._patience and self._test_is_ready():
            self._patience -= 1
            await asyncio.sleep(0)
            return True
        sleepers = self._sleepers()
        if not sleepers:
            return await self._let_timer_fire() or await self._let_client_ask()
        now = timers_of(self._engine.loop).real_time
        self._waited_for.update(sleepers)  # a task that acts when it wakes is taken out again
        await self._until_progress(max(0, min(sleepers.values()) - now()))
        self._waited_for.difference_update(task for task, due in sleepers.items() if due > now())
        return True

    async def _let_timer_fire(self) -> bool:
        """Wait for timers of the test, for a second altogether: one that sets itself anew does not stop time."""
        timers = timers_of(self._engine.loop)
        began = timers.real_time()
        left = min((handle.when() for handle in self._world.timers_of_test()), default=math.inf) - began
        if left > self._left_for_timers:
            return False
        await self._until_progress(max(0, left))
        self._left_for_timers -= timers.real_time() - began
        return True

    async def _let_client_ask(self) -> bool:
        """Wait for a client that may be about to ask, for a second altogether: one that never does stops no time."""
        clients = self._engine.clients
        if clients.outside is None:
            return False
        if clients.is_due:
            clients.is_due = False
            self._give_clients_time()
        if clients.outside.is_starting():
            await self._until_progress(CHECK_AGAIN)
            return True
        if self._left_for_clients <= 0 or self._world.threads + clients.outside.count() <= len(clients.answered):
            return False  # they had their time, or each of them waits for its answer
        timers = timers_of(self._engine.loop)
        began, worked = timers.real_time(), _work_of(clients.outside)
        await self._until_progress(CHECK_AGAIN)
        # Where the machine has much to do, this took longer than it was to, and so does what the client is at.
        took = min(CHECK_AGAIN, timers.real_time() - began)
        if self._left_for_work > 0 and _work_of(clients.outside) - worked > AT_WORK:
            self._left_for_work -= took
        else:
            self._left_for_clients -= took
        return True

    def _give_clients_time(self) -> None:
        self._left_for_clients = SOON_MS / 1000
        self._left_for_work = MOST_WORK

    def acted(self) -> None:
        """Note that the test did something to an instance: its tasks get the time to do more."""
        self._patience = PATIENCE
        self._left_for_timers = SOON_MS / 1000
        if current_scope.get() is None:
            self._give_clients_time()  # an instance that acts over and over is no client
        task = asyncio.current_task(self._engine.loop)
        if task is not None:
            self._waited_for.discard(task)

    def _test_is_ready(self) -> bool:
        """Whether a task of the test is about to run; asked where nothing of an instance is."""
        handles = ready_handles(self._engine.loop)
        if handles is not None:
            return any(not handle._cancelled and handle._callback is not answer for handle in handles)
        return any(future is None or future.done() for future in map(waiting_for, self._world.tasks_of_test()))

    def _sleepers(self) -> dict[asyncio.Task[Any], float]:
        """The tasks of the test that wake soon from an `asyncio.sleep`, with the loop's time of that."""
        timers = timers_of(self._engine.loop)
        soon = timers.real_time() + SOON_MS / 1000
        due = {
            handle._args[0]: handle.when()
            for handle in timers.pending()
            if handle._callback is WAKE and handle.when() <= soon and not handle._cancelled
        }
        if not due:
            return {}
        found = {
            task: due.get(waiting_for(task)) for task in self._world.tasks_of_test() if task not in self._waited_for
        }
        return {task: when for task, when in found.items() if when is not None}


def _work_of(outside: Outside) -> float:
    """The seconds of processor time that all threads but the loop's have used so far, and the clients outside."""
    return process_time() - thread_time() + outside.processor_time()
