"""Points in time as the platform counts them: epoch milliseconds, and `datetime`s in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from durable_engine.errors import InvalidArgumentError

# A user's freezegun replaces `datetime.datetime` by a subclass. What we hand out must be the plain class, always.
PLAIN_DATETIME: type[datetime] = next(c for c in datetime.__mro__ if c.__module__ == "datetime")
_EPOCH = PLAIN_DATETIME(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 (freezegun knows timezone.utc alone)
_LAST = round(
    (PLAIN_DATETIME(9999, 12, 31, tzinfo=timezone.utc) - _EPOCH) / timedelta(milliseconds=1)  # noqa: UP017
)


def to_datetime(ms: int) -> datetime:
    """Epoch milliseconds as an aware, plain `datetime` in UTC; beyond the calendar's end, its last day."""
    return _EPOCH + timedelta(milliseconds=min(ms, _LAST))


_YEAR_9000 = 221_845_392_000_000


def to_ms(value: datetime) -> int:
    """A `datetime` as epoch milliseconds; a naive one is UTC, as everywhere on the platform."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=timezone.utc)  # noqa: UP017
    return (value - _EPOCH) // timedelta(milliseconds=1)


def read_now(value: object) -> int:
    """Read the start of a test's clock, as epoch milliseconds.

    Args:
        value: An aware or naive (UTC) `datetime`, or an ISO 8601 text such as `"2026-01-01T00:00:00Z"`, from 1970 to
            the year 9000: a clock must have room to go on, and ids of today's kinds count from 1970.

    Raises:
        InvalidArgumentError: If it is neither, or before or after that.
    """
    if isinstance(value, str):
        try:
            value = PLAIN_DATETIME.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, PLAIN_DATETIME):
        raise InvalidArgumentError(
            "now takes a datetime or an ISO 8601 text such as '2026-01-01T00:00:00Z'; that could not be read."
        )
    ms = to_ms(value)
    if not 0 <= ms < _YEAR_9000:
        raise InvalidArgumentError("now takes a time from 1970 to the year 9000, and this one is not.")
    return ms
