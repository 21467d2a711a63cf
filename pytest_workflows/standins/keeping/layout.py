"""The tables that contents are kept in, by the version of the format: each line is what a version added."""

from __future__ import annotations

from typing import Final

_FIRST: Final = (
    """CREATE TABLE kv_entries(
        namespace TEXT NOT NULL, key NOT NULL, value BLOB NOT NULL, metadata TEXT, expiration INTEGER,
        PRIMARY KEY (namespace, key))""",
    """CREATE TABLE r2_objects(
        bucket TEXT NOT NULL, key NOT NULL, data BLOB NOT NULL, version TEXT NOT NULL, etag TEXT NOT NULL,
        uploaded INTEGER NOT NULL, checksums TEXT NOT NULL, http TEXT NOT NULL, custom TEXT NOT NULL,
        PRIMARY KEY (bucket, key))""",
    """CREATE TABLE r2_uploads(
        bucket TEXT NOT NULL, key NOT NULL, id NOT NULL, http TEXT NOT NULL, custom TEXT NOT NULL,
        is_open INTEGER NOT NULL, PRIMARY KEY (bucket, key, id))""",
    """CREATE TABLE r2_parts(
        bucket TEXT NOT NULL, key NOT NULL, upload NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL,
        etag TEXT NOT NULL, PRIMARY KEY (bucket, key, upload, number))""",
    """CREATE TABLE queue_messages(
        queue TEXT NOT NULL, position INTEGER NOT NULL, id TEXT NOT NULL, timestamp INTEGER NOT NULL,
        content_type TEXT NOT NULL, content NOT NULL, size INTEGER NOT NULL, failures INTEGER NOT NULL, due INTEGER,
        PRIMARY KEY (queue, position))""",
    """CREATE TABLE counters(
        namespace TEXT NOT NULL, key NOT NULL, period INTEGER NOT NULL, calls INTEGER NOT NULL,
        PRIMARY KEY (namespace, key))""",
    """CREATE TABLE objects(
        class TEXT NOT NULL, digits TEXT NOT NULL, name, generation INTEGER NOT NULL, has_alarm INTEGER NOT NULL,
        PRIMARY KEY (class, digits)) WITHOUT ROWID""",
)

VERSIONS: Final[tuple[tuple[str, ...], ...]] = (_FIRST,)
"""The statements that make a version of the one before it. What has been published is never changed, but added to."""


def to_column(text: str) -> str | bytes:
    """A text as a column has it: as bytes, where it has half a surrogate pair, which SQLite takes for no text."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def from_column(value: str | bytes) -> str:
    """The text that a column has."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")
