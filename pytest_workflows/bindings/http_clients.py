"""The HTTP clients of the standard library in a Worker's code: their requests go through `fetch`, where mocks answer.

`http.client`, `urllib`, and what stands on them (`requests`, `urllib3`), make a connection of `http.client`. One that a
Worker's code makes gets no socket but an `_Exchange`: what is written to it is one request, and what is read from it is
the response. On the platform such a client's sockets reach the network in another way; requests and responses are the
same.
"""

from __future__ import annotations

import asyncio
import functools
import http.client
import io
import os
from collections.abc import Callable, Coroutine
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any

from durable_engine import acting_scope, hide_frames, notify_call
from pytest_workflows.active_test import Caller, Uses, network_allowed
from pytest_workflows.errors import NetworkRefusedError
from pytest_workflows.interpreter.replacements import Standing
from pytest_workflows.workers.run_sync import run_sync

from .sockets import is_local

hide_frames(__file__)

_HOP_HEADERS = frozenset({"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"})
"""Headers that are of the connection; and of an encoding that the response's content, as it is given, has not."""


class HttpClients(Standing[Uses]):
    """The replacement of connections; a user knows whose code runs."""

    def __init__(self) -> None:
        super().__init__()
        self._is_placed = False

    def _place(self) -> None:
        if self._is_placed:
            return
        self._is_placed = True
        original = http.client.HTTPConnection.__init__
        standing = self

        @functools.wraps(original)
        def __init__(self: http.client.HTTPConnection, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            caller = None if standing.user is None else standing.user.caller()
            if caller is not None and caller.is_workers and _has_loop():
                # Of this connection alone. A subclass, urllib3's for one, has a `connect` of its own.
                self.connect = functools.partial(_connect, self, caller)  # type: ignore[method-assign]

        self._replacements.put(http.client.HTTPConnection, "__init__", __init__)

    def _put_back(self) -> None:
        super()._put_back()
        self._is_placed = False


def _has_loop() -> bool:
    """Whether an event loop runs in this thread: without one, nothing can be waited for."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _connect(connection: Any, caller: Caller) -> None:
    """Stand for the `connect` of a connection."""
    is_secure = connection.default_port == http.client.HTTPS_PORT
    # Through a proxy, the host is the proxy and the tunnel's end the server.
    host = connection._tunnel_host or connection.host
    port = connection._tunnel_port if connection._tunnel_host else connection.port
    connection.sock = _Exchange("https" if is_secure else "http", host, port, caller)
    # urllib3 asks for these, and warns where a certificate was not looked at.
    connection.is_verified = connection.proxy_is_verified = is_secure


@functools.cache
def _end_of_file() -> int:
    return os.open(os.devnull, os.O_RDONLY)


class _Exchange:
    """What a connection has in place of a socket: one request after the other, each with its response.

    Args:
        scheme: `http` or `https`.
        host: The server.
        port: Its port.
        caller: The Worker's code that made the connection.
    """

    def __init__(self, scheme: str, host: str, port: int | None, caller: Caller) -> None:
        self._scheme, self._host, self._port, self._caller = scheme, host, port, caller
        self._written = bytearray()

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Take a part of the request."""
        self._written += memoryview(data).cast("B") if not isinstance(data, bytes) else data

    def send(self, data: Any, flags: int = 0) -> int:
        """Take a part of the request."""
        self.sendall(data)
        return len(data)

    def makefile(self, mode: str = "rb", *args: Any, **kwargs: Any) -> io.BufferedIOBase:
        """Give the response to what was written, to be read; the request is sent when somebody does."""
        written, self._written = bytes(self._written), bytearray()
        return io.BufferedReader(_Response(self._answer, written))

    def _answer(self, written: bytes) -> Coroutine[Any, Any, bytes]:
        from pytest_workflows.workers import js_module as js
        from pytest_workflows.workers.js_convert import to_js

        method, target, headers, body = _parse(written)
        options: dict[str, Any] = {"method": method, "redirect": "manual", "headers": js.Headers.new()}
        for name, value in headers.items():
            if name.lower() not in (*_HOP_HEADERS, "host"):
                options["headers"].append(name, value)
        if body:
            options["body"] = to_js(body)
        request = js.Request.new(self._url(target, headers), **options)
        if acting_scope() is not None:  # as for `workers.fetch`: the rules know what a workflow calls
            notify_call(headers["host"] or self._host, f"{method} {target.partition('?')[0]}", (request.url,), {})
        return self._send(request)

    async def _send(self, request: Any) -> bytes:
        from pytest_workflows.workers.outbound import send

        response = await send(request, self._caller, None if network_allowed() else self._refusal)
        return await _raw(response, is_head=request.method == "HEAD")

    def _url(self, target: str, headers: Message) -> str:
        if target.startswith(("http://", "https://")):  # as a proxy is asked
            return target
        return f"{self._scheme}://{headers['host'] or self._host}{target}"

    def _refusal(self, method: str, url: str) -> NetworkRefusedError:
        target = f"{self._host}:{self._port}"
        return NetworkRefusedError.of_connection(target, is_local=is_local(target), is_http=True)

    def settimeout(self, timeout: float | None) -> None:
        """Accepted: time is the test's."""

    def setsockopt(self, *args: Any) -> None:
        """Accepted."""

    def shutdown(self, how: int) -> None:
        """Accepted."""

    def fileno(self) -> int:
        """A file that is always at its end: urllib3 takes the connection for one that was closed, and makes another."""
        return _end_of_file()

    def close(self) -> None:
        """Forget what was written."""
        self._written.clear()


class _Response(io.RawIOBase):
    """A response as it comes over a connection, asked for at the first read.

    Args:
        answer: Sends a request and gives its response.
        request: The request.
    """

    def __init__(self, answer: Callable[[bytes], Coroutine[Any, Any, bytes]], request: bytes) -> None:
        self._answer, self._request = answer, request
        self._content: io.BytesIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self._content is None:
            self._content = io.BytesIO(run_sync(self._answer(self._request)))
        return self._content.readinto(buffer)


def _parse(written: bytes) -> tuple[str, str, Message, bytes]:
    """Method, target, headers and body of a request as it goes over a connection."""
    head, _, body = written.partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers = BytesHeaderParser().parsebytes(fields + b"\r\n\r\n")
    if "chunked" in (headers["transfer-encoding"] or "").lower():
        body = _join_chunks(body)
    return method, target, headers, body


def _join_chunks(body: bytes) -> bytes:
    joined, rest = bytearray(), body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if length == 0:
            break
        joined += rest[:length]
        rest = rest[length + 2 :]
    return bytes(joined)


async def _raw(response: Any, *, is_head: bool) -> bytes:
    """A response as it comes over a connection."""
    content = (await response.arrayBuffer()).to_bytes()
    lines = [f"HTTP/1.1 {response.status} {response.statusText}"]
    lines += [f"{name}: {value}" for name, value in response.headers if name.lower() not in _HOP_HEADERS]
    lines += [f"content-length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + (b"" if is_head else content)


http_clients = HttpClients()
"""That of this process."""
