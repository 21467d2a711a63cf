"""What R2 answers with: objects with and without a body, their checksums.

Observed: workerd 1.20261117.1 with miniflare 5.20261117.0.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from pytest_workflows.javascript.buffers import JsArrayBuffer, Uint8Array
from pytest_workflows.javascript.collections import JsDate
from pytest_workflows.javascript.json_text import parse
from pytest_workflows.javascript.objects import JsObject, JsPlain, js_error, promised

from .js_arguments import is_of_class, not_of_type
from .r2_options import HTTP_FIELDS
from .r2_store import StoredObject

if TYPE_CHECKING:
    from .host import Host

_USED = "Body has already been used. It can only be used once. Use tee() first if you need to read it twice."


def struct(host: Host, fields: Mapping[str, Any]) -> JsPlain:
    """An object of the runtime's own; from 2025-12-03 on with all of its fields."""
    if host.is_on("enable_fast_jsg_struct", "2025-12-03"):
        return JsPlain(fields)
    return JsPlain({name: value for name, value in fields.items() if value is not None})


class Checksums(JsObject):
    """The checksums of an object.

    Args:
        digests: Digests by the names of their fields.
        host: The test.
    """

    _own = ("sha512", "sha384", "sha256", "sha1", "md5")

    def __init__(self, digests: Mapping[str, bytes], host: Host) -> None:
        self._digests, self._host = digests, host

    @property
    def md5(self) -> JsArrayBuffer | None:
        """The MD5."""
        return self._buffer("md5")

    @property
    def sha1(self) -> JsArrayBuffer | None:
        """The SHA-1, where the put gave it."""
        return self._buffer("sha1")

    @property
    def sha256(self) -> JsArrayBuffer | None:
        """The SHA-256, where the put gave it."""
        return self._buffer("sha256")

    @property
    def sha384(self) -> JsArrayBuffer | None:
        """The SHA-384, where the put gave it."""
        return self._buffer("sha384")

    @property
    def sha512(self) -> JsArrayBuffer | None:
        """The SHA-512, where the put gave it."""
        return self._buffer("sha512")

    def _buffer(self, name: str) -> JsArrayBuffer | None:
        digest = self._digests.get(name)
        return None if digest is None else JsArrayBuffer(digest)

    def toJSON(self) -> JsPlain:
        """The checksums in hexadecimal."""
        names = ("md5", "sha1", "sha256", "sha384", "sha512")
        return struct(self._host, {name: _hex(self._digests.get(name)) for name in names})


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()


class HeadResult(JsObject):
    """An object without its body.

    Args:
        stored: The object.
        host: The test.
        part: Offset and length of the part that was asked for; None where the answer has no range.
    """

    _own = (
        *("ssecKeyMd5", "storageClass", "range", "customMetadata", "httpMetadata", "uploaded", "checksums", "httpEtag"),
        *("etag", "size", "version", "key"),
    )

    def __init__(self, stored: StoredObject, host: Host, part: tuple[int, int] | None) -> None:
        self._stored, self._host, self._part = stored, host, part

    @property
    def key(self) -> str:
        """The key."""
        return self._stored.key

    @property
    def version(self) -> str:
        """A text that no other version has."""
        return self._stored.version

    @property
    def size(self) -> int:
        """The size of the whole object, in bytes."""
        return len(self._stored.data)

    @property
    def etag(self) -> str:
        """The etag."""
        return self._stored.etag

    @property
    def httpEtag(self) -> str:
        """The etag in quotes, as a header has it."""
        return f'"{self._stored.etag}"'

    @property
    def checksums(self) -> Checksums:
        """The checksums."""
        return Checksums(self._stored.checksums, self._host)

    @property
    def uploaded(self) -> JsDate:
        """When it was put."""
        return JsDate(self._stored.uploaded)

    @property
    def httpMetadata(self) -> JsPlain:
        """Content type and so on."""
        return _http_fields(self._stored.http, self._host)

    @property
    def customMetadata(self) -> JsPlain:
        """The Worker's own metadata."""
        return JsPlain(self._stored.custom)

    @property
    def range(self) -> JsPlain | None:
        """The part that the body is."""
        if self._part is None:
            return None
        return struct(self._host, {"offset": self._part[0], "length": self._part[1], "suffix": None})

    @property
    def storageClass(self) -> str:
        """Empty: there are no storage classes locally."""
        return ""

    @property
    def ssecKeyMd5(self) -> None:
        """Undefined: nothing is encrypted locally."""

    def writeHttpMetadata(self, headers: Any = None) -> None:
        """Set the headers that the HTTP metadata stands for.

        Args:
            headers: The headers.
        """
        if not is_of_class(headers, "Headers"):
            raise not_of_type("writeHttpMetadata", type(self).__name__, 1, "Headers")
        for name, value in self._stored.http.items():
            headers.set(HTTP_FIELDS[name], formatdate(value / 1000, usegmt=True) if isinstance(value, int) else value)


def new_object(
    host: Host,
    key: str,
    data: builtins.bytes,
    etag: str,
    digests: Mapping[str, builtins.bytes],
    http: Mapping[str, str | int],
    custom: Mapping[str, str],
) -> StoredObject:
    """An object of now, to be stored.

    Args:
        host: The test.
        key: The key.
        data: The bytes.
        etag: Its etag.
        digests: Digests by the names of their algorithms.
        http: HTTP metadata.
        custom: The Worker's own metadata.
    """
    version = f"{host.random.getrandbits(128):032x}"
    return StoredObject(key, data, version, etag, host.now_ms(), digests, http, custom)


def _http_fields(http: Mapping[str, str | int], host: Host) -> JsPlain:
    fields: dict[str, Any] = {name: http.get(name) for name in HTTP_FIELDS}
    if fields["cacheExpiry"] is not None:
        fields["cacheExpiry"] = JsDate(fields["cacheExpiry"])
    return struct(host, fields)


class GetResult(HeadResult):
    """An object with its body, which can be read once.

    Args:
        stored: The object.
        host: The test.
        part: Offset and length of the part that was asked for.
        data: All of its bytes.
    """

    def __init__(self, stored: StoredObject, host: Host, part: tuple[int, int], data: builtins.bytes) -> None:
        super().__init__(stored, host, part)
        self._all = data
        self._is_used = False
        self._stream: Any = None

    @property
    def body(self) -> Any:
        """The body, as a stream of a known length."""
        if self._stream is None:
            from pytest_workflows.javascript.streams import ReadableStream

            self._stream = ReadableStream._of_bytes(b"" if self._is_used else self._data())
        return self._stream

    @property
    def bodyUsed(self) -> bool:
        """Whether the body was read."""
        return self._is_used or (self._stream is not None and self._stream._is_disturbed)

    def _data(self) -> builtins.bytes:
        assert self._part is not None
        offset, length = self._part
        data = self._all
        return data if length == len(data) else data[offset : offset + length]

    def _take(self) -> builtins.bytes:
        if self.bodyUsed:
            raise js_error("TypeError", _USED)
        self._is_used = True
        return self._data()

    @promised
    def arrayBuffer(self) -> JsArrayBuffer:
        """The body, as bytes."""
        return JsArrayBuffer(self._take())

    @promised
    def bytes(self) -> Any:
        """The body, as an array of bytes."""
        return Uint8Array(self._take())

    @promised
    def text(self) -> str:
        """The body, as text."""
        return self._decoded()

    @promised
    def json(self) -> Any:
        """The body, parsed as JSON."""
        return parse(self._decoded())

    def _decoded(self) -> str:
        text = self._take().decode(errors="replace")
        if text.startswith("\ufeff") and self._host.is_on("strip_bom_in_read_all_text", "2026-01-13"):
            return text[1:]
        return text

    @promised
    def blob(self) -> Any:
        """The body, as a Blob of the object's content type."""
        from pytest_workflows.javascript.blob import Blob

        return Blob._of(self._take(), str(self._stored.http.get("contentType", "")))
