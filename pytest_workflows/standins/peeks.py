"""A look into a store, a page at a time: for who wants to see what is in it, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from math import isfinite
from typing import Any, Final, NamedTuple

LONGEST: Final = 1000
"""How many characters of a value are shown."""

Cell = str | int | float | bool | None
"""A value that JSON has."""


class Peek(NamedTuple):
    """A page of a table.

    Attributes:
        columns: The names of the columns.
        rows: The rows.
        next: What is given as `after` for the next page; None where there is none.
    """

    columns: list[str]
    rows: list[list[Cell]]
    next: str | None


def page_of(columns: Sequence[str], rows: Iterable[Sequence[Any]], after: str | None, limit: int) -> Peek:
    """A page of rows, counted from the first one.

    Args:
        columns: The names of the columns.
        rows: All rows, in order; no more than are needed are taken.
        after: The `next` of the page before; None for the first page.
        limit: How many rows at most.

    Raises:
        ValueError: If `after` is of no page.
    """
    start = start_of(after)
    found = [[cell(value) for value in row] for row in islice(rows, start, start + limit + 1)]
    return Peek(list(columns), found[:limit], str(start + limit) if len(found) > limit else None)


def start_of(after: str | None) -> int:
    """How many rows come before a page.

    Args:
        after: The `next` of the page before; None for the first page.

    Raises:
        ValueError: If it is of no page.
    """
    if after is None:
        return 0
    if not after.isdecimal() or len(after) > 18:
        raise ValueError(f"There is no page after {after!r}: give the next of the page before.")
    return int(after)


def no_table(name: str, known: Sequence[str]) -> KeyError:
    """The error for a table that a store has not.

    Args:
        name: The table.
        known: Those that it has.
    """
    return KeyError(f"There is no table {name!r}: there is {', '.join(known) or 'none'}.")


def cell(value: Any) -> Cell:
    """A value as JSON has it: a long text is cut, bytes are text where they are UTF-8, and hexadecimal otherwise."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    if isinstance(value, bytes):
        return _of_bytes(value)
    return _cut(value if isinstance(value, str) else repr(value), LONGEST)


def _of_bytes(value: bytes) -> str:
    try:
        return _cut(value.decode(), LONGEST)
    except UnicodeDecodeError:
        return "0x" + _cut(value[:LONGEST].hex(), LONGEST)


def _cut(text: str, most: int) -> str:
    short = text if len(text) <= most else text[:most] + "…"
    return short if short.isascii() else short.encode(errors="replace").decode()


def instant(ms: float | None) -> str | None:
    """A time in ISO 8601.

    Args:
        ms: Milliseconds since 1970; None for none.
    """
    if ms is None:
        return None
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{ms:.0f} ms"


__all__ = ["Cell", "Peek", "cell", "instant", "no_table", "page_of", "start_of"]
