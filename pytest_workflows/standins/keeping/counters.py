"""The counts of a rate limit on disk: a row a key."""

from __future__ import annotations

from typing import Final

from .layout import from_column, to_column
from .state_file import StateFile

_LOAD: Final = "SELECT key, period, calls FROM counters WHERE namespace = ?"
_PUT: Final = "INSERT OR REPLACE INTO counters VALUES (?, ?, ?, ?)"
_FORGET: Final = "DELETE FROM counters WHERE namespace = ? AND period <> ?"


class RateCounts:
    """The counts of one rate limit.

    Args:
        file: The file.
        namespace: The rate limit's id.
    """

    def __init__(self, file: StateFile, namespace: str) -> None:
        self._file = file
        self._namespace = namespace
        self._period = 0

    def load(self) -> tuple[int, dict[str, int]]:
        """The last period, and its counts."""
        rows = self._file.rows(_LOAD, (self._namespace,))
        self._period = max((period for _, period, _ in rows), default=0)
        return self._period, {from_column(key): calls for key, period, calls in rows if period == self._period}

    def put(self, period: int, key: str, count: int) -> None:
        """Set the count of a key; those of other periods are gone."""
        self._file.write(_PUT, (self._namespace, to_column(key), period, count))
        if period != self._period:
            self._file.write(_FORGET, (self._namespace, period))
            self._period = period
