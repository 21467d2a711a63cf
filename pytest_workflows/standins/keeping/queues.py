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
    "SELECT id, timestamp, content_type, content, size, failures, due FROM queue_messages WHERE queue = ? "
    "ORDER BY position"
)
_ADD: Final = "INSERT OR REPLACE INTO queue_messages VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM queue_messages WHERE queue = ? AND id = ?"


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

    def load(self) -> list[tuple[StoredMessage, int | None]]:
        """All messages, the next one first, each with the time up to which nobody gets it."""
        return [
            (StoredMessage(id, timestamp, content_type, _content(content_type, content), size, 0, failures), due)
            for id, timestamp, content_type, content, size, failures, due in self._file.rows(_LOAD, (self._queue,))
        ]

    def add(self, messages: Sequence[tuple[StoredMessage, int | None]]) -> None:
        """Add messages that were sent, all or none. What cannot be written raises."""

        def write() -> None:
            for message, due in messages:
                self._add(message, due)

        if self._behind or len(messages) > 1:
            self._catch_up(write)
        else:
            write()

    def settle(self, gone: Sequence[StoredMessage], back: Sequence[tuple[StoredMessage, int | None]]) -> bool:
        """Note what became of messages that were delivered; whether that is written now, and not later.

        Args:
            gone: Those that are not delivered any more.
            back: Those that are delivered once more, each with the time up to which nobody gets it.
        """

        def write() -> None:
            for message in gone:
                self._file.write(_DELETE, (self._queue, message.id))
            for message, due in back:
                self._add(message, due)

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

    def _add(self, message: StoredMessage, due: int | None) -> None:
        content = message.content
        if isinstance(content, str):
            content = to_column(content)
        elif not isinstance(content, bytes):
            content = encode(content)
        row = (
            self._queue,
            message.id,
            message.timestamp,
            message.content_type,
            content,
            message.size,
            message.failures,
            due,
        )
        self._file.write(_ADD, row)


def _content(content_type: str, content: Any) -> Any:
    kind = content_type.lower()
    if kind == "bytes":
        return content
    return decode(content) if kind == "v8" else from_column(content)
