"""Checks of the values that users give in ini options and markers, each with the words for what it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import pytest

LARGEST = 2**53 - 1
"""The largest number that JSON readers everywhere take."""
LIMITS = (
    *("step_output", "event_payload", "storage", "step_name", "instance_id", "batch", "sleep"),
    *("subrequests", "service_calls", "cpu_ms"),
)
_MOST_SECONDS = 1_000_000_000


class Check(NamedTuple):
    """What a value must be.

    Attributes:
        fits: Whether a value is that.
        form: What is taken, for a message.
    """

    fits: Callable[[object], bool]
    form: str

    def refuse_others(self, where: str, value: object, given: object = None) -> None:
        """Refuse a value that does not fit.

        Args:
            where: What it was given to, for the message.
            value: The value.
            given: What stood there, if the value was made from that.

        Raises:
            pytest.UsageError: If it does not fit.
        """
        if not self.fits(value):
            from pytest_workflows.messages.short_repr import shown

            raise pytest.UsageError(f"{where} takes {self.form}, not {shown(value if given is None else given)}.")


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_time(value: object) -> bool:
    from durable_engine import InvalidArgumentError, read_now

    try:
        read_now(value)
    except InvalidArgumentError:
        return False
    return True


def _are_limits(value: object) -> bool:
    return isinstance(value, dict) and all(
        _is_one_of(LIMITS)(name) and _is_count(number) for name, number in value.items()
    )


def _are_rules(value: object) -> bool:
    if not isinstance(value, list | tuple):
        return False
    if not value:
        return True  # nothing is loaded for it
    from pytest_workflows.rules.registry import rule_names

    return all(map(_is_one_of(rule_names()), value))


def _are_stores(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) and one for one in value)


def _is_one_of(names: Iterable[str]) -> Callable[[object], bool]:
    # The type first: a value may have no hash, or compare itself to a text in its own way.
    return lambda value: isinstance(value, str) and value in names


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _MOST_SECONDS


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def _is_count(value: object) -> bool:
    return _is_int(value) and value > 0  # type: ignore[operator]  # an int by then


TIME = Check(_is_time, "a datetime or an ISO 8601 text such as '2026-01-01T00:00:00Z'")
INT = Check(_is_int, "an int")
COUNT = Check(_is_count, "an int above 0")
SECONDS = Check(_is_seconds, "real seconds, a number above 0")
FLAG = Check(_is_flag, "True or False")
CLOCK = Check(_is_one_of(("auto", "manual")), "'auto' or 'manual'")
PLAN = Check(_is_one_of(("free", "paid")), "'free' or 'paid'")
SEVERITY = Check(_is_one_of(("error", "ignore")), "'error' or 'ignore'")
SIZES = Check(_are_limits, f"a dict of numbers for some of {', '.join(LIMITS)}")
RULE_NAMES = Check(_are_rules, "a list of rules' names such as ['missing-await']")
STORES = Check(_are_stores, "a list of bindings, or of their tables, such as ['CACHE', 'DB.audit_log']")
