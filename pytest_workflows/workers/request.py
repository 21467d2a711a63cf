"""`workers.Request`, standing on httpx."""

from __future__ import annotations

from http import HTTPMethod
from typing import Any

import httpx

from .body import Body, to_content
from .headers import to_httpx_headers
from .js_errors import JsTypeError

__all__ = ["Request"]

_REDIRECTS = ("follow", "manual")


class Request(Body):
    """A request, as a Worker receives it and as `fetch` sends it.

    Args:
        input: A URL, or a request to copy; the copy takes over that request's body.
        **options: `method`, `headers` (a dict or a list of pairs), `body` (str or bytes), `redirect`. Other
            members of JavaScript's RequestInit, `cf` for one, are accepted and have no effect.

    Raises:
        JsException: Named TypeError, as on the platform: the URL or the method is not valid, a GET has a
            body, or the request to copy has been read. It is a Python TypeError as well.
        TypeError: Headers or body are of a type that the SDK does not take.

    Example:
        >>> Request("https://example.com", method="POST", body="hello")
        Request(method='POST', url='https://example.com/')
    """

    def __init__(self, input: Request | str, **options: Any) -> None:
        source = input if isinstance(input, Request) else None
        self._url: httpx.URL = source._url if source else to_url(input)
        self._method = _to_method(options.get("method") or (source.method if source else "GET"))
        self._redirect = _to_redirect(options.get("redirect") or (source.redirect if source else "follow"))
        if "headers" in options:
            headers = to_httpx_headers(options["headers"])
        else:
            headers = httpx.Headers(source._headers if source else None)
        content = to_content(options.get("body"), "Request", headers)
        if content is None and source:
            content = _take_over(source)
        if content is not None and self._method in ("GET", "HEAD"):
            raise JsTypeError("Request with a GET or HEAD method cannot have a body.")
        super().__init__(headers, content)

    def __repr__(self) -> str:
        return f"Request(method={self._method!r}, url={self.url!r})"

    @property
    def url(self) -> str:
        """The absolute URL, normalised as JavaScript's `URL` does."""
        return str(self._url)

    @property
    def method(self) -> HTTPMethod:
        """The method."""
        return HTTPMethod(self._method)

    @property
    def redirect(self) -> str:
        """`"follow"` or `"manual"`."""
        return self._redirect

    @property
    def cf(self) -> None:
        """None, as on the platform for a request that did not come through Cloudflare's network."""
        return None


def request_to_httpx(request: Request) -> httpx.Request:
    """Make the request that goes out, taking the body with it.

    Raises:
        OSError: The body was read before.
    """
    content = None if request._content is None else request._take()
    return httpx.Request(request._method, request._url, headers=request._headers, content=content)


def to_url(text: object) -> httpx.URL:
    """Read an absolute URL as JavaScript does: `https://example.com` has the path `/`."""
    try:
        url = httpx.URL(str(text).strip())
    except httpx.InvalidURL:
        raise JsTypeError(f"Invalid URL: {text}") from None
    if not url.scheme or not url.host:
        raise JsTypeError(f"Invalid URL: {text}")
    # httpx keeps an empty path and, where the scheme is in capitals, the default port.
    return url.copy_with(raw_path=url.raw_path, port=url.port)


def _to_method(method: str) -> str:
    try:
        return HTTPMethod(method.upper()).value
    except ValueError:
        raise JsTypeError(f"Invalid HTTP method string: {method}") from None


def _to_redirect(redirect: str) -> str:
    if redirect not in _REDIRECTS:
        raise JsTypeError(
            'Invalid redirect value, must be one of "follow" or "manual" ("error" won\'t be implemented since it does '
            'not make sense at the edge; use "manual" and check the response status code).'
        )
    return redirect


def _take_over(source: Request) -> bytes | None:
    if source.body_used:
        raise JsTypeError("Cannot reconstruct a Request with a used body.")
    return None if source._content is None else source._take()
