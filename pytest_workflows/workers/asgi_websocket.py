"""WebSockets of an ASGI application, over the platform's pair of sockets.

Source: workers-runtime-sdk 1.9.5, `workers.asgi`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from . import js_module as js
from .asgi_lifespan import Application
from .asgi_scope import request_to_scope
from .asgi_tasks import logger, run_in_background
from .js_convert import to_js
from .threadless import no_threads

__all__ = ["process_websocket"]

_NORMAL, _FAILED = 1000, 1011
"""Close codes of an application that ends without closing: having returned, and having raised."""


class _Connection:
    """The server's end of a pair, as an application's `receive` and `send`."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._is_closed_by_app = False
        socket.accept()
        # Binary frames would arrive as a Blob, which cannot be read at once.
        socket.binaryType = "arraybuffer"
        self._to_app.put_nowait({"type": "websocket.connect"})
        socket.onmessage = self._receive_frame
        socket.onclose = self._receive_close

    def _receive_frame(self, event: Any) -> None:
        data = event.data
        frame = {"text": data} if isinstance(data, str) else {"bytes": data.to_bytes()}
        self._to_app.put_nowait({"type": "websocket.receive", **frame})

    def _receive_close(self, event: Any) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": event.code, "reason": event.reason})

    async def receive(self) -> dict[str, Any]:
        return await self._to_app.get()

    async def send(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "websocket.accept":
                pass  # accepted already: the response that upgrades is on its way
            case "websocket.send":
                if message.get("bytes") is not None:
                    self._socket.send(to_js(message["bytes"]))
                if message.get("text") is not None:
                    self._socket.send(message["text"])
            case "websocket.close":
                self._is_closed_by_app = True
                self._socket.close(message.get("code", _NORMAL), message.get("reason", ""))
            case other:
                logger.warning(" == Not implemented %s", other)

    def end(self, task: asyncio.Future[Any]) -> None:
        """Close the socket where the application ended without."""
        if self._is_closed_by_app:
            return
        is_failed = not task.cancelled() and task.exception() is not None
        try:
            self._socket.close(_FAILED if is_failed else _NORMAL, "")
        except Exception:
            logger.debug("The peer closed the socket before", exc_info=True)


async def process_websocket(app: Application, req: Any, env: Any = None) -> Any:
    """Run an application for a request that upgrades to a WebSocket.

    Args:
        app: The ASGI application.
        req: The request: a `workers.Request` or a `js.Request`.
        env: The bindings, as the scope's `env`; none by default.

    Returns:
        The `js.Response` of status 101 with the client's end as its `webSocket`.
    """
    client, server = js.WebSocketPair.new().object_values()
    connection = _Connection(server)
    scope = request_to_scope(req, {} if env is None else env, ws=True)
    task = run_in_background(_run(app, scope, connection))
    task.add_done_callback(connection.end)
    return js.Response.new(None, status=101, webSocket=client)


async def _run(app: Application, scope: dict[str, Any], connection: _Connection) -> None:
    with no_threads():
        await app(scope, connection.receive, connection.send)
