"""Queues: the producer binding, and the broker that delivers to the Worker's consumer in virtual time.

Source: observed with miniflare 5.20261117.0 and workerd 1.20261117.1, workers-runtime-sdk 1.9.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from durable_engine import JsProxy
from pytest_workflows.javascript.buffers import JsBufferView, buffer_from_python
from pytest_workflows.javascript.convert import typeof
from pytest_workflows.javascript.json_text import parse, stringify
from pytest_workflows.javascript.objects import JsArray, JsObject, JsPlain, PyProxy, js_error, js_text, option, promised

from .js_arguments import not_of_type
from .options import warn_of_unknown_options
from .queue_batch import Answer, QueueController, QueueMessage, metrics_of, seconds_of
from .queue_config import consumer_of
from .queue_store import Backlog, QueueStore, StoredMessage, Verdict

if TYPE_CHECKING:
    from .host import Host, TimerHandle

MOST_BYTES = 128_000
MOST_MESSAGES = 100
MOST_BYTES_OF_BATCH = 288_000
LONGEST_DELAY = 43_200
"""The platform's limit, in seconds, which the local runtime does not enforce."""

_NO_BODY = "Message body cannot be undefined"


def broker_of(host: Host, queue: str) -> Broker:
    """The one broker of a queue, in a test: it delivers to the Worker that consumes the queue.

    Args:
        host: The test, as a Worker sees it that sends to the queue.
        queue: The queue's name.
    """
    consumer = host.consumer_of(queue)
    store = host.stores.get("queues", queue, lambda: QueueStore(consumer_of(consumer.config, queue)))
    if store.broker is None:
        store.broker = Broker(consumer, queue, store)
    else:
        store.broker.deliver_to(consumer)
    return store.broker


class WorkerQueue(JsObject):
    """The producer of a queue.

    Args:
        broker: The queue's broker.
        host: The test, as the Worker sees it that has the producer.
        delay: The delay of what is sent without one, in seconds.
    """

    _own = ()

    def __init__(self, broker: Broker, host: Host, delay: float = 0) -> None:
        self._broker = broker
        self._host = host
        self._delay = delay
        self._sends_json = host.is_on("queues_json_messages", "2024-03-18")

    @promised
    def send(self, *values: Any) -> JsPlain:
        """Send one message."""
        if not values:
            raise not_of_type("send", "WorkerQueue", 1, "Value")
        body, options = values[0], values[1] if len(values) > 1 else None
        self._check_options("send", options, ("contentType", "delaySeconds"))
        delay = seconds_of(option(options, "delaySeconds"))
        outgoing = self._outgoing(body, option(options, "contentType"), delay, "send")
        if outgoing.size > MOST_BYTES:
            raise self._failure(
                f"Queue send failed: message length of {outgoing.size} bytes exceeds limit of {MOST_BYTES}"
            )
        return self._broker.send([outgoing], self._delay)

    @promised
    def sendBatch(self, *values: Any) -> JsPlain:
        """Send several messages."""
        options = values[1] if len(values) > 1 else None
        self._check_options("sendBatch", options, ("delaySeconds",))
        delay = seconds_of(option(options, "delaySeconds"))
        batch = [self._of_request(request, delay) for request in _items(values[0] if values else None)]
        if not batch:
            raise js_error("TypeError", "sendBatch() requires at least one message")
        if len(batch) > MOST_MESSAGES:
            raise self._failure(
                f"Queue sendBatch failed: batch message count of {len(batch)} exceeds limit of {MOST_MESSAGES}"
            )
        longest = next((one.size for one in batch if one.size > MOST_BYTES), None)
        if longest is not None:
            raise self._failure(
                f"Queue sendBatch failed: message in batch has length {longest} bytes which exceeds single message "
                f"size limit of {MOST_BYTES}"
            )
        if (size := sum(one.size for one in batch)) > MOST_BYTES_OF_BATCH:
            raise self._failure(
                f"Queue sendBatch failed: batch size of {size} bytes exceeds limit of {MOST_BYTES_OF_BATCH}"
            )
        return self._broker.send(batch, self._delay)

    @promised
    def metrics(self) -> JsPlain:
        """What waits in the queue."""
        return self._broker.metrics()

    def _failure(self, text: str) -> Exception:
        """The error for what the platform refuses: its text is hidden since 2026-03-12."""
        if self._host.is_on("queue_expose_error_codes", "2026-03-12"):
            error = js_error("Error", "Unknown Internal Error (15000)")
            error.add_note(f"{text}.")
            return error
        return js_error("Error", text)

    def _check_options(self, method: str, options: Any, known: tuple[str, ...]) -> None:
        warn_of_unknown_options(self._host, f"{method}(...) to {self._broker.name}", options, known)

    def _of_request(self, request: Any, delay: int | None) -> _Outgoing:
        if not isinstance(request, JsObject | PyProxy):
            raise js_error("TypeError", "Incorrect type: the provided value is not of type 'MessageSendRequest'.")
        self._check_options("sendBatch", request, ("body", "contentType", "delaySeconds"))
        own = seconds_of(option(request, "delaySeconds"))
        body, kind = option(request, "body"), option(request, "contentType")
        return self._outgoing(body, kind, delay if own is None else own, "sendBatch")

    def _outgoing(self, body: Any, content_type: Any, delay: int | None, method: str) -> _Outgoing:
        if body is None:
            raise js_error("TypeError", _NO_BODY)
        default = "json" if self._sends_json else "v8"
        kind = default if content_type is None else js_text(content_type)
        content = _serialized(kind, body)
        if content is None or (delay is not None and delay < 0):
            raise self._failure(f"Queue {method} failed: Internal Server Error")
        if delay is not None and delay > LONGEST_DELAY:
            self._host.warn(
                "documented-limit", f"delaySeconds={delay} is more than the {LONGEST_DELAY} that Cloudflare documents"
            )
        return _Outgoing(kind.lower(), content, delay)


class _Outgoing:
    """A message that is about to be sent.

    Args:
        content_type: The content type.
        content: The body as it is kept.
        delay: Its delay in seconds; None for the producer's.
    """

    __slots__ = ("content", "content_type", "delay", "size")

    def __init__(self, content_type: str, content: Any, delay: int | None) -> None:
        self.content_type, self.content, self.delay = content_type, content, delay
        if isinstance(content, str):
            self.size = len(content) if content.isascii() else len(content.encode(errors="surrogatepass"))
        else:
            self.size = len(content) if isinstance(content, bytes) else _size_of_clone(content)


def _items(values: Any) -> Iterable[Any]:
    """The items of a sequence: anything that JavaScript can iterate over, but for a text."""
    if isinstance(values, JsArray):
        return list(values._items)
    iterated = values._object if isinstance(values, PyProxy) else values
    if not isinstance(values, JsProxy) or isinstance(values, JsPlain) or not hasattr(iterated, "__iter__"):
        raise not_of_type("sendBatch", "WorkerQueue", 1, "Sequence")
    return list(iterated)


def _serialized(content_type: str, body: Any) -> Any:
    """A body as a queue keeps it; None where JSON has none for it.

    Raises:
        JsException: If it is none of that content type, or the type is unknown.
    """
    kind = content_type.lower()
    if kind == "json":
        return stringify(body)
    if kind == "v8":
        from pytest_workflows.javascript.cloning import clone

        return clone(body)
    if kind == "text":
        if not isinstance(body, str):
            raise _wrong_body("text", "string", body)
        return body
    if kind == "bytes":
        if not isinstance(body, JsBufferView):
            raise _wrong_body("bytes", "ArrayBufferView", body)
        return body.to_bytes()
    raise js_error("TypeError", f"Unsupported queue message content type: {content_type}")


def _wrong_body(kind: str, expected: str, body: Any) -> Exception:
    received = typeof(body)
    return js_error("TypeError", f'Content Type "{kind}" requires a value of type {expected}, but received: {received}')


def _body_of(message: StoredMessage) -> Any:
    """A body as its consumer gets it, each time another value."""
    if message.content_type == "json":
        return parse(message.content)
    if message.content_type == "bytes":
        return buffer_from_python(message.content)
    if message.content_type == "v8":
        from pytest_workflows.javascript.cloning import clone

        return clone(message.content)
    return message.content


def _size_of_clone(value: Any) -> int:
    """About as many bytes as V8 needs for a value: its JSON text, and a header."""
    try:
        return len((stringify(value) or "").encode()) + 2
    except Exception:
        return 2


class Broker:
    """Takes the messages of one queue, and delivers them to the Worker's consumer.

    Args:
        host: The test, as the queue's consumer sees it.
        queue: The queue's name.
        store: Its messages.

    Attributes:
        host: As given.
    """

    def __init__(self, host: Host, queue: str, store: QueueStore) -> None:
        self.host = host
        self._queue = queue
        self._store = store
        self._timer: TimerHandle | None = None
        self._due: int | None = None
        self._arm()

    @property
    def name(self) -> str:
        """The queue, for reports."""
        return f"the queue {self._queue!r}"

    # -- what comes in -----------------------------------------------------------------------------------------------

    def send(self, batch: list[_Outgoing], delay: float) -> JsPlain:
        """Take messages.

        Args:
            batch: The messages.
            delay: The delay of those that have none, in seconds.

        Returns:
            What waited before them.
        """
        before = JsPlain({"metadata": JsPlain({"metrics": self.metrics()})})
        now = self.host.now_ms()
        messages = [
            (self._message(one.content_type, one.content, one.size, now), delay if one.delay is None else one.delay)
            for one in batch
        ]
        self._store.add_all([(message, int(delay * 1000)) for message, delay in messages], now)
        self._arm()
        return before

    def accept(self, text: str, delay: float) -> Backlog:
        """Take one message of ASCII JSON.

        Args:
            text: The JSON.
            delay: Its delay in seconds.

        Returns:
            What waited before it.
        """
        before = self._store.measure()
        now = self.host.now_ms()
        self._store.add(self._message("json", text, len(text), now), now, int(delay * 1000))
        self._arm()
        return before

    def _message(self, content_type: str, content: Any, size: int, now: int) -> StoredMessage:
        id = f"{self.host.random.getrandbits(128):032x}"
        return StoredMessage(id, now, content_type, content, size, self.host.round() + 1)

    def metrics(self) -> JsPlain:
        """What waits in the queue."""
        return metrics_of(self._store.measure())

    def deliver_to(self, host: Host) -> None:
        """Deliver to a consumer as its configuration has it now.

        Args:
            host: The test, as the queue's consumer sees it.
        """
        self.host = host
        delivery = consumer_of(host.config, self._queue)
        if delivery != self._store.delivery:
            self._store.deliver_as(delivery, host.now_ms())
            self._arm()

    # -- what goes out -----------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Let the timer be set that the queue needs next."""
        due = self._store.next_due()
        if due == self._due and (due is None) == (self._timer is None):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due, self._timer = due, None
        if due is not None:
            round_ = self._store.round()
            self._timer = self.host.timer(due, self._deliver, f"The consumer of {self.name}", round=round_)

    async def _deliver(self) -> None:
        self._timer = self._due = None
        batch = self._store.take(self.host.now_ms())
        if batch is None:
            self._arm()
            return
        controller = QueueController(
            self._queue,
            lambda answer: [_as_message(one, answer) for one in batch],
            self._store.measure(),
            self.host,
        )
        try:
            answer = await self.host.deliver_batch(controller)
        except BaseException as error:
            if self._store.is_kept and isinstance(error, Exception):
                self._settle(Verdict(retries_all=True))
            else:
                self._store.leave_batch()
            raise
        lost = answer.lost_acks([message.id for message in batch])
        if lost:
            why = "retryAll() was called" if answer.outcome == "ok" else "the handler raised"
            self.host.warn(
                "lost-acknowledgement",
                f"{len(lost)} of {len(batch)} messages of {self.name} were acknowledged, {why} afterwards, and all "
                "are delivered once more",
                answer.acked_at,
            )
        self._settle(answer.verdict())

    def _settle(self, verdict: Verdict) -> None:
        self._bury(self._store.finish(self.host.now_ms(), verdict))
        self._arm()

    def _bury(self, dead: list[StoredMessage]) -> None:
        delivery = self._store.delivery
        if not dead or delivery is None or delivery.dead_letters is None:
            return
        other = broker_of(self.host, delivery.dead_letters)
        now, round_ = self.host.now_ms(), self.host.round() + 1
        for message in dead:
            message.failures, message.round = 0, round_
        self._store.bury(dead, other._store, now)
        other._arm()


def _as_message(message: StoredMessage, answer: Answer) -> QueueMessage:
    return QueueMessage(message.id, message.timestamp, lambda: _body_of(message), message.failures + 1, answer)
