"""The HTTP server, on the process' main thread: it answers whatever the Worker's code does meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

import uvicorn

from pytest_workflows.control_plane.web_sockets import implementation

if TYPE_CHECKING:
    from .terminal import App, Message

_ASKED = "/__workflows/api/nothing"

_LAST_ANSWERS = 1
"""Seconds that answers under way get at the end; streams of the page never end by themselves."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process: what it keeps is put away in order."""
        yield


async def serve(app: App, listener: socket.socket, beside: Callable[[], Awaitable[None]]) -> None:
    """Serve until Ctrl-C, or the end of what runs beside it.

    Args:
        app: Answers the requests.
        listener: The port.
        beside: Runs meanwhile.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws=implementation(),
        timeout_graceful_shutdown=_LAST_ANSWERS,
    )
    server = _Server(config)

    def stop() -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it complains of streams that are broken off
        server.force_exit = server.should_exit
        server.should_exit = True

    with _on_signals(stop):
        companion = asyncio.ensure_future(beside())
        companion.add_done_callback(lambda ended: stop() if _failure_of(ended) is not None else None)
        try:
            await server.serve(sockets=[listener])
        finally:
            companion.cancel()
            await asyncio.wait([companion])
        if (failure := _failure_of(companion)) is not None:
            raise failure


async def warm(app: App, url: str, token: str | None) -> None:
    """Ask for something once that no route matches: a framework makes each route ready when it is first compared.

    Args:
        app: Answers the requests.
        url: Where it is served.
        token: What it asks for, if it does.
    """
    host = url.partition("//")[2]
    headers = [(b"host", host.encode())]
    if token is not None:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": _ASKED,
        "raw_path": _ASKED.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": (host.rpartition(":")[0], None),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        """Nobody gets the answer."""

    await app(scope, receive, send)


def _failure_of(task: asyncio.Future[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()


@contextlib.contextmanager
def _on_signals(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    taken = []
    for one in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # Windows; another thread
            loop.add_signal_handler(one, stop)
            taken.append(one)
    try:
        yield
    finally:
        for one in taken:
            loop.remove_signal_handler(one)
