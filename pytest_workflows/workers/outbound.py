"""`workers.fetch`: requests that leave the Worker, through httpx, where respx and pytest-httpx can answer them."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Coroutine, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx

from durable_engine import (
    JsException,
    acting_scope,
    as_coroutine_function,
    hide_frames,
    notify_call,
    suspend_if_stopped,
)
from pytest_workflows.active_test import Caller, caller

from .js_errors import JsTypeError
from .network import network_allowed, refusing_trace
from .request import Request, request_to_httpx
from .response import Response, response_from_httpx

_MOST_REDIRECTS = 20

hide_frames(__file__)


def fetch(resource: Request | str, **options: Any) -> Coroutine[Any, Any, Response]:
    """Send a request and give the response, following redirects.

    Args:
        resource: A URL or a request, whose body is taken.
        **options: `method`, `headers`, `body`, `redirect` ("follow" or "manual"), as `Request` takes them.
            Other members of JavaScript's RequestInit are accepted and have no effect.

    Raises:
        OSError: The URL or an option is not valid, the connection failed, or there were too many redirects.
        NetworkRefusedError: No mock answered, and the network is not allowed.

    Example:
        >>> response = await fetch("https://api.example.com/orders", method="POST", body="{}")  # doctest: +SKIP
    """
    # A plain function: a task that runs it later would not know any more who called it.
    if acting_scope() is not None:
        notify_call(*_service_and_call(resource, options), (resource,), options)
    return _fetch(resource, options, caller())


as_coroutine_function(fetch)


def _service_and_call(resource: Request | str, options: Mapping[str, Any]) -> tuple[str, str]:
    """The service and the call, for observers; what is not valid is refused later."""
    address, method = (resource.url, resource.method) if isinstance(resource, Request) else (str(resource), "GET")
    method = str(options.get("method") or method).upper()
    try:
        url = urlsplit(address)
    except ValueError:
        return address, method
    return url.netloc.rpartition("@")[2], f"{method} {url.path or '/'}"


async def _fetch(resource: Request | str, options: dict[str, Any], called_by: Caller | None) -> Response:
    await suspend_if_stopped()
    if options.get("headers", ...) is None:
        del options["headers"]
    try:
        request = Request(resource, **options)
        outgoing = request_to_httpx(request)
        if outgoing.url.scheme not in ("http", "https"):
            raise JsTypeError(f"Fetch API cannot load: {request.url}")
        async with _client() as client:
            return await _send(client, outgoing, called_by, follow=request.redirect == "follow")
    except JsException as error:
        raise OSError(error.message) from error
    except httpx.TransportError as error:
        # pytest-httpx reports a request that nothing answers as one of these too: its text goes on unchanged.
        raise OSError(str(error) or "Network connection lost.") from error


async def _send(
    client: httpx.AsyncClient, request: httpx.Request, called_by: Caller | None, *, follow: bool
) -> Response:
    for hop in range(_MOST_REDIRECTS + 1):
        if not network_allowed():
            trace = refusing_trace(request.method, str(request.url), called_by)
            request.extensions = {**request.extensions, "trace": trace}
        received = await client.send(request, follow_redirects=False)
        if not follow or received.next_request is None:
            return response_from_httpx(received, redirected=hop > 0)
        request = received.next_request
    raise OSError("Too many redirects.")


def _client() -> httpx.AsyncClient:
    """A client for one call: it belongs to whatever event loop is running and leaves nothing open behind it."""
    allowed = network_allowed()
    return httpx.AsyncClient(
        # Certificates take 20 ms to load, for connections that are refused anyway.
        verify=_trusting_context() if allowed else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        trust_env=allowed,
        timeout=None,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a Worker keeps no cookies
    )


@functools.cache
def _trusting_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()
