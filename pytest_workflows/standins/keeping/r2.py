"""A bucket of R2 on disk: a row an object, and a row a part of an upload that is under way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pytest_workflows.standins.r2_store import Part, StoredObject, Upload

from .layout import from_column, to_column
from .state_file import StateFile

_LOAD: Final = (
    "SELECT key, CASE WHEN length(data) <= ? THEN data END, length(data), version, etag, uploaded, checksums, http, "
    "custom FROM r2_objects WHERE bucket = ? ORDER BY rowid"
)
_FIND: Final = "SELECT rowid FROM r2_objects WHERE bucket = ? AND key = ? AND version = ?"
_LOAD_UPLOADS: Final = "SELECT key, id, http, custom, is_open FROM r2_uploads WHERE bucket = ? ORDER BY rowid"
_LOAD_PARTS: Final = "SELECT key, upload, number, data, etag FROM r2_parts WHERE bucket = ? ORDER BY rowid"
_PUT: Final = "INSERT OR REPLACE INTO r2_objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM r2_objects WHERE bucket = ? AND key = ?"
_BEGIN_UPLOAD: Final = "INSERT OR REPLACE INTO r2_uploads VALUES (?, ?, ?, ?, ?, 1)"
_PUT_PART: Final = "INSERT OR REPLACE INTO r2_parts VALUES (?, ?, ?, ?, ?, ?)"
_END_UPLOAD: Final = "UPDATE r2_uploads SET is_open = 0 WHERE bucket = ? AND key = ? AND id = ?"
_DELETE_PARTS: Final = "DELETE FROM r2_parts WHERE bucket = ? AND key = ? AND upload = ?"


LARGE: Final = 65_536
"""Objects with more bytes than these are not held in memory."""


class LargeBytes:
    """The bytes of a large object, which are read when somebody asks for them.

    Args:
        file: The file.
        bucket: The bucket's name.
        key: The object's key.
        version: Its version.
        size: How many bytes.
    """

    def __init__(self, file: StateFile, bucket: str, key: str, version: str, size: int) -> None:
        self._file, self._size = file, size
        self._named = (bucket, to_column(key), version)

    def __len__(self) -> int:
        return self._size

    def read(self, most: int = -1) -> bytes:
        """The bytes.

        Args:
            most: How many at most; -1 for all.
        """
        ((row,),) = self._file.rows(_FIND, self._named)
        return self._file.read_blob("r2_objects", "data", row, most)


class BucketObjects:
    """The objects and uploads of one bucket.

    Args:
        file: The file.
        bucket: The bucket's name.
    """

    def __init__(self, file: StateFile, bucket: str) -> None:
        self._file = file
        self._bucket = bucket

    def load(self) -> dict[str, StoredObject]:
        """All objects, by key."""
        return {
            (name := from_column(key)): StoredObject(
                name,
                LargeBytes(self._file, self._bucket, name, version, size) if data is None else data,
                version,
                etag,
                uploaded,
                {algorithm: bytes.fromhex(digest) for algorithm, digest in json.loads(checksums).items()},
                json.loads(http),
                json.loads(custom),
            )
            for key, data, size, version, etag, uploaded, checksums, http, custom in self._file.rows(
                _LOAD, (LARGE, self._bucket)
            )
        }

    def load_uploads(self) -> dict[tuple[str, str], Upload]:
        """All uploads, by key and id."""
        found = {
            (from_column(key), from_column(id)): Upload(json.loads(http), json.loads(custom), is_open=bool(is_open))
            for key, id, http, custom, is_open in self._rows(_LOAD_UPLOADS)
        }
        for key, upload, number, data, etag in self._rows(_LOAD_PARTS):
            found[from_column(key), from_column(upload)].parts[number] = Part(data, etag)
        return found

    def _rows(self, sql: str) -> list[Any]:
        return self._file.rows(sql, (self._bucket,))

    def put(self, key: str, entry: StoredObject) -> None:
        """Store an object."""
        digests = json.dumps({algorithm: digest.hex() for algorithm, digest in entry.checksums.items()})
        texts = (digests, _json(entry.http), _json(entry.custom))
        named = (self._bucket, to_column(key))
        self._file.write(_PUT, (*named, entry.bytes(), entry.version, entry.etag, entry.uploaded, *texts))

    def light(self, stored: StoredObject) -> StoredObject:
        """An object that was stored as it is held in memory: without its bytes, where they are many."""
        size = len(stored.data)
        if size <= LARGE:
            return stored
        return replace(stored, data=LargeBytes(self._file, self._bucket, stored.key, stored.version, size))

    def delete(self, key: str) -> None:
        """Take an object out."""
        self._file.write(_DELETE, (self._bucket, to_column(key)))

    def begin_upload(self, key: str, id: str, upload: Upload) -> None:
        """Note an upload that begins; another attempt of a step may give it the id of one that there was."""
        with self._file.together():
            self._file.write(_BEGIN_UPLOAD, (*self._named(key, id), _json(upload.http), _json(upload.custom)))
            self._file.write(_DELETE_PARTS, self._named(key, id))

    def put_part(self, key: str, id: str, number: int, part: Part) -> None:
        """Store a part of an upload."""
        self._file.write(_PUT_PART, (*self._named(key, id), number, part.data, part.etag))

    def end_upload(self, key: str, id: str, made: StoredObject | None) -> None:
        """Note that an upload is over, and store the object that it made; none where it was given up."""
        with self._file.together():
            self._file.write(_END_UPLOAD, self._named(key, id))
            self._file.write(_DELETE_PARTS, self._named(key, id))
            if made is not None:
                self.put(key, made)

    def _named(self, key: str, id: str) -> tuple[Any, ...]:
        return self._bucket, to_column(key), to_column(id)


def _json(metadata: Mapping[str, Any]) -> str:
    return json.dumps(dict(metadata))
