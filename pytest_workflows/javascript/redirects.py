"""Redirects, as the runtime follows them for `fetch` on a service binding, a stub or the assets.

Source: the Fetch standard; workerd 1.20261117.1.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .headers import Headers
from .objects import JsPlain, js_error
from .request import Request, read_url
from .response import REDIRECTS, Response

_MOST = 20
_ONE_TIME = (
    "A request with a one-time-use body (it was initialized from a stream, not a buffer) encountered a redirect "
    "requiring the body to be retransmitted. To avoid this error in the future, construct this request from a "
    "buffer-like body initializer."
)


async def follow(answer: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
    """Send a request, and again to wherever its response says, unless the request wants to see redirects itself.

    Args:
        answer: Sends a request and gives its response. The request that it gets is its own: `redirect` is "manual".
        request: The request.

    Returns:
        The last response; `url` and `redirected` say how it was come by.

    Raises:
        JsException: There were too many redirects, or a body had to be sent again that was a stream.
    """
    follows, content, was_stream = request._redirect == "follow", request._content, request._stream is not None
    sent = Request(request, JsPlain({"redirect": "manual"}))
    for hop in range(_MOST + 1):
        response = await answer(sent)
        response._url, response._is_redirected = sent._url.partition("#")[0], hop > 0
        target = response._headers._first("location")
        if not follows or response._status not in REDIRECTS or target is None:
            return response
        keeps = response._status in (307, 308) or sent._method in ("GET", "HEAD")
        keeps = keeps or (response._status in (301, 302) and sent._method != "POST")
        if keeps and was_stream:
            raise js_error("TypeError", _ONE_TIME)
        sent = _next(sent, target, content if keeps else None, keeps=keeps)
    raise js_error("Error", "Too many redirects.")


def _next(request: Request, target: str, content: bytes | None, *, keeps: bool) -> Request:
    url = read_url(target, request._url)
    headers = Headers(request._headers)
    if not keeps:
        for name in ("content-type", "content-length", "content-encoding"):
            headers.delete(name)
    made = Request(url, JsPlain({"method": request._method if keeps else "GET", "redirect": "manual"}))
    made._hold_bytes(content, headers)
    return made
