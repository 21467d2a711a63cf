"""Entries by key, of KV and R2 alike: a list of them is in the order of the keys."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Generic, Protocol, Self, TypeVar

E = TypeVar("E")


class KeptEntries(Protocol[E]):
    """Entries where they outlive the process. What cannot be written there raises, and is not in memory either."""

    def load(self) -> dict[str, E]:
        """All of them, by key."""

    def put(self, key: str, entry: E) -> None:
        """Set the entry of a key."""

    def delete(self, key: str) -> None:
        """Take a key out."""


class SortedEntries(Generic[E]):
    """Entries in the order of their keys' UTF-8 bytes. An entry is never changed, so that copies share it.

    Args:
        kept: Where they are kept; None for in memory only, as a copy is.
    """

    def __init__(self, kept: KeptEntries[E] | None = None) -> None:
        self._kept = kept
        self._entries: dict[str, E] = {} if kept is None else kept.load()
        self._sorted: list[str] | None = None

    def _set(self, key: str, entry: E) -> None:
        if self._kept is not None:
            self._kept.put(key, entry)
        self._enter(key, entry)

    def _enter(self, key: str, entry: E) -> None:
        """Set the entry of a key in memory."""
        if key not in self._entries:
            self._sorted = None
        self._entries[key] = entry

    def delete(self, key: str) -> None:
        """Take a key out, if it is there."""
        if key not in self._entries:
            return
        if self._kept is not None:
            self._kept.delete(key)
        del self._entries[key]
        self._sorted = None

    def _keys(self, prefix: str, after: str | None) -> Iterator[str]:
        """The keys that begin with a text, in order: those behind another key, or all where that is None."""
        if self._sorted is None:
            self._sorted = sorted(self._entries)
        start = bisect_left(self._sorted, prefix)
        if after is not None:
            start = max(start, bisect_right(self._sorted, after))
        return takewhile(lambda key: key.startswith(prefix), islice(self._sorted, start, None))

    def copy(self) -> Self:
        """Another store with the same entries, which are shared."""
        made = type(self)()
        made._entries = dict(self._entries)
        return made

    def close(self) -> None:
        """Let go of the entries."""
        self._entries, self._sorted = {}, None
