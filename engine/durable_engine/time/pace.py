"""The pace of an engine in real time: what is ready goes on in small parts, so that other callers of its loop get in.

A thousand results that were stored together would else keep the loop from anything but them for as long as a thousand
workflows take to go on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from time import thread_time

from durable_engine.instance import Instance

from .interleaving import Interleaving
from .turns import Turns, unless_closed

TURN = 0.002
"""Seconds that a turn of the loop is to take where much is ready."""

FEWEST = 4
"""What goes on in each turn, however long it takes."""

MOST = 256
"""The most that goes on in one turn."""


class Pace:
    """Lets so much go on in each turn of a loop that the turn stays short.

    Args:
        loop: The loop.
    """

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = loop
        self._waiting: deque[tuple[Callable[[], None], Callable[[], object] | None]] = deque()
        self._most = self._left = FEWEST * 4
        self._turning: asyncio.Handle | None = None
        self._began = 0.0

    def soon(self, action: Callable[[], None], dropped: Callable[[], object] | None = None) -> None:
        """Do something now, or in one of the next turns where this one has enough to do.

        Args:
            action: What to do.
            dropped: Called in its place where it is not done any more.
        """
        if self._turning is None:
            self._began = thread_time()
            self._next_turn()
        if self._left and not self._waiting:
            self._left -= 1
            action()
        else:
            self._waiting.append((action, dropped))

    def _next_turn(self) -> None:
        self._turning = self._loop().call_soon(self._turn, context=Context())

    def _turn(self) -> None:
        """A turn of the loop is over: let the next part go on."""
        now = thread_time()
        self._adapt(now - self._began)
        self._began, self._turning = now, None
        self._left = self._most
        if not self._waiting:
            return
        self._next_turn()
        while self._left and self._waiting:
            self._left -= 1
            action, _ = self._waiting.popleft()
            action()

    def _adapt(self, took: float) -> None:
        if took > TURN:
            self._most = max(FEWEST, int(self._most * TURN / took))
        elif not self._left:
            self._most = min(MOST, self._most + FEWEST)

    def close(self) -> None:
        """Let nothing go on any more."""
        if self._turning is not None:
            self._turning.cancel()
        while self._waiting:
            _, dropped = self._waiting.popleft()
            if dropped is not None:
                dropped()


class PacedTurns(Turns):
    """Turns in which what is ready goes on at a pace.

    Args:
        interleaving: The interleaving.
        let_go: Sees to it that what the interleaving holds is let go, one by one.
        pace: The pace.
    """

    def __init__(self, interleaving: Interleaving, let_go: Callable[[], None], pace: Pace) -> None:
        super().__init__(interleaving, let_go)
        self._pace = pace

    def take(
        self, instance: Instance, action: Callable[[], None], *, dropped: Callable[[], object] | None = None
    ) -> None:
        """Do something when its turn comes.

        Args:
            instance: Whose execution it belongs to; when that is over, it is dropped.
            action: What to do.
            dropped: Called in its place when it is dropped.
        """
        self._pace.soon(unless_closed(instance, action, dropped), dropped)
