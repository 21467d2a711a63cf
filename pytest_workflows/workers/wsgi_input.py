"""The body of a request as `wsgi.input`: a file that is read from the stream as the application asks for it.

Source: workers-runtime-sdk 1.9.5, `workers.wsgi`.
"""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

from .pyodide_ffi import run_sync

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["make_wsgi_input"]


class _StreamFile(io.RawIOBase):
    """A file over a stream of JavaScript. Reading waits for the stream without giving way: `run_sync`."""

    def __init__(self, stream: Any) -> None:
        self._reader = stream.getReader()
        self._held = b""
        self._is_at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        while not self._held and not self._is_at_end:
            result = run_sync(self._reader.read())
            if result.done:
                self._is_at_end = True
            elif result.value is not None:
                self._held = result.value.to_bytes()
        target = memoryview(buffer).cast("B")
        taken = min(len(target), len(self._held))
        target[:taken], self._held = self._held[:taken], self._held[taken:]
        return taken

    def close(self) -> None:
        if not self.closed:
            with contextlib.suppress(Exception):
                self._release()
        super().close()

    def _release(self) -> None:
        """Let go of the stream, and drop what nobody read."""
        if self._is_at_end:
            self._reader.releaseLock()
        else:
            run_sync(self._reader.cancel())


def make_wsgi_input(req: Any) -> io.BufferedIOBase:
    """The file of a request's body.

    Args:
        req: The request: a `workers.Request` or a `js.Request`.
    """
    return io.BufferedReader(_StreamFile(req.body)) if req.body else io.BytesIO()
