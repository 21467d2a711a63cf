"""The contents of a KV namespace."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, NamedTuple

from durable_engine import JsException

from .peeks import Peek, instant, no_table, page_of
from .sorted_entries import SortedEntries
from .stores import Contents

_SWEPT_EVERY_MS: Final = 3_600_000


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

    _sweep_at = 0

    def get(self, key: str, now_ms: int) -> KvEntry | None:
        """The value of a key; None where there is none any more.

        Args:
            key: The key.
            now_ms: The time, in milliseconds since 1970.
        """
        if self._kept is not None:
            self._sweep(now_ms)
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
        if self._kept is not None:
            self._sweep(now_ms)
        found: list[tuple[str, KvEntry]] = []
        for name in self._keys(prefix, after):
            entry = self._entries[name]
            if entry.is_gone(now_ms):
                continue
            if len(found) == limit:
                return found, True
            found.append((name, entry))
        return found, False

    def _sweep(self, now_ms: int) -> None:
        """Take out what is expired, now and then: a store that is kept is there for longer than a test."""
        if now_ms < self._sweep_at:
            return
        self._sweep_at = now_ms + _SWEPT_EVERY_MS
        with suppress(JsException):  # it cannot be written now; the next time will do
            for key in [key for key, entry in self._entries.items() if entry.is_gone(now_ms)]:
                self.delete(key)

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
