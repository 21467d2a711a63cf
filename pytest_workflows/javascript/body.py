"""What requests and responses have in common: headers, and a body that is read once."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Coroutine
from typing import Any, Self

from durable_engine import jsnull

from . import multipart
from .blob import Blob
from .buffers import JsArrayBuffer, Uint8Array, buffer_of
from .convert import is_missing
from .form_data import FormData, read_form
from .headers import Headers
from .json_text import parse
from .objects import JsObject, js_error, js_text, promised
from .streams import LOCKED, ReadableStream
from .url import URLSearchParams

USED = "Body has already been used. It can only be used once. Use tee() first if you need to read it twice."


class Body(JsObject):
    """Base of requests and responses.

    A body whose bytes are known is kept as bytes, and becomes a stream when somebody asks for one.
    """

    _headers: Headers
    _content: builtins.bytes | None
    _stream: ReadableStream | None
    _is_used: bool

    def _hold(self, body: Any, headers: Headers) -> None:
        """Take a body, and give the headers its content type.

        Args:
            body: Any value of JavaScript; undefined and null are no body.
            headers: The headers; the body's own type is added where they have none.
        """
        self._hold_bytes(None, headers)
        if is_missing(body):
            return
        if isinstance(body, ReadableStream):
            if body.locked:
                raise js_error("TypeError", LOCKED)
            if body._is_disturbed:
                raise js_error(
                    "TypeError",
                    "This ReadableStream is disturbed (has already been read from), and cannot be used as a body.",
                )
            self._stream = body
            return
        self._content, kind = _bytes_and_type(body)
        if kind:
            headers._default("content-type", kind)

    def _hold_bytes(self, content: builtins.bytes | None, headers: Headers) -> None:
        self._headers, self._content, self._stream, self._is_used = headers, content, None, False

    @property
    def headers(self) -> Headers:
        """The headers."""
        return self._headers

    @property
    def body(self) -> Any:
        """The body as a stream; null for none."""
        if self._stream is None:
            if self._content is None:
                return jsnull
            if self._is_used:
                self._stream = ReadableStream._of_bytes(b"")
                self._stream._is_disturbed = True
            else:
                self._stream, self._content = ReadableStream._of_bytes(self._content), None
        return self._stream

    @property
    def bodyUsed(self) -> bool:
        """Whether the body was read, or begun to be."""
        return self._is_used or (self._stream is not None and self._stream._is_disturbed)

    def _take(self) -> builtins.bytes | Coroutine[Any, Any, builtins.bytes]:
        """The content; a coroutine where it has to be waited for."""
        if self.bodyUsed:
            raise js_error("TypeError", USED)
        if self._stream is not None:
            return self._stream._drain()
        self._is_used = self._content is not None
        return self._content or b""

    def _then(self, make: Callable[[builtins.bytes], Any]) -> Any:
        content = self._take()
        return make(content) if isinstance(content, builtins.bytes) else _later(content, make)

    @promised
    def text(self) -> Any:
        """A promise of the body as text."""
        return self._then(lambda content: content.decode("utf-8-sig", "replace"))

    @promised
    def json(self) -> Any:
        """A promise of what the body says as JSON."""
        return self._then(lambda content: parse(content.decode("utf-8-sig", "replace")))

    @promised
    def arrayBuffer(self) -> Any:
        """A promise of the body's bytes."""
        return self._then(JsArrayBuffer)

    @promised
    def bytes(self) -> Any:
        """A promise of the body's bytes, as a Uint8Array."""
        return self._then(Uint8Array)

    @promised
    def blob(self) -> Any:
        """A promise of the body as a blob, of the type that the headers say."""
        kind = self._headers._first("content-type") or ""
        return self._then(lambda content: Blob._of(content, kind))

    @promised
    def formData(self) -> Any:
        """A promise of the form that the body holds."""
        kind = self._headers._first("content-type")
        return self._then(lambda content: read_form(content, kind))

    def _copy_body(self, copy: Self) -> None:
        """Give a copy a body of its own."""
        if self.bodyUsed:
            raise js_error("TypeError", USED)
        copy._hold_bytes(self._content, Headers(self._headers))
        if self._stream is not None:
            self._stream, copy._stream = self._stream.tee()._items


async def _later(content: Coroutine[Any, Any, builtins.bytes], make: Callable[[builtins.bytes], Any]) -> Any:
    return make(await content)


def _bytes_and_type(body: Any) -> tuple[bytes, str]:
    if isinstance(body, str):
        return body.encode("utf-8", "replace"), "text/plain;charset=UTF-8"
    if isinstance(body, Blob):
        return body._content, body.type
    if isinstance(body, FormData):
        content, boundary = multipart.write(body._entries)
        return content, f"multipart/form-data; boundary={boundary}"
    if isinstance(body, URLSearchParams):
        return body._text().encode(), "application/x-www-form-urlencoded;charset=UTF-8"
    data = buffer_of(body)
    if data is not None:
        return data, ""
    return js_text(body).encode("utf-8", "replace"), "text/plain;charset=UTF-8"
