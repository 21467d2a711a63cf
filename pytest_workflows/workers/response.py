"""`workers.Response`, standing on httpx."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import httpx

from durable_engine import JsException, JsProxy

from .body import to_content
from .fetch_response import FetchResponse
from .headers import HeadersInput, to_httpx_headers
from .js_errors import JsRangeError, JsTypeError, to_python_exception
from .js_json import stringify
from .request import to_url

__all__ = ["FetchResponse", "Response"]

_NULL_BODY = (101, 204, 205, 304)
_REDIRECTS = (301, 302, 303, 307, 308)


class Response(FetchResponse):
    """A response, as a Worker answers with it and as `fetch` gives it.

    Args:
        body: str (sent as `text/plain;charset=UTF-8` unless a header says otherwise), bytes, or None.
        status: The status code, 200 to 599; 200 when left out.
        status_text: The reason beside it.
        headers: A dict or a list of pairs.

    Raises:
        TypeError: Body or headers are of another type, or a status without a body (204, 304) was given one.
        ValueError: The status is out of range. (Both are JsException too, which is what the platform raises.)

    Example:
        >>> Response("hello", status=201)
        Response(status=201, content_type='text/plain;charset=UTF-8')
    """

    def __init__(
        self,
        body: str | bytes | None = None,
        status: HTTPStatus | int | None = None,
        status_text: str = "",
        headers: HeadersInput | None = None,
    ) -> None:
        built = to_httpx_headers(headers) if headers else httpx.Headers()
        content = to_content(body, "Response", built)
        super().__init__(built, content, _to_status(status, content), status_text)

    def __repr__(self) -> str:
        shown = [f"status={self.status}"]
        if self.status_text:
            shown.append(f"status_text={self.status_text!r}")
        if "content-type" in self._headers:
            shown.append(f"content_type={self._headers['content-type']!r}")
        if self.url:
            shown.append(f"url={self.url!r}")
        return f"Response({', '.join(shown)})"

    def replace_body(self, body: str | bytes | None) -> Response:
        """A new response with the same status and headers, and another body."""
        return Response(body, self.status, self.status_text, self._headers.multi_items())

    @staticmethod
    def redirect(url: str, status: HTTPStatus | int = HTTPStatus.FOUND) -> Response:
        """A response that sends the client elsewhere.

        Args:
            url: An absolute URL.
            status: 301, 302, 303, 307 or 308.

        Raises:
            TypeError: The URL is not valid.
            ValueError: The status is no redirect.
        """
        if status not in _REDIRECTS:
            raise ValueError(f"{int(status)} is not a redirect status code.")
        try:
            return Response(None, status, headers={"location": str(to_url(url))})
        except JsException as error:
            raise to_python_exception(error) from error

    @staticmethod
    def from_json(
        data: Any,
        status: HTTPStatus | int = HTTPStatus.OK,
        status_text: str = "",
        headers: HeadersInput | None = None,
    ) -> Response:
        """A response with a JSON body, `application/json` unless a header says otherwise.

        Args:
            data: A value for `json.dumps`, or a JavaScript value (`JsProxy`), which becomes JSON as JavaScript
                does it.
            status: The status code.
            status_text: The reason beside it.
            headers: A dict or a list of pairs.

        Raises:
            TypeError: The data has no JSON form; a datetime has none.
            ValueError: The status is out of range.
        """
        typed = to_httpx_headers(headers) if headers else httpx.Headers()
        typed.setdefault("content-type", "application/json")
        text = stringify(data) if isinstance(data, JsProxy) else json.dumps(data)
        try:
            return Response(text, status, status_text, typed.multi_items())
        except JsException as error:
            raise to_python_exception(error) from error

    def json(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Read the body as JSON; or, as `Response.json(data, ...)`, the same as `from_json`."""
        if isinstance(self, Response):
            return super().json()
        return Response.from_json(self, *args, **kwargs)


def response_from_httpx(response: httpx.Response, *, redirected: bool = False) -> Response:
    """Make the response that `fetch` gives from one that httpx received.

    Args:
        response: The response, its body read.
        redirected: Whether it was reached through a redirect.
    """
    content = None if response.status_code in _NULL_BODY else response.content
    made = Response(content, headers=response.headers.multi_items())
    made._status, made._status_text = response.status_code, response.reason_phrase
    made._url, made._redirected = str(response.url), redirected
    return made


def _to_status(status: HTTPStatus | int | None, content: bytes | None) -> int:
    code = int(status or HTTPStatus.OK)
    if not 200 <= code <= 599:
        raise JsRangeError("Responses may only be constructed with status codes in the range 200 to 599, inclusive.")
    if content and code in _NULL_BODY:
        raise JsTypeError("Response with null body status (101, 204, 205, or 304) cannot have a body.")
    return code
