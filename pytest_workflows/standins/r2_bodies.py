"""What may be put into R2."""

from __future__ import annotations

from typing import Any

from durable_engine import JsProxy
from pytest_workflows.javascript.buffers import bytes_of
from pytest_workflows.javascript.objects import js_error, noted

from .js_arguments import is_of_class, not_of_type, utf8

VALUES = "ReadableStream or ArrayBuffer or ArrayBufferView or string or Blob"
"""What may be put, as errors name it."""

NO_LENGTH = (
    "Provided readable stream must have a known length (request/response body or readable half of FixedLengthStream)"
)


def body_of(value: Any, method: str, owner: str, expected: str) -> Any:
    """The bytes of a value that is put; a stream of a known length as it is."""
    if isinstance(value, str):
        return utf8(value)
    data = bytes_of(value) if isinstance(value, JsProxy) else None
    if data is not None:
        return data
    if is_of_class(value, "Blob") or is_of_class(value, "File"):
        return value._content
    if is_of_class(value, "ReadableStream"):
        if value._length is None:
            raise js_error("TypeError", NO_LENGTH)
        return value
    raise noted(not_of_type(method, owner, 2, expected), "Put a text or bytes: of a dict, json.dumps(value).")
