"""JavaScript's `WebSocket` and `WebSocketPair`: two ends in one process, each of which gets what the other sends."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from durable_engine import jsnull

from .blob import Blob
from .buffers import JsArrayBuffer, buffer_of
from .convert import is_missing, to_integer
from .events import CloseEvent, ErrorEvent, Event, EventTarget, MessageEvent
from .objects import JsObject, JsPlain, js_error, js_text
from .runtime import is_on

_CONNECTING, _OPEN, _CLOSING, _CLOSED = range(4)


class WebSocket(EventTarget):
    """One end of a connection. Before `accept()` nothing is sent or received: what the other end sends waits.

    Source: workerd 1.20261117.1.

    Args:
        url: Where to connect to. Nothing is opened: an `error` and a `close` event follow.
        protocols: The protocols.
    """

    _static_READY_STATE_CONNECTING = _static_CONNECTING = _CONNECTING
    _static_READY_STATE_OPEN = _static_OPEN = _OPEN
    _static_READY_STATE_CLOSING = _static_CLOSING = _CLOSING
    _static_READY_STATE_CLOSED = _static_CLOSED = _CLOSED

    def __init__(self, url: Any, protocols: Any = None) -> None:
        self._set_up()
        self._url = js_text(url)
        error = f"pytest-workflows opens no WebSocket to {self._url}: give the Worker one end of a WebSocketPair."

        def fail() -> None:
            self._has_sent_close = self._has_got_close = True
            self.dispatchEvent(ErrorEvent("error", JsPlain({"message": error})))
            self.dispatchEvent(CloseEvent("close", JsPlain({"code": 1006, "reason": error, "wasClean": False})))

        with contextlib.suppress(RuntimeError):  # outside of a loop it stays as it is
            asyncio.get_running_loop().call_soon(fail)

    @classmethod
    def _made(cls) -> WebSocket:
        made = cls.__new__(cls)
        made._set_up()
        return made

    def _set_up(self) -> None:
        EventTarget.__init__(self)
        self._url = None
        self._other = self
        self._is_accepted = self._has_sent_close = self._has_got_close = False
        self._waiting = deque()
        self._binary = "blob" if is_on("websocket_standard_binary_type", "2026-03-17") else "arraybuffer"
        self._attachment = None
        self._receiver = None

    _url: str | None
    _other: WebSocket
    _is_accepted: bool
    _has_sent_close: bool
    _has_got_close: bool
    _waiting: deque[tuple[str, Any]]
    _binary: str
    _attachment: Any
    _receiver: Callable[[str, Any], None] | None
    """A Durable Object's: gets what arrives in place of events, `message` with text or bytes, `close` with an event."""

    @property
    def readyState(self) -> int:
        """0 connecting, 1 open, 2 closing, 3 closed."""
        if self._has_sent_close and self._has_got_close:
            return _CLOSED
        if self._url is not None:
            return _CONNECTING
        return _CLOSING if self._has_sent_close or self._has_got_close else _OPEN

    @property
    def binaryType(self) -> str:
        """What bytes arrive as: "blob" or "arraybuffer"."""
        return self._binary

    @binaryType.setter
    def binaryType(self, value: Any) -> None:
        if value in ("blob", "arraybuffer"):
            self._binary = value

    @property
    def url(self) -> Any:
        """Where it connects to; null for an end of a pair."""
        return jsnull if self._url is None else self._url

    @property
    def protocol(self) -> Any:
        """The protocol; empty."""
        return ""

    @property
    def extensions(self) -> Any:
        """The extensions; empty."""
        return ""

    def accept(self, options: Any = None) -> None:
        """Begin to receive: what has arrived already comes now."""
        if self._receiver is not None:
            raise js_error("TypeError", "Can't accept() WebSocket that was already accepted for hibernation.")
        self._accept()

    def _accept(self) -> None:
        self._is_accepted = True
        self._deliver_soon()

    def send(self, message: Any) -> None:
        """Send a text, or bytes.

        Args:
            message: A text, a buffer or a Blob; anything else becomes a text.
        """
        self._raise_unless_accepted("send()")
        if self._has_sent_close:
            raise js_error("TypeError", "Can't call WebSocket send() after close().")
        data: Any = message._content if isinstance(message, Blob) else buffer_of(message)
        self._other._arrive("message", js_text(message) if data is None else data)

    def close(self, code: Any = None, reason: Any = None) -> None:
        """End the connection.

        Args:
            code: 1000, or 3000 to 4999; 1005 (none) where it is left out.
            reason: Why, for the other end.
        """
        self._raise_unless_accepted("close()")
        if self._has_sent_close:
            return
        number = 1005 if is_missing(code) else to_integer(code)
        if not is_missing(code) and not (1000 <= number < 5000 and number not in (1004, 1005, 1006, 1015)):
            raise js_error("TypeError", f"Invalid WebSocket close code: {number}.")
        if is_missing(code) and not is_missing(reason):
            raise js_error("TypeError", "If you specify a WebSocket close reason, you must also specify a code.")
        text = "" if is_missing(reason) else js_text(reason)
        self._has_sent_close = True
        self._other._arrive("close", (number, text))

    def _raise_unless_accepted(self, what: str) -> None:
        if not self._is_accepted:
            raise js_error(
                "TypeError",
                f"You must call one of accept() or state.acceptWebSocket() on this WebSocket before calling {what}.",
            )

    def serializeAttachment(self, value: Any = None) -> None:
        """Keep a value with the socket, across hibernation."""
        self._attachment = value

    def deserializeAttachment(self) -> Any:
        """The value that was kept; null for none."""
        return jsnull if self._attachment is None else self._attachment

    # -- within the runtime

    def _arrive(self, kind: str, data: Any) -> None:
        self._waiting.append((kind, data))
        if self._is_accepted:
            self._deliver_soon()

    def _deliver_soon(self) -> None:
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._deliver)

    def _deliver(self) -> None:
        if not self._waiting:
            return
        kind, data = self._waiting.popleft()
        if kind == "close":
            self._has_got_close = True
            code, reason = data
            if not self._has_sent_close:
                # The runtime answers a close by itself, as the protocol asks.
                self._has_sent_close = True
                self._other._arrive("close", (code, reason))
            event = CloseEvent("close", JsPlain({"code": code, "reason": reason, "wasClean": True}))
            self._hand_over("close", event, event)
        else:
            held = data
            if isinstance(data, bytes):
                held = Blob._of(data) if self._binary == "blob" else JsArrayBuffer(data)
            self._hand_over("message", data, MessageEvent("message", JsPlain({"data": held})))
        if self._waiting:
            self._deliver_soon()

    def _hand_over(self, kind: str, data: Any, event: Event) -> None:
        if self._receiver is not None:
            self._receiver(kind, data)
        else:
            self.dispatchEvent(event)


class WebSocketPair(JsObject):
    """The two ends of a connection, `0` for the client and `1` for the server; iterated over, it gives both."""

    def __init__(self) -> None:
        client, server = WebSocket._made(), WebSocket._made()
        client._other, server._other = server, client
        self._ends = (client, server)

    def _properties(self) -> dict[str, Any]:
        return {str(at): end for at, end in enumerate(self._ends)}

    def __getattr__(self, name: str) -> Any:
        if name in ("0", "1"):
            return self._ends[int(name)]
        raise AttributeError(name)

    def __getitem__(self, key: int) -> WebSocket:
        return self._ends[key]

    def __iter__(self) -> Iterator[WebSocket]:
        return iter(self._ends)


class WebSocketRequestResponsePair(JsObject):
    """A message and the answer that a Durable Object is not woken for.

    Args:
        request: The message.
        response: The answer.
    """

    def __init__(self, request: Any, response: Any) -> None:
        self._request, self._response = js_text(request), js_text(response)

    @property
    def request(self) -> str:
        """The message."""
        return self._request

    @property
    def response(self) -> str:
        """The answer."""
        return self._response
