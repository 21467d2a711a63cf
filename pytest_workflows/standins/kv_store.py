"""The contents of a KV namespace."""

from __future__ import annotations

from typing import NamedTuple

from .peeks import Peek, instant, no_table, page_of
from .sorted_entries import SortedEntries
from .stores import Contents


class KvEntry(NamedTuple):
    """The value of a key.

    Attributes:
        value: The bytes.
        metadata: The metadata as JSON; None for none.
        expiration: From when on the key is gone, in seconds since 1970; None for never.
    """

    value: bytes
    metadata: str | None = None
    expiration: int | None = None

    def is_gone(self, now_ms: int) -> bool:
        """Whether it is expired."""
        return self.expiration is not None and self.expiration * 1000 <= now_ms


class KvStore(SortedEntries[KvEntry]):
    """The contents of a KV namespace: keys in the order of their UTF-8 bytes, each gone when it is expired."""

    def get(self, key: str, now_ms: int) -> KvEntry | None:
        """The value of a key; None where there is none any more.

        Args:
            key: The key.
            now_ms: The time, in milliseconds since 1970.
        """
        found = self._entries.get(key)
        return None if found is None or found.is_gone(now_ms) else found

    def put(self, key: str, entry: KvEntry) -> None:
        """Set the value of a key; all that it had is replaced, metadata and expiration too."""
        self._set(key, entry)

    def page(self, now_ms: int, prefix: str, after: str, limit: int) -> tuple[list[tuple[str, KvEntry]], bool]:
        """Keys in order, and whether there are more.

        Args:
            now_ms: The time, in milliseconds since 1970.
            prefix: What they begin with.
            after: Only keys behind that one; empty for all.
            limit: How many at most.
        """
        found: list[tuple[str, KvEntry]] = []
        for name in self._keys(prefix, after):
            entry = self._entries[name]
            if entry.is_gone(now_ms):
                continue
            if len(found) == limit:
                return found, True
            found.append((name, entry))
        return found, False

    def contents(self) -> Contents:
        """The keys, with value and metadata."""
        return {"": {key: (entry.value, entry.metadata) for key, entry in self._entries.items()}}

    def tables(self) -> list[str]:
        """The one table."""
        return ["keys"]

    def peek(self, table: str, after: str | None = None, limit: int = 50) -> Peek:
        """A page of the keys."""
        if table != "keys":
            raise no_table(table, self.tables())
        rows = ((key, self._entries[key]) for key in self._keys("", None))
        return page_of(
            ("key", "value", "size", "metadata", "expires"),
            (
                (
                    key,
                    entry.value,
                    len(entry.value),
                    entry.metadata,
                    instant(None if entry.expiration is None else entry.expiration * 1000),
                )
                for key, entry in rows
            ),
            after,
            limit,
        )
