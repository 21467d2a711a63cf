"""Entries by key, of KV and R2 alike: a list of them is in the order of the keys."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Generic, Self, TypeVar

E = TypeVar("E")


class SortedEntries(Generic[E]):
    """Entries in the order of their keys' UTF-8 bytes. An entry is never changed, so that copies share it."""

    def __init__(self) -> None:
        self._entries: dict[str, E] = {}
        self._sorted: list[str] | None = None

    def _set(self, key: str, entry: E) -> None:
        if key not in self._entries:
            self._sorted = None
        self._entries[key] = entry

    def delete(self, key: str) -> None:
        """Take a key out, if it is there."""
        if self._entries.pop(key, None) is not None:
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
