"""JSON that was sent, as the values that JavaScript makes of it."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from .errors import BAD_REQUEST, ApiError

_MOST_EXACT: Final = 2**53 - 1
_DEEPEST: Final = 500


def read_json(text: str | bytes, what: str) -> Any:
    """The value of a JSON text.

    Args:
        text: The text.
        what: Names it: `params`.

    Raises:
        ApiError: If it is none.
    """
    try:
        return as_javascript(json.loads(text, parse_constant=_refuse), what)
    except RecursionError:
        raise _too_deep(what) from None
    except ValueError as error:
        raise ApiError(400, BAD_REQUEST, f"What is given as {what} is no JSON: {error}.") from None


def as_javascript(value: Any, what: str) -> Any:
    """A decoded JSON value with JavaScript's numbers: those beyond 2**53 are as exact as a double is.

    Args:
        value: The value.
        what: Names it: `params`.

    Raises:
        ApiError: If it is nested too deeply.
    """
    try:
        return _converted(value, what, 0)
    except RecursionError:  # Python 3.11 has two frames a level
        raise _too_deep(what) from None


def _converted(value: Any, what: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise _too_deep(what)
    if isinstance(value, dict):
        return {key: _converted(item, what, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_converted(item, what, depth + 1) for item in value]
    if isinstance(value, float) and math.isnan(value):  # which JSON has not, and Python's reader takes
        raise ApiError(400, BAD_REQUEST, f"What is given as {what} is no JSON: it has NaN.")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MOST_EXACT:
        return _double(value)
    return value


def _too_deep(what: str) -> ApiError:
    return ApiError(400, BAD_REQUEST, f"What is given as {what} is nested more than {_DEEPEST} deep.")


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _refuse(name: str) -> None:
    raise ValueError(f"it has {name}")
