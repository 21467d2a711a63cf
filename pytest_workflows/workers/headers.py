"""Headers on their way in (dict or pairs) and out (a mapping that is also an `http.client.HTTPMessage`)."""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import httpx

HeadersInput = dict[str, str] | list[tuple[str, str]]

if TYPE_CHECKING:
    HTTPMessageMapping = http.client.HTTPMessage
else:

    class HTTPMessageMapping(http.client.HTTPMessage, Mapping):
        """The mapping of `request.headers` and `response.headers`: case-insensitive, missing names read as None."""


def to_httpx_headers(headers: object) -> httpx.Headers:
    """Read the `headers` argument of `Request`, `Response` and `fetch`.

    Raises:
        TypeError: It is neither a dict nor a list of pairs. Another request's `.headers` is neither: pass
            `dict(...)`.
    """
    if isinstance(headers, dict):
        pairs: Iterable[tuple[str, str]] = headers.items()
    elif isinstance(headers, list):
        pairs = headers
    else:
        raise TypeError("Received unexpected type for headers argument")
    return httpx.Headers([(str(name), str(value).strip()) for name, value in pairs])


def to_message(headers: httpx.Headers) -> HTTPMessageMapping:
    """Show headers as the platform does: names in lower case and sorted, repeated ones joined by commas.

    Only `set-cookie` may occur several times. Every call makes a new object: changing it changes no request.
    """
    message = HTTPMessageMapping()
    for name in sorted(set(headers.keys())):
        values = headers.get_list(name)
        for value in values if name == "set-cookie" else [", ".join(values)]:
            message.add_header(name, value)
    return message
