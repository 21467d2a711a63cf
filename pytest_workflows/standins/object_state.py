"""A Durable Object's `ctx`, as JavaScript has it.

Source: workerd 1.20261117.1, observed.
"""

from __future__ import annotations

import inspect
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from durable_engine import JsException, hide_frames, jsnull
from pytest_workflows.javascript.objects import JsArray, JsObject, JsPlain, PyProxy, js_error, promised
from pytest_workflows.workers.context import wait_until

from .crossing import call_back

if TYPE_CHECKING:
    from .durable_ids import DurableObjectId
    from .object_storage import DurableObjectStorage
    from .running_object import RunningObject

hide_frames(__file__)

ABORTED: Final = "Application called abort() to reset Durable Object."
BLOCKED_MS: Final = 30_000
_TOO_LONG: Final = (
    "A call to blockConcurrencyWhile() in a Durable Object waited for too long. The call was canceled and the Durable "
    "Object was reset."
)


class DurableObjectState(JsObject):
    """`ctx` of a Durable Object.

    Args:
        running: The object.
        id: Its id.
        storage: Its storage.
    """

    def __init__(self, running: RunningObject, id: DurableObjectId, storage: DurableObjectStorage) -> None:
        self._running = running
        self._id = id
        self._storage = storage
        self._props = JsPlain()

    @property
    def id(self) -> DurableObjectId:
        """The object's id."""
        return self._id

    @property
    def storage(self) -> DurableObjectStorage:
        """The object's storage."""
        return self._storage

    @property
    def props(self) -> JsPlain:
        """An object without anything in it."""
        return self._props

    @property
    def container(self) -> None:
        """Undefined: there are no containers here."""

    @property
    def exports(self) -> Any:
        """What the Worker exports."""
        found = self._running.host.exports()
        if found is None:
            raise AttributeError("exports")
        return found

    def waitUntil(self, promise: Any = None) -> None:
        """Accept a promise: an object lives as long as there is work. A coroutine is not begun, as on the platform."""
        awaited = promise._object if isinstance(promise, PyProxy) else promise
        if inspect.iscoroutine(awaited):
            name = awaited.__name__
            awaited.close()
            self._running.host.warn(
                "wait-until-coroutine",
                f"ctx.waitUntil was given the coroutine {name}() in a Durable Object, which the platform never runs",
            )
        elif inspect.isawaitable(awaited):
            wait_until(awaited)

    @promised
    def blockConcurrencyWhile(self, callback: Any = None) -> Any:
        """Call a function, and hold back the object's other events until it is over; what it raises ends the object.

        Returns:
            What the function gives.
        """
        running = self._running
        return self._blocking(running.sections.run(lambda: call_back(running.host, callback)))

    async def _blocking(self, section: Coroutine[Any, Any, Any]) -> Any:
        running = self._running
        timer = running.host.timer(running.host.now_ms() + BLOCKED_MS, self._give_up, f"{running.what} is blocked")
        try:
            return await section
        except JsException as error:
            running.end(error)
            raise
        finally:
            timer.cancel()

    async def _give_up(self) -> None:
        self._running.end(js_error("Error", _TOO_LONG))

    def abort(self, reason: Any = None) -> None:
        """End the object: what it wrote last is lost, its calls fail, and its next call makes it anew."""
        text = ABORTED if reason is None else str(reason)
        error = reason if isinstance(reason, BaseException) else js_error("Error", text)
        self._running.end(error)

    # -- WebSockets ----------------------------------------------------------------------------------------------------

    def acceptWebSocket(self, socket: Any = None, tags: Any = None) -> None:
        """Accept a WebSocket whose messages call `webSocketMessage`."""
        self._running.sockets.accept(socket, tags)

    def getWebSockets(self, tag: Any = None) -> JsArray:
        """The sockets that were accepted and are open."""
        return JsArray(self._running.sockets.of_tag(tag))

    def getTags(self, socket: Any = None) -> JsArray:
        """The tags that a socket was accepted with."""
        return JsArray(list(self._running.sockets.tags(socket)))

    def setWebSocketAutoResponse(self, pair: Any = None) -> None:
        """Answer messages of a certain text without calling the object; none where nothing is given."""
        self._running.sockets.set_auto_response(pair)

    def getWebSocketAutoResponse(self) -> Any:
        """The pair that `setWebSocketAutoResponse` was given; null for none."""
        return self._running.sockets.get_auto_response()

    def getWebSocketAutoResponseTimestamp(self, socket: Any = None) -> Any:
        """When a socket was last answered so; null for never."""
        return self._running.sockets.answered_at(socket)

    def setHibernatableWebSocketEventTimeout(self, timeout: Any = None) -> None:
        """Accepted: nothing hibernates here by itself."""

    def getHibernatableWebSocketEventTimeout(self) -> Any:
        """Null: none was set."""
        return jsnull


__all__ = ["ABORTED", "DurableObjectState"]
