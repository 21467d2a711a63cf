"""The SDK's conversions between Python and the platform, for sources that call them by hand."""

from __future__ import annotations

from typing import Any

from durable_engine import JsProxy, cross, jsnull


def python_to_rpc(value: Any) -> Any:
    """The value on the platform's side: a `JsProxy` for a dict, list or set.

    Args:
        value: Any value that may cross.

    Raises:
        TypeError: A tuple, bytearray or awaitable, at any depth.
        JsException: A value that cannot be cloned.
    """
    if value is None:
        return jsnull
    crossed = cross(value)
    return JsProxy(crossed) if isinstance(crossed, dict | list | set) else crossed


def python_from_rpc(obj: Any) -> Any:
    """The Python value of a value of the platform: a `JsDict` for an object, None for null.

    Args:
        obj: A value of the platform; a Python value comes back as it is.
    """
    if obj is jsnull:
        return None
    return cross(obj) if isinstance(obj, JsProxy) else obj
