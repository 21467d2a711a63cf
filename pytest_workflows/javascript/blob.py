"""JavaScript's `Blob` and `File`."""

from __future__ import annotations

import time
from typing import Any

from .buffers import JsArrayBuffer, Uint8Array, buffer_of
from .convert import is_missing, items_of, to_integer
from .objects import JsObject, js_error, js_text, option, promised


class Blob(JsObject):
    """Bytes that do not change, with a type.

    Args:
        parts: An iterable of texts, buffers and other blobs.
        options: `type`; `endings` has no effect, as in the runtime.
    """

    def __init__(self, parts: Any = None, options: Any = None) -> None:
        self._content = _joined(parts, type(self)._js_class)
        given = option(options, "type")
        self._type = "" if is_missing(given) else js_text(given).lower()

    @classmethod
    def _of(cls, content: bytes, content_type: str = "") -> Blob:
        made = Blob()
        made._content, made._type = content, content_type
        return made

    @property
    def size(self) -> int:
        """How many bytes."""
        return len(self._content)

    @property
    def type(self) -> str:
        """The content type, empty for none."""
        return self._type

    @promised
    def text(self) -> str:
        """A promise of the content as text."""
        return self._content.decode("utf-8-sig", "replace")

    @promised
    def arrayBuffer(self) -> JsArrayBuffer:
        """A promise of the content."""
        return JsArrayBuffer(self._content)

    @promised
    def bytes(self) -> Any:
        """A promise of the content, as a Uint8Array."""
        return Uint8Array(self._content)

    def slice(self, start: Any = None, end: Any = None, content_type: Any = None) -> Blob:
        """A part of it.

        Args:
            start: The first byte; from the end, where negative.
            end: The byte behind the last one.
            content_type: The new type.
        """
        first = None if is_missing(start) else to_integer(start)
        last = None if end is None else to_integer(end)
        return Blob._of(self._content[first:last], "" if is_missing(content_type) else js_text(content_type).lower())

    def stream(self) -> Any:
        """The content as a stream."""
        from .streams import ReadableStream

        return ReadableStream._of_bytes(self._content)


class File(Blob):
    """A blob with a name.

    Args:
        parts: As of a `Blob`.
        name: The name.
        options: `type` and `lastModified` (milliseconds since 1970; now, unless given).
    """

    def __init__(self, parts: Any, name: Any, options: Any = None) -> None:
        super().__init__(parts, options)
        self._name = js_text(name)
        given = option(options, "lastModified")
        self._modified = int(time.time() * 1000) if is_missing(given) else to_integer(given)

    @classmethod
    def _named(cls, content: bytes, name: str, content_type: str = "") -> File:
        made = File(None, name)
        made._content, made._type = content, content_type
        return made

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def lastModified(self) -> int:
        """When it was changed last, in milliseconds since 1970."""
        return self._modified


def _joined(parts: Any, kind: str) -> bytes:
    if is_missing(parts):
        return b""
    items = None if isinstance(parts, str) else items_of(parts)
    if items is None:
        raise js_error("TypeError", f"Failed to construct '{kind}': constructor parameter 1 is not of type 'Array'.")
    return b"".join(map(_part, items))


def _part(part: Any) -> bytes:
    if isinstance(part, Blob):
        return part._content
    data = buffer_of(part)
    return js_text(part).encode("utf-8", "replace") if data is None else data
