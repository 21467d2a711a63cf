"""The batch that a test gives to a queue handler, from bodies or from dicts that say more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from durable_engine import InvalidArgumentError, read_now
from pytest_workflows.javascript.rpc import python_to_rpc
from pytest_workflows.standins.queue_batch import QueueController, QueueMessage

if TYPE_CHECKING:
    from pytest_workflows.standins.host import Host

_KEYS = frozenset({"body", "id", "attempts", "timestamp"})


def batch_of(queue: str, messages: Sequence[Any], host: Host) -> QueueController:
    """The batch of these messages.

    Args:
        queue: The queue's name.
        messages: Bodies, or dicts of `body`, `id`, `attempts` and `timestamp`.
        host: The test.

    Raises:
        InvalidArgumentError: If one of them is of the wrong type.
    """
    if not isinstance(queue, str):
        raise InvalidArgumentError(f"queue is a queue's name such as 'orders', not {queue!r}.")
    if not isinstance(messages, list | tuple):
        raise InvalidArgumentError(f"messages is a list of bodies or of dicts with a body, not {messages!r}.")
    made = [_message(one, host) for one in messages]
    ids = [id for id, *_ in made]
    twice = next((id for id in ids if ids.count(id) > 1), None)
    if twice is not None:
        raise InvalidArgumentError(f"Two messages have the id {twice!r}. Leave the ids out, or give each its own.")
    return QueueController(queue, lambda answer: [QueueMessage(*one, answer) for one in made], host=host)


def _message(given: Any, host: Host) -> tuple[str, float, Callable[[], Any], int]:
    fields = given if isinstance(given, dict) and "body" in given and given.keys() <= _KEYS else {"body": given}
    id, attempts = fields.get("id"), fields.get("attempts", 1)
    if id is None:
        id = f"{host.random.getrandbits(128):032x}"
    if not isinstance(id, str):
        raise InvalidArgumentError(f"The id of a message is a text, not {id!r}.")
    if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
        raise InvalidArgumentError(f"attempts is which delivery of the message it is, from 1, not {attempts!r}.")
    body = python_to_rpc(fields["body"])
    return id, _milliseconds(fields.get("timestamp"), host), lambda: body, attempts


def _milliseconds(given: Any, host: Host) -> float:
    if given is None:
        return host.now_ms()
    if isinstance(given, int | float) and not isinstance(given, bool):
        return given
    if isinstance(given, datetime | str):
        return read_now(given)
    raise InvalidArgumentError(f"The timestamp of a message is a datetime or milliseconds since 1970, not {given!r}.")
