"""WebSockets to the Worker: where its answer is 101 with one end of a pair, the client talks to that end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .worker_requests import Receive, Scope, Send, WorkerGateway

_SWITCHING: Final = 101
_NORMAL: Final = 1000
_NO_STATUS: Final = 1005
_ABNORMAL: Final = 1006
_FAILED: Final = 1011
_LONGEST_REASON: Final = 123
"""Bytes of the reason in a frame that closes: a longer one is no frame."""


async def bridge(gateway: WorkerGateway, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request for a WebSocket, as an ASGI application.

    Args:
        gateway: Leads to the Worker.
        scope: The connection.
        receive: Gives what the client sends.
        send: Sends to the client.
    """
    from .worker_requests import Exchange

    await receive()  # `websocket.connect`
    exchange = Exchange(gateway, scope, receive)
    try:
        answer = await gateway.on_loop(exchange.begin())
    except Exception as error:
        await send({"type": "websocket.close", "code": _FAILED, "reason": f"{type(error).__name__}: {error}"[:120]})
        return
    if answer.status != _SWITCHING or answer._socket is None:
        await _deny(gateway, answer, scope, send)
        return
    await _Bridge(gateway, answer, receive, send).run()


async def _deny(gateway: WorkerGateway, answer: Any, scope: Scope, send: Send) -> None:
    """Answer with a plain response, where the server can send one."""
    from .worker_bodies import pieces_of

    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": _NORMAL})
        return

    async def whole() -> bytes:
        return b"".join([piece async for piece in pieces_of(answer)])

    body = await gateway.on_loop(whole())
    headers = [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in answer.headers._each()
        if name not in ("content-length", "connection", "transfer-encoding", "content-encoding")
    ]
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


class _Bridge:
    """One connection: the client on the server's loop, and its end of the pair on the Worker's."""

    def __init__(self, gateway: WorkerGateway, answer: Any, receive: Receive, send: Send) -> None:
        self._gateway = gateway
        self._answer = answer
        self._socket = answer._socket
        self._receive = receive
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._to_client: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._is_closed = False

    async def run(self) -> None:
        """Carry frames in both directions until one of the two closes."""
        try:
            protocol = self._answer.headers._first("sec-websocket-protocol")
            await self._send({"type": "websocket.accept", "subprotocol": protocol, "headers": self._headers()})
            await self._gateway.on_loop(self._accept())
            await self._carry()
        finally:
            if not self._is_closed:  # what the Worker sent did not get through: it is to know that nobody listens
                await self._gateway.on_loop(self._to_worker("close", (_ABNORMAL, "")))

    async def _carry(self) -> None:
        reading = asyncio.ensure_future(self._read())
        try:
            await self._write()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def _headers(self) -> list[tuple[bytes, bytes]]:
        hidden = ("sec-websocket-protocol", "sec-websocket-accept", "upgrade", "connection")
        return [
            (name.encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in self._answer.headers._each()
            if name not in hidden
        ]

    async def _accept(self) -> None:
        self._socket._receiver = self._from_worker
        self._socket._accept()

    def _from_worker(self, kind: str, data: Any) -> None:
        """Take what the Worker sends: a message's text or bytes, or the event of its close. On the Worker's loop."""
        what = (data.code, data.reason) if kind == "close" else data
        self._loop.call_soon_threadsafe(self._to_client.put_nowait, (kind, what))

    async def _write(self) -> None:
        while True:
            kind, data = await self._to_client.get()
            if kind == "gone":
                return
            if kind == "close":
                self._is_closed = True
                code, reason = data
                code = _NORMAL if code == _NO_STATUS else code
                await self._send({"type": "websocket.close", "code": code, "reason": _cut(_well_formed(reason))})
                return
            text = _well_formed(data) if isinstance(data, str) else None
            await self._send({"type": "websocket.send", **({"bytes": data} if text is None else {"text": text})})

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._is_closed = True
                code, reason = message.get("code", _NO_STATUS), message.get("reason") or ""
                await self._gateway.on_loop(self._to_worker("close", (code, reason)))
                self._to_client.put_nowait(("gone", None))
                return
            text = message.get("text")
            await self._gateway.on_loop(self._to_worker("message", message.get("bytes") if text is None else text))

    async def _to_worker(self, kind: str, data: Any) -> None:
        if kind == "close":
            self._socket._has_sent_close = True
            self._socket._other._arrive("close", data)
        else:
            self._socket._other._arrive("message", data)


def _well_formed(text: str) -> str:
    """A text as it goes over the wire: half a pair of surrogates, which UTF-8 has not, is a replacement character."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _cut(reason: str) -> str:
    return reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
