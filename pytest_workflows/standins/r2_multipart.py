"""Uploads in parts to R2. Observed: workerd 1.20261117.1 with miniflare 5.20261117.0."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from pytest_workflows.javascript.objects import JsArray, JsObject, JsPlain, js_error, js_text, option, promised

from .bodies import with_bytes
from .js_arguments import MISSING, is_given, not_of_type, options_of, to_int, wrong_field
from .r2_bodies import VALUES, body_of
from .r2_objects import HeadResult, new_object
from .r2_options import check_encryption_key, check_key, failed, md5
from .r2_store import Part, R2Store, Upload

if TYPE_CHECKING:
    from .host import Host

MIN_PART = 5 * 1024 * 1024
MAX_PARTS = 10_000


def opaque_text(host: Host) -> str:
    """What R2 names uploads and parts with: 171 characters.

    Args:
        host: The test.
    """
    return base64.urlsafe_b64encode(host.random.randbytes(128)).decode().rstrip("=")


class R2MultipartUpload(JsObject):
    """An upload in parts.

    Args:
        store: The bucket's contents.
        host: The test.
        key: The key of the object to be.
        id: The upload's id.
    """

    _own = ("uploadId", "key")

    def __init__(self, store: R2Store, host: Host, key: str, id: str) -> None:
        self._store, self._host, self._key, self._id = store, host, key, id

    @property
    def key(self) -> str:
        """The key of the object to be."""
        return self._key

    @property
    def uploadId(self) -> str:
        """The upload's id."""
        return self._id

    def _upload(self) -> Upload | None:
        return self._store.uploads.get((self._key, self._id))

    @promised
    def uploadPart(self, partNumber: Any = MISSING, value: Any = None, options: Any = None) -> Any:
        """Upload a part; another one of its number is replaced.

        Args:
            partNumber: 1 to 10,000.
            value: A text, bytes, a Blob, or a stream of a known length.
            options: None that has an effect locally.
        """
        if partNumber is MISSING:
            raise not_of_type("uploadPart", "R2MultipartUpload", 1, "integer")
        number = to_int(partNumber)
        expected = f"Js{VALUES}"
        if not is_given(value):
            raise not_of_type("uploadPart", "R2MultipartUpload", 2, expected)
        body = body_of(value, "uploadPart", "R2MultipartUpload", expected)
        _check_part_number(number)
        check_encryption_key(options_of(options, "uploadPart", "R2MultipartUpload", 3, "UploadPartOptions"))

        def store(data: bytes) -> JsPlain:
            check_key("uploadPart", self._key)
            upload = self._upload()
            if upload is None or not upload.is_open:
                raise _no_such_upload("uploadPart")
            etag = opaque_text(self._host)
            self._store.put_part(self._key, self._id, number, Part(data, etag))
            return JsPlain({"partNumber": number, "etag": etag})

        return with_bytes(body, store)

    @promised
    def abort(self) -> None:
        """Give the upload up. A second time has no effect."""
        upload = self._upload()
        if upload is None:
            raise _internal("abortMultipartUpload")
        if upload.is_open:
            self._store.end_upload(self._key, self._id)

    @promised
    def complete(self, uploadedParts: Any = None) -> HeadResult:
        """Make the object of its parts.

        Args:
            uploadedParts: An array of what `uploadPart` gave.
        """
        if not isinstance(uploadedParts, JsArray):
            raise not_of_type("complete", "R2MultipartUpload", 1, "Array")
        named = [_named_part(part) for part in uploadedParts._items]
        action = "completeMultipartUpload"
        upload = self._upload()
        if upload is None:
            raise _internal(action)
        if not upload.is_open:
            raise _no_such_upload(action)
        if len({number for number, _ in named}) < len(named):
            raise _internal(action)
        parts = [self._found(upload, number, etag) for number, etag in named]
        if any(len(part.data) < MIN_PART for part in parts[:-1]):
            raise failed(action, "Your proposed upload is smaller than the minimum allowed object size.", 10011)
        parts = [upload.parts[number] for number, _ in sorted(named)]
        _check_sizes([len(part.data) for part in parts])
        etag = md5(b"".join(md5(part.data) for part in parts)).hex() + f"-{len(parts)}"
        data = b"".join(part.data for part in parts)
        made = new_object(self._host, self._key, data, etag, {}, upload.http, upload.custom)
        self._store.end_upload(self._key, self._id, made)
        return HeadResult(made, self._host, None)

    @staticmethod
    def _found(upload: Upload, number: int, etag: str) -> Part:
        part = upload.parts.get(number)
        if part is None or part.etag != etag:
            raise failed("completeMultipartUpload", "One or more of the specified parts could not be found.", 10025)
        return part


def _check_sizes(sizes: list[int]) -> None:
    """All parts but the last have one size, and the last is no larger."""
    first = sizes[0] if len(sizes) > 1 else None
    if first is not None and (any(size != first for size in sizes[:-1]) or first < MIN_PART or sizes[-1] > first):
        raise failed("completeMultipartUpload", "There was a problem with the multipart upload.", 10048)


def _named_part(value: Any) -> tuple[int, str]:
    number, etag = option(value, "partNumber"), option(value, "etag")
    if number is None:
        raise wrong_field("partNumber", "UploadedPart", "integer")
    if etag is None:
        raise wrong_field("etag", "UploadedPart", "string")
    found = to_int(number)
    _check_part_number(found)
    return found, js_text(etag)


def _check_part_number(number: int) -> None:
    if not 1 <= number <= MAX_PARTS:
        text = f"Part number must be between 1 and {MAX_PARTS} (inclusive). Actual value was: {number}"
        raise js_error("TypeError", text)


def _no_such_upload(action: str) -> Exception:
    return failed(action, "The specified multipart upload does not exist.", 10024)


def _internal(action: str) -> Exception:
    return failed(action, "We encountered an internal error. Please try again.", 10001)
