"""The message that an email handler gets, and what becomes of it.

Source: Cloudflare's documentation of Email Workers ("Runtime API"); not observed.
"""

from __future__ import annotations

from email import message_from_bytes
from typing import Any

from pytest_workflows.javascript.headers import Headers
from pytest_workflows.javascript.objects import JsArray, JsObject, js_text, promised
from pytest_workflows.javascript.streams import ReadableStream

from .js_arguments import not_of_type


class ForwardableEmailMessage(JsObject):
    """An incoming message.

    Args:
        sender: The envelope's sender.
        to: The envelope's recipient.
        raw: The message, headers and body.
    """

    _own = ("from", "to", "headers", "raw", "rawSize")

    def __init__(self, sender: str, to: str, raw: bytes) -> None:
        self._from, self._to, self._content = sender, to, raw
        pairs = [(name, str(value)) for name, value in message_from_bytes(raw).items()]
        self._headers = Headers._construct(JsArray([JsArray(list(pair)) for pair in pairs]))
        self._stream = ReadableStream._of_bytes(raw)
        self._reject: str | None = None
        self._forwarded: list[str] = []
        self._replies: list[Any] = []

    @property
    def from_(self) -> str:
        """The envelope's sender: `from` in JavaScript."""
        return self._from

    @property
    def to(self) -> str:
        """The envelope's recipient."""
        return self._to

    @property
    def headers(self) -> Any:
        """The message's headers."""
        return self._headers

    @property
    def raw(self) -> Any:
        """The message as a stream."""
        return self._stream

    @property
    def rawSize(self) -> int:
        """The message's length in bytes."""
        return len(self._content)

    def __getattr__(self, name: str) -> Any:
        if name == "from":
            return self._from
        raise AttributeError(name)

    def setReject(self, reason: Any = None) -> None:
        """Refuse the message, with a reason for its sender."""
        self._reject = js_text(reason)

    @promised
    def forward(self, to: Any = None, headers: Any = None) -> None:
        """Hand it on to an address."""
        if not isinstance(to, str):
            raise not_of_type("forward", "ForwardableEmailMessage", 1, "string")
        self._forwarded.append(to)

    @promised
    def reply(self, message: Any = None) -> None:
        """Answer its sender."""
        self._replies.append(message)
