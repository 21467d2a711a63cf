"""The tables that contents are kept in, by the version of the format: each line is what a version added."""

from __future__ import annotations

from typing import Final

_FIRST: Final = (
    """CREATE TABLE kv_entries(
        namespace TEXT NOT NULL, key NOT NULL, value BLOB NOT NULL, metadata TEXT, expiration INTEGER,
        PRIMARY KEY (namespace, key))""",
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
