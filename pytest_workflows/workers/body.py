"""The base of requests and responses: headers, and a body that can be read once."""

from __future__ import annotations

import builtins
import json
import sys
from typing import Any, NoReturn, Self

import httpx

from durable_engine import JsProxy
from pytest_workflows.active_test import note_use
from pytest_workflows.errors import MissingNameError

from .headers import HTTPMessageMapping, to_message
from .missing import is_read_as_attribute

_NOT_YET = frozenset({"blob", "body", "form_data", "formData", "js_object", "js_response"})


class JsBuffer(bytes):
    """The result of `buffer()`: bytes with the reading methods of a JavaScript buffer."""

    @property
    def byteLength(self) -> int:
        """The size in bytes."""
        return len(self)

    def to_bytes(self) -> bytes:
        """The content as plain bytes."""
        return bytes(self)

    def to_memoryview(self) -> memoryview:
        """The content as a view that can be written to."""
        return memoryview(bytearray(self))

    def to_string(self) -> str:
        """The content as text, decoded as UTF-8."""
        return self.decode()


class Body:
    """A request's or response's headers and content.

    Args:
        headers: The headers.
        content: The bytes, or None for no body, which can be read any number of times.
    """

    def __init__(self, headers: httpx.Headers, content: bytes | None) -> None:
        self._headers = headers
        self._content = content
        self._used = False

    def __getattr__(self, name: str) -> NoReturn:
        kind = type(self).__name__
        if name in _NOT_YET:
            error = MissingNameError.of_body(
                kind, name, "The body can be read with text(), json(), bytes() and buffer()."
            )
            if is_read_as_attribute(sys._getframe(1)):
                note_use(error)
            raise error
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")

    @property
    def headers(self) -> HTTPMessageMapping:
        """The headers, as a new mapping each time."""
        return to_message(self._headers)

    @property
    def body_used(self) -> bool:
        """Whether the body was read."""
        return self._used

    async def buffer(self) -> JsBuffer:
        """The content. Raises OSError when it was read before."""
        return JsBuffer(self._take())

    async def text(self) -> str:
        """The content as text, decoded as UTF-8. Raises OSError when it was read before."""
        return self._take().decode("utf-8-sig", errors="replace")

    async def json(self, **kwargs: Any) -> Any:
        """The content as JSON. Raises OSError when it was read before.

        Args:
            **kwargs: Passed on to `json.loads`.
        """
        return json.loads(await self.text(), **kwargs)

    async def bytes(self) -> builtins.bytes:
        """The content. Raises OSError when it was read before."""
        return self._take()

    def clone(self) -> Self:
        """A copy with a body of its own. Raises OSError when the body was read before."""
        self._raise_if_used()
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        return copy

    def _take(self) -> builtins.bytes:
        self._raise_if_used()
        self._used = self._content is not None
        return self._content or b""

    def _raise_if_used(self) -> None:
        if self._used:
            raise OSError("Body already used")


def to_content(body: object, owner: str, headers: httpx.Headers) -> bytes | None:
    """Read a `body` argument, and set the content type that text has when nobody says otherwise.

    Args:
        body: str, bytes or None.
        owner: The kind of object, for the message: `"Request"` or `"Response"`.
        headers: Its headers; `content-type` is added for text.

    Raises:
        TypeError: The body is of another type.
    """
    if isinstance(body, str):
        headers.setdefault("content-type", "text/plain;charset=UTF-8")
        return body.encode()
    if body is None or isinstance(body, bytes):
        return body
    raise TypeError(f"Unsupported type in {owner}: {_type_name(body)}")


def _type_name(value: object) -> str:
    if isinstance(value, JsProxy):
        return "Array" if isinstance(held := value.to_py(), list) else "Set" if isinstance(held, set) else "Object"
    return type(value).__name__
