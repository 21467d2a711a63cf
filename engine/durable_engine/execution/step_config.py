"""Step configuration: validation, defaults and backoff. Pure functions; nothing here waits or stores.

Source: docs/reference/fidelity.md, "Step configuration".
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from durable_engine.values.durations import DAY, Duration, number_in, parse_duration

DelayFunction = Callable[[Any], Any | Awaitable[Any]]

DEFAULT_LIMIT = 5
DEFAULT_DELAY = 1000
DEFAULT_BACKOFF = "exponential"
DEFAULT_TIMEOUT = "10 minutes"
DELAY_FUNCTION_LIMIT = 5_000
DELAY_FUNCTION_PATIENCE = 1.0
"""Real seconds that a delay function may wait for something foreign before virtual time moves under it."""
MAX_SLEEP = 365 * DAY
_BACKOFFS = ("constant", "linear", "exponential")


class InvalidStepConfigError(Exception):
    """The configuration is one that the platform rejects; step.py says so in the platform's words."""


class StepConfig(msgspec.Struct, frozen=True):
    """A step's configuration with the defaults merged in.

    Attributes:
        limit: How many retries follow the first attempt; the platform takes a fraction too.
        delay: Milliseconds before the first retry, or a function that gives the delay of each.
        backoff: `"constant"`, `"linear"` or `"exponential"`.
        timeout: How long an attempt may take, in milliseconds.
        sensitive: Whether the result is kept out of history and reports.
        merged: The configuration as `ctx` shows it.
        misread: Texts whose unit the platform does not know.
    """

    limit: float
    delay: int | DelayFunction
    backoff: str
    timeout: int
    sensitive: bool
    merged: dict[str, Any]
    misread: tuple[str, ...] = ()


def scaled(delay: int, backoff: str, retry: int) -> int:
    """Milliseconds before retry number `retry` (1-based); never longer than the longest sleep, 365 days."""
    if backoff == "constant":
        return delay
    if backoff == "linear":
        return min(delay * retry, MAX_SLEEP)
    # The exponent is bounded before the power is taken: a limit of 10,000 retries must not make a number of that size.
    return min(delay << min(retry - 1, 64), MAX_SLEEP)


def read_config(config: object) -> StepConfig:
    """Validate a step's `config` and merge the defaults in.

    Args:
        config: The user's configuration: None or a mapping.

    Raises:
        InvalidStepConfigError: If the platform rejects it.
    """
    if config is None:
        return DEFAULT
    if not isinstance(config, Mapping):
        raise InvalidStepConfigError(config)
    # to_js turns None into undefined, which is the same as having left it out.
    given = {key: value for key, value in config.items() if value is not None}
    if given.keys() - {"retries", "timeout", "sensitive"}:
        raise InvalidStepConfigError(config)
    misread: list[str] = []
    limit, delay, backoff, shown = _read_retries(given.get("retries"), misread)
    timeout = given.get("timeout", DEFAULT_TIMEOUT)
    timeout_ms = _timeout(timeout, misread)
    sensitive = given.get("sensitive")
    if sensitive not in (None, "output"):
        raise InvalidStepConfigError(config)
    merged: dict[str, Any] = {"retries": shown, "timeout": timeout}
    if sensitive:
        merged["sensitive"] = sensitive
    return StepConfig(limit, delay, backoff, timeout_ms, sensitive == "output", merged, tuple(misread))


def read_delay(value: object) -> Duration | None:
    """Read the delay that a delay function returned; None where it is nonsense."""
    read = parse_duration(int(value) if isinstance(value, bool) else value)  # `Number(true)` is 1
    return read if read is not None and read.ms >= 0 else None


def _read_retries(value: object, misread: list[str]) -> tuple[float, int | DelayFunction, str, dict[str, Any]]:
    if value is None:
        return DEFAULT_LIMIT, DEFAULT_DELAY, DEFAULT_BACKOFF, dict(_DEFAULT_RETRIES)
    if not isinstance(value, Mapping):
        raise InvalidStepConfigError(value)
    given = {key: item for key, item in value.items() if item is not None}
    if given.keys() - {"limit", "delay", "backoff"} or not {"limit", "delay"} <= given.keys():
        raise InvalidStepConfigError(value)
    backoff = given.get("backoff", DEFAULT_BACKOFF)
    if backoff not in _BACKOFFS:
        raise InvalidStepConfigError(value)
    limit = _limit(given["limit"])
    delay = given["delay"]
    if callable(delay):
        return limit, delay, backoff, {"limit": limit, "backoff": backoff}
    read = parse_duration(delay)
    if read is None or (read.ms < 0 and not isinstance(delay, str)):  # a text may be negative there, until it is used
        raise InvalidStepConfigError(value)
    if read.misread:
        misread.append(str(delay))
    return limit, read.ms, backoff, {"limit": limit, "backoff": backoff, "delay": delay}


def _limit(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise InvalidStepConfigError(value)
    return value


def _timeout(value: object, misread: list[str]) -> int:
    """A number above 0, or a text with a unit: the platform takes "0 seconds" and less, but neither "0" nor ""."""
    read = parse_duration(value)
    if read is None or (number_in(value) == 0 if isinstance(value, str) else value <= 0):  # type: ignore[operator]
        raise InvalidStepConfigError(value)
    if read.misread:
        misread.append(str(value))
    return read.ms


_DEFAULT_RETRIES = {"limit": DEFAULT_LIMIT, "backoff": DEFAULT_BACKOFF, "delay": DEFAULT_DELAY}
DEFAULT = StepConfig(
    limit=DEFAULT_LIMIT,
    delay=DEFAULT_DELAY,
    backoff=DEFAULT_BACKOFF,
    timeout=600_000,
    sensitive=False,
    merged={"retries": _DEFAULT_RETRIES, "timeout": DEFAULT_TIMEOUT},
)
