"""`JSON` as JavaScript has it, for values that JavaScript holds."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from durable_engine import JsBigInt, JsProxy, jsnull
from pytest_workflows.javascript.rpc import python_to_rpc


def stringify(value: object) -> str:
    """The text that `JSON.stringify` gives: no spaces, dates in ISO form, nan and infinities as null.

    Args:
        value: A `JsProxy` or a plain value.

    Raises:
        TypeError: A value that has no JSON form here.
    """
    return json.dumps(_jsonable(value), separators=(",", ":"), ensure_ascii=False)


def parse(text: str) -> Any:
    """Parse JSON, as `JSON.parse`.

    Args:
        text: JSON.
    """
    value = json.loads(text)
    return python_to_rpc(value)


def _jsonable(value: object) -> object:
    if isinstance(value, JsProxy):
        return _jsonable(value.to_py())
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, set):
        return {}
    if isinstance(value, JsBigInt):
        raise TypeError("Do not know how to serialize a BigInt")
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value
        return utc.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    return None if value is jsnull else value


def _number(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1e21 else value
