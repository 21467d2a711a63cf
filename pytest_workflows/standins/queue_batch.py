"""A batch of messages as a consumer gets it, and what the consumer says of them.

Of several words on one message the first holds, but for `retryAll()`. Source: observed with workerd 1.20261117.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_workflows.javascript.collections import JsDate
from pytest_workflows.javascript.convert import to_integer
from pytest_workflows.javascript.objects import JsArray, JsObject, JsPlain, js_error, option

from .options import warn_of_unknown_options
from .queue_store import Backlog, Verdict

if TYPE_CHECKING:
    from .host import Host


@dataclass(slots=True)
class Answer:
    """What a consumer said of a batch.

    Attributes:
        outcome: `ok`, or `exception` where the handler raised.
        acks_all: Whether it acknowledged all.
        retries_all: Whether it asked for all once more.
        delay: The delay of that in seconds.
        acks: The ids of the messages that it acknowledged one by one.
        retries: The ids of those that it asked for once more, each with its delay in seconds.
        host: The test, where it wants to know of what is wrong; None where nobody does.
        acked_at: Where the first message was acknowledged, as file and line.
    """

    outcome: str = "ok"
    acks_all: bool = False
    retries_all: bool = False
    delay: int | None = None
    acks: list[str] = field(default_factory=list)
    retries: dict[str, int | None] = field(default_factory=dict)
    host: Host | None = None
    acked_at: tuple[str, int] | None = None

    def note_place(self) -> None:
        """Note where the first message was acknowledged."""
        if self.acked_at is None and self.host is not None:
            self.acked_at = self.host.place()

    def seconds_of(self, call: str, options: Any) -> int | None:
        """The delay that the options of a retry ask for."""
        if self.host is not None:
            warn_of_unknown_options(self.host, call, options, ("delaySeconds",))
        return seconds_of(option(options, "delaySeconds"))

    def verdict(self) -> Verdict:
        """What becomes of the messages, as the local runtime has it: a throw undoes every acknowledgement."""
        return Verdict(self.retries_all or self.outcome != "ok", self.delay, dict(self.retries))

    def lost_acks(self, ids: Sequence[str]) -> list[str]:
        """The messages that were acknowledged and come once more all the same."""
        if self.outcome == "ok" and not self.retries_all:
            return []
        return list(ids) if self.acks_all else self.acks

    def as_js(self) -> JsPlain:
        """What a service binding's `queue()` resolves to."""
        return JsPlain(
            {
                "outcome": self.outcome,
                "ackAll": self.acks_all,
                "retryBatch": JsPlain({"retry": self.retries_all, "delaySeconds": self.delay}),
                "explicitAcks": JsArray(list(self.acks)),
                "retryMessages": JsArray(
                    [JsPlain({"msgId": id, "delaySeconds": delay}) for id, delay in self.retries.items()]
                ),
            }
        )


class QueueMessage(JsObject):
    """A message, as a consumer gets it.

    Args:
        id: Its id.
        timestamp: When it was sent, in milliseconds since 1970.
        body: Makes the body, a value of JavaScript; asked once.
        attempts: Which delivery of it this is, from 1.
        answer: What the consumer says.
    """

    _own = ("id", "timestamp", "body", "attempts")

    def __init__(self, id: str, timestamp: float, body: Callable[[], Any], attempts: int, answer: Answer) -> None:
        set_ = object.__setattr__
        set_(self, "_id", id)
        set_(self, "_timestamp", JsDate(timestamp))
        set_(self, "_make", body)
        set_(self, "_attempts", attempts)
        set_(self, "_answer", answer)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._own:
            raise js_error("TypeError", f"Cannot assign to read only property '{name}' of object '#<{self._js_class}>'")
        object.__setattr__(self, name, value)

    @property
    def id(self) -> str:
        """The message's id."""
        found: str = self._id
        return found

    @property
    def timestamp(self) -> JsDate:
        """When it was sent."""
        found: JsDate = self._timestamp
        return found

    @property
    def body(self) -> Any:
        """What was sent."""
        if "_body" not in self.__dict__:
            object.__setattr__(self, "_body", self._make())
        return self._body

    @property
    def attempts(self) -> int:
        """Which delivery of it this is, from 1."""
        found: int = self._attempts
        return found

    def ack(self) -> None:
        """Acknowledge it: it is not delivered again."""
        answer: Answer = self._answer
        is_decided = answer.acks_all or answer.retries_all or self.id in answer.retries or self.id in answer.acks
        if not is_decided:
            answer.acks.append(self.id)
            answer.note_place()

    def retry(self, options: Any = None) -> None:
        """Ask for it once more."""
        answer: Answer = self._answer
        if not answer.acks_all and self.id not in answer.acks:
            answer.retries[self.id] = answer.seconds_of("retry(...) of a message", options)


class QueueController(JsObject):
    """A batch, as a consumer gets it (`MessageBatch`).

    Args:
        queue: The queue's name.
        messages: Makes the messages, given what the consumer says of them.
        backlog: What is left in the queue; None for nothing.
        host: The test, where it wants to know of what is wrong; None where nobody does.
    """

    _own = ("queue", "messages", "metadata")

    def __init__(
        self,
        queue: str,
        messages: Callable[[Answer], Sequence[QueueMessage]],
        backlog: Backlog | None = None,
        host: Host | None = None,
    ) -> None:
        self._queue = queue
        self._answer = Answer(host=host)
        self._messages = JsArray(list(messages(self._answer)))
        self._metrics = metrics_of(backlog or Backlog())

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self._queue

    @property
    def messages(self) -> JsArray:
        """The messages."""
        return self._messages

    @property
    def metadata(self) -> JsPlain:
        """What is known of the queue."""
        return JsPlain({"metrics": self._metrics})

    def ackAll(self) -> None:
        """Acknowledge all."""
        if not self._answer.retries_all:
            self._answer.acks_all = True
            self._answer.note_place()

    def retryAll(self, options: Any = None) -> None:
        """Ask for all once more."""
        if not self._answer.acks_all:
            self._answer.retries_all = True
            self._answer.delay = self._answer.seconds_of("retryAll(...) of a batch", options)


def metrics_of(backlog: Backlog) -> JsPlain:
    """What waits in a queue, as JavaScript has it."""
    oldest = None if backlog.oldest is None else JsDate(backlog.oldest)
    return JsPlain({"backlogCount": backlog.count, "backlogBytes": backlog.size, "oldestMessageTimestamp": oldest})


def seconds_of(value: Any) -> int | None:
    """A delay as the runtime reads it: anything that is no number counts as 0.

    Args:
        value: A value of JavaScript.

    Returns:
        Whole seconds; None where none was given.

    Raises:
        JsException: A TypeError, for a bigint.
    """
    return None if value is None else (to_integer(value) + 2**31) % 2**32 - 2**31
