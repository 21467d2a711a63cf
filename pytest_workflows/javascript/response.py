"""JavaScript's `Response`."""

from __future__ import annotations

import copy
from http import HTTPStatus
from typing import Any

from durable_engine import jsnull

from .body import Body
from .convert import is_missing, to_integer
from .headers import Headers
from .json_text import stringify
from .objects import js_error, js_text, option
from .request import read_url

NULL_BODY = frozenset({101, 204, 205, 304})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_REASONS |= {
    302: "Found",
    413: "Payload Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Entity",
}


class Response(Body):
    """A response.

    Args:
        body: A text, a buffer, a blob, a form, parameters, a stream; null for none.
        options: `status`, `statusText`, `headers`, `cf`, `webSocket`, `encodeBody`; or another response, of which the
            copy takes these.

    Raises:
        JsException: A RangeError for a status outside of 200 to 599; a TypeError for a body where the status has none.
    """

    def __init__(self, body: Any = None, options: Any = None) -> None:
        status, text = option(options, "status"), option(options, "statusText")
        socket, headers = option(options, "webSocket"), option(options, "headers")
        self._status = 200 if is_missing(status) else to_integer(status)
        self._socket = None if is_missing(socket) else socket
        if self._socket is not None:
            if not is_missing(status) and self._status != 101:
                raise js_error("RangeError", "Responses with a WebSocket must have status code 101.")
            self._status = 101
        elif not (200 <= self._status <= 599 or (self._status == 101 and isinstance(options, Response))):
            raise js_error(
                "RangeError", "Responses may only be constructed with status codes in the range 200 to 599, inclusive."
            )
        self._reason = _REASONS.get(self._status, "") if is_missing(text) or text == "" else js_text(text)
        self._hold(body, Headers(headers))
        if self._status in NULL_BODY and (self._stream is not None or self._content):
            raise js_error("TypeError", "Response with null body status (101, 204, 205, or 304) cannot have a body.")
        if self._status in NULL_BODY:
            self._content = None
        cf, encode = option(options, "cf"), option(options, "encodeBody")
        self._cf = None if is_missing(cf) else cf
        self._encode = "automatic" if is_missing(encode) else js_text(encode)
        self._url, self._is_redirected = "", False

    def _without_default_reason(self) -> Response:
        """The response as it crosses over RPC: a status text that nobody gave does not."""
        crossed = copy.copy(self)
        if crossed._reason == _REASONS.get(crossed._status):
            crossed._reason = ""
        return crossed

    @classmethod
    def _received(
        cls,
        content: Any,
        status: int,
        reason: str,
        headers: Headers,
        url: str = "",
        is_redirected: bool = False,
    ) -> Response:
        """A response that came over the network: any status, content of bytes or a stream."""
        made = cls()
        if isinstance(content, bytes):
            made._hold_bytes(None if status in NULL_BODY else content, headers)
        else:
            made._hold(content, headers)
        made._status, made._reason, made._url, made._is_redirected = status, reason, url, is_redirected
        return made

    @staticmethod
    def _static_json(data: Any = None, options: Any = None) -> Response:
        """A response of JSON; `application/json` unless a header says otherwise.

        Args:
            data: What is written.
            options: As of the constructor.
        """
        text = stringify(data)
        if text is None:
            raise js_error("TypeError", "Value is not JSON serializable")
        made = Response(text, options)
        given = option(options, "headers")
        if is_missing(given) or not Headers(given).has("content-type"):
            made._headers.set("content-type", "application/json")
        return made

    @staticmethod
    def redirect(url: Any, status: Any = None) -> Response:
        """A response that sends the client elsewhere.

        Args:
            url: An absolute URL.
            status: 301, 302, 303, 307 or 308; 302 when left out.
        """
        code = 302 if is_missing(status) else to_integer(status)
        if code not in REDIRECTS:
            raise js_error("RangeError", f"{code} is not a redirect status code.")
        made = Response()
        made._status, made._reason = code, _REASONS[code]
        made._headers.set("location", read_url(js_text(url)))
        return made

    @staticmethod
    def error() -> Response:
        """Refused, as the runtime does."""
        raise js_error("Error", "Response.error() is not implemented")

    @property
    def status(self) -> int:
        """The status code."""
        return self._status

    @property
    def statusText(self) -> str:
        """The reason beside the status code."""
        return self._reason

    @property
    def ok(self) -> bool:
        """Whether the status code is 200 to 299."""
        return 200 <= self._status <= 299

    @property
    def url(self) -> str:
        """Where it came from; empty where it was made."""
        return self._url

    @property
    def redirected(self) -> bool:
        """Whether redirects were followed."""
        return self._is_redirected

    @property
    def type(self) -> str:
        """Always "default"."""
        return "default"

    @property
    def webSocket(self) -> Any:
        """The client's end of a WebSocket; null for none."""
        return jsnull if self._socket is None else self._socket

    @property
    def cf(self) -> Any:
        """What Cloudflare's network says about it."""
        return self._cf

    @property
    def encodeBody(self) -> str:
        """Whether the body is to be compressed: "automatic" or "manual"."""
        return self._encode

    def clone(self) -> Response:
        """A copy with a body of its own."""
        if self._socket is not None:
            raise js_error("TypeError", "Cannot clone a response to a WebSocket handshake.")
        copy = Response.__new__(Response)
        self._copy_body(copy)
        copy._status, copy._reason, copy._url, copy._cf = self._status, self._reason, self._url, self._cf
        copy._is_redirected, copy._socket, copy._encode = self._is_redirected, None, self._encode
        return copy
