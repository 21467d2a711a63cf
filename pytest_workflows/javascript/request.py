"""JavaScript's `Request`."""

from __future__ import annotations

import re
from typing import Any

from durable_engine import jsnull

from .body import Body
from .convert import is_missing
from .events import AbortSignal
from .headers import Headers
from .objects import js_error, js_text, option
from .url import parse_url

_METHODS = re.compile(
    "GET|HEAD|POST|PUT|DELETE|PATCH|PURGE|OPTIONS|TRACE|COPY|LOCK|MKCOL|MOVE|PROPFIND|PROPPATCH|SEARCH|UNLOCK|ACL|REPORT|"
    "MKACTIVITY|CHECKOUT|MERGE|MSEARCH|NOTIFY|SUBSCRIBE|UNSUBSCRIBE|QUERY|BAN|CONNECT"
)
_REDIRECTS = ("follow", "manual")


class Request(Body):
    """A request.

    Args:
        input: A URL, or a request to copy, whose body the copy takes over.
        options: `method`, `headers`, `body`, `redirect`, `signal`, `cf`, `fetcher`, `cache`.

    Raises:
        JsException: A TypeError: a URL, method or header that is not valid, a GET with a body, a body that was read.
    """

    _url: str
    _method: str
    _redirect: str
    _cf: Any
    _cache: Any
    _signal: AbortSignal | None

    def __init__(self, input: Any, options: Any = None) -> None:
        source = input if isinstance(input, Request) else None
        self._url = source._url if source is not None else read_url(js_text(input))
        method, redirect = option(options, "method"), option(options, "redirect")
        self._method = _method(method, source)
        self._redirect = _redirect(redirect, source)
        headers = option(options, "headers")
        made = Headers(source._headers if source is not None and is_missing(headers) else headers)
        body = option(options, "body")
        if is_missing(body) and source is not None:
            self._take_over(source, made)
        else:
            self._hold(body, made)
        if (self._content is not None or self._stream is not None) and self._method in ("GET", "HEAD"):
            raise js_error("TypeError", "Request with a GET or HEAD method cannot have a body.")
        cf, cache, signal = option(options, "cf"), option(options, "cache"), option(options, "signal")
        self._cf = (source._cf if source is not None else None) if is_missing(cf) else cf
        self._cache = (source._cache if source is not None else None) if is_missing(cache) else js_text(cache)
        self._follow_signal(signal, source)

    def _follow_signal(self, signal: Any, source: Request | None) -> None:
        followed = source._signal if signal is None and source is not None else signal
        self._signal = None
        if isinstance(followed, AbortSignal):
            self._signal = AbortSignal._made()
            self._signal._follow(followed)

    def _take_over(self, source: Request, headers: Headers) -> None:
        if source.bodyUsed:
            raise js_error("TypeError", "Cannot reconstruct a Request with a used body.")
        self._hold_bytes(source._content, headers)
        if source._stream is not None:
            self._stream, source._stream, source._content = source._stream, None, b""
        source._is_used = source._content is not None

    @property
    def method(self) -> str:
        """The method."""
        return self._method

    @property
    def url(self) -> str:
        """The URL."""
        return self._url

    @property
    def redirect(self) -> str:
        """What becomes of redirects: "follow" or "manual"."""
        return self._redirect

    @property
    def signal(self) -> AbortSignal:
        """The signal that aborts it."""
        if self._signal is None:
            self._signal = AbortSignal._made()
        return self._signal

    @property
    def fetcher(self) -> Any:
        """Null: what a request goes through is the caller's affair."""
        return jsnull

    @property
    def cf(self) -> Any:
        """What Cloudflare's network says about it; undefined where it did not come through."""
        return self._cf

    @property
    def cache(self) -> Any:
        """How caches are used."""
        return self._cache

    @property
    def integrity(self) -> str:
        """Always empty."""
        return ""

    @property
    def keepalive(self) -> bool:
        """Always false."""
        return False

    def clone(self) -> Request:
        """A copy with a body of its own."""
        copy = Request.__new__(Request)
        self._copy_body(copy)
        copy._url, copy._method, copy._redirect, copy._cf = self._url, self._method, self._redirect, self._cf
        copy._cache, copy._signal = self._cache, self._signal
        return copy


def read_url(text: str, base: str | None = None) -> str:
    """A request's URL as the runtime writes it.

    Args:
        text: The URL; relative, if there is a base.
        base: What it is relative to.

    Raises:
        JsException: A TypeError: it is not valid.
    """
    try:
        return parse_url(text, base).href
    except ValueError:
        raise js_error("TypeError", f"Invalid URL: {text}") from None


def _method(given: Any, source: Request | None) -> str:
    if is_missing(given):
        return "GET" if source is None else source._method
    method = js_text(given).upper()
    if not _METHODS.fullmatch(method):
        raise js_error("TypeError", f"Invalid HTTP method string: {js_text(given)}")
    return method


def _redirect(given: Any, source: Request | None) -> str:
    if is_missing(given):
        return "follow" if source is None else source._redirect
    redirect = js_text(given)
    if redirect not in _REDIRECTS:
        raise js_error(
            "TypeError",
            'Invalid redirect value, must be one of "follow" or "manual" ("error" won\'t be implemented since it does '
            'not make sense at the edge; use "manual" and check the response status code).',
        )
    return redirect
