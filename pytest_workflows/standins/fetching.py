"""`fetch` on a service binding and on the stub of a Durable Object: a request that another entrypoint answers.

Source: workerd 1.20261117.1, observed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from durable_engine import JsException, hide_frames
from pytest_workflows.javascript.objects import JsPlain, JsPromise, js_error
from pytest_workflows.javascript.request import Request

from .crossing import call_python, send
from .js_arguments import is_of_class, not_of_type

if TYPE_CHECKING:
    from .host import Host

hide_frames(__file__)

_NO_RESPONSE: Final = "Incorrect type for Promise: the Promise did not resolve to 'Response'."
_NO_HANDLER: Final = "Handler does not export a fetch() function."


def fetch(
    host: Host,
    answer: Callable[[Request], Awaitable[Any]],
    args: Sequence[Any],
    what: str,
    *,
    explain: Callable[[JsException], None] = lambda _: None,
) -> JsPromise:
    """Send a request.

    Args:
        host: The test.
        answer: Answers it.
        args: What `fetch` was called with, values of JavaScript.
        what: Names the handler at the start of a sentence.
        explain: Adds to an error what the receiver's kind adds.
    """
    try:
        request = _request(args)
    except JsException as error:
        return JsPromise.rejected(error)

    async def receive(_: list[Any]) -> Any:
        response = await answer(request)
        if not is_of_class(response, "Response"):
            raise js_error("TypeError", _NO_RESPONSE)
        response._url = request._url
        return response

    return send(host, receive, (), what, explain=explain, is_fetch=True)


def _request(args: Sequence[Any]) -> Request:
    if not args or args[0] is None:
        raise not_of_type("fetch", "Fetcher", 1, "Request or string")
    given = Request(args[0], args[1] if len(args) > 1 else None)
    request = Request(given, JsPlain({"redirect": "manual"}))
    request._url = request._url.partition("#")[0]
    if request._content is not None:
        request._headers.set("content-length", str(len(request._content)))
    return request


async def call_fetch(host: Host, entrypoint: Any, request: Request) -> Any:
    """Call the fetch handler of an entrypoint.

    Args:
        host: The test.
        entrypoint: The entrypoint or object.
        request: The request.

    Returns:
        A value of JavaScript: a `Response`, where the handler is right.

    Raises:
        JsException: If there is no such handler.
    """
    handler = getattr(entrypoint, "fetch", None)
    if handler is None:
        raise js_error("Error", _NO_HANDLER)
    return await call_python(host, handler, [request], takes_fewer=True)


__all__ = ["call_fetch", "fetch"]
