"""Bodies on their way to the Worker and back: streams of JavaScript, made and read on the Worker's loop."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

_GZIP: Final = zlib.MAX_WBITS | 16
_ENCODINGS: Final = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}


def body_of(next_piece: Callable[[], Awaitable[bytes | None]]) -> Any:
    """A stream of what a client sends, which asks for a piece when somebody wants one.

    Args:
        next_piece: Gives the next piece; None after the last one.
    """
    from pytest_workflows.javascript.buffers import Uint8Array
    from pytest_workflows.javascript.objects import JsPromise
    from pytest_workflows.javascript.streams import ReadableStream

    async def pull() -> None:
        piece = await next_piece()
        if piece is None:
            stream._end()
        else:
            stream._put(Uint8Array(piece))

    stream = ReadableStream._made(lambda: JsPromise.running(pull()), is_bytes=True)
    stream._is_started = True
    return stream


async def pieces_of(answer: Any) -> AsyncIterator[bytes]:
    """The pieces of a response's body; a reader that leaves early cancels the stream.

    Args:
        answer: A `js.Response`.
    """
    from pytest_workflows.javascript.streams import _bytes_of

    stream = answer.body
    if not stream:
        return
    is_whole = False
    try:
        async for chunk in stream:
            yield _bytes_of(chunk)
        is_whole = True
    finally:
        if not is_whole:
            stopped = stream._stop(None)
            if stopped is not None:
                await stopped


async def drop_body(answer: Any) -> None:
    """Let a response's body go that nobody reads: whoever makes it is told, as by a reader that leaves.

    Args:
        answer: A `js.Response`.
    """
    stopped = answer.body._stop(None) if answer.body else None
    if stopped is not None:
        await stopped


def encoder_for(answer: Any, headers: list[tuple[bytes, bytes]]) -> Any:
    """What compresses a response, where its headers say that it is compressed and the platform is to do it.

    Args:
        answer: A `js.Response`.
        headers: Its headers; an encoding that is not known here is taken out of them, and the body goes as it is.

    Returns:
        An object of zlib; None for a body that goes as it is.
    """
    has_body = answer._stream is not None or answer._content is not None
    if answer._encode != "automatic" or not has_body:
        return None
    for pair in headers:
        if pair[0] == b"content-encoding":
            bits = _ENCODINGS.get(pair[1].decode("latin-1").strip().lower())
            if bits is None:
                headers.remove(pair)
                return None
            return zlib.compressobj(wbits=bits)
    return None
