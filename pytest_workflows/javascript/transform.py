"""JavaScript's `TransformStream`, and those that the runtime brings: identity, text, compression."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from durable_engine import jsnull

from .buffers import JsTypedArray, Uint8Array, buffer_of
from .convert import as_error, call, is_missing, to_integer, when_settled
from .objects import JsObject, JsPromise, js_error, js_text, option
from .streams import ReadableStream
from .text_coding import decoder_of
from .writable import WritableStream


class TransformStream(JsObject):
    """A stream to write to whose other side is read; what is written waits until somebody reads.

    Args:
        transformer: `start(controller)`, `transform(chunk, controller)`, `flush(controller)`; without `transform`
            chunks go through as they are.
        writable_strategy: `highWaterMark` of the side that is written to.
        readable_strategy: `highWaterMark` of the side that is read.
    """

    def __init__(self, transformer: Any = None, writable_strategy: Any = None, readable_strategy: Any = None) -> None:
        transform, flush = option(transformer, "transform"), option(transformer, "flush")
        self._set_up(
            None if is_missing(transform) else lambda chunk: call(transform, chunk, self._controller),
            None if is_missing(flush) else lambda: call(flush, self._controller),
        )
        limit = option(readable_strategy, "highWaterMark")
        self._readable._limit = 0 if is_missing(limit) else to_integer(limit)
        start = option(transformer, "start")
        if not is_missing(start):
            when_settled(call(start, self._controller), lambda _: None, self._fail)

    def _set_up(
        self,
        transform: Callable[[Any], Any] | None,
        flush: Callable[[], Any] | None,
        is_bytes: bool = False,
    ) -> None:
        self._transform, self._flush = transform, flush
        self._asked: JsPromise = JsPromise()
        self._readable = ReadableStream._made(self._pulled, self._cancelled, is_bytes=is_bytes)
        self._writable = WritableStream._made(self._written, self._closed, self._aborted)
        self._controller = TransformStreamDefaultController(self)

    @property
    def readable(self) -> ReadableStream:
        """The side that is read."""
        return self._readable

    @property
    def writable(self) -> WritableStream:
        """The side that is written to."""
        return self._writable

    def _pulled(self) -> None:
        self._asked._resolve()

    def _is_wanted(self) -> bool:
        return bool(self._readable._reads) or self._readable._filled < self._readable._limit

    def _written(self, chunk: Any) -> Any:
        if self._is_wanted():
            return self._pass(chunk)
        self._asked = JsPromise()
        passed = JsPromise()

        def go_on(_: Any) -> None:
            try:
                when_settled(self._pass(chunk), passed._resolve, passed._reject)
            except Exception as error:
                passed._reject(error)

        when_settled(self._asked, go_on, passed._reject)
        return passed

    def _pass(self, chunk: Any) -> Any:
        if self._readable._error is not None:
            raise self._readable._error
        if self._transform is None:
            self._put(chunk)
            return None
        try:
            result = self._transform(chunk)
        except Exception as error:
            self._readable._fail(error)
            raise
        if isinstance(result, JsPromise):
            when_settled(result, lambda _: None, self._readable._fail)
        return result

    def _put(self, chunk: Any) -> None:
        self._readable._put(chunk)

    def _closed(self) -> Any:
        def end(_: Any) -> None:
            if self._readable._state == "readable" and not self._readable._is_closing:
                self._readable._end()

        result = None if self._flush is None else self._flush()
        when_settled(result, end, self._readable._fail)
        return result

    def _aborted(self, reason: Any) -> None:
        self._fail(as_error(reason))

    def _cancelled(self, reason: Any) -> None:
        error = as_error(reason) if reason is not None else js_error("TypeError", "The readable side was cancelled.")
        self._asked._reject(error)
        self._writable._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._asked._reject(error)
        self._readable._fail(error)
        self._writable._fail(error)


class TransformStreamDefaultController(JsObject):
    """What a transformer hands its chunks on through.

    Args:
        stream: The stream.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def desiredSize(self) -> Any:
        """How much more the reader wants."""
        readable = self._stream._readable
        return jsnull if readable._state == "errored" else readable._limit - readable._filled

    def enqueue(self, chunk: Any = None) -> None:
        """Hand a chunk on."""
        self._stream._put(chunk)

    def error(self, reason: Any = None) -> None:
        """End both sides with an error."""
        self._stream._fail(as_error(reason))

    def terminate(self) -> None:
        """End the side that is read, and refuse further writing."""
        self._stream._readable._end()
        self._stream._writable._fail(js_error("TypeError", "The transform stream has been terminated"))


class IdentityTransformStream(TransformStream):
    """A stream of bytes that go through as they are."""

    def __init__(self, options: Any = None) -> None:
        self._set_up(None, None, is_bytes=True)

    def _put(self, chunk: Any) -> None:
        data = chunk.encode() if isinstance(chunk, str) else buffer_of(chunk)
        if data is None:
            raise js_error(
                "TypeError",
                "This TransformStream is being used as a byte stream, but received an object of "
                "non-ArrayBuffer/ArrayBufferView type on its writable side.",
            )
        if data:
            self._readable._put(chunk if isinstance(chunk, JsTypedArray) else Uint8Array(data))


class FixedLengthStream(IdentityTransformStream):
    """A stream of so many bytes, no more and no less.

    Args:
        length: How many.
    """

    def __init__(self, length: Any, options: Any = None) -> None:
        super().__init__()
        self._left = to_integer(length)
        self._readable._length = self._left

    def _put(self, chunk: Any) -> None:
        self._left -= len(buffer_of(chunk) or b"")
        if self._left < 0:
            raise js_error("TypeError", "Attempt to write too many bytes through a FixedLengthStream.")
        super()._put(chunk)

    def _closed(self) -> Any:
        if self._left > 0:
            error = js_error("TypeError", "FixedLengthStream did not see all expected bytes before close().")
            self._readable._fail(error)
            raise error
        return super()._closed()


class TextEncoderStream(TransformStream):
    """Texts in, their UTF-8 out."""

    def __init__(self) -> None:
        def encode(chunk: Any) -> None:
            data = js_text(chunk).encode("utf-8", "replace")
            if data:
                self._put(Uint8Array(data))

        self._set_up(encode, None)

    @property
    def encoding(self) -> str:
        """Always "utf-8"."""
        return "utf-8"


class _ByBytes(TransformStream):
    """A stream whose bytes go through a function of Python's."""

    def _through(
        self, add: Callable[[bytes], bytes | str], end: Callable[[], bytes | str], *, is_bytes: bool = True
    ) -> None:
        """Set the stream up.

        Args:
            add: Gives what comes out for what goes in.
            end: Gives what comes out at last.
            is_bytes: Whether bytes come out; else texts.
        """

        def write(chunk: Any) -> None:
            data = buffer_of(chunk)
            if data is None:
                raise js_error("TypeError", "The chunk is not a BufferSource.")
            self._give(add(data))

        self._set_up(write, lambda: self._give(end()), is_bytes=is_bytes)

    def _give(self, piece: bytes | str) -> None:
        if piece:
            self._put(Uint8Array(piece) if isinstance(piece, bytes) else piece)


class TextDecoderStream(_ByBytes):
    """Bytes in, texts out.

    Args:
        label: The encoding; UTF-8, unless given.
        options: `fatal` and `ignoreBOM`.
    """

    def __init__(self, label: Any = None, options: Any = None) -> None:
        self._name, decode = decoder_of(label, options)
        self._through(lambda data: decode(data, False), lambda: decode(b"", True), is_bytes=False)

    @property
    def encoding(self) -> str:
        """The encoding."""
        return self._name


_WINDOW_BITS = {"gzip": 31, "deflate": 15, "deflate-raw": -15}


class CompressionStream(_ByBytes):
    """Bytes in, compressed ones out.

    Args:
        format: "gzip", "deflate" or "deflate-raw".
    """

    def __init__(self, format: Any) -> None:
        packer = zlib.compressobj(wbits=_window_bits(format))
        self._through(packer.compress, packer.flush)


class DecompressionStream(_ByBytes):
    """Compressed bytes in, the bytes themselves out.

    Args:
        format: "gzip", "deflate" or "deflate-raw".
    """

    def __init__(self, format: Any) -> None:
        unpacker = zlib.decompressobj(wbits=_window_bits(format))

        def add(data: bytes) -> bytes:
            try:
                return unpacker.decompress(data)
            except zlib.error:
                raise js_error("TypeError", "Decompression failed.") from None

        def end() -> bytes:
            if not unpacker.eof:
                raise js_error("TypeError", "Called close() on a decompression stream with incomplete data")
            return unpacker.flush()

        self._through(add, end)


def _window_bits(given: Any) -> int:
    bits = _WINDOW_BITS.get(js_text(given))
    if bits is None:
        raise js_error("TypeError", "The compression format must be either 'deflate', 'deflate-raw' or 'gzip'.")
    return bits
