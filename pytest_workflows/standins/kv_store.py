"""The contents of a KV namespace."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple, Self

from .stores import Contents


class KvEntry(NamedTuple):
    """The value of a key. It is never changed, so that copies of a namespace share it.

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


class KvStore:
    """The contents of a KV namespace: keys in the order of their UTF-8 bytes, each gone when it is expired."""

    def __init__(self) -> None:
        self._entries: dict[str, KvEntry] = {}
        self._sorted: list[str] | None = []

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
        if key not in self._entries:
            self._sorted = None
        self._entries[key] = entry

    def delete(self, key: str) -> None:
        """Take a key out, if it is there."""
        if self._entries.pop(key, None) is not None:
            self._sorted = None

    def page(self, now_ms: int, prefix: str, after: str, limit: int) -> tuple[list[tuple[str, KvEntry]], bool]:
        """Keys in order, and whether there are more.

        Args:
            now_ms: The time, in milliseconds since 1970.
            prefix: What they begin with.
            after: Only keys behind that one; empty for all.
            limit: How many at most.
        """
        names = self._names()
        start = max(bisect_left(names, prefix), bisect_right(names, after) if after else 0)
        found: list[tuple[str, KvEntry]] = []
        for name in names[start:]:
            if not name.startswith(prefix):
                break
            entry = self._entries[name]
            if entry.is_gone(now_ms):
                continue
            if len(found) == limit:
                return found, True
            found.append((name, entry))
        return found, False

    def _names(self) -> list[str]:
        if self._sorted is None:
            self._sorted = sorted(self._entries)
        return self._sorted

    def copy(self) -> Self:
        """Another namespace with the same keys; the values are shared."""
        made = type(self)()
        made._entries = dict(self._entries)
        made._sorted = None
        return made

    def contents(self) -> Contents:
        """The keys, with value and metadata."""
        return {"": {key: (entry.value, entry.metadata) for key, entry in self._entries.items()}}

    def close(self) -> None:
        """Let go of the values."""
        self._entries, self._sorted = {}, []
