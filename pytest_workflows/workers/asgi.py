"""Served as `workers.asgi` and as `asgi`: runs an ASGI application (FastAPI, Starlette, Django) for a request.

Every request is a life cycle of its own: the application's lifespan starts, the request is answered, the lifespan ends.
Source: workers-runtime-sdk 1.9.5, `workers.asgi`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from . import js_module as js
from .asgi_lifespan import ASGI, Application, start_application
from .asgi_scope import request_to_scope
from .asgi_tasks import background_tasks, logger, run_in_background
from .asgi_websocket import process_websocket
from .entrypoints import WorkerEntrypoint
from .gateway import NULL_BODY_STATUSES, BaseOptions
from .headers import to_js_headers as _to_js_headers
from .js_convert import to_js
from .js_view import body_chunks
from .threadless import no_threads

__all__ = [
    "ASGI",
    "DEFAULT_OPTIONS",
    "NULL_BODY_STATUSES",
    "Options",
    "background_tasks",
    "entrypoint",
    "fetch",
    "process_request",
    "process_websocket",
    "request_to_scope",
    "run_in_background",
    "start_application",
    "websocket",
]


@dataclass(frozen=True, kw_only=True)
class Options(BaseOptions):
    """The options of the ASGI adapter."""


DEFAULT_OPTIONS = Options()


class _Exchange:
    """One request and its response, as an application's `receive` and `send`.

    A response whose first piece says that more follow is a stream from then on, which the application writes while the
    client reads; any other is made when its body is there.
    """

    def __init__(self, options: Options) -> None:
        self.response: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._options = options
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._is_finished = asyncio.Event()
        self._status: int | None = None
        self._headers: list[tuple[str, str]] = []
        self._writer: Any = None
        self._is_writer_closed = False

    @property
    def is_streaming(self) -> bool:
        """Whether the application writes the response while it is read."""
        return self._writer is not None

    async def take_body(self, req: Any) -> None:
        """Read the request's body, piece by piece."""
        async for piece in body_chunks(req):
            self._to_app.put_nowait({"body": piece, "more_body": True, "type": "http.request"})
        self._to_app.put_nowait({"body": b"", "more_body": False, "type": "http.request"})

    async def receive(self) -> dict[str, Any]:
        """Give the next message: the body, then that the client is gone once the response is finished."""
        if self._to_app.empty():
            await self._is_finished.wait()
            return {"type": "http.disconnect"}
        return self._to_app.get_nowait()

    async def send(self, message: dict[str, Any]) -> None:
        """Take a message of the application."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            # Pairs, not a mapping: set-cookie may come several times.
            self._headers = [(name.decode(), value.decode()) for name, value in message.get("headers", [])]
        elif message["type"] == "http.response.body":
            await self._send_body(message.get("body", b""), is_last=not message.get("more_body", False))

    async def _send_body(self, body: bytes, *, is_last: bool) -> None:
        if self._writer is None and is_last:
            self._respond(None if self._status in NULL_BODY_STATUSES else to_js(body))
            self._is_finished.set()
            return
        if self._writer is None:
            pipe = js.TransformStream.new()
            self._writer = pipe.writable.getWriter()
            self._respond(pipe.readable)
        await self._writer.write(to_js(body))
        if is_last:
            await self._writer.close()
            self._is_writer_closed = True
            self._is_finished.set()

    def _respond(self, body: Any) -> None:
        self.response.set_result(
            js.Response.new(
                body, headers=_to_js_headers(self._headers), status=self._status, **self._options.response_init()
            )
        )

    async def fail(self, error: Exception) -> None:
        """End the exchange of an application that raised."""
        self._is_finished.set()
        if not self.response.done():
            self.response.set_exception(error)
            return
        logger.exception("Exception in ASGI application after response started", exc_info=error)
        if self._writer is not None and not self._is_writer_closed:
            # The reader sees the stream end. Nobody waits for that: a body that is never read would wait for ever.
            run_in_background(_close_quietly(self._writer))


async def _close_quietly(writer: Any) -> None:
    try:
        await writer.close()
    except Exception:
        logger.debug("Closing the response stream failed", exc_info=True)


async def process_request(
    app: Application,
    req: Any,
    env: Any,
    ctx: Any = None,
    state: dict[str, Any] | None = None,
    options: Options = DEFAULT_OPTIONS,
) -> tuple[Any, asyncio.Future[None]]:
    """Run an application for one request.

    Args:
        app: The ASGI application.
        req: The request: a `workers.Request` or a `js.Request`.
        env: The bindings, as the scope's `env`.
        ctx: Accepted and without effect, as in the SDK.
        state: What the lifespan left for requests.
        options: The adapter's options.

    Returns:
        The `js.Response`, and the task that runs the application, which is done unless the response is a stream.

    Raises:
        RuntimeError: The application returned without a response.
    """
    exchange = _Exchange(options)
    await exchange.take_body(req)
    scope = request_to_scope(req, env, state=state)

    async def run() -> None:
        try:
            with no_threads():
                await app(scope, exchange.receive, exchange.send)
            if not exchange.response.done():
                raise RuntimeError("The application did not generate a response")
        except Exception as error:
            await exchange.fail(error)

    task = asyncio.ensure_future(run())
    try:
        response = await exchange.response
    except Exception:
        await task
        raise
    if not exchange.is_streaming:
        await task
    return response, task


async def fetch(app: Application, req: Any, env: Any, ctx: Any = None, *, options: Options | None = None) -> Any:
    """Answer a request with an application: its lifespan starts, it answers, its lifespan ends.

    A streamed response is returned at once: the application goes on while it is read, and its lifespan ends then.

    Args:
        app: The ASGI application.
        req: The request: a `workers.Request` or a `js.Request`.
        env: The bindings, as the scope's `env`.
        ctx: Accepted and without effect, as in the SDK.
        options: The adapter's options.

    Returns:
        A `js.Response`.

    Example:
        >>> class Default(WorkerEntrypoint):
        ...     async def fetch(self, request):
        ...         return await asgi.fetch(app, request, self.env)  # doctest: +SKIP
    """
    logger.debug("ASGI request: %s %s", req.method, req.url)
    shutdown, state = await start_application(app)
    try:
        response, task = await process_request(app, req, env, ctx, state=state, options=options or DEFAULT_OPTIONS)
    except Exception:
        logger.exception("ASGI request failed")
        await shutdown()
        raise
    if task.done():
        await shutdown()
        return response

    async def finish() -> None:
        await task
        await shutdown()

    run_in_background(finish())
    return response


async def websocket(app: Application, req: Any, env: Any = None) -> Any:
    """Run an application for a request that upgrades to a WebSocket: `process_websocket`."""
    return await process_websocket(app, req, env)


def entrypoint(app: Application, *, options: Options | None = None) -> type[WorkerEntrypoint]:
    """Make the Worker's default entrypoint of an application.

    Args:
        app: The ASGI application.
        options: The adapter's options.

    Example:
        >>> Default = asgi.entrypoint(app)  # doctest: +SKIP
    """

    class Default(WorkerEntrypoint):
        async def fetch(self, request: Any) -> Any:
            if (request.headers.get("upgrade") or "").lower() == "websocket":
                return await websocket(app, request, self.env)
            return await fetch(app, request, self.env, self.ctx, options=options)

    return Default


def __getattr__(name: str) -> Any:
    if name != "env":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _fastapi_env()


def _fastapi_env() -> Any:
    """A dependency of FastAPI: the bindings of the request that is being answered."""
    from fastapi import Depends, Request

    @Depends
    async def env(request: Request) -> Any:
        return request.scope["env"]

    # FastAPI reads the annotation, which names what only this function imports.
    env.dependency.__annotations__["request"] = Request
    return env
