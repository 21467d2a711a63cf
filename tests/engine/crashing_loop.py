"""An event loop of asyncio that can stop between any two callbacks of an instance, to do something there."""

import asyncio
import collections

from durable_engine.context.asyncio_internals import scope_of


class _Ready(collections.deque):
    """The loop's queue. What belongs to an instance is counted as it is taken out."""

    countdown = None
    action = None

    def popleft(self):
        if self.countdown is not None and scope_of(self[0]._context) is not None:
            self.countdown -= 1
            if self.countdown < 0:
                self.countdown = None
                self.action()
        return super().popleft()


class CrashingLoop(asyncio.SelectorEventLoop):
    """Does something once, before the n-th callback of an instance from now on: at any of its awaits."""

    def __init__(self):
        super().__init__()
        self._ready = _Ready()

    def before_callback(self, number, action):
        """Call `action` when so many callbacks have run (0: before the next one)."""
        self._ready.countdown, self._ready.action = number, action

    def forget(self):
        """Do it no more, if it has not been done."""
        self._ready.countdown = None
