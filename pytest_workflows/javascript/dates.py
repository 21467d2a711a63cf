"""JavaScript's `Date`: its constructor, what it reads and writes, and its parts.

Local time is UTC, as on the platform.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from .collections import DAYS, MONTHS, JsDate, date_text
from .convert import to_number
from .objects import js_text

_EPOCH = datetime(1970, 1, 1)
_LARGEST = 8.64e15
_ISO = re.compile(
    r"([+-]\d{6}|\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?"
)


def now_ms() -> int:
    """The time of day in milliseconds since 1970, on the clock of the test."""
    return int(time.time() * 1000)


def parse(text: Any = None) -> int | float:
    """The milliseconds that a text says, as `Date.parse`; NaN where it says none."""
    given = js_text(text).strip()
    found = _ISO.fullmatch(given)
    if found is None:
        try:
            read = parsedate_to_datetime(given)
        except (TypeError, ValueError):
            return math.nan
        return int((read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    ms = from_parts(
        *(int(year), int(month or 1) - 1, int(day or 1), int(hour or 0), int(minute or 0), int(second or 0)),
        int((fraction or "0").ljust(3, "0")[:3]),
    )
    is_valid = int(month or 1) in range(1, 13) and int(day or 1) in range(1, 32) and int(hour or 0) <= 24
    if not is_valid or int(minute or 0) > 59 or int(second or 0) > 59:
        return math.nan
    if zone and zone != "Z":
        shift = int(zone[1:3]) * 60 + int(zone[-2:])
        ms -= (shift if zone[0] == "+" else -shift) * 60_000
    return ms


def from_parts(year: Any, month: Any = 0, day: Any = 1, *rest: Any) -> int | float:
    """The milliseconds of a year, month (from 0), day, hour, minute, second, millisecond; each may be out of range."""
    given = [to_number(part) for part in (year, month, day, *rest)]
    if not all(map(math.isfinite, given)):
        return math.nan
    years, months, days, hours, minutes, seconds, ms, *_ = [*map(int, given), 0, 0, 0, 0]
    years += months // 12
    try:
        first = datetime(years, months % 12 + 1, 1)
    except ValueError:
        return math.nan
    span = timedelta(days=days - 1, hours=hours, minutes=minutes, seconds=seconds, milliseconds=ms)
    return (first - _EPOCH + span) // timedelta(milliseconds=1)


def _utc(*parts: Any) -> int | float:
    return from_parts(*_with_century(parts))


def _with_century(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    year = to_number(parts[0]) if parts else math.nan
    return (1900 + year, *parts[1:]) if 0 <= year <= 99 else parts


def _construct(cls: type[JsDate], *values: Any) -> JsDate:
    if not values:
        return JsDate(now_ms())
    if len(values) > 1:
        ms: float = from_parts(*_with_century(values))
    elif isinstance(values[0], str):
        ms = parse(values[0])
    else:
        ms = to_number(values[0])
    return JsDate(ms if abs(ms) <= _LARGEST else math.nan)


def _moment(date: JsDate) -> datetime:
    return _EPOCH + timedelta(milliseconds=date._ms)


def _writer(write: Callable[[datetime], str]) -> Callable[[JsDate], str]:
    def text(self: JsDate) -> str:
        return "Invalid Date" if self._ms != self._ms else write(_moment(self))

    return text


def _utc_text(at: datetime) -> str:
    return f"{DAYS[at.weekday()]}, {at.day:02} {MONTHS[at.month - 1]} {at.year:04} {at:%H:%M:%S} GMT"


def _locale_date(at: datetime) -> str:
    return f"{at.month}/{at.day}/{at.year}"


def _locale_time(at: datetime) -> str:
    return f"{at.hour % 12 or 12}:{at:%M:%S} {'AM' if at.hour < 12 else 'PM'}"


_PARTS: dict[str, Callable[[datetime], int]] = {
    "FullYear": lambda at: at.year,
    "Month": lambda at: at.month - 1,
    "Date": lambda at: at.day,
    "Day": lambda at: (at.weekday() + 1) % 7,
    "Hours": lambda at: at.hour,
    "Minutes": lambda at: at.minute,
    "Seconds": lambda at: at.second,
    "Milliseconds": lambda at: at.microsecond // 1000,
}
_SETTABLE = ("FullYear", "Month", "Date", "Hours", "Minutes", "Seconds", "Milliseconds")


def _getter(part: Callable[[datetime], int]) -> Callable[[JsDate], int | float]:
    def get(self: JsDate) -> int | float:
        return math.nan if self._ms != self._ms else part(_moment(self))

    return get


def _setter(first: int) -> Callable[..., int | float]:
    def put(self: JsDate, *values: Any) -> int | float:
        at = _moment(self) if self._ms == self._ms else _EPOCH
        parts: list[Any] = [_PARTS[name](at) for name in _SETTABLE]
        for index, value in enumerate(values):
            if first + index < len(parts):
                parts[first + index] = value
        self._ms = from_parts(*parts)
        return self._ms

    return put


def _set_time(self: JsDate, ms: Any) -> int | float:
    self._ms = JsDate(to_number(ms))._ms
    return self._ms


def _offset(self: JsDate) -> int:
    return 0


_TEXTS: dict[str, Callable[[datetime], str]] = {
    "toUTCString": _utc_text,
    "toDateString": date_text,
    "toLocaleDateString": _locale_date,
    "toLocaleTimeString": _locale_time,
    "toLocaleString": lambda at: f"{_locale_date(at)}, {_locale_time(at)}",
}

JsDate._complete(
    {
        **{f"get{zone}{name}": _getter(part) for name, part in _PARTS.items() for zone in ("", "UTC")},
        **{f"set{zone}{name}": _setter(index) for index, name in enumerate(_SETTABLE) for zone in ("", "UTC")},
        **{name: _writer(write) for name, write in _TEXTS.items()},
        "toString": JsDate._text,
        "setTime": _set_time,
        "getTimezoneOffset": _offset,
    },
    {"now": now_ms, "parse": parse, "UTC": _utc},
    construct=_construct,
)
JsDate._call = classmethod(lambda cls: JsDate(now_ms())._text())  # type: ignore[attr-defined]
