"""Values that come from the test's clock: two runs that are told apart by nothing else are not told apart.

An attempt that is made again takes virtual time, and whatever is written later says so in its `created_at`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pytest_workflows.standins.stores import Row

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?|(?<![\d.])\d{10}(?:\d{3})?(?:\.\d+)?(?!\d)"
)
_TIME_IN_BYTES = re.compile(_TIME.pattern.encode())
_MASK = "<time of the run>"


class Window(NamedTuple):
    """The virtual time that runs of a test went through.

    Attributes:
        start: Its start, in milliseconds since 1970.
        end: Its end, in milliseconds since 1970.
    """

    start: int
    end: int

    def masked(self, value: Any) -> Any:
        """A value with one mask for whatever is a time within the window, inside of texts and containers too.

        Args:
            value: What a store holds: a text, bytes, a number, a row, or a container of such.
        """
        if isinstance(value, Row):
            return Row((name, self.masked(item)) for name, item in value)
        if isinstance(value, str):
            return _TIME.sub(self._masked_text, value)
        if isinstance(value, bytes):
            return _TIME_IN_BYTES.sub(lambda found: self._masked_text(found).encode(), value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _MASK if self._has(value) else value
        if isinstance(value, tuple | list):
            return tuple(self.masked(item) for item in value)
        if isinstance(value, Mapping):
            return {key: self.masked(item) for key, item in value.items()}
        if isinstance(value, datetime):
            return _MASK if self._has(_seconds(value)) else value
        return value

    def _has(self, number: float) -> bool:
        """Whether a number is a time in the window, in seconds or in milliseconds."""
        # Seconds are often cut: the one in which the window starts counts whole.
        return self.start // 1000 <= number <= self.end / 1000 + 1 or self.start - 1000 <= number <= self.end + 1000

    def _masked_text(self, found: re.Match[Any]) -> str:
        text = found[0] if isinstance(found[0], str) else found[0].decode()
        if "-" not in text:
            return _MASK if self._has(float(text)) else text
        try:
            seconds = _seconds(datetime.fromisoformat(text))
        except ValueError:
            return text
        # A time without seconds may be that of a minute's start.
        return _MASK if self._has(seconds) or self._has(seconds + 59) else text


def _seconds(time: datetime) -> float:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
