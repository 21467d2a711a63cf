"""Durations as the platform reads them: `"3 days"`, `"1 hour"`, or a number of milliseconds.

The platform takes any word for a unit and counts the ones that it does not know as milliseconds. We read them the same
way, and say so, because it is a bug waiting in production (docs/reference/fidelity.md, "Durations").
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import NamedTuple

from durable_engine.errors import InvalidArgumentError

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

UNITS: dict[str, float] = {
    "second": SECOND,
    "minute": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "week": 7 * DAY,
    "month": 30 * DAY,
    "year": 365.25 * DAY,
}

_PHRASE = re.compile(r"([^ ]+) +(\w\w*?)s?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")


class Duration(NamedTuple):
    """A duration that could be read.

    Attributes:
        ms: Its length in milliseconds.
        misread: Whether its unit is unknown to the platform, so that it counts as milliseconds.
    """

    ms: int
    misread: bool = False


def parse_duration(value: object) -> Duration | None:
    """Read a duration exactly as the platform does.

    Args:
        value: A number of milliseconds, or a text such as `"30 seconds"`.

    Returns:
        The duration, or None where the platform cannot read it (`"1s"`, `"abc"`, `"1 hour 30 minutes"`).
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _finite(float(value)) if math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    plain = number_in(value)
    if plain is not None:
        # A number alone is milliseconds there as well, and no unit was misspelt that we could point at.
        return _finite(plain)
    match = _PHRASE.fullmatch(value)
    if match is None:
        return None
    number = number_in(match[1])
    if number is None:
        return None
    unit = UNITS.get(match[2])
    return _finite(number * (1 if unit is None else unit), misread=unit is None)


def duration_ms(value: object, what: str) -> int:
    """Read a duration that a *test* gives, where nothing may be misread.

    Args:
        value: A `timedelta`, a number of milliseconds, or a text such as `"3 days"`.
        what: Names the argument in the error.

    Raises:
        InvalidArgumentError: If it cannot be read, is negative, or has a unit that the platform does not know.
    """
    if isinstance(value, timedelta):
        ms = round(value / timedelta(milliseconds=1))
    else:
        read = parse_duration(value)
        if read is None or read.misread:
            raise InvalidArgumentError(
                f"{what} is {value!r}, which is not a duration. Give a timedelta, a number of milliseconds, or a "
                f"number and a unit ({', '.join(UNITS)}), as in '3 days'."
            )
        ms = read.ms
    if ms < 0:
        raise InvalidArgumentError(f"{what} is {value!r}; virtual time only moves forward.")
    return ms


def in_words(ms: int) -> str:
    """A duration for people: `3 days`, `1 hour 30 minutes`, `250 ms`."""
    if ms < SECOND:
        return f"{ms} ms"
    parts = []
    for name, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", SECOND)):
        count, ms = divmod(ms, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    if ms and len(parts) < 2:
        parts.append(f"{ms} ms")
    return " ".join(parts[:2])


def _finite(ms: float, *, misread: bool = False) -> Duration | None:
    return Duration(round(ms), misread) if math.isfinite(ms) else None


def number_in(text: str) -> float | None:
    """`Number(text)` of JavaScript, or None for NaN: Python reads `1_000` and `nan`, JavaScript `0x10` and ``."""
    text = text.strip()
    if not text:
        return 0.0
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _INTEGER.fullmatch(text):
        return float(int(text, 0))
    return None
