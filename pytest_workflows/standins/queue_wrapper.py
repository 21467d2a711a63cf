"""The SDK's wrapper of a queue's producer: for most messages, what the wrapper of any binding does, in one step.

A message costs less than the conversions that the wrapper of any binding makes of it and of its answer. Here its JSON
is written from Python's values; what is out of the ordinary goes the way of any binding.
"""

from __future__ import annotations

import json
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from durable_engine import JsDict, JsException, hide_frames
from pytest_workflows.javascript.objects import MAX_SAFE, is_index
from pytest_workflows.workers.binding_wrappers import QuickWrapper

from .queue_store import Backlog
from .queues import MOST_BYTES, WorkerQueue
from .quick_answers import resolved

hide_frames(__file__)

_write = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class QueueWrapper(QuickWrapper, wraps=WorkerQueue):
    """The wrapper of a producer."""

    def send(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """Send one message."""
        calls, queue = self._calls, self._binding
        text = None
        if len(args) == 1 and not kwargs and (calls is None or calls.is_idle()) and queue._sends_json:
            text = _json(args[0])
        if text is None:
            return self._invoke("send", queue.send, args, kwargs)  # type: ignore[no-any-return]
        try:
            before = queue._broker.accept(text, queue._delay)
        except JsException:  # it could not be kept: once more, as a call that may fail
            return self._invoke("send", queue.send, args, kwargs)  # type: ignore[no-any-return]
        if calls is not None:
            calls.note("send", args, before, _answer)
        return resolved(_answer(before))


def _answer(before: Backlog, *_: Any) -> JsDict:
    oldest = before.oldest
    metrics = JsDict(
        {
            "backlogCount": before.count,
            "backlogBytes": before.size,
            "oldestMessageTimestamp": None if oldest is None else datetime.fromtimestamp(oldest / 1000),
        }
    )
    return JsDict({"metadata": JsDict({"metrics": metrics})})


def _json(value: Any) -> str | None:
    """The JSON text of a value as JavaScript writes it; None where that is not Python's, or the text is too long."""
    if not _is_plain(value, 0):
        return None
    text = _write(value)
    return text if len(text) <= MOST_BYTES else None


def _is_plain(value: Any, depth: int) -> bool:
    kind = type(value)
    if kind is str:
        return bool(value.isascii())
    if kind is int:
        return bool(-MAX_SAFE <= value <= MAX_SAFE)
    if kind is dict:
        if depth > 50:
            return False
        for key, item in value.items():
            if type(key) is not str or not key.isascii() or is_index(key) or not _is_plain(item, depth + 1):
                return False
        return True
    if kind is list:
        return depth <= 50 and all(_is_plain(item, depth + 1) for item in value)
    return value is None or kind is bool


__all__ = ["QueueWrapper"]
