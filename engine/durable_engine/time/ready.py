"""What can run: code of an instance or a call that the event loop is about to run, or that waits for its turn."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Any

from durable_engine.context.asyncio_internals import gathered_by, ready_handles, scope_of, task_context, waiting_for
from durable_engine.context.scope import open_call

from .timed_engine import TimedEngine

IDLE_CHECKS = 6
"""The checks in a row that must see nothing run, on a loop that does not show its queue."""

MOST_HELD_TURNS = 1000
"""Turns of the event loop for which the interleaving holds something while other code runs: it may poll for that."""


class Ready:
    """The code of an engine's instances and calls that can run.

    Args:
        engine: The engine.
    """

    def __init__(self, engine: TimedEngine) -> None:
        self._engine = engine
        self._idle_checks = 0
        self._letting_go: asyncio.Handle | None = None
        self._held_turns = 0

    def runnable(self, loop: asyncio.AbstractEventLoop | None = None) -> bool:
        """Whether code of an instance is about to run, or waits for its turn.

        Args:
            loop: The engine's loop, where it is at hand: this is asked each turn.
        """
        return self._engine.interleaving.holds or self._ready(loop)

    def let_go_in_turn(self) -> None:
        """Let go what the interleaving holds, one by one, each when nothing else can run."""
        if self._letting_go is None:
            # In a context of its own: in the running one it would count as code of an instance.
            self._letting_go = self._engine.loop.call_soon(self._let_go, context=Context())

    def _let_go(self) -> None:
        self._letting_go = None
        if not self._engine.closed and self._engine.interleaving.holds:
            self._held_turns += 1
            if not self._ready() or self._held_turns > MOST_HELD_TURNS:
                self._held_turns = 0
                self._engine.interleaving.let_one_go()
            self.let_go_in_turn()

    def _ready(self, loop: asyncio.AbstractEventLoop | None = None) -> bool:
        handles = ready_handles(self._engine.loop if loop is None else loop)
        if handles is None:
            return self._runnable_tasks()
        return any(not handle._cancelled and self._is_ours(handle._context) for handle in handles)

    def _is_ours(self, context: Context | None) -> bool:
        """Whether a context belongs to code of one of the engine's instances, or of a call that is under way."""
        engine, scope = self._engine, scope_of(context)
        if scope is not None:
            return scope.instance.belongs_to(engine)
        return bool(engine.worker_calls.open) and open_call(context, engine) is not None

    def _runnable_tasks(self) -> bool:
        """Runnable tasks of a loop that does not show its queue: those that wait for nothing unfinished."""
        for task in asyncio.all_tasks(self._engine.loop):
            context = task_context(task)
            scope = scope_of(context)
            if self._is_ours(context) and not (scope is not None and scope.instance.closed):
                future = waiting_for(task)
                if future is None or future.done() or _is_finished_gathering(future):
                    self._idle_checks = 0
                    return True
        # A task that has not started yet, or a callback between two tasks, cannot be seen here: check a few times more.
        self._idle_checks = (self._idle_checks + 1) % IDLE_CHECKS
        return self._idle_checks != 0


def _is_finished_gathering(future: Any) -> bool:
    gathered = gathered_by(future)
    return bool(gathered) and all(child.done() for child in gathered)
