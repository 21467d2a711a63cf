"""The WebSockets that a Durable Object has accepted: their messages call its handlers, also when it is made anew.

Source: workerd 1.20261117.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from durable_engine import JsException, jsnull
from pytest_workflows.javascript.buffers import JsArrayBuffer
from pytest_workflows.javascript.collections import JsDate
from pytest_workflows.javascript.objects import JsArray, js_error, js_text

from .handler_calls import log
from .js_arguments import is_given, is_of_class, not_of_type

if TYPE_CHECKING:
    from pytest_workflows.javascript.web_socket import WebSocket

    from .host import Host
    from .running_object import RunningObject

_STATE: Final = "DurableObjectState"
_MOST_TAGS: Final = 10
_LONGEST_TAG: Final = 256
_LONGEST_RESPONSE: Final = 2048
_OPEN: Final = 1
_CANNOT: Final = "Cannot call `acceptWebSocket()`"
_ACCEPTED: Final = f"{_CANNOT} if the WebSocket was already accepted via `accept()`"
_PAIR_ACCEPTED: Final = f"{_CANNOT} on this WebSocket because its pair has already been accepted or used in a Response."
_NO_TAGS: Final = "you must call 'acceptWebSocket()' before attempting to access the tags of a WebSocket."


class ObjectSockets:
    """The WebSockets of one object.

    Args:
        host: The test.
        what: The words for the object, in reports.
        running: Gives the object, made anew where it is not in memory.

    Attributes:
        auto_response: The pair of a message and its answer that the object is not called for; None for none.
    """

    def __init__(self, host: Host, what: str, running: Callable[[], RunningObject]) -> None:
        self._host = host
        self._what = what
        self._running = running
        self._tags: dict[WebSocket, tuple[str, ...]] = {}
        self._answered: dict[WebSocket, int] = {}
        self.auto_response: Any = None

    def accept(self, socket: Any, tags: Any) -> None:
        """Accept a socket.

        Args:
            socket: The socket.
            tags: An array of texts; undefined for none.

        Raises:
            JsException: If it is no socket, was accepted before, or has tags that are too many or too long.
        """
        if not is_of_class(socket, "WebSocket"):
            raise not_of_type("acceptWebSocket", _STATE, 1, "WebSocket")
        if tags is not None and not isinstance(tags, JsArray):
            raise not_of_type("acceptWebSocket", _STATE, 2, "Array")
        if socket._is_accepted:
            raise js_error("Error", _ACCEPTED)
        if socket._other._is_accepted:
            raise js_error("Error", _PAIR_ACCEPTED)
        names = () if tags is None else tuple(dict.fromkeys(js_text(tag) for tag in tags._items))
        if len(names) > _MOST_TAGS:
            raise js_error("Error", f"a Hibernatable WebSocket cannot have more than {_MOST_TAGS} tags")
        for name in names:
            if len(name) > _LONGEST_TAG:
                raise js_error("Error", f'"{name}" is longer than the max tag length ({_LONGEST_TAG} characters).')
        self._tags[socket] = names
        socket._receiver = lambda kind, data: self._receive(socket, kind, data)
        socket._accept()

    def _receive(self, socket: WebSocket, kind: str, data: Any) -> None:
        if kind == "close":
            self._tags.pop(socket, None)
            self._call("webSocketClose", socket, data.code, data.reason, data.wasClean)
            return
        pair = self.auto_response
        if pair is not None and data == pair.request:
            self._answered[socket] = self._host.now_ms()
            socket.send(pair.response)
            return
        self._call("webSocketMessage", socket, JsArrayBuffer(data) if isinstance(data, bytes) else data)

    def _call(self, handler: str, *args: Any) -> None:
        what = f"The handler {handler} of {self._what}"

        async def call() -> None:
            try:
                await self._running().call_handler(handler, *args)
            except JsException as error:
                log(what, error)

        self._host.spawn(call(), what)

    def of_tag(self, tag: Any) -> list[WebSocket]:
        """The open sockets: all, the last one first, or those of one tag, the first one first."""
        found = [socket for socket in self._tags if socket.readyState == _OPEN]
        if not is_given(tag):
            return found[::-1]
        name = js_text(tag)
        return [socket for socket in found if name in self._tags[socket]]

    def tags(self, socket: Any) -> tuple[str, ...]:
        """The tags of a socket.

        Raises:
            JsException: If it is no socket that was accepted here.
        """
        if socket not in self._tags:
            raise js_error("Error", _NO_TAGS)
        return self._tags[socket]

    def set_auto_response(self, pair: Any) -> None:
        """Set the pair of a message and its answer, or none.

        Raises:
            JsException: A `RangeError`, if one of the two has more than 2,048 bytes.
        """
        for name, text in () if pair is None else (("request", pair.request), ("response", pair.response)):
            size = len(text.encode())
            if size > _LONGEST_RESPONSE:
                raise js_error(
                    "RangeError",
                    f"{name.capitalize()} cannot be larger than {_LONGEST_RESPONSE} bytes. A {name} of size {size} was "
                    "provided.",
                )
        self.auto_response = pair

    def get_auto_response(self) -> Any:
        """The pair, or null."""
        return jsnull if self.auto_response is None else self.auto_response

    def answered_at(self, socket: Any) -> Any:
        """When a socket was last answered without the object, a date; null for never."""
        at = self._answered.get(socket)
        return jsnull if at is None else JsDate(at)


__all__ = ["ObjectSockets"]
