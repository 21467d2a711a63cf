"""A KV namespace on disk: a row a key."""

from __future__ import annotations

from typing import Final

from pytest_workflows.standins.kv_store import KvEntry

from .layout import from_column, to_column
from .state_file import StateFile

_LOAD: Final = "SELECT key, value, metadata, expiration FROM kv_entries WHERE namespace = ?"
_PUT: Final = "INSERT OR REPLACE INTO kv_entries VALUES (?, ?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM kv_entries WHERE namespace = ? AND key = ?"


class KvEntries:
    """The entries of one namespace.

    Args:
        file: The file.
        namespace: The namespace's id.
    """

    def __init__(self, file: StateFile, namespace: str) -> None:
        self._file = file
        self._namespace = namespace

    def load(self) -> dict[str, KvEntry]:
        """All of them, by key."""
        rows = self._file.rows(_LOAD, (self._namespace,))
        return {
            from_column(key): KvEntry(value, None if metadata is None else from_column(metadata), expiration)
            for key, value, metadata, expiration in rows
        }

    def put(self, key: str, entry: KvEntry) -> None:
        """Set the value of a key."""
        metadata = None if entry.metadata is None else to_column(entry.metadata)
        self._file.write(_PUT, (self._namespace, to_column(key), entry.value, metadata, entry.expiration))

    def delete(self, key: str) -> None:
        """Take a key out."""
        self._file.write(_DELETE, (self._namespace, to_column(key)))
