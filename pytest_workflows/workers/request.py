"""Served as `workers.request`: `Request`, over a `js.Request`.

Source: workers-runtime-sdk 1.9.5, `workers.request`.
"""

from __future__ import annotations

import builtins
import json
from http import HTTPMethod
from typing import Any

from durable_engine import JsProxy

from . import js_module as js
from .blob import Blob
from .body import read_form, to_js_body
from .formdata import FormData
from .headers import HTTPMessageMapping, to_js_headers, to_message
from .js_view import is_js_instance, null_to_none

__all__ = ["Request", "as_received", "to_fetch_options", "to_js_options"]


class Request:
    """A request, as a Worker receives it and as `fetch` sends it.

    Args:
        input: A URL, a request to copy (the copy takes over that request's body), or a `js.Request`, which it then
            stands for.
        **options: `method`, `headers` (a dict, a list of pairs or a `js.Headers`), `body` (str, bytes, a `FormData`, or
            an object of JavaScript), `redirect`, and the other members of JavaScript's RequestInit.

    Raises:
        JsException: Named TypeError: the URL or the method is not valid, a GET has a body, or the request to copy has
            been read.
        TypeError: Headers or body are of a type that nothing is made of.
        ValueError: Options beside a `js.Request`.

    Example:
        >>> Request("https://example.com", method="POST", body="hello")
        Request(method='POST', url='https://example.com/')
    """

    def __init__(self, input: Any, **options: Any) -> None:
        if is_js_instance(input, "Request"):
            if options:
                raise ValueError("Expected no options when constructing Request from a js.Request")
            self._js_request = input
            return
        source = input._js_request if isinstance(input, Request) else input
        self._js_request = js.Request.new(source, **to_js_options(options))

    def __repr__(self) -> str:
        return f"Request(method={self._js_request.method!r}, url={self._js_request.url!r})"

    @property
    def js_object(self) -> Any:
        """The `js.Request`."""
        return self._js_request

    @property
    def body(self) -> Any:
        """The body as a ReadableStream of JavaScript; `jsnull` where there is none."""
        return self._js_request.body

    @property
    def body_used(self) -> bool:
        """Whether the body was read."""
        return self._js_request.bodyUsed  # type: ignore[no-any-return]

    @property
    def cf(self) -> Any:
        """What Cloudflare's network says of the request: an object of JavaScript, `request.cf.colo`.

        None for a request that did not come through it, and was made without.
        """
        return null_to_none(self._js_request.cf)

    @property
    def cache(self) -> str:
        """The request's cache mode."""
        return self._js_request.cache  # type: ignore[no-any-return]

    @property
    def credentials(self) -> str:
        """The request's credentials mode."""
        return self._js_request.credentials  # type: ignore[no-any-return]

    @property
    def destination(self) -> str:
        """What the request is for; empty in a Worker."""
        return self._js_request.destination  # type: ignore[no-any-return]

    @property
    def headers(self) -> HTTPMessageMapping:
        """The headers, as a new mapping each time."""
        return to_message(self._js_request.headers)

    @property
    def integrity(self) -> str:
        """The hash that the content was said to have; empty in a Worker."""
        return self._js_request.integrity  # type: ignore[no-any-return]

    @property
    def is_history_navigation(self) -> bool:
        """Whether a browser's history asked for it."""
        return self._js_request.isHistoryNavigation  # type: ignore[no-any-return]

    @property
    def keepalive(self) -> bool:
        """Whether it may outlive its page."""
        return self._js_request.keepalive  # type: ignore[no-any-return]

    @property
    def method(self) -> HTTPMethod:
        """The method."""
        return HTTPMethod[self._js_request.method]

    @property
    def mode(self) -> str:
        """The request's mode."""
        return self._js_request.mode  # type: ignore[no-any-return]

    @property
    def redirect(self) -> str:
        """`"follow"` or `"manual"`."""
        return self._js_request.redirect  # type: ignore[no-any-return]

    @property
    def referrer(self) -> str:
        """Where the request came from."""
        return self._js_request.referrer  # type: ignore[no-any-return]

    @property
    def referrer_policy(self) -> str:
        """What is told of where it came from."""
        return self._js_request.referrerPolicy  # type: ignore[no-any-return]

    @property
    def url(self) -> str:
        """The absolute URL, normalised as JavaScript's `URL` does."""
        return self._js_request.url  # type: ignore[no-any-return]

    async def buffer(self) -> Any:
        """The content, as an ArrayBuffer. Raises OSError when it was read before."""
        self._raise_if_used()
        return await self._js_request.arrayBuffer()

    async def text(self) -> str:
        """The content as text, decoded as UTF-8. Raises OSError when it was read before."""
        self._raise_if_used()
        return await self._js_request.text()  # type: ignore[no-any-return]

    async def json(self, **kwargs: Any) -> Any:
        """The content as JSON. Raises OSError when it was read before.

        Args:
            **kwargs: Passed on to `json.loads`.
        """
        return json.loads(await self.text(), **kwargs)

    async def bytes(self) -> builtins.bytes:
        """The content. Raises OSError when it was read before."""
        return (await self.buffer()).to_bytes()  # type: ignore[no-any-return]

    async def blob(self) -> Blob:
        """The content with its content type. Raises OSError when it was read before."""
        self._raise_if_used()
        return Blob(await self._js_request.blob())

    async def form_data(self) -> FormData:
        """The content as the fields of a form. Raises OSError when it was read before.

        Raises:
            TypeError: The content type is that of no form, or the content is no form.
        """
        self._raise_if_used()
        return await read_form(self._js_request)

    def clone(self) -> Request:
        """A copy with a body of its own. Raises OSError when the body was read before."""
        self._raise_if_used()
        return Request(self._js_request.clone())

    def _raise_if_used(self) -> None:
        if self.body_used:
            raise OSError("Body already used")


def as_received(request: Request) -> Request:
    """A request as the Worker that it is sent to gets it: one whose length is known says it.

    Args:
        request: The request, whose body is taken over.
    """
    made = js.Request.new(request.js_object)
    if made._content is not None:
        made._headers._default("content-length", str(len(made._content)))
    return Request(made)


def to_js_options(options: dict[str, Any]) -> dict[str, Any]:
    """The members of JavaScript's RequestInit for the options of `Request`.

    Raises:
        TypeError: Headers or body are of a type that nothing is made of.
    """
    made = to_fetch_options(options)
    if "headers" in made:
        made["headers"] = to_js_headers(made["headers"])
    return made


def to_fetch_options(options: dict[str, Any]) -> dict[str, Any]:
    """The same for `fetch`, which leaves headers to JavaScript.

    Raises:
        TypeError: The body is of a type that nothing is made of.
    """
    made = {key: value for key, value in options.items() if key != "body"}
    if isinstance(made.get("method"), HTTPMethod):
        made["method"] = made["method"].value
    if options.get("body") is not None:
        made["body"] = _checked_body(options["body"])
    return made


def _checked_body(body: Any) -> Any:
    if not isinstance(body, str | bytes | FormData | JsProxy):
        # JavaScript would send the object's text, such as "[object Object]".
        raise TypeError(f"Unsupported type in Request: {type(body).__name__}")
    return to_js_body(body)
