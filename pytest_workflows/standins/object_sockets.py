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

from .crossing import log

if TYPE_CHECKING:
    from pytest_workflows.javascript.web_socket import WebSocket

    from .host import Host
    from .running_object import RunningObject

_MOST_TAGS: Final = 10
_LONGEST_TAG: Final = 256
_OPEN: Final = 1


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
        if getattr(socket, "_js_class", None) != "WebSocket":
            raise _not_of_type("acceptWebSocket")
        names = tuple(dict.fromkeys(js_text(tag) for tag in tags._items)) if isinstance(tags, JsArray) else ()
        if len(names) > _MOST_TAGS:
            raise js_error("Error", f"a Hibernatable WebSocket cannot have more than {_MOST_TAGS} tags")
        for name in names:
            if len(name) > _LONGEST_TAG:
                raise js_error("Error", f'"{name}" is longer than the max tag length ({_LONGEST_TAG} characters).')
        if socket._is_accepted:
            raise js_error("Error", "Tried to acceptWebSocket() on a WebSocket that has been accepted already.")
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
        """The open sockets: all, or those of one tag."""
        name = None if tag is None or tag is jsnull else js_text(tag)
        return [
            socket
            for socket, tags in self._tags.items()
            if socket.readyState == _OPEN and (name is None or name in tags)
        ]

    def tags(self, socket: Any) -> tuple[str, ...]:
        """The tags of a socket.

        Raises:
            JsException: If it is no socket that was accepted here.
        """
        if socket not in self._tags:
            raise _not_of_type("getTags")
        return self._tags[socket]

    def get_auto_response(self) -> Any:
        """The pair, or null."""
        return jsnull if self.auto_response is None else self.auto_response

    def answered_at(self, socket: Any) -> Any:
        """When a socket was last answered without the object, a date; null for never."""
        at = self._answered.get(socket)
        return jsnull if at is None else JsDate(at)


def _not_of_type(method: str) -> JsException:
    return js_error(
        "TypeError",
        f"Failed to execute '{method}' on 'DurableObjectState': parameter 1 is not of type 'WebSocket'.",
    )


__all__ = ["ObjectSockets"]
