"""The contents of an R2 bucket: objects, and uploads in parts that are under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, Self

from .peeks import LONGEST, Peek, instant, no_table, page_of
from .sorted_entries import KeptEntries, SortedEntries
from .stores import Contents


class KeptBytes(Protocol):
    """Bytes of an object that are read where they are kept, when somebody asks for them: large ones."""

    def __len__(self) -> int:
        """How many."""

    def read(self, most: int = -1) -> bytes:
        """The bytes.

        Args:
            most: How many at most; -1 for all.
        """


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object.

    Attributes:
        key: Its key.
        data: The bytes, or where they are.
        version: A text that no other version of an object has.
        etag: The MD5 of the bytes; another form for an object that was uploaded in parts.
        uploaded: When it was put, in milliseconds since 1970.
        checksums: Digests by the names of their algorithms: `md5`, `sha256`.
        http: HTTP metadata: texts by `contentType` and so on, and `cacheExpiry` in milliseconds since 1970.
        custom: The Worker's own metadata.
    """

    key: str
    data: bytes | KeptBytes
    version: str
    etag: str
    uploaded: int
    checksums: Mapping[str, bytes] = field(default_factory=dict)
    http: Mapping[str, str | int] = field(default_factory=dict)
    custom: Mapping[str, str] = field(default_factory=dict)

    def bytes(self, most: int = -1) -> bytes:
        """The bytes.

        Args:
            most: How many at most; -1 for all.
        """
        if not isinstance(self.data, bytes):
            return self.data.read(most)
        return self.data if most < 0 else self.data[:most]


class Part(NamedTuple):
    """A part of an upload.

    Attributes:
        data: The bytes.
        etag: The text that names it when the upload is completed.
    """

    data: bytes
    etag: str


@dataclass(slots=True)
class Upload:
    """An upload in parts. One that ended stays known.

    Attributes:
        http: HTTP metadata of the object to be.
        custom: The Worker's own metadata of it.
        parts: The parts by their numbers.
        is_open: Whether it is neither completed nor aborted.
    """

    http: Mapping[str, str | int]
    custom: Mapping[str, str]
    parts: dict[int, Part] = field(default_factory=dict)
    is_open: bool = True


class Page(NamedTuple):
    """A part of a list.

    Attributes:
        objects: The objects, by key.
        prefixes: What keys have in common up to the delimiter.
        last: The last key of the page, where there are more; None where there are none.
    """

    objects: list[StoredObject]
    prefixes: list[str]
    last: str | None


class KeptBucket(KeptEntries[StoredObject], Protocol):
    """A bucket where it outlives the process."""

    def load_uploads(self) -> dict[tuple[str, str], Upload]:
        """All uploads, by key and id."""

    def light(self, stored: StoredObject) -> StoredObject:
        """An object that was stored as it is held in memory: without its bytes, where they are many."""

    def begin_upload(self, key: str, id: str, upload: Upload) -> None:
        """Note an upload that begins."""

    def put_part(self, key: str, id: str, number: int, part: Part) -> None:
        """Store a part of an upload."""

    def end_upload(self, key: str, id: str, made: StoredObject | None) -> None:
        """Note that an upload is over, and store the object that it made; none where it was given up."""


class R2Store(SortedEntries[StoredObject]):
    """The contents of a bucket: objects in the order of their keys' UTF-8 bytes.

    Args:
        kept: Where they are kept; None for in memory only.

    Attributes:
        uploads: The uploads in parts, by key and id.
    """

    def __init__(self, kept: KeptBucket | None = None) -> None:
        super().__init__(kept)
        self._kept_bucket = kept
        self.uploads: dict[tuple[str, str], Upload] = {} if kept is None else kept.load_uploads()

    def get(self, key: str) -> StoredObject | None:
        """The object of a key; None where there is none."""
        return self._entries.get(key)

    def put(self, stored: StoredObject) -> None:
        """Store an object, in place of the one of that key."""
        if self._kept_bucket is None:
            self._set(stored.key, stored)
        else:
            self._kept_bucket.put(stored.key, stored)
            self._enter(stored.key, self._kept_bucket.light(stored))

    def begin_upload(self, key: str, id: str, upload: Upload) -> None:
        """Note an upload that begins.

        Args:
            key: The key of the object to be.
            id: The upload's id.
            upload: The upload.
        """
        if self._kept_bucket is not None:
            self._kept_bucket.begin_upload(key, id, upload)
        self.uploads[key, id] = upload

    def put_part(self, key: str, id: str, number: int, part: Part) -> None:
        """Store a part of an upload, in place of the one of that number."""
        if self._kept_bucket is not None:
            self._kept_bucket.put_part(key, id, number, part)
        self.uploads[key, id].parts[number] = part

    def end_upload(self, key: str, id: str, made: StoredObject | None = None) -> None:
        """Note that an upload is over.

        Args:
            key: The key of the object.
            id: The upload's id.
            made: The object; None where it was given up.
        """
        if self._kept_bucket is not None:
            self._kept_bucket.end_upload(key, id, made)
        upload = self.uploads[key, id]
        upload.is_open = False
        upload.parts.clear()
        if made is not None:
            self._enter(key, made if self._kept_bucket is None else self._kept_bucket.light(made))

    def page(self, prefix: str, after: str | None, limit: int, delimiter: str = "") -> Page:
        """Objects in order, those of one common prefix as one entry.

        Args:
            prefix: What keys begin with.
            after: Only keys behind that one; None for all.
            limit: How many objects and prefixes together at most.
            delimiter: What ends a common prefix, behind `prefix`; empty for none.
        """
        page = Page([], [], None)
        last = ""
        for key in self._keys(prefix, after):
            common = _common_prefix(key, prefix, delimiter)
            if common is None or not page.prefixes or page.prefixes[-1] != common:
                if len(page.objects) + len(page.prefixes) == limit:
                    return page._replace(last=last)
                if common is None:
                    page.objects.append(self._entries[key])
                else:
                    page.prefixes.append(common)
            last = key
        return page

    def copy(self) -> Self:
        """Another bucket with the same objects, which are shared."""
        made = super().copy()
        if self._kept_bucket is not None:
            made._entries = {key: replace(one, data=one.bytes()) for key, one in self._entries.items()}
        made.uploads = {key: replace(one, parts=dict(one.parts)) for key, one in self.uploads.items()}
        return made

    def contents(self) -> Contents:
        """The objects, with bytes and metadata."""
        return {"": {key: (one.bytes(), dict(one.http), dict(one.custom)) for key, one in self._entries.items()}}

    def tables(self) -> list[str]:
        """The objects, and the uploads that are under way."""
        return ["objects", "uploads"]

    def peek(self, table: str, after: str | None = None, limit: int = 50) -> Peek:
        """A page of the objects, or of the uploads."""
        if table == "objects":
            objects = (self._entries[key] for key in self._keys("", None))
            return page_of(_OBJECT_COLUMNS, map(_object_row, objects), after, limit)
        if table == "uploads":
            uploads = (_upload_row(key, id, one) for (key, id), one in sorted(self.uploads.items()) if one.is_open)
            return page_of(("key", "upload", "parts", "size"), uploads, after, limit)
        raise no_table(table, self.tables())

    def close(self) -> None:
        """Let go of the objects, and of what was uploaded of others."""
        super().close()
        self.uploads = {}


_OBJECT_COLUMNS = ("key", "size", "type", "etag", "uploaded", "metadata", "content")


def _object_row(one: StoredObject) -> tuple[object, ...]:
    metadata = {**{name: value for name, value in one.http.items() if name != "contentType"}, **one.custom}
    type_ = one.http.get("contentType")
    return one.key, len(one.data), type_, one.etag, instant(one.uploaded), str(metadata or ""), one.bytes(4 * LONGEST)


def _upload_row(key: str, id: str, upload: Upload) -> tuple[object, ...]:
    return key, id, len(upload.parts), sum(len(part.data) for part in upload.parts.values())


def _common_prefix(key: str, prefix: str, delimiter: str) -> str | None:
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return None if end < 0 else key[: end + len(delimiter)]
