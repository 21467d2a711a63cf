"""The SDK's wrapper of a KV namespace: for a text under an ordinary key, what any binding's wrapper does, in one step.

Such a put and get cost less than the conversions that the wrapper of any binding makes of them; what is out of the
ordinary goes the way of any binding.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from durable_engine import JsException, hide_frames
from pytest_workflows.workers.binding_wrappers import QuickWrapper

from .kv import MAX_KEY, MAX_VALUE, KvNamespace
from .kv_store import KvEntry
from .quick_answers import resolved

hide_frames(__file__)


class KvWrapper(QuickWrapper, wraps=KvNamespace):
    """The wrapper of a namespace."""

    def put(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """Set the value of a key."""
        calls, namespace = self._calls, self._binding
        if (
            len(args) != 2
            or kwargs
            or not (_is_key(args[0]) and _is_value(args[1]))
            or not (calls is None or calls.is_idle())
        ):
            return self._invoke("put", namespace.put, args, kwargs)  # type: ignore[no-any-return]
        try:
            namespace._store.put(args[0], KvEntry(args[1].encode()))
        except JsException:  # it could not be kept: once more, as a call that may fail
            return self._invoke("put", namespace.put, args, kwargs)  # type: ignore[no-any-return]
        if calls is not None:
            calls.note("put", args)
        return resolved(None)

    def get(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """The value of a key."""
        calls, namespace = self._calls, self._binding
        if len(args) != 1 or kwargs or not _is_key(args[0]) or not (calls is None or calls.is_idle()):
            return self._invoke("get", namespace.get, args, kwargs)  # type: ignore[no-any-return]
        entry = namespace._store.get(args[0], namespace._host.now_ms())
        if entry is not None and not entry.value.isascii():
            return self._invoke("get", namespace.get, args, kwargs)  # type: ignore[no-any-return]
        text = None if entry is None else entry.value.decode()
        if calls is not None:
            calls.note("get", args, text, _same)
        return resolved(text)


def _is_key(key: Any) -> bool:
    return type(key) is str and key.isascii() and 0 < len(key) <= MAX_KEY and key not in (".", "..")


def _is_value(value: Any) -> bool:
    return type(value) is str and value.isascii() and len(value) <= MAX_VALUE


def _same(answer: str | None, *_: Any) -> str | None:
    return answer
