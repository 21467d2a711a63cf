"""Served as `workers.blob`: `Blob` and `File`, over JavaScript's.

Source: workers-runtime-sdk 1.9.5, `workers.blob`.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from . import js_module as js
from .js_convert import to_js
from .js_view import class_name, is_js_instance

__all__ = ["Blob", "BlobEnding", "BlobValue", "File"]

BlobValue = "str | bytes | js.ArrayBuffer | js.TypedArray | js.DataView | js.Blob | Blob | File"


class BlobEnding(StrEnum):
    """What becomes of line endings."""

    TRANSPARENT = "transparent"
    NATIVE = "native"


class Blob:
    """Bytes with a content type.

    Args:
        blob_parts: A piece or pieces: str, bytes or a memoryview, a buffer of JavaScript, another blob. A blob that
            stands alone gives its content type too.
        content_type: The content type; empty by default.
        endings: What becomes of line endings.

    Example:
        >>> form["invoice"] = Blob(pdf, content_type="application/pdf")  # doctest: +SKIP
    """

    __module__ = "workers.blob"

    _js_blob: Any

    def __init__(
        self, blob_parts: Any, content_type: str | None = None, endings: BlobEnding | str | None = None
    ) -> None:
        self._js_blob = js.Blob.new(
            _parts(blob_parts), type=content_type or _content_type(blob_parts), endings=_endings(endings)
        )

    @property
    def size(self) -> int:
        """The size in bytes."""
        return self._js_blob.size  # type: ignore[no-any-return]

    @property
    def content_type(self) -> str:
        """The content type, empty where there is none."""
        return self._js_blob.type  # type: ignore[no-any-return]

    @property
    def js_object(self) -> Any:
        """The `js.Blob`."""
        return self._js_blob

    async def text(self) -> str:
        """The content as text, decoded as UTF-8."""
        return await self._js_blob.text()  # type: ignore[no-any-return]

    async def bytes(self) -> builtins.bytes:
        """The content."""
        return (await self._js_blob.arrayBuffer()).to_bytes()  # type: ignore[no-any-return]

    def slice(self, start: int | None = None, end: int | None = None, content_type: str | None = None) -> Blob:
        """A part of the content, as a blob without a content type.

        Args:
            start: The first byte; negative counts from the end.
            end: The byte behind the last one.
            content_type: Accepted; what the SDK makes of it is a blob without one.
        """
        return Blob([self._js_blob.slice(start, end, content_type)])


class File(Blob):
    """A blob with a name.

    Args:
        blob_parts: As for `Blob`.
        filename: The name.
        content_type: The content type.
        endings: What becomes of line endings.
        last_modified: When it was changed last, in milliseconds since 1970; a file that stands alone gives its own.
    """

    __module__ = "workers.blob"

    def __init__(
        self,
        blob_parts: Any,
        filename: str,
        content_type: str | None = None,
        endings: BlobEnding | str | None = None,
        last_modified: int | None = None,
    ) -> None:
        self._js_blob = js.File.new(
            _parts(blob_parts),
            filename,
            type=content_type or _content_type(blob_parts),
            endings=_endings(endings),
            lastModified=last_modified or _last_modified(blob_parts),
        )

    @property
    def name(self) -> str:
        """The name."""
        return self._js_blob.name  # type: ignore[no-any-return]

    @property
    def last_modified(self) -> int:
        """When it was changed last, in milliseconds since 1970."""
        return self._js_blob.lastModified  # type: ignore[no-any-return]


def _parts(given: Any) -> Any:
    return to_js([_part(one) for one in (given if _is_several(given) else [given])])


def _is_several(given: Any) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, str | bytes)


def _part(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, Blob):
        return value.js_object
    if is_js_instance(value, "Blob", "File"):
        return value
    try:
        view = memoryview(value.to_bytes() if class_name(value) else value)
    except (TypeError, AttributeError):
        raise TypeError(f"Don't know how to handle {type(value)} for Blob()") from None
    return to_js(view)


def _js_blob_of(value: Any) -> Any:
    """The `js.Blob` of a blob that stands alone; None for anything else."""
    if isinstance(value, Blob):
        return value.js_object
    return value if is_js_instance(value, "Blob", "File") else None


def _content_type(given: Any) -> str | None:
    blob = _js_blob_of(given)
    return None if blob is None else blob.type


def _last_modified(given: Any) -> int | None:
    blob = _js_blob_of(given)
    return blob.lastModified if is_js_instance(blob, "File") else None


def _endings(endings: BlobEnding | str | None) -> str | None:
    return str(endings) if endings else None
