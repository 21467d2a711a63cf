"""R2 buckets. Observed: workerd 1.20261117.1 with miniflare 5.20261117.0."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from durable_engine import jsnull
from pytest_workflows.javascript.objects import JsArray, JsObject, JsPlain, js_error, js_text, option, promised

from .bodies import with_bytes
from .cursors import decode_cursor, encode_cursor
from .js_arguments import (
    MISSING,
    int_option,
    is_given,
    not_of_type,
    options_of,
    text_option,
    texts_of,
    wrong_field,
)
from .options import warn_of_unknown_options
from .r2_bodies import VALUES, body_of
from .r2_conditions import condition_option
from .r2_multipart import R2MultipartUpload, opaque_text
from .r2_objects import GetResult, HeadResult, new_object, struct
from .r2_options import (
    HTTP_FIELDS,
    MAX_METADATA,
    check_encryption_key,
    check_key,
    checksums,
    custom_metadata,
    expected_checksum,
    failed,
    http_metadata,
    metadata_size,
    part_of,
    range_option,
)
from .r2_store import R2Store, StoredObject, Upload

if TYPE_CHECKING:
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host

MAX_LIST = 1000
MAX_LIST_WITH_METADATA = 100
MAX_DELETE = 1000

_CHECKSUMS = ("md5", "sha1", "sha256", "sha384", "sha512")
_METADATA = ("httpMetadata", "customMetadata", "storageClass", "ssecKey")


def make(config: BindingConfig, host: Host) -> R2Bucket:
    """Make the stand-in of a bucket; bindings with one bucket's name are of one bucket."""
    bucket = config.settings.get("bucket_name") or host.qualified(config.name)
    jurisdiction = config.settings.get("jurisdiction")
    id = f"{bucket} ({jurisdiction})" if jurisdiction else str(bucket)
    return R2Bucket(host.stores.get(config.kind, id, R2Store), host, config.name)


class R2Bucket(JsObject):
    """A bucket.

    Args:
        store: Its contents.
        host: The test.
        name: The binding's name, for findings.
    """

    def __init__(self, store: R2Store, host: Host, name: str) -> None:
        self._store, self._host, self._name = store, host, name

    @promised
    def head(self, key: Any = MISSING) -> Any:
        """An object without its body; null where there is none.

        Args:
            key: The key.
        """
        name = _key("head", key)
        check_key("head", name)
        stored = self._store.get(name)
        return jsnull if stored is None else HeadResult(stored, self._host, (0, len(stored.data)))

    @promised
    def get(self, key: Any = MISSING, options: Any = None) -> Any:
        """An object with its body; without it where a condition fails; null where there is none.

        Args:
            key: The key.
            options: `range` and `onlyIf`.
        """
        name = _key("get", key)
        options = options_of(options, "get", "R2Bucket", 2, "GetOptions")
        self._check_options("get", options, ("onlyIf", "range", "ssecKey"))
        condition, asked = condition_option(options, "GetOptions"), range_option(options)
        check_encryption_key(options)
        check_key("get", name)
        stored = self._store.get(name)
        if stored is None:
            return jsnull
        if condition is not None and not condition.holds_for(stored):
            return HeadResult(stored, self._host, (0, len(stored.data)))
        return GetResult(stored, self._host, part_of(asked, len(stored.data)), stored.bytes())

    @promised
    def put(self, key: Any = MISSING, value: Any = MISSING, options: Any = None) -> Any:
        """Store an object, in place of the one of that key; null where a condition fails.

        Args:
            key: The key.
            value: A text, bytes, a Blob, or a stream of a known length; null for no bytes.
            options: `httpMetadata`, `customMetadata`, `onlyIf` and one checksum.
        """
        name = _key("put", key)
        body = b"" if not is_given(value) else body_of(value, "put", "R2Bucket", VALUES)
        options = options_of(options, "put", "R2Bucket", 3, "PutOptions")
        self._check_options("put", options, ("onlyIf", *_METADATA, *_CHECKSUMS))
        condition = condition_option(options, "PutOptions")
        custom, http = custom_metadata(options, "PutOptions"), http_metadata(options, "PutOptions")
        expected = expected_checksum(options)
        check_encryption_key(options)

        def store(data: bytes) -> Any:
            check_key("put", name)
            if metadata_size(custom) > MAX_METADATA:
                raise failed("put", "Your metadata headers exceed the maximum allowed metadata size.", 10012)
            digests = checksums(data, expected)
            if condition is not None and not condition.holds_for(self._store.get(name)):
                return jsnull
            made = new_object(self._host, name, data, digests["md5"].hex(), digests, http, custom)
            self._store.put(made)
            return HeadResult(made, self._host, None)

        return with_bytes(body, store)

    @promised
    def delete(self, keys: Any = MISSING) -> None:
        """Take objects out; a key that is not there does not matter.

        Args:
            keys: A key, or an array of keys.
        """
        if keys is MISSING:
            raise not_of_type("delete", "R2Bucket", 1, "string or Array")
        names = texts_of(keys._items) if isinstance(keys, JsArray) else [js_text(keys)]
        if len(names) > MAX_DELETE:
            self._host.warn(
                "documented-limit",
                f"env.{self._name}.delete([...]) is given {len(names)} keys, and a call takes {MAX_DELETE}",
            )
        for name in names:
            check_key("delete", name)
        for name in names:
            self._store.delete(name)

    @promised
    def list(self, options: Any = None) -> Any:
        """Objects in the order of their keys, without bodies.

        Args:
            options: `prefix`, `limit` (up to 1000), `cursor`, `delimiter`, `startAfter` and `include`.
        """
        options = options_of(options, "list", "R2Bucket", 1, "ListOptions")
        known = ("limit", "prefix", "cursor", "delimiter", "startAfter", "include")
        self._check_options("list", options, known)
        prefix, cursor, delimiter, after = (
            text_option(options, name, "ListOptions") for name in ("prefix", "cursor", "delimiter", "startAfter")
        )
        include = self._include(options)
        limit = _limit(options, bool(include))
        if cursor is not None:
            behind = decode_cursor(cursor)
            after = behind if after is None or behind > after else after
        page = self._store.page(prefix or "", after, limit, delimiter or "")
        fields = {
            "objects": JsArray([self._listed(stored, include) for stored in page.objects]),
            "truncated": page.last is not None,
            "cursor": None if page.last is None else encode_cursor(page.last),
            "delimitedPrefixes": JsArray(list(page.prefixes)),
        }
        return struct(self._host, fields)

    def _include(self, options: Any) -> tuple[str, ...]:
        """Which metadata a list shows."""
        if not self._host.is_on("r2_list_honor_include", "2022-08-04"):
            return ("httpMetadata", "customMetadata")
        value = option(options, "include")
        if value is None:
            return ()
        if not isinstance(value, JsArray):
            raise wrong_field("include", "ListOptions", "Array")
        names = texts_of(value._items)
        for name in names:
            if name not in ("httpMetadata", "customMetadata"):
                raise js_error("RangeError", f"Unsupported include value {name}")
        return tuple(names)

    def _listed(self, stored: StoredObject, include: tuple[str, ...]) -> HeadResult:
        http = stored.http if "httpMetadata" in include else {}
        custom = stored.custom if "customMetadata" in include else {}
        return HeadResult(replace(stored, http=http, custom=custom), self._host, None)

    @promised
    def createMultipartUpload(self, key: Any = MISSING, options: Any = None) -> R2MultipartUpload:
        """Begin an upload in parts.

        Args:
            key: The key of the object to be.
            options: `httpMetadata` and `customMetadata`.
        """
        name = _key("createMultipartUpload", key)
        options = options_of(options, "createMultipartUpload", "R2Bucket", 2, "MultipartOptions")
        self._check_options("createMultipartUpload", options, _METADATA)
        custom, http = custom_metadata(options, "MultipartOptions"), http_metadata(options, "MultipartOptions")
        check_encryption_key(options)
        check_key("createMultipartUpload", name)
        if metadata_size(custom) > MAX_METADATA:
            self._host.warn(
                "documented-limit",
                f"env.{self._name}.createMultipartUpload({name!r}) has {metadata_size(custom)} bytes of "
                f"customMetadata, and an object has up to {MAX_METADATA}",
            )
        id = opaque_text(self._host)
        self._store.begin_upload(name, id, Upload(http, custom))
        return R2MultipartUpload(self._store, self._host, name, id)

    def resumeMultipartUpload(self, key: Any = MISSING, uploadId: Any = MISSING) -> R2MultipartUpload:
        """The upload of that key and id. Whether there is one shows in what is done with it.

        Args:
            key: The key.
            uploadId: The id.
        """
        if uploadId is MISSING:
            position = 1 if key is MISSING else 2
            raise not_of_type("resumeMultipartUpload", "R2Bucket", position, "string")
        return R2MultipartUpload(self._store, self._host, js_text(key), js_text(uploadId))

    def _check_options(self, method: str, options: Any, known: tuple[str, ...]) -> None:
        call = f"env.{self._name}.{method}"
        warn_of_unknown_options(self._host, f"{call}(...)", options, known)
        if "httpMetadata" in known and isinstance(http := option(options, "httpMetadata"), JsPlain):
            warn_of_unknown_options(self._host, f"{call}(httpMetadata=...)", http, tuple(HTTP_FIELDS))


def _key(method: str, key: Any) -> str:
    if key is MISSING:
        raise not_of_type(method, "R2Bucket", 1, "string")
    return js_text(key)


def _limit(options: Any, has_metadata: bool) -> int:
    limit = int_option(options, "limit")
    if limit is None or limit == -1:
        limit = MAX_LIST
    if not 1 <= limit <= MAX_LIST:
        raise failed("list", f"MaxKeys params must be positive integer <= {MAX_LIST}.", 10022)
    return min(limit, MAX_LIST_WITH_METADATA) if has_metadata else limit
