"""The WebSockets that a Durable Object has accepted, whose messages call its handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from durable_engine import jsnull
from pytest_workflows.javascript.objects import JsArray, js_error, js_text

if TYPE_CHECKING:
    from .running_object import RunningObject

_MOST_TAGS: Final = 10
_LONGEST_TAG: Final = 256


class ObjectSockets:
    """The WebSockets of one object.

    Args:
        running: The object.

    Attributes:
        auto_response: The pair of a message and its answer that the object is not called for.
    """

    def __init__(self, running: RunningObject) -> None:
        self._running = running
        self._tags: dict[Any, tuple[str, ...]] = {}
        self._answered: dict[Any, int] = {}
        self.auto_response: Any = None

    def accept(self, socket: Any, tags: Any) -> None:
        """Accept a socket.

        Args:
            socket: The socket.
            tags: An array of texts; undefined for none.
        """
        names = [js_text(tag) for tag in tags._items] if isinstance(tags, JsArray) else []
        if len(names) > _MOST_TAGS:
            raise js_error("Error", f"a Hibernatable WebSocket cannot have more than {_MOST_TAGS} tags")
        for name in names:
            if len(name) > _LONGEST_TAG:
                raise js_error("Error", f'"{name}" is longer than the max tag length ({_LONGEST_TAG} characters).')
        raise NotImplementedError

    def of_tag(self, tag: Any) -> list[Any]:
        """The open sockets: all, or those of one tag."""
        name = None if tag is None or tag is jsnull else js_text(tag)
        return [socket for socket, tags in self._tags.items() if name is None or name in tags]

    def tags(self, socket: Any) -> tuple[str, ...]:
        """The tags of a socket."""
        return self._tags.get(socket, ())

    def get_auto_response(self) -> Any:
        """The pair, or null."""
        return jsnull if self.auto_response is None else self.auto_response

    def answered_at(self, socket: Any) -> Any:
        """When a socket was last answered without the object; null for never."""
        return self._answered.get(socket, jsnull)


__all__ = ["ObjectSockets"]
