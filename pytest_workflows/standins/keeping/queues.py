"""A queue on disk: a row a message, until it is delivered for good."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from durable_engine import JsException
from pytest_workflows.standins.queue_store import StoredMessage

from .layout import from_column, to_column
from .state_file import StateFile
from .values import decode, encode

_LOAD: Final = (
    "SELECT position, id, timestamp, content_type, content, size, failures, due FROM queue_messages WHERE queue = ? "
    "ORDER BY position"
)
_ADD: Final = "INSERT OR REPLACE INTO queue_messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM queue_messages WHERE queue = ? AND position = ?"


class QueueMessages:
    """The messages of one queue.

    What becomes of messages that were delivered cannot be refused to anybody: where it cannot be written, it is written
    with what comes next. Until then such a message is delivered once more to the next process.

    Args:
        file: The file.
        queue: The queue's name.
    """

    def __init__(self, file: StateFile, queue: str) -> None:
        self._file = file
        self._queue = queue
        self._behind: list[Callable[[], None]] = []
        self._next = 1

    def load(self) -> list[tuple[StoredMessage, int | None]]:
        """All messages, the next one first, each with the time up to which nobody gets it."""
        found: list[tuple[StoredMessage, int | None]] = []
        for position, id, timestamp, kind, content, size, failures, due in self._file.rows(_LOAD, (self._queue,)):
            message = StoredMessage(id, timestamp, kind, _content(kind, content), size, 0, failures)
            message.position = position
            found.append((message, due))
            self._next = position + 1
        return found

    def add(self, messages: Sequence[tuple[StoredMessage, int | None]]) -> None:
        """Add messages that were sent, all or none. What cannot be written raises."""
        rows = [self._row(message, due) for message, due in messages]
        if self._behind or len(rows) > 1:
            self._catch_up(lambda: self._add(rows))
        else:
            self._add(rows)

    def settle(self, gone: Sequence[StoredMessage], back: Sequence[tuple[StoredMessage, int | None]]) -> bool:
        """Note what became of messages that were delivered; whether that is written now, and not later.

        Args:
            gone: Those that are not delivered any more.
            back: Those that are delivered once more, each with the time up to which nobody gets it.
        """
        old = [(self._queue, message.position) for message in (*gone, *(message for message, _ in back))]
        new = [self._row(message, due) for message, due in back]

        def write() -> None:
            for place in old:
                self._file.write(_DELETE, place)
            self._add(new)

        self._behind.append(write)
        with contextlib.suppress(JsException):  # the file keeps the problem
            self._catch_up(lambda: None)
        return not self._behind

    def _catch_up(self, write: Callable[[], None]) -> None:
        """Write, and before it what could not be written."""
        with self._file.together():
            for one in self._behind:
                one()
            write()
        self._behind.clear()

    def _row(self, message: StoredMessage, due: int | None) -> tuple[Any, ...]:
        """The row of a message, at the end: two messages may have one id."""
        content = message.content
        if isinstance(content, str):
            content = to_column(content)
        elif not isinstance(content, bytes):
            content = encode(content)
        message.position, self._next = self._next, self._next + 1
        named = (self._queue, message.position, message.id, message.timestamp, message.content_type)
        return (*named, content, message.size, message.failures, due)

    def _add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        for row in rows:
            self._file.write(_ADD, row)


def _content(content_type: str, content: Any) -> Any:
    kind = content_type.lower()
    if kind == "bytes":
        return content
    return decode(content) if kind == "v8" else from_column(content)
