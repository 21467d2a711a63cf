"""JavaScript's `ReadableStream` and its readers.

A stream whose bytes are all there is read without a task, so that reading a body takes no turn of the event loop.
Source: the Streams standard; texts of errors: workerd 1.20261117.1.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, ClassVar

from durable_engine import StreamContent, jsnull, streams

from .buffers import JsBuffer, JsTypedArray, Uint8Array, buffer_of
from .convert import as_error, call, is_missing, items_of, to_integer, to_number, when_settled
from .objects import JsArray, JsObject, JsPlain, JsPromise, js_error, js_text, option, promised, settle, to_python

CHUNK = 4096
"""The most bytes that the runtime gives in one chunk of a body, unless a reader asks for more."""

LOCKED = "This ReadableStream is currently locked to a reader."
_RELEASED = "This ReadableStream reader has been released."


class ReadableStream(JsObject):
    """A stream to be read; Python reads it with `async for` too.

    Args:
        source: `start(controller)`, `pull(controller)`, `cancel(reason)`, and `type`, "bytes" for a stream of bytes.
        strategy: `highWaterMark` and `size(chunk)`: how much is asked for before anybody reads.
    """

    def __init__(self, source: Any = None, strategy: Any = None) -> None:
        self._chunks: deque[tuple[Any, float]] = deque()
        self._filled: float = 0
        self._reads: deque[JsPromise] = deque()
        self._state = "readable"
        self._error: BaseException | None = None
        self._length: int | None = None  # how many bytes, where that is known before they are read
        self._reader: ReadableStreamDefaultReader | None = None
        self._is_disturbed = self._is_closing = self._is_pulling = self._pulls_again = False
        self._is_started = False
        self._is_bytes = js_text(option(source, "type")) == "bytes"
        limit, size = option(strategy, "highWaterMark"), option(strategy, "size")
        self._limit: float = (0 if self._is_bytes else 1) if is_missing(limit) else to_number(limit)
        self._size = None if is_missing(size) else size
        pull, cancel = option(source, "pull"), option(source, "cancel")
        self._pull: Callable[[], Any] | None = None if is_missing(pull) else lambda: call(pull, self._controller)
        self._cancel: Callable[[Any], Any] | None = None if is_missing(cancel) else lambda reason: call(cancel, reason)
        self._controller: ReadableStreamDefaultController = (
            ReadableByteStreamController(self) if self._is_bytes else ReadableStreamDefaultController(self)
        )
        start = option(source, "start")
        when_settled(None if is_missing(start) else call(start, self._controller), self._begin, self._fail)

    @classmethod
    def _made(
        cls,
        pull: Callable[[], Any] | None = None,
        cancel: Callable[[Any], Any] | None = None,
        limit: float = 0,
        is_bytes: bool = False,
    ) -> ReadableStream:
        """A stream of the runtime's own: `pull` and `cancel` are Python's, and may give promises."""
        made = ReadableStream()
        made._pull, made._cancel, made._limit, made._is_bytes = pull, cancel, limit, is_bytes
        return made

    @classmethod
    def _of_bytes(cls, content: bytes) -> ReadableStream:
        made = cls._made(is_bytes=True)
        for start in range(0, len(content), CHUNK):
            made._put(Uint8Array(content[start : start + CHUNK]))
        made._end()
        made._length = len(content)
        return made

    @staticmethod
    def from_(items: Any) -> ReadableStream:
        """A stream of the items of an iterable or asynchronous iterable (JavaScript's `ReadableStream.from`)."""
        target = to_python(items)
        if hasattr(type(target), "__aiter__"):
            each = aiter(target)

            async def pull() -> None:
                try:
                    stream._put(await settle(await anext(each)))
                except StopAsyncIteration:
                    stream._end()

            stream = ReadableStream._made(lambda: JsPromise.running(pull()))
            return stream
        found = items_of(items)
        if found is None:
            raise js_error("TypeError", "ReadableStream.from() requires an iterable.")
        stream = ReadableStream()
        for item in found:
            stream._put(item)
        stream._end()
        return stream

    # -- what a reader sees

    @property
    def locked(self) -> bool:
        """Whether a reader has it."""
        return self._reader is not None

    def getReader(self, options: Any = None) -> ReadableStreamDefaultReader:
        """A reader, which locks the stream.

        Args:
            options: `mode`: "byob" for a reader that fills buffers.
        """
        if js_text(option(options, "mode")) == "byob":
            if not self._is_bytes:
                raise js_error("TypeError", "This ReadableStream does not support BYOB reads.")
            return ReadableStreamBYOBReader(self)
        return ReadableStreamDefaultReader(self)

    @promised
    def cancel(self, reason: Any = None) -> Any:
        """Stop reading: the source hears of it, and what is there is thrown away."""
        if self.locked:
            raise js_error("TypeError", LOCKED)
        return self._stop(reason)

    def tee(self) -> JsArray:
        """Two streams of the same chunks; this one is locked."""
        self._lock(ReadableStreamDefaultReader(self))
        branches = _branches(self)
        for branch in branches:
            branch._length = self._length
        return JsArray(list(branches))

    def pipeTo(self, target: Any, options: Any = None) -> JsPromise:
        """Write all of it to a writable stream.

        Args:
            target: The writable stream.
            options: `preventClose`, `preventAbort`, `preventCancel`, `signal`.
        """
        if self._pipe is None:
            return JsPromise.rejected(js_error("TypeError", "pipeTo() requires a WritableStream."))
        return self._pipe(self, target, options)  # type: ignore[no-any-return]

    def pipeThrough(self, transform: Any, options: Any = None) -> Any:
        """Pipe it into the writable side of a transform stream; gives its readable side."""
        self.pipeTo(option(transform, "writable"), options)
        return option(transform, "readable")

    def values(self, options: Any = None) -> ReadableStream:
        """An asynchronous iterator of the chunks."""
        return self

    async def _each(self) -> AsyncIterator[Any]:
        reader = ReadableStreamDefaultReader(self)
        try:
            while True:
                result = (await self._read())._entries
                if result["done"]:
                    return
                yield to_python(result["value"])
        finally:
            reader.releaseLock()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._each()

    # -- within the runtime

    _pipe: ClassVar[Any] = None
    """Writes all of a stream to another one. What can be written to brings it: this class knows nothing of that."""

    def _lock(self, reader: ReadableStreamDefaultReader) -> None:
        self._reader = reader

    def _begin(self, _: Any = None) -> None:
        self._is_started = True
        if self._pull is None:
            return
        with contextlib.suppress(RuntimeError):  # outside of a loop nothing is pulled before somebody reads
            asyncio.get_running_loop().call_soon(self._ask)

    def _put(self, chunk: Any) -> None:
        if self._is_closing or self._state != "readable":
            raise js_error("TypeError", "Unable to enqueue")
        if self._reads:
            self._reads.popleft()._resolve(JsPlain({"value": chunk, "done": False}))
        else:
            size = self._size_of(chunk)
            self._chunks.append((chunk, size))
            self._filled += size

    def _size_of(self, chunk: Any) -> float:
        if self._is_bytes:
            return chunk.byteLength if isinstance(chunk, JsBuffer) else 0
        return 1 if self._size is None else to_number(call(self._size, chunk))

    def _end(self) -> None:
        self._is_closing = True
        if not self._chunks:
            self._finish()

    def _finish(self) -> None:
        if self._state == "readable":
            self._state = "closed"
            for read in self._reads:
                read._resolve(JsPlain({"value": None, "done": True}))
            self._reads.clear()
            if self._reader is not None:
                self._reader._closed._resolve()

    def _fail(self, error: BaseException) -> None:
        if self._state == "readable":
            self._state, self._error = "errored", error
            self._chunks.clear()
            for read in self._reads:
                read._reject(error)
            self._reads.clear()
            if self._reader is not None:
                self._reader._closed._reject(error)

    def _wants(self) -> bool:
        return (
            self._state == "readable"
            and not self._is_closing
            and self._is_started
            and (bool(self._reads) or self._filled < self._limit)
        )

    def _ask(self) -> None:
        """Call the source's `pull` while there is something to fill and it is not busy."""
        while self._pull is not None and self._wants():
            if self._is_pulling:
                self._pulls_again = True
                return
            self._is_pulling, self._pulls_again = True, False
            try:
                result = self._pull()
            except Exception as error:
                self._fail(error)
                return
            if isinstance(result, JsPromise) and not result._is_settled:
                when_settled(result, self._pulled, self._fail)
                return
            self._is_pulling = False
            if isinstance(result, JsPromise) and result._error is not None:
                self._fail(result._error)
            if not self._pulls_again:
                return

    def _pulled(self, _: Any) -> None:
        self._is_pulling = False
        if self._pulls_again:
            self._ask()

    def _read(self) -> JsPromise:
        """The promise of the next chunk, as `{value, done}`."""
        self._is_disturbed = True
        if self._chunks:
            chunk, size = self._chunks.popleft()
            self._filled -= size
            if self._is_closing and not self._chunks:
                self._finish()
            else:
                self._ask()
            return JsPromise.resolved(JsPlain({"value": chunk, "done": False}))
        if self._state == "closed":
            return JsPromise.resolved(JsPlain({"value": None, "done": True}))
        if self._error is not None:
            return JsPromise.rejected(self._error)
        read = JsPromise()
        self._reads.append(read)
        self._ask()
        return read

    def _stop(self, reason: Any) -> Any:
        self._is_disturbed = True
        if self._error is not None:
            raise self._error
        if self._state == "closed":
            return None
        self._chunks.clear()
        cancel, self._cancel, self._pull = self._cancel, None, None
        self._finish()
        return None if cancel is None else settle(cancel(reason))

    def _drain(self) -> bytes | Coroutine[Any, Any, bytes]:
        """All that is left: bytes where they are here already, else a coroutine that reads them."""
        if self.locked:
            raise js_error("TypeError", LOCKED)
        self._is_disturbed = True
        chunks = self._take_all()
        return self._collect() if chunks is None else b"".join(map(_bytes_of, chunks))

    def _take_all(self) -> list[Any] | None:
        """The chunks that are left, where all are here already; None where more may come, or an error did."""
        if self._state == "errored" or not (self._is_closing or self._state == "closed"):
            return None
        chunks = [chunk for chunk, _ in self._chunks]
        self._chunks.clear()
        self._finish()
        return chunks

    def _stored_content(self) -> StreamContent | Coroutine[Any, Any, StreamContent]:
        content = self._drain()
        if isinstance(content, bytes):
            return StreamContent(content)
        content.close()
        return self._stored_later()

    async def _stored_later(self) -> StreamContent:
        return StreamContent(await self._collect())

    async def _collect(self) -> bytes:
        return b"".join([_bytes_of(chunk) async for chunk in self])


def _of_stored(content: bytes) -> ReadableStream:
    made = ReadableStream._of_bytes(content)
    made._kept = content
    return made


streams.make = _of_stored


def _bytes_of(chunk: Any) -> bytes:
    data = buffer_of(chunk)
    if data is None:
        raise js_error("TypeError", "This ReadableStream did not return bytes.")
    return data


class ReadableStreamDefaultController(JsObject):
    """What a source fills its stream through.

    Args:
        stream: The stream.
    """

    def __init__(self, stream: Any) -> None:
        if not isinstance(stream, ReadableStream):
            raise js_error("TypeError", "Illegal constructor")
        self._stream = stream

    @property
    def desiredSize(self) -> Any:
        """How much more is wanted."""
        stream = self._stream
        if stream._state == "errored":
            return jsnull
        return 0 if stream._state == "closed" else stream._limit - stream._filled

    def enqueue(self, chunk: Any) -> None:
        """Add a chunk."""
        self._stream._put(chunk)
        self._stream._ask()

    def close(self) -> None:
        """End the stream, after what is in it."""
        if self._stream._is_closing or self._stream._state != "readable":
            raise js_error("TypeError", "The ReadableStream has already been closed.")
        self._stream._end()

    def error(self, reason: Any = None) -> None:
        """End the stream with an error."""
        self._stream._fail(as_error(reason))


class ReadableByteStreamController(ReadableStreamDefaultController):
    """What a source of bytes fills its stream through."""

    @property
    def byobRequest(self) -> Any:
        """Null: chunks are enqueued."""
        return jsnull

    def enqueue(self, chunk: Any) -> None:
        """Add a chunk of bytes."""
        if not isinstance(chunk, JsBuffer):
            raise js_error("TypeError", "The chunk must be an ArrayBuffer or an ArrayBufferView.")
        self._stream._put(chunk if isinstance(chunk, JsTypedArray) else Uint8Array(chunk.to_bytes()))
        self._stream._ask()


class ReadableStreamDefaultReader(JsObject):
    """A reader of a stream.

    Args:
        stream: The stream, which it locks.
    """

    def __init__(self, stream: Any) -> None:
        if not isinstance(stream, ReadableStream):
            raise js_error("TypeError", "The first argument must be a ReadableStream.")
        if stream.locked:
            raise js_error("TypeError", LOCKED)
        self._stream: ReadableStream | None = stream
        self._closed = JsPromise()
        stream._lock(self)
        if stream._state == "closed":
            self._closed._resolve()
        elif stream._error is not None:
            self._closed._reject(stream._error)

    @property
    def closed(self) -> JsPromise:
        """A promise of the stream's end."""
        return self._closed

    def _owned(self) -> ReadableStream:
        if self._stream is None:
            raise js_error("TypeError", _RELEASED)
        return self._stream

    @promised
    def read(self) -> JsPromise:
        """A promise of the next chunk, as `{value, done}`."""
        return self._owned()._read()

    @promised
    def cancel(self, reason: Any = None) -> Any:
        """Stop reading."""
        return self._owned()._stop(reason)

    def releaseLock(self) -> None:
        """Let the stream go."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream._reader = None
            error = js_error("TypeError", _RELEASED)
            for read in stream._reads:
                read._reject(error)
            stream._reads.clear()
            self._closed._reject(error)


class ReadableStreamBYOBReader(ReadableStreamDefaultReader):
    """A reader that gives views as large as the one it was handed.

    Args:
        stream: The stream of bytes, which it locks.
    """

    _rest = b""

    @promised
    def read(self, view: Any = None) -> Any:
        """A promise of the next bytes, no more than fit into a view."""
        return self._fill(1, view)

    @promised
    def readAtLeast(self, least: Any, view: Any) -> Any:
        """A promise of at least so many bytes, unless the stream ends."""
        return self._fill(to_integer(least), view)

    async def _fill(self, least: int, view: Any) -> JsPlain:
        most = len(buffer_of(view) or b"")
        if not most:
            raise js_error(
                "TypeError", "You must call read() on a BYOB reader with a positive-sized TypedArray object."
            )
        while len(self._rest) < min(least, most):
            result = (await self._owned()._read())._entries
            if result["done"]:
                break
            self._rest += _bytes_of(result["value"])
        data, self._rest = self._rest[:most], self._rest[most:]
        return JsPlain({"value": Uint8Array(data), "done": not data})


def _branches(stream: ReadableStream) -> tuple[ReadableStream, ReadableStream]:
    """The two branches of a stream that is locked: each chunk that one asks for, both get."""

    def pull() -> JsPromise | None:
        read = stream._read()
        outcome = JsPromise()

        def arrived(result: JsPlain) -> None:
            for branch in branches:
                if branch._state == "readable" and not branch._is_closing:
                    if result._entries["done"]:
                        branch._end()
                    else:
                        branch._put(result._entries["value"])
            outcome._resolve()

        def failed(error: BaseException) -> None:
            for branch in branches:
                branch._fail(error)
            outcome._resolve()

        when_settled(read, arrived, failed)
        return outcome

    def cancelled(_: Any) -> Any:
        return stream._stop(None) if all(branch._state == "closed" for branch in branches) else None

    def branch() -> ReadableStream:
        return ReadableStream._made(pull, cancelled, is_bytes=stream._is_bytes)

    stream._is_disturbed = True
    chunks = stream._take_all()
    branches = (branch(), branch())
    if chunks is not None:  # no branch has to wait for the other one
        for each in branches:
            for chunk in chunks:
                each._put(chunk)
            each._end()
    return branches
