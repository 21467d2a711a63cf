"""Served as `workers.response`: `Response`, over a `js.Response`.

Source: workers-runtime-sdk 1.9.5, `workers.response`.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from durable_engine import JsException, JsProxy

from . import js_module as js
from .body import to_js_body
from .fetch_response import FetchResponse
from .formdata import FormData
from .headers import to_js_headers
from .js_view import RESPONSE_BODIES, class_name, is_js_instance, to_python_exception

__all__ = ["FetchResponse", "Response", "response_of"]


class Response(FetchResponse):
    """A response, as a Worker answers with it and as `fetch` gives it.

    Args:
        body: str (sent as `text/plain;charset=UTF-8` unless a header says otherwise), bytes, a `FormData`, None; of
            JavaScript's objects a Blob, a buffer, a form, a ReadableStream, URLSearchParams, or a whole `js.Response`.
        status: The status code, 200 to 599; 200 when left out.
        status_text: The reason beside it; the status's own when left out.
        headers: A dict, a list of pairs, or a `js.Headers`.
        web_socket: The client's end of a WebSocketPair, for status 101.

    Raises:
        TypeError: Body or headers are of another type.
        ValueError: Options beside a `js.Response`.
        JsException: The status is out of range (RangeError), or has no body and was given one (TypeError).

    Example:
        >>> Response("hello", status=201)
        Response(status=201, status_text='Created', content_type='text/plain;charset=UTF-8')
    """

    def __init__(
        self,
        body: Any = None,
        status: HTTPStatus | int | None = None,
        status_text: str = "",
        headers: Any = None,
        web_socket: Any = None,
    ) -> None:
        kind = class_name(body)
        if kind == "Response":
            if status is not None or status_text or headers is not None:
                raise ValueError("Expected no options when constructing Response from a js.Response")
            super().__init__(body.url, body)
            return
        if kind not in RESPONSE_BODIES and not (body is None or isinstance(body, str | bytes | FormData)):
            raise TypeError(f"Unsupported type in Response: {kind or type(body).__name__}")
        made = js.Response.new(to_js_body(body), **_options(status, status_text, headers, web_socket))
        super().__init__(made.url, made)

    def __repr__(self) -> str:
        shown = [f"status={self.status}"]
        if self.status_text:
            shown.append(f"status_text={self.status_text!r}")
        if "content-type" in self.headers:
            shown.append(f"content_type={self.headers['content-type']!r}")
        if self.url:
            shown.append(f"url={self.url!r}")
        if self.type != "default":
            shown.append(f"type={self.type!r}")
        return f"Response({', '.join(shown)})"

    def replace_body(self, body: Any) -> Response:
        """A new response with the same status and headers, and another body."""
        return Response(js.Response.new(to_js_body(body), self.js_response))

    @staticmethod
    def redirect(url: str, status: HTTPStatus | int = HTTPStatus.FOUND) -> Any:
        """A response that sends the client elsewhere: a raw `js.Response`, as in the SDK.

        Args:
            url: An absolute URL.
            status: 301, 302, 303, 307 or 308.

        Raises:
            TypeError: The URL is not valid.
            ValueError: The status is no redirect.
        """
        try:
            return js.Response.redirect(url, int(status))
        except JsException as error:
            raise to_python_exception(error) from error

    @staticmethod
    def from_json(
        data: Any, status: HTTPStatus | int = HTTPStatus.OK, status_text: str = "", headers: Any = None
    ) -> Response:
        """A response with a JSON body, `application/json` unless a header says otherwise.

        Args:
            data: A value for `json.dumps`, or a JavaScript value (`JsProxy`), which becomes JSON as JavaScript
                does it.
            status: The status code.
            status_text: The reason beside it.
            headers: A dict, a list of pairs, or a `js.Headers`.

        Raises:
            TypeError: The data has no JSON form; a datetime has none.
            ValueError: The status is out of range.
        """
        options = _options(status, status_text, headers)
        try:
            if isinstance(data, JsProxy):
                return Response(js.Response.json(data, **options))
            typed = options.setdefault("headers", to_js_headers([]))
            if not typed.has("content-type"):
                typed.set("content-type", "application/json")
            return Response(js.Response.new(json.dumps(data), **options))
        except JsException as error:
            raise to_python_exception(error) from error

    def json(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Read the body as JSON; or, as `Response.json(data, ...)`, the same as `from_json`."""
        if isinstance(self, Response):
            return super().json()
        return Response.from_json(self, *args, **kwargs)


def response_of(value: Any) -> Response:
    """The response that a fetch handler's result is.

    Args:
        value: A `Response`, the copy of one, or a raw `js.Response`, as `Response.redirect` and `asgi.fetch` give it.

    Raises:
        TypeError: If it is none of these.
    """
    if isinstance(value, Response):
        return value
    made = value.js_response if isinstance(value, FetchResponse) else value
    if not is_js_instance(made, "Response"):
        raise TypeError(
            f"The fetch handler returned {type(value).__name__}, not a Response: {value!r}. "
            "Return workers.Response(...)."
        )
    return Response(made)


def _options(
    status: HTTPStatus | int | None, status_text: str = "", headers: Any = None, web_socket: Any = None
) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if status:
        options["status"] = int(status)
    if status_text:
        options["statusText"] = status_text
    if headers:
        options["headers"] = to_js_headers(headers)
    if web_socket:
        options["webSocket"] = web_socket
    return options
