"""Requests to the Worker: what came goes to its fetch handler, and what that answers goes back, while both stream."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote

from durable_engine import JsException, is_hidden

from .security import TOKEN_COOKIE, without_token
from .worker_bodies import body_of, drop_body, encoder_for, pieces_of

if TYPE_CHECKING:
    from pytest_workflows.workers import Request, Response

    from .served import Served

T = TypeVar("T")
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

WHOLE_BODY: Final = "workflows.body"
"""The key of a scope under which whoever serves has the whole body, where it has come already: bytes."""
_MOST_KEPT: Final = 100 << 20
"""Bytes of a request that are kept while its answer is sent already: as many as the platform takes in a body."""
_OF_CONNECTION: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"})
_SWITCHING: Final = 101
_NO_UPGRADE: Final = (
    "The Worker answered with a WebSocket to a request that asks for none. Answer so only to requests with the header "
    "`Upgrade: websocket`: on the platform the client sees an error as well.\n"
)
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})


class WorkerGateway:
    """Hands requests to the Worker.

    Args:
        served: What is served.
        host: The host that the Worker sees; None for the one that was asked for.
    """

    def __init__(self, served: Served, host: str | None) -> None:
        self._served = served
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as an ASGI application."""
        if scope["type"] == "websocket":
            from .worker_sockets import bridge

            await bridge(self, scope, receive, send)
            return
        exchange = Exchange(self, scope, receive)
        try:
            await self._answer(exchange, send)
        finally:
            await exchange.close()

    async def _answer(self, exchange: Exchange, send: Send) -> None:
        try:
            answer = await self.on_loop(exchange.begin())
        except RequestRefusedError as error:
            await _send_text(send, error.status, f"{error}\n")
        except Exception as error:
            await _send_text(send, 500, _failure(error))
        else:
            if answer.status == _SWITCHING:  # to what is no request for a WebSocket, or uvicorn would have said so
                await _send_text(send, 500, _NO_UPGRADE)
            else:
                await exchange.send(answer, send)

    async def on_loop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something on the Worker's loop."""
        loop = self._served.loop
        if asyncio.get_running_loop() is loop:
            return await coroutine
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, loop))

    async def fetch(self, request: Request) -> Response:
        """Call the Worker's fetch handler, on its loop."""
        return await self._served.fetch(request)

    def url(self, scope: Scope) -> str:
        """The address that was asked for."""
        scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
        raw = scope.get("raw_path")
        path = raw.decode("latin-1").partition("?")[0] if raw else quote(scope["path"])
        query = scope["query_string"].decode("latin-1")
        return f"{scheme}://{self._host or _host(scope)}{path}{'?' if query else ''}{query}"

    def headers(self, scope: Scope) -> list[list[str]]:
        """The headers that came, with the host that the Worker sees, and without the control plane's own cookie."""
        found = []
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            if name.lower() == "cookie" and TOKEN_COOKIE in value:
                value = without_token(value)
                if not value:
                    continue
            is_host = name.lower() == "host" and self._host is not None
            found.append([name, self._host if is_host else value])
        return found


class Exchange:
    """One request to the Worker, and its answer.

    Args:
        gateway: Leads to the Worker.
        scope: The connection.
        receive: Gives what the client sends.
    """

    def __init__(self, gateway: WorkerGateway, scope: Scope, receive: Receive) -> None:
        self._gateway = gateway
        self._scope = scope
        self._receive = receive
        self._server_loop = asyncio.get_running_loop()
        self._is_gone = asyncio.Event()
        self._kept: deque[Message] = deque()
        self._size = 0
        self._is_taken = asyncio.Event()
        self._pulling: asyncio.Future[Message] | None = None

    async def begin(self) -> Any:
        """Call the Worker, on its loop.

        Returns:
            Its `js.Response`.

        Raises:
            RequestRefusedError: If it is a request that no Worker can get.
        """
        try:
            request = self.request()
        except JsException as error:
            raise RequestRefusedError(501 if "method" in error.message else 400, error.message) from None
        return (await self._gateway.fetch(request)).js_object

    def request(self) -> Request:
        """The request as the Worker gets it; made on its loop."""
        from pytest_workflows.javascript.buffers import Uint8Array
        from pytest_workflows.javascript.headers import Headers
        from pytest_workflows.javascript.objects import JsArray, JsPlain
        from pytest_workflows.javascript.request import Request as JsRequest
        from pytest_workflows.workers import Request

        scope = self._scope
        method = scope.get("method", "GET")
        headers = Headers(JsArray([JsArray(pair) for pair in self._gateway.headers(scope)]))
        options: dict[str, Any] = {"method": method, "headers": headers, "redirect": "manual"}
        if method not in _WITHOUT_BODY and _has_body(scope):
            whole = scope.get(WHOLE_BODY)
            options["body"] = body_of(self._next_piece) if whole is None else Uint8Array(whole)
        return Request(JsRequest(self._gateway.url(scope), JsPlain(options)))

    async def _next_piece(self) -> bytes | None:
        """The next piece of the request's body; None after the last one. Asked on the Worker's loop."""
        if asyncio.get_running_loop() is self._server_loop:
            return await self._receive_piece()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._receive_piece(), self._server_loop))

    async def _receive_piece(self) -> bytes | None:
        if self._scope.get("_is_last"):
            return None
        while True:
            message = await self._take()
            if message["type"] == "http.disconnect":
                raise ConnectionError("The client has closed the connection before its request was whole.")
            if not message.get("more_body", False):
                self._scope["_is_last"] = True
            piece: bytes = message.get("body", b"")
            if piece or self._scope.get("_is_last"):
                return piece or None

    async def _take(self) -> Message:
        """What came first of what nobody has read yet."""
        while not self._kept:
            await self._pull()
        message = self._kept.popleft()
        self._size -= len(message.get("body", b""))
        self._is_taken.set()
        return message

    async def _pull(self) -> None:
        """Keep the next that comes. Whoever waits for it meanwhile waits for the same: none of it is lost."""
        if self._pulling is None:
            self._pulling = asyncio.ensure_future(self._receive())
        pulling = self._pulling
        await asyncio.wait([pulling])
        if self._pulling is not pulling:
            return  # another one has it already
        self._pulling = None
        message = {"type": "http.disconnect"} if pulling.cancelled() else pulling.result()
        if message["type"] == "http.disconnect":
            self._is_gone.set()
        self._kept.append(message)
        self._size += len(message.get("body", b""))

    async def close(self) -> None:
        """Wait for nothing more that the client sends."""
        if self._pulling is not None:
            self._pulling.cancel()
            await asyncio.wait([self._pulling])

    # -- the answer --------------------------------------------------------------------------------------------------

    async def send(self, answer: Any, send: Send) -> None:
        """Send the Worker's answer to the client."""
        headers = _answer_headers(answer)
        encoder = encoder_for(answer, headers)
        is_bare = self._scope.get("method") == "HEAD"
        content = answer._content
        if answer._stream is None and encoder is None:
            if not is_bare or content:
                headers = _without(headers, "content-length")
                if content is not None or answer.status not in (101, 204, 304):
                    headers.append((b"content-length", b"%d" % len(content or b"")))
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if is_bare else content or b""})
            return
        length = None if answer._stream is None else answer._stream._length
        headers = _without(headers, "content-length")
        if encoder is None and length is not None:
            headers.append((b"content-length", b"%d" % length))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if is_bare:
            await send({"type": "http.response.body", "body": b""})
            with contextlib.suppress(Exception):
                await self._gateway.on_loop(drop_body(answer))
            return
        await self._send_pieces(answer, encoder, send)

    async def _send_pieces(self, answer: Any, encoder: Any, send: Send) -> None:
        pieces = pieces_of(answer)
        watch = asyncio.ensure_future(self._watch())
        try:
            while True:
                piece = await self._until_gone(self._gateway.on_loop(_next(pieces)))
                if piece is None:
                    break
                data = piece if encoder is None else encoder.compress(piece) + encoder.flush(_SYNC)
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b"" if encoder is None else encoder.flush()})
        except (_ClientGoneError, OSError):
            pass
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
            await self._gateway.on_loop(_close(pieces))

    async def _until_gone(self, work: Coroutine[Any, Any, bytes | None]) -> bytes | None:
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._is_gone.wait())
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        if not task.done():
            task.cancel()
            raise _ClientGoneError
        return task.result()

    async def _watch(self) -> None:
        """Notice that the client goes: what the Worker has not read of the request is kept meanwhile."""
        while not self._is_gone.is_set():
            if self._size >= _MOST_KEPT:
                self._is_taken.clear()
                await self._is_taken.wait()
            else:
                await self._pull()


class RequestRefusedError(Exception):
    """A request that JavaScript has no form for.

    Args:
        status: The HTTP status of the answer.
        message: What is wrong with it.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _ClientGoneError(Exception):
    """The client has closed the connection."""


_SYNC: Final = 2
"""zlib's flush that lets the client read what there is."""


async def _next(pieces: Any) -> bytes | None:
    found: bytes | None = await anext(pieces, None)
    return found


async def _close(pieces: Any) -> None:
    with contextlib.suppress(Exception):
        await pieces.aclose()


def _answer_headers(answer: Any) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode("latin-1"), value.encode("utf-8" if not _is_latin(value) else "latin-1"))
        for name, value in answer.headers._each()
        if name not in _OF_CONNECTION
    ]


def _is_latin(value: str) -> bool:
    return all(ord(letter) < 256 for letter in value)


def _without(headers: list[tuple[bytes, bytes]], name: str) -> list[tuple[bytes, bytes]]:
    return [pair for pair in headers if pair[0] != name.encode()]


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name.lower() == b"host":
            found: str = value.decode("latin-1")
            return found
    server = scope.get("server") or ("localhost", None)
    return server[0] if server[1] in (None, 80) else f"{server[0]}:{server[1]}"


def _has_body(scope: Scope) -> bool:
    names = {name.lower(): value for name, value in scope["headers"]}
    return b"transfer-encoding" in names or names.get(b"content-length", b"0") != b"0"


def _failure(error: Exception) -> str:
    """What is shown for a Worker that raised: the place, in its own code."""
    summary = traceback.TracebackException.from_exception(error)
    summary.stack = traceback.StackSummary.from_list([one for one in summary.stack if not is_hidden(one.filename)])
    first = "The Worker's fetch handler raised an exception; on the platform the client sees error 1101.\n\n"
    return first + "".join(summary.format())


async def _send_text(send: Send, status: int, text: str) -> None:
    body = text.encode("utf-8", "backslashreplace")
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
