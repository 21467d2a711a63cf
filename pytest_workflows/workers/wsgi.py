"""Served as `workers.wsgi`: runs a WSGI application (Flask, Django) for a request.

Source: workers-runtime-sdk 1.9.5, `workers.wsgi`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from . import js_module as js
from .entrypoints import WorkerEntrypoint
from .gateway import NULL_BODY_STATUSES, BaseOptions
from .headers import to_js_headers
from .js_convert import to_js
from .wsgi_environ import build_environ
from .wsgi_input import make_wsgi_input

__all__ = [
    "DEFAULT_OPTIONS",
    "NULL_BODY_STATUSES",
    "Options",
    "build_environ",
    "entrypoint",
    "fetch",
    "process_request",
]

logger = logging.getLogger("wsgi")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, kw_only=True)
class Options(BaseOptions):
    """The options of the WSGI adapter."""


DEFAULT_OPTIONS = Options()


class _Answer:
    """What an application said of its response: the head, by `start_response`, and pieces that it wrote by hand."""

    def __init__(self) -> None:
        self.status: str | None = None
        self.headers: list[tuple[str, str]] = []
        self.written: list[bytes] = []

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        """Stand for `start_response` of PEP 3333."""
        if self.status is not None:
            if exc_info is not None:
                raise exc_info[1].with_traceback(exc_info[2])
            raise AssertionError("start_response() called more than once")
        self.status, self.headers = status, headers
        return self._write

    def _write(self, piece: bytes) -> None:
        if piece:
            self.written.append(piece)


class _Body:
    """The pieces of an application's response, and what is to be closed once, when they are over."""

    def __init__(self, result: Iterable[bytes], input_file: Any) -> None:
        self._result = result
        self._input = input_file
        self._pieces = iter(result)
        self._is_closed = False

    def first(self) -> list[bytes]:
        """The first piece that is not empty, or none: some applications call `start_response` no earlier."""
        try:
            for piece in self._pieces:
                if piece:
                    return [piece]
        except Exception:
            self.close()
            raise
        return []

    def pieces(self, before: list[bytes]) -> Iterator[bytes]:
        """All pieces.

        Args:
            before: Those that are known already.
        """
        yield from before
        for piece in self._pieces:
            if piece:
                yield piece

    def close(self) -> None:
        """Close the application's iterable, as PEP 3333 asks for, and the request's body."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            close = getattr(self._result, "close", None)
            if close is not None:
                close()
        finally:
            try:
                self._input.close()
            except Exception:
                logger.exception("Failed to close wsgi.input")


_END = object()


def _stream(pieces: Iterator[bytes], close: Callable[[], None]) -> Any:
    """A stream of JavaScript that asks for a piece when the client reads."""

    # A coroutine function: an application may wait by `run_sync` for what its next piece holds.
    async def pull(controller: Any) -> None:
        try:
            piece: Any = next(pieces, _END)
        except Exception as error:
            logger.exception("Exception while streaming WSGI response body")
            close()
            controller.error(str(error))
            return
        if piece is _END:
            controller.close()
            close()
        else:
            controller.enqueue(to_js(piece))

    async def cancel(_reason: Any = None) -> None:
        close()

    return js.ReadableStream.new(pull=pull, cancel=cancel)


def process_request(app: Application, req: Any, env: Any, body: Any, options: Options = DEFAULT_OPTIONS) -> Any:
    """Run an application for one request.

    Args:
        app: The WSGI application.
        req: The request: a `workers.Request` or a `js.Request`.
        env: The bindings, as `workers.env` of the environ.
        body: The request's body: bytes, or a file.
        options: The adapter's options.

    Returns:
        A `js.Response`, whose body the application makes while it is read.

    Raises:
        RuntimeError: The application did not call `start_response`.
    """
    environ = build_environ(req, env, body)
    answer = _Answer()
    made = _Body(app(environ, answer.start), environ["wsgi.input"])
    first = made.first()
    if answer.status is None:
        made.close()
        raise RuntimeError("The WSGI application did not call start_response()")
    return _respond(answer, made, first, options)


def _respond(answer: _Answer, made: _Body, first: list[bytes], options: Options) -> Any:
    code, _, reason = (answer.status or "").partition(" ")
    headers = to_js_headers(list(answer.headers))
    init: dict[str, Any] = {"status": int(code), "headers": headers, **options.response_init()}
    if reason:
        init["statusText"] = reason
    if int(code) in NULL_BODY_STATUSES:
        made.close()
        return js.Response.new(None, **init)
    return js.Response.new(_stream(made.pieces([*answer.written, *first]), made.close), **init)


async def fetch(app: Application, req: Any, env: Any, ctx: Any = None, *, options: Options | None = None) -> Any:
    """Answer a request with an application.

    Args:
        app: The WSGI application.
        req: The request: a `workers.Request` or a `js.Request`.
        env: The bindings, as `workers.env` of the environ.
        ctx: Accepted and without effect, as in the SDK.
        options: The adapter's options.

    Returns:
        A `js.Response`.

    Example:
        >>> class Default(WorkerEntrypoint):
        ...     async def fetch(self, request):
        ...         return await wsgi.fetch(app, request, self.env)  # doctest: +SKIP
    """
    logger.debug("WSGI request: %s %s", req.method, req.url)
    try:
        return process_request(app, req, env, make_wsgi_input(req), options or DEFAULT_OPTIONS)
    except Exception:
        logger.exception("WSGI request failed")
        raise


def entrypoint(app: Application, *, options: Options | None = None) -> type[WorkerEntrypoint]:
    """Make the Worker's default entrypoint of an application.

    Args:
        app: The WSGI application.
        options: The adapter's options.

    Example:
        >>> Default = wsgi.entrypoint(app)  # doctest: +SKIP
    """

    class Default(WorkerEntrypoint):
        async def fetch(self, request: Any) -> Any:
            return await fetch(app, request, self.env, options=options)

    return Default
