"""JavaScript's `WritableStream`, its writer, and pipes into it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from .convert import as_error, call, is_missing, is_true, to_number, when_settled
from .events import AbortSignal, until_aborted
from .objects import JsObject, JsPromise, from_python, js_error, option, promised, settle
from .streams import ReadableStream, ReadableStreamDefaultReader

LOCKED = "This WritableStream is currently locked to a writer."


class WritableStream(JsObject):
    """A stream to write to; its sink gets one chunk after the other.

    Args:
        sink: `start(controller)`, `write(chunk, controller)`, `close()`, `abort(reason)`.
        strategy: `highWaterMark`: how much may wait before `ready` is no longer settled.
    """

    def __init__(self, sink: Any = None, strategy: Any = None) -> None:
        self._writer: WritableStreamDefaultWriter | None = None
        self._jobs: deque[tuple[Callable[[], Any], JsPromise]] = deque()
        self._is_busy = True
        self._state = "writable"
        self._error: BaseException | None = None
        self._waiting = 0
        limit = option(strategy, "highWaterMark")
        self._limit = 1 if is_missing(limit) else to_number(limit)
        self._controller = WritableStreamDefaultController(self)
        self._ready = JsPromise.resolved(None)
        self._closed = JsPromise()
        write, close, abort = option(sink, "write"), option(sink, "close"), option(sink, "abort")
        controller = self._controller
        self._on_write: Callable[[Any], Any] = (
            (lambda chunk: None) if is_missing(write) else lambda chunk: call(write, chunk, controller)
        )
        self._on_close: Callable[[], Any] = (lambda: None) if is_missing(close) else lambda: call(close)
        self._on_abort: Callable[[Any], Any] = (
            (lambda reason: None) if is_missing(abort) else lambda reason: call(abort, reason)
        )
        start = option(sink, "start")
        when_settled(None if is_missing(start) else call(start, controller), self._begin, self._fail)

    @classmethod
    def _made(
        cls, write: Callable[[Any], Any], close: Callable[[], Any], abort: Callable[[Any], Any]
    ) -> WritableStream:
        """A stream of the runtime's own: the functions are Python's, and may give promises."""
        made = WritableStream()
        made._on_write, made._on_close, made._on_abort = write, close, abort
        return made

    @property
    def locked(self) -> bool:
        """Whether a writer has it."""
        return self._writer is not None

    def getWriter(self) -> WritableStreamDefaultWriter:
        """A writer, which locks the stream."""
        return WritableStreamDefaultWriter(self)

    @promised
    def abort(self, reason: Any = None) -> Any:
        """End it with an error; what waits is thrown away."""
        if self.locked:
            raise js_error("TypeError", LOCKED)
        return self._abort(reason)

    @promised
    def close(self) -> Any:
        """End it, after what waits."""
        if self.locked:
            raise js_error("TypeError", LOCKED)
        return self._close()

    # -- within the runtime

    def _begin(self, _: Any = None) -> None:
        self._is_busy = False
        self._work()

    def _write(self, chunk: Any) -> JsPromise:
        if self._error is not None:
            return JsPromise.rejected(self._error)
        if self._state != "writable":
            return JsPromise.rejected(js_error("TypeError", "This WritableStream has been closed."))
        self._waiting += 1
        if self._waiting >= self._limit and self._ready._is_settled:
            self._ready = JsPromise()
        return self._add(lambda: self._on_write(chunk))

    def _close(self) -> JsPromise:
        if self._error is not None:
            return JsPromise.rejected(self._error)
        if self._state != "writable":
            return JsPromise.rejected(js_error("TypeError", "This WritableStream has been closed."))
        self._state = "closing"
        closed = self._add(self._on_close)
        when_settled(closed, self._finished, self._fail)
        return closed

    def _finished(self, _: Any) -> None:
        self._state = "closed"
        self._ready._resolve()
        self._closed._resolve()

    def _add(self, job: Callable[[], Any]) -> JsPromise:
        outcome = JsPromise()
        self._jobs.append((job, outcome))
        self._work()
        return outcome

    def _work(self) -> None:
        while self._jobs and not self._is_busy:
            job, outcome = self._jobs.popleft()
            self._is_busy = True
            try:
                result = job()
            except Exception as error:
                outcome._reject(error)
                self._fail(error)
                return
            if isinstance(result, JsPromise) and not result._is_settled:
                when_settled(result, partial(self._done, outcome), self._failing(outcome))
                return
            if isinstance(result, JsPromise) and result._error is not None:
                self._failing(outcome)(result._error)
                return
            self._settled(outcome)

    def _failing(self, outcome: JsPromise) -> Callable[[BaseException], None]:
        def fail(error: BaseException) -> None:
            outcome._reject(error)
            self._fail(error)

        return fail

    def _done(self, outcome: JsPromise, _: Any) -> None:
        self._settled(outcome)
        self._work()

    def _settled(self, outcome: JsPromise) -> None:
        self._is_busy = False
        self._waiting -= 1
        outcome._resolve()
        if self._waiting < self._limit:
            self._ready._resolve()

    def _fail(self, error: BaseException) -> None:
        if self._state == "closed" or self._error is not None:
            return
        self._state, self._error = "errored", error
        for _, outcome in self._jobs:
            outcome._reject(error)
        self._jobs.clear()
        self._ready._reject(error)
        self._closed._reject(error)

    def _abort(self, reason: Any) -> Any:
        if self._state in ("closed", "errored"):
            return None
        self._fail(as_error(reason))
        return self._on_abort(reason)


class WritableStreamDefaultController(JsObject):
    """What a sink ends its stream through.

    Args:
        stream: The stream.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def signal(self) -> Any:
        """A signal that nobody aborts."""
        return AbortSignal._made()

    def error(self, reason: Any = None) -> None:
        """End the stream with an error."""
        self._stream._fail(as_error(reason))


class WritableStreamDefaultWriter(JsObject):
    """A writer of a stream.

    Args:
        stream: The stream, which it locks.
    """

    def __init__(self, stream: Any) -> None:
        if not isinstance(stream, WritableStream):
            raise js_error("TypeError", "The first argument must be a WritableStream.")
        if stream.locked:
            raise js_error("TypeError", LOCKED)
        self._stream: WritableStream | None = stream
        stream._writer = self

    def _owned(self) -> WritableStream:
        if self._stream is None:
            raise js_error("TypeError", "This WritableStream writer has been released.")
        return self._stream

    @property
    def closed(self) -> JsPromise:
        """A promise of the stream's end."""
        return self._owned()._closed

    @property
    def ready(self) -> JsPromise:
        """A promise that more may be written."""
        return self._owned()._ready

    @property
    def desiredSize(self) -> Any:
        """How much more may be written before `ready` waits."""
        return self._owned()._limit - self._owned()._waiting

    @promised
    def write(self, chunk: Any = None) -> JsPromise:
        """Write a chunk; the promise is settled when the sink took it."""
        return self._owned()._write(chunk)

    @promised
    def close(self) -> JsPromise:
        """End the stream, after what waits."""
        return self._owned()._close()

    @promised
    def abort(self, reason: Any = None) -> Any:
        """End the stream with an error."""
        return self._owned()._abort(reason)

    def releaseLock(self) -> None:
        """Let the stream go."""
        if self._stream is not None:
            self._stream._writer = None
            self._stream = None


def pipe(source: ReadableStream, target: Any, options: Any) -> JsPromise:
    """Write all of a stream to another one: `pipeTo`.

    Args:
        source: What is read.
        target: The writable stream.
        options: `preventClose`, `preventAbort`, `preventCancel`, `signal`.
    """
    if not isinstance(target, WritableStream):
        return JsPromise.rejected(js_error("TypeError", "pipeTo() requires a WritableStream."))
    if target.locked:
        return JsPromise.rejected(js_error("TypeError", LOCKED))
    try:
        reader = ReadableStreamDefaultReader(source)
    except Exception as error:
        return JsPromise.rejected(error)
    writer = WritableStreamDefaultWriter(target)
    signal = option(options, "signal")
    flags = {name: is_true(option(options, name)) for name in ("preventClose", "preventAbort", "preventCancel")}

    async def run() -> None:
        try:
            while True:
                if not is_missing(signal):
                    signal.throwIfAborted()
                try:
                    result = (await until_aborted(source._read(), signal))._entries
                except Exception as error:
                    if not flags["preventAbort"]:
                        target._abort(from_python(error))
                    raise
                if result["done"]:
                    break
                try:
                    await target._write(result["value"])
                except Exception as error:
                    if not flags["preventCancel"] and source._state == "readable":
                        await settle(source._stop(from_python(error)))
                    raise
            if not flags["preventClose"]:
                await target._close()
        finally:
            reader.releaseLock()
            writer.releaseLock()

    return JsPromise.running(run())


ReadableStream._pipe = staticmethod(pipe)
