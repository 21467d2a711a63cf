"""JavaScript's `fetch`: requests that leave the Worker, through httpx, where respx and pytest-httpx answer."""

from __future__ import annotations

import functools
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from durable_engine import JsException, count_subrequest, hide_frames, suspend_if_stopped, untimed
from pytest_workflows.active_test import Caller, caller
from pytest_workflows.javascript.globals import find_global
from pytest_workflows.javascript.headers import Headers as JsHeaders
from pytest_workflows.javascript.objects import JsArray, JsFunction, js_error
from pytest_workflows.javascript.request import Request as JsRequest
from pytest_workflows.javascript.response import Response as JsResponse

from .js_convert import to_js
from .network import Refusal, network_allowed, refusing_trace

__all__ = ["js_fetch", "send", "send_by"]

_MOST_REDIRECTS = 20

hide_frames(__file__)


async def send_by(fetcher: Any, resource: Any, options: dict[str, Any], called_by: Caller | None = None) -> Any:
    """Send a request as `pyodide.http.pyfetch` does: what JavaScript throws is an OSError.

    Args:
        fetcher: A function of JavaScript such as a binding's `fetch`; the network by default.
        resource: A URL or a `js.Request`.
        options: The members of RequestInit, as Python values.
        called_by: The caller, where it is not the running code.

    Returns:
        The `js.Response`.
    """
    await suspend_if_stopped()
    try:
        init = _to_init(options)
        if fetcher is not None:
            return await (fetcher(resource) if init is None else fetcher(resource, init))
        return await send(JsRequest(resource, init), called_by)
    except JsException as error:
        raise OSError(error.message) from error


def _to_init(options: dict[str, Any]) -> Any:
    given = {key: value for key, value in options.items() if value is not None}
    return to_js(given, dict_converter=find_global("Object").fromEntries) if given else None


async def _fetch_for_javascript(resource: Any = None, init: Any = None) -> Any:
    await suspend_if_stopped()
    return await send(JsRequest(resource, init), caller())


js_fetch = JsFunction(_fetch_for_javascript, "fetch", is_promised=True, most=2)
"""The global `fetch` of JavaScript."""


async def send(request: Any, called_by: Caller | None = None, refusal: Refusal | None = None) -> Any:
    """Send a request through httpx, where the mocks of a test are.

    Args:
        request: A `js.Request`, whose body is taken.
        called_by: The caller, for the report of a refusal.
        refusal: Makes the error where the network is not allowed; that of `workers.fetch` by default.

    Returns:
        The `js.Response`.

    Raises:
        JsException: The URL's scheme is none of the web's, or the Worker may make no further request.
        OSError: The connection failed, or there were too many redirects.
        NetworkRefusedError: No mock answered, and the network is not allowed.
    """
    return await untimed(_send(request, called_by, refusal))


async def _send(request: Any, called_by: Caller | None, refusal: Refusal | None) -> Any:
    if not request.url.startswith(("http:", "https:")):
        raise js_error("TypeError", f"Fetch API cannot load: {request.url}")
    body = (await request.arrayBuffer()).to_bytes() if request.body else None
    outgoing = httpx.Request(request.method, request.url, headers=list(request.headers), content=body)
    try:
        async with _client() as client:
            follows = request.redirect == "follow"
            received, is_redirected = await _follow(client, outgoing, called_by, refusal, follows=follows)
    except httpx.TransportError as error:
        # pytest-httpx reports a request that nothing answers as one of these too: its text goes on unchanged.
        raise OSError(str(error) or "Network connection lost.") from error
    return JsResponse._received(
        received.content,
        received.status_code,
        received.reason_phrase,
        JsHeaders(JsArray([JsArray(list(pair)) for pair in received.headers.multi_items()])),
        str(received.url),
        is_redirected,
    )


async def _follow(
    client: httpx.AsyncClient,
    request: httpx.Request,
    called_by: Caller | None,
    refusal: Refusal | None,
    *,
    follows: bool,
) -> tuple[httpx.Response, bool]:
    for hop in range(_MOST_REDIRECTS + 1):
        if not network_allowed():
            trace = refusing_trace(request.method, str(request.url), called_by, refusal)
            request.extensions = {**request.extensions, "trace": trace}
        refused = count_subrequest("fetch")  # each hop is one
        if refused is not None:
            raise refused
        received = await client.send(request, follow_redirects=False)
        if not follows or received.next_request is None:
            return received, hop > 0
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
