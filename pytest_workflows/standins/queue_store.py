"""What a queue holds, and when a batch of it is due: a state machine without a clock of its own.

Source: observed with miniflare 5.20261117.0 and workerd 1.20261117.1.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from .peeks import Peek, instant, no_table, page_of

if TYPE_CHECKING:
    from .queues import Broker
    from .stores import Contents

DEFAULT_BATCH_SIZE = 5
DEFAULT_BATCH_TIMEOUT = 1.0
DEFAULT_RETRIES = 2


@dataclass(slots=True, eq=False)
class StoredMessage:
    """A message on its way.

    Attributes:
        id: 32 hex digits.
        timestamp: When it was sent, in milliseconds since 1970.
        content_type: `text`, `bytes`, `json` or `v8`.
        content: The body: a text, bytes, JSON text, or a value of JavaScript that nobody else has.
        size: How many bytes the body counts.
        round: How many timers led to it, each set by the call that the one before it made.
        failures: How many deliveries of it failed.
        position: Where it is, where it is kept.
    """

    id: str
    timestamp: int
    content_type: str
    content: Any
    size: int
    round: int = 0
    failures: int = 0
    position: int = 0


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much of a queue could be delivered.

    Attributes:
        count: How many messages.
        size: How many bytes their bodies count.
        oldest: When the oldest was sent, in milliseconds since 1970; None where there is none.
    """

    count: int = 0
    size: int = 0
    oldest: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a queue is delivered to its consumer.

    Attributes:
        batch_size: The most messages of a batch.
        batch_timeout_ms: How long a batch that is not full waits for more.
        retries: How often a message is delivered once more.
        retry_delay: The delay before that in seconds, where the consumer asks for none.
        dead_letters: The queue that gets what failed too often; None where that is dropped.
    """

    batch_size: int = DEFAULT_BATCH_SIZE
    batch_timeout_ms: int = int(DEFAULT_BATCH_TIMEOUT * 1000)
    retries: int = DEFAULT_RETRIES
    retry_delay: float = 0
    dead_letters: str | None = None


_NO_CONSUMER: Final = Delivery(retries=sys.maxsize)
"""How a batch under way ends whose queue has no consumer any more: what failed waits for the next one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the messages of a batch.

    Attributes:
        retries_all: Whether each of them is delivered once more.
        delay: The delay of that in seconds, where a message has none of its own; None for the consumer's.
        retried: The ids of single messages to deliver once more, each with its delay in seconds or None.
    """

    retries_all: bool = False
    delay: float | None = None
    retried: dict[str, float | None] | None = None


class KeptMessages(Protocol):
    """The messages of a queue where they outlive the process, each with the time up to which nobody gets it."""

    def load(self) -> list[tuple[StoredMessage, int | None]]:
        """All of them, the next one first."""

    def add(self, messages: Sequence[tuple[StoredMessage, int | None]]) -> None:
        """Add messages that were sent, all or none. What cannot be written raises."""

    def settle(self, gone: Sequence[StoredMessage], back: Sequence[tuple[StoredMessage, int | None]]) -> bool:
        """Note which messages are not delivered any more, and which ones are once more; whether that is written now.

        What cannot be written is written later.
        """


class QueueStore:
    """The messages of one queue.

    A batch is due when it is full, or when its first message has waited for as long as a batch may. One batch is
    delivered at a time; a message that is delivered once more goes to the end of the queue.

    Args:
        delivery: How it is delivered; None where the queue has no consumer here. What is sent is gone then, unless it
            is kept: it waits for a consumer of a later process.
        kept: Where its messages are kept; None for in memory only.

    Attributes:
        delivery: As given.
        broker: What delivers it in a test; the store itself makes nothing of it.
    """

    def __init__(self, delivery: Delivery | None = None, kept: KeptMessages | None = None) -> None:
        self.delivery = delivery
        self._kept = kept
        self.broker: Broker | None = None
        self._waiting: list[StoredMessage] = []
        self._delayed: list[tuple[int, int, StoredMessage]] = []
        self._batch: list[StoredMessage] | None = None
        self._flush_at: int | None = None
        self._count = 0
        self._gone: dict[Any, None] = {}
        self._backlog: Backlog | None = Backlog()
        self._round = 0
        if kept is not None:
            self._load(kept)

    def _load(self, kept: KeptMessages) -> None:
        for message, due in kept.load():
            if due is None:
                self._waiting.append(message)
            else:
                self._delay(message, due)
        self._backlog = None
        if self._waiting and self.delivery is not None:
            is_full = len(self._waiting) >= self.delivery.batch_size
            self._flush_at = 0 if is_full else self._waiting[0].timestamp + self.delivery.batch_timeout_ms

    @property
    def is_kept(self) -> bool:
        """Whether its messages outlive the process."""
        return self._kept is not None

    # -- what it holds -----------------------------------------------------------------------------------------------

    @property
    def backlog(self) -> Sequence[StoredMessage]:
        """The messages that are delivered just now, or could be: not the delayed ones."""
        return [*self._batch, *self._waiting] if self._batch else self._waiting

    def measure(self) -> Backlog:
        """How much could be delivered."""
        if self._backlog is None:
            there = self.backlog
            oldest = min((one.timestamp for one in there), default=None)
            self._backlog = Backlog(len(there), sum(one.size for one in there), oldest)
        return self._backlog

    def messages(self) -> Iterator[StoredMessage]:
        """All messages that have not been delivered for good."""
        yield from self.backlog
        for _, _, message in sorted(self._delayed, key=lambda one: one[:2]):
            yield message

    def copy(self) -> QueueStore:
        """Another store of the same messages."""
        made = QueueStore(self.delivery)
        made._waiting = [replace(message) for message in self.backlog]
        made._delayed = [(due, number, replace(message)) for due, number, message in self._delayed]
        made._count, made._gone = self._count, dict(self._gone)
        made._flush_at, made._round, made._backlog = self._flush_at, self._round, None
        return made

    def contents(self) -> Contents:
        """The bodies that wait, or were sent where nobody takes them: a queue may hold a message twice at any time."""
        waiting = dict.fromkeys(_comparable(message) for message in self.messages())
        return {"": dict.fromkeys([*self._gone, *waiting], True)}

    def tables(self) -> list[str]:
        """The one table."""
        return ["messages"]

    def peek(self, table: str, after: str | None = None, limit: int = 50) -> Peek:
        """A page of the messages that have not been delivered for good."""
        if table != "messages":
            raise no_table(table, self.tables())
        columns = ("id", "sent", "state", "due", "failures", "content type", "body")
        return page_of(columns, self._rows(), after, limit)

    def _rows(self) -> Iterator[tuple[object, ...]]:
        for message in self._batch or ():
            yield _row(message, "in delivery", None)
        for message in self._waiting:
            yield _row(message, "waiting", self._flush_at)
        for due, _, message in sorted(self._delayed, key=lambda one: one[:2]):
            yield _row(message, "delayed", due)

    def close(self) -> None:
        """Forget the messages."""
        self._waiting, self._delayed, self._batch, self._flush_at, self._backlog = [], [], None, None, None

    def deliver_as(self, delivery: Delivery | None, now: int) -> None:
        """Deliver otherwise from now on.

        Args:
            delivery: How; None where the queue has no consumer any more.
            now: The time, in milliseconds since 1970.
        """
        self.delivery, self._flush_at = delivery, None
        if self._waiting:
            self._plan(now)

    # -- what happens to it ------------------------------------------------------------------------------------------

    def add(self, message: StoredMessage, now: int, delay_ms: int = 0) -> None:
        """Take a message.

        Args:
            message: The message.
            now: The time, in milliseconds since 1970.
            delay_ms: How long nobody gets it.
        """
        if self._kept is not None:
            self._kept.add([(message, _due(now, delay_ms))])
        self._take_in(message, now, delay_ms)

    def add_all(self, messages: Sequence[tuple[StoredMessage, int]], now: int) -> None:
        """Take messages, all or none.

        Args:
            messages: The messages, each with how long nobody gets it, in milliseconds.
            now: The time, in milliseconds since 1970.
        """
        if self._kept is not None:
            self._kept.add([(message, _due(now, delay_ms)) for message, delay_ms in messages])
        for message, delay_ms in messages:
            self._take_in(message, now, delay_ms)

    def _take_in(self, message: StoredMessage, now: int, delay_ms: int) -> None:
        if self.delivery is None and self._kept is None:
            self._gone[_comparable(message)] = None
            return
        self._round = max(self._round, message.round)
        if delay_ms > 0:
            self._delay(message, now + delay_ms)
        else:
            self._enter(message, now)

    def _delay(self, message: StoredMessage, due: int) -> None:
        heapq.heappush(self._delayed, (due, self._count, message))
        self._count += 1

    def _enter(self, message: StoredMessage, now: int) -> None:
        if self._backlog is not None:
            known = self._backlog
            first = message.timestamp if known.oldest is None else min(known.oldest, message.timestamp)
            self._backlog = Backlog(known.count + 1, known.size + message.size, first)
        self._waiting.append(message)
        self._plan(now)

    def next_due(self) -> int | None:
        """When something is to be done next: a delayed message comes, or a batch is due. None for never."""
        due = None if self._batch is not None else self._flush_at
        if self._delayed and (due is None or self._delayed[0][0] < due):
            return self._delayed[0][0]
        return due

    def round(self) -> int:
        """The most timers that led to one of the messages since it was empty."""
        return self._round

    def take(self, now: int) -> list[StoredMessage] | None:
        """Take the batch that is due by now; `finish` says how it went. None where none is due."""
        while self._delayed and self._delayed[0][0] <= now:
            self._enter(heapq.heappop(self._delayed)[2], now)
        if self._flush_at is None or self._flush_at > now or self._batch is not None or self.delivery is None:
            return None
        self._batch = self._waiting[: self.delivery.batch_size]
        del self._waiting[: len(self._batch)]
        return self._batch

    def finish(self, now: int, verdict: Verdict) -> list[StoredMessage]:
        """Note how the batch under way went.

        Args:
            now: The time, in milliseconds since 1970.
            verdict: What becomes of its messages.

        Returns:
            Those that failed too often.
        """
        batch, self._batch, self._flush_at, self._backlog = self._batch or [], None, None, None
        if not self._waiting and not self._delayed:
            self._round = 0
        delivery = self.delivery or (None if self._kept is None else _NO_CONSUMER)
        if delivery is None:
            return []
        if self._waiting:
            self._plan(now)
        back, gone, dead = self._judge(batch, verdict, delivery)
        for message, delay_ms in back:
            self._take_in(message, now, delay_ms)
        if self._kept is not None:
            if delivery.dead_letters is None:
                gone += dead
            self._kept.settle(gone, [(message, _due(now, delay_ms)) for message, delay_ms in back])
        return dead

    @staticmethod
    def _judge(
        batch: list[StoredMessage], verdict: Verdict, delivery: Delivery
    ) -> tuple[list[tuple[StoredMessage, int]], list[StoredMessage], list[StoredMessage]]:
        """Which messages are delivered once more, each with its delay, which ones are done, and which ones failed."""
        back: list[tuple[StoredMessage, int]] = []
        gone, dead = [], []
        retried = verdict.retried or {}
        for message in batch:
            if not verdict.retries_all and message.id not in retried:
                gone.append(message)
                continue
            message.failures += 1
            if message.failures > delivery.retries:
                dead.append(message)
                continue
            delay = retried.get(message.id)
            if delay is None:
                delay = delivery.retry_delay if verdict.delay is None else verdict.delay
            back.append((message, int(delay * 1000)))
        return back, gone, dead

    def bury(self, dead: Sequence[StoredMessage], other: QueueStore, now: int) -> None:
        """Hand messages that failed too often to another queue.

        Args:
            dead: The messages.
            other: That queue, or this one.
            now: The time, in milliseconds since 1970.
        """
        moved = [replace(message, position=0) for message in dead]  # where it was is a place of this queue alone
        is_written = other._kept is None or other._kept.settle((), [(message, None) for message in moved])
        for message in moved:
            other._take_in(message, now, 0)
        if self._kept is not None and is_written:
            self._kept.settle(dead, ())

    def leave_batch(self) -> None:
        """Give up the batch under way, of which nobody says any more how it went. What is kept of it stays."""
        self._batch = self._flush_at = self._backlog = None

    def _plan(self, now: int) -> None:
        """Plan the next batch, after a message came."""
        if self._batch is None and self.delivery is not None:
            is_full = len(self._waiting) >= self.delivery.batch_size
            due = now if is_full else now + self.delivery.batch_timeout_ms
            self._flush_at = due if self._flush_at is None else min(self._flush_at, due)


def _due(now: int, delay_ms: int) -> int | None:
    return now + delay_ms if delay_ms > 0 else None


def _comparable(message: StoredMessage) -> tuple[str, object]:
    content = message.content
    return message.content_type, content if isinstance(content, str | bytes) else repr(content)


def _row(message: StoredMessage, state: str, due: int | None) -> tuple[object, ...]:
    sent = instant(message.timestamp)
    return message.id, sent, state, instant(due), message.failures, message.content_type, message.content
