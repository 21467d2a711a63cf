"""The variables of the configuration, as the platform gives them: objects and arrays stay JavaScript's.

Observed: workerd 1.20261117.1.
"""

from __future__ import annotations

from datetime import date, time
from typing import Any

from durable_engine import jsnull
from pytest_workflows.javascript.objects import JsArray, JsPlain, number


def variable(value: Any) -> Any:
    """The value that `env` has for a variable.

    Args:
        value: What the configuration says: anything that JSON or TOML can say.

    Returns:
        Text, number or boolean; a raw object or array of JavaScript; `jsnull` for null.
    """
    if isinstance(value, dict):
        return JsPlain({key: variable(item) for key, item in value.items()})
    if isinstance(value, list):
        return JsArray([variable(item) for item in value])
    if value is None:
        return jsnull
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        return number(float(value))
    if isinstance(value, date | time):  # TOML's; wrangler writes them into JSON
        return value.isoformat()
    return value
