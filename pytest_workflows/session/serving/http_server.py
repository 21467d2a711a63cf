"""An HTTP server in a thread of its own, with an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextvars import copy_context
from typing import Any

from pytest_workflows.errors import WorkflowConfigError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOST = "127.0.0.1"
_KEPT_ALIVE = 600
"""Seconds for which a connection stays open between two requests: an open one says that its client is still there."""
_MISSING = (
    "workflow_server needs the extra `dev`, which is not installed ({error}). Install it: "
    "pip install 'pytest-workflows[dev]'"
)


def find_server() -> Callable[..., App]:
    """Find what is installed to serve with.

    Returns:
        Makes the control plane round what is served.

    Raises:
        WorkflowConfigError: If the extra `dev` is not installed.
    """
    try:
        import uvicorn  # noqa: F401

        from pytest_workflows.control_plane.app import make_app
    except ImportError as error:
        raise WorkflowConfigError(_MISSING.format(error=error)) from None
    return make_app


class HttpServer:
    """A server of an ASGI application on a free port, from now on until it is closed.

    Args:
        app: The application, called on the server's own loop.

    Attributes:
        port: Its port.
    """

    def __init__(self, app: App) -> None:
        from uvicorn import Config, Server

        from pytest_workflows.control_plane.web_sockets import implementation

        self._app = app
        config = Config(
            self._call,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            ws=implementation(),
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEPT_ALIVE,
        )
        self._server = Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._is_up = threading.Event()
        self._failure: Exception | None = None
        self._socket = socket.socket()
        self._socket.bind((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        # In the context of whoever serves: what runs for a request on the test's loop has the test's variables.
        run = copy_context().run
        self._thread = threading.Thread(target=run, args=(self._run,), name="pytest-workflows server", daemon=True)
        self._thread.start()
        self._is_up.wait()
        if self._failure is not None:
            self.close()
            raise self._failure

    def _run(self) -> None:
        # A frame of ours, by which the thread is known not to be the test's.
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = self._server
        try:
            server.config.load()
            server.lifespan = server.config.lifespan_class(server.config)
            await server.startup(sockets=[self._socket])
        except Exception as error:
            self._failure = error
            return
        finally:
            self._is_up.set()
        await self._over.wait()
        for listening in server.servers:
            listening.close()
        # What is under way is not waited for: the test is over. `asyncio.run` cancels its tasks.
        for connection in list(server.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            # By the end of the server, whose client is gone: uvicorn would log it as an error of the application.
            if self._over is None or not self._over.is_set():
                raise

    def clients(self) -> Iterable[tuple[str, int]]:
        """Host and port of the other end of each connection."""
        found = (getattr(one, "client", None) for one in list(self._server.server_state.connections))
        return [client for client in found if client is not None]

    def close(self) -> None:
        """Serve nobody any more. Closing twice is fine."""
        if self._loop is not None and self._over is not None:
            with contextlib.suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._socket.close()
