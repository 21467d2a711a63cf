"""Headers on their way in (a dict, pairs, or a `js.Headers`) and out (a mapping that is an `http.client.HTTPMessage`).

Source: workers-runtime-sdk 1.9.5, `workers.utils`.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import js_module as js
from .js_view import is_js_instance

__all__ = ["HTTPMessageMapping", "header_items", "to_js_headers", "to_message"]

if TYPE_CHECKING:
    HTTPMessageMapping = http.client.HTTPMessage
else:

    class HTTPMessageMapping(http.client.HTTPMessage, Mapping):
        """The mapping of `request.headers` and `response.headers`: case-insensitive, missing names read as None."""

    HTTPMessageMapping.__module__ = "workers.utils"


def to_js_headers(headers: Any) -> Any:
    """Make the `js.Headers` of a `headers` argument.

    Args:
        headers: A dict, a list of pairs, or a `js.Headers`, which is given back. Values are put into words as
            JavaScript does: True is `true`, 1.0 is `1`.

    Raises:
        TypeError: It is of another type. Another request's `.headers` is: pass `dict(...)`.
        JsException: A name or a value that no header can have.
    """
    if isinstance(headers, list):
        return _made(headers)
    if isinstance(headers, dict):
        return _made(headers.items())
    if is_js_instance(headers, "Headers"):
        return headers
    raise TypeError("Received unexpected type for headers argument")


def _made(pairs: Iterable[Any]) -> Any:
    made = js.Headers.new()
    for name, value in pairs:
        made.append(name, value)
    return made


def to_message(headers: Any) -> HTTPMessageMapping:
    """Show a `js.Headers`: names in lower case and sorted, repeated ones joined by commas.

    Only `set-cookie` may occur several times; it comes first. Every call makes a new object: changing it changes no
    request.
    """
    message = HTTPMessageMapping()
    for value in headers.getSetCookie():
        message.add_header("Set-Cookie", value.strip())
    for name, value in headers:
        if name != "set-cookie":
            message.add_header(name, value.strip())
    return message


def header_items(request: Any) -> Iterable[tuple[str, str]]:
    """The names and values of a request's headers.

    Args:
        request: A `workers.Request` or a `js.Request`.
    """
    headers = request.headers
    return headers.items() if isinstance(headers, http.client.HTTPMessage) else headers
