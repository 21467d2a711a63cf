"""Concurrency: how many instances of a workflow run at a time, and which of them wait for a slot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Slots:
    """The slots of one workflow: the instances that hold one, and those that are queued for one, in order.

    An instance holds its slot from its start to its end: while it sleeps, waits for an event or is paused as well
    (docs/reference/fidelity.md, "Instances").

    Args:
        limit: How many there are; None for as many as are asked for.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._holders: dict[str, None] = {}
        self._queue: dict[str, None] = {}

    @property
    def limit(self) -> int | None:
        """How many there are; None for as many as are asked for."""
        return self._limit

    @property
    def holders(self) -> Sequence[str]:
        """The ids of the instances that hold a slot, in the order in which they got it."""
        return list(self._holders)

    def is_queued(self, id: str) -> bool:
        """Whether an instance waits for a slot."""
        return id in self._queue

    def take(self, id: str) -> bool:
        """Take a slot for an instance, or queue it for one; one that has a slot or is queued already stays so.

        Returns:
            Whether it has a slot.
        """
        if self._limit is None or id in self._holders:
            return True
        if id not in self._queue and len(self._holders) < self._limit:
            self._holders[id] = None
            return True
        self._queue[id] = None
        return False

    def restore(self, id: str) -> None:
        """An instance has a slot that an earlier process gave it, however many there are now."""
        if self._limit is not None:
            self._holders[id] = None

    def resize(self, limit: int | None, holders: Iterable[str]) -> None:
        """There are so many from now on. No instance loses its slot; `release` says who gets one that is new.

        Args:
            limit: How many there are; None for as many as are asked for.
            holders: The instances that have one, in order: without a limit, nobody has counted them.
        """
        self._limit = limit
        self._holders = {} if limit is None else dict.fromkeys(holders)

    def release(self, ids: Iterable[str]) -> list[str]:
        """Take instances out of their slots, or out of the queue for one.

        Returns:
            The instances that were queued and have a slot now.
        """
        for id in ids:
            self._holders.pop(id, None)
            self._queue.pop(id, None)
        free = len(self._queue) if self._limit is None else max(0, self._limit - len(self._holders))
        admitted = list(self._queue)[:free]
        for id in admitted:
            del self._queue[id]
            self._holders[id] = None
        return admitted
