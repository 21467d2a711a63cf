"""Pages of a list: by number, or by a cursor that goes on where the page before ended."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import msgspec

from .answers import PageInfo
from .errors import BAD_REQUEST, ApiError

T = TypeVar("T")
Direction = Literal["asc", "desc"]


class Wanted(msgspec.Struct, frozen=True):
    """Which page is wanted.

    Attributes:
        per_page: How many rows it has at most.
        page: Its number, from 1; None for the first one, and for that of a cursor.
        cursor: Where it begins.
        direction: Whether the oldest comes first.
    """

    per_page: int
    page: int | None = None
    cursor: str | None = None
    direction: Direction = "desc"


def page_of(items: Sequence[T], wanted: Wanted) -> tuple[Sequence[T], PageInfo]:
    """A page of a list, by its number.

    Args:
        items: The whole list, in the order in which it is shown.
        wanted: Which page.
    """
    number = wanted.page or 1
    found = items[(number - 1) * wanted.per_page : number * wanted.per_page]
    return found, _info(len(items), len(found), number, wanted.per_page, None)


def page_by_key(items: Sequence[T], key: Callable[[T], int], wanted: Wanted) -> tuple[Sequence[T], PageInfo]:
    """A page of a list, by its number or by a cursor.

    Args:
        items: The whole list, by ascending key.
        key: Gives the key of an item, which stays the same while others come and go.
        wanted: Which page.

    Raises:
        ApiError: If the cursor is none of ours, or a number is given beside it.
    """
    ordered = items if wanted.direction == "asc" else items[::-1]
    if wanted.cursor is None:
        found, info = page_of(ordered, wanted)
        is_last = (wanted.page or 1) * wanted.per_page >= len(items)
        return found, info.model_copy(update={"cursor": None if is_last else _cursor(key(found[-1]))})
    if wanted.page is not None:
        raise ApiError(400, BAD_REQUEST, "`cursor` and `page` exclude each other: leave one of them out.")
    last = _read_cursor(wanted.cursor)
    rest = [one for one in ordered if (key(one) > last if wanted.direction == "asc" else key(one) < last)]
    found = rest[: wanted.per_page]
    number = (len(items) - len(rest)) // wanted.per_page + 1
    info = _info(len(items), len(found), number, wanted.per_page, None)
    return found, info.model_copy(update={"cursor": _cursor(key(found[-1])) if len(rest) > len(found) else None})


def _info(total: int, count: int, number: int, per_page: int, cursor: str | None) -> PageInfo:
    return PageInfo(
        count=count,
        page=number,
        per_page=per_page,
        total_count=total,
        total_pages=math.ceil(total / per_page),
        cursor=cursor,
    )


def _cursor(key: int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise ApiError(
            400, BAD_REQUEST, f"The cursor {cursor!r} is none that a list here has given: begin without one."
        ) from None
