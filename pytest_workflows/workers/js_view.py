"""How the SDK looks at JavaScript's objects: by the name of their class.

Source: workers-runtime-sdk 1.9.5, `workers.utils`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from durable_engine import JsException, JsProxy, jsnull

__all__ = ["RESPONSE_BODIES", "body_chunks", "class_name", "is_js_instance", "null_to_none", "to_python_exception"]

RESPONSE_BODIES = frozenset(
    (
        *("Blob", "ArrayBuffer", "TypedArray", "DataView", "Uint8Array", "Uint8ClampedArray", "Int8Array"),
        *("Uint16Array", "Int16Array", "Uint32Array", "Int32Array", "Float16Array", "Float32Array", "Float64Array"),
        *("BigInt64Array", "BigUint64Array", "FormData", "ReadableStream", "URLSearchParams", "Response"),
    )
)
"""The classes of JavaScript that `Response` takes for a body; a `Response` is taken whole."""


def class_name(value: object) -> str | None:
    """The name of the class of an object of JavaScript; None for any other value."""
    name = getattr(getattr(value, "constructor", None), "name", None) if isinstance(value, JsProxy) else None
    return name if isinstance(name, str) else None


def is_js_instance(value: object, *names: str) -> bool:
    """Whether a value is an object of one of the classes of JavaScript."""
    return class_name(value) in names


def null_to_none(value: Any) -> Any:
    """The value, or None where it is JavaScript's null."""
    return None if value is jsnull else value


def to_python_exception(error: JsException) -> Exception:
    """The Python exception that the SDK's static helpers raise in place of a JavaScript error."""
    if error.name == "RangeError":
        return ValueError(error.message)
    if error.name == "TypeError":
        return TypeError(error.message)
    return error


async def body_chunks(request: Any) -> AsyncIterator[bytes]:
    """The pieces of a request's body; none where it has no body.

    Args:
        request: A `workers.Request` or a `js.Request`.
    """
    if request.body:
        async for piece in request.body:
            yield piece.to_bytes()
