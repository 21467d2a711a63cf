"""`workers.fetch`.

Source: workers-runtime-sdk 1.9.5, `workers.fetch`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any
from urllib.parse import urlsplit

from durable_engine import acting_scope, as_coroutine_function, hide_frames, notify_call, untimed
from pytest_workflows.active_test import Caller, caller

from .js_view import is_js_instance
from .outbound import send_by
from .request import Request, to_fetch_options
from .response import Response

__all__ = ["fetch"]

hide_frames(__file__)


def fetch(resource: Request | str, **other_options: Any) -> Coroutine[Any, Any, Response]:
    """Send a request and give the response, following redirects.

    Args:
        resource: A URL, a request or a `js.Request`, whose body is taken.
        **other_options: `method`, `headers`, `body`, `redirect` ("follow" or "manual"), as `Request` takes them, and
            `fetcher`, the function of JavaScript to send it with. Other members of JavaScript's RequestInit are
            accepted and have no effect.

    Raises:
        OSError: The URL or an option is not valid, the connection failed, or there were too many redirects.
        NetworkRefusedError: No mock answered, and the network is not allowed.

    Example:
        >>> response = await fetch("https://api.example.com/orders", method="POST", body="{}")  # doctest: +SKIP
    """
    # A plain function: a task that runs it later would not know any more who called it.
    if acting_scope() is not None and other_options.get("fetcher") is None:
        notify_call(*_service_and_call(resource, other_options), (resource,), other_options)
    return _fetch(resource, other_options, caller())


as_coroutine_function(fetch)


async def _fetch(resource: Any, options: dict[str, Any], called_by: Caller | None) -> Response:
    response: Response = await untimed(_send(resource, options, called_by))
    return response


async def _send(resource: Any, options: dict[str, Any], called_by: Caller | None) -> Response:
    given = {key: value for key, value in options.items() if value is not None}
    fetcher = given.pop("fetcher", None)
    asked = resource.js_object if isinstance(resource, Request) else resource
    return Response(await send_by(fetcher, asked, to_fetch_options(given), called_by))


def _service_and_call(resource: Any, options: Mapping[str, Any]) -> tuple[str, str]:
    """The service and the call, for observers; what is not valid is refused later."""
    is_request = isinstance(resource, Request) or is_js_instance(resource, "Request")
    address, method = (resource.url, str(resource.method)) if is_request else (str(resource), "GET")
    method = str(options.get("method") or method).upper()
    try:
        url = urlsplit(address)
    except ValueError:
        return address, method
    return url.netloc.rpartition("@")[2], f"{method} {url.path or '/'}"
