"""Activity: the instances that are at work, and the waits for a change of one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from durable_engine.instance import Instance


class Activity:
    """The instances that are at work, and the listeners to their changes.

    Args:
        changed: Called with the workflow's binding name and the id of each instance about which something changed.
        loop: The engine's event loop.

    Attributes:
        busy: The instances that are at work: while there is one, virtual time stands still.
    """

    def __init__(self, changed: Callable[[str, str], None], loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self.busy: dict[Instance, None] = {}
        self._changed = changed
        self._loop = loop
        self._listeners: dict[tuple[str, str], list[asyncio.Future[None]]] = {}
        self._watchers = 0

    def mark(self, instance: Instance, busy: bool) -> None:
        """Note whether an instance is at work."""
        if busy:
            self.busy[instance] = None
        else:
            self.busy.pop(instance, None)
        self.progress(instance)

    def forget(self, instance: Instance) -> None:
        """Note that an execution is stopped, and is not at work any more."""
        self.busy.pop(instance, None)

    def progress(self, instance: Instance) -> None:
        """Note that something changed about an instance that somebody may wait for."""
        self._changed(*instance.key)
        if self._listeners:
            for listener in self._listeners.pop(instance.key, ()):
                if not listener.done():
                    listener.set_result(None)

    def recorded(self, instance: Instance) -> None:
        """Note that history has grown, which matters to subscriptions alone."""
        if self._watchers or self._listeners:
            self.progress(instance)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """A block in which somebody waits for history to grow."""
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1

    def next_change(self, about: tuple[str, str]) -> asyncio.Future[None]:
        """A future that is done when something changes about an instance (its workflow's binding name and its id)."""
        listener: asyncio.Future[None] = self._loop().create_future()
        listeners = self._listeners.setdefault(about, [])
        listeners[:] = [one for one in listeners if not one.done()]  # some may have been given up
        listeners.append(listener)
        return listener
