"""`workers.fetch` and `js.fetch`: requests that leave the Worker, through httpx, where respx and pytest-httpx answer."""

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
from pytest_workflows.javascript.headers import Headers as JsHeaders
from pytest_workflows.javascript.objects import JsArray, JsFunction, js_error
from pytest_workflows.javascript.response import Response as JsResponse

from . import js_module as js
from .js_convert import to_js
from .js_view import is_js_instance
from .network import Refusal, network_allowed, refusing_trace
from .request import Request, to_js_options
from .response import Response

__all__ = ["fetch", "fetch_from", "js_fetch", "send", "send_by"]

_MOST_REDIRECTS = 20

hide_frames(__file__)


# -- workers.fetch -----------------------------------------------------------------------------------------------------


def fetch(resource: Request | str, **other_options: Any) -> Coroutine[Any, Any, Response]:
    """Send a request and give the response, following redirects.

    Args:
        resource: A URL, a request or a `js.Request`, whose body is taken.
        **other_options: `method`, `headers`, `body`, `redirect` ("follow" or "manual"), as `Request` takes them, and
            `fetcher`, the function of JavaScript to send it with. Other members of JavaScript's RequestInit are accepted
            and have no effect.

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


async def fetch_from(fetcher: Any, resource: Any, **other_options: Any) -> Response:
    """Send a request to a binding: `workers.fetch` with `fetcher`.

    Args:
        fetcher: The binding's `fetch`.
        resource: As for `fetch`.
        **other_options: As for `fetch`.
    """
    return await _fetch(resource, {"fetcher": fetcher, **other_options}, caller())


async def _fetch(resource: Any, options: dict[str, Any], called_by: Caller | None) -> Response:
    given = dict(options)
    fetcher = given.pop("fetcher", None)
    asked = resource.js_object if isinstance(resource, Request) else resource
    return Response(await send_by(fetcher, asked, given, called_by))


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
        return await send(js.Request.new(resource, init), called_by)
    except JsException as error:
        raise OSError(error.message) from error


def _to_init(options: dict[str, Any]) -> Any:
    given = {key: value for key, value in options.items() if value is not None}
    return to_js(to_js_options(given), dict_converter=js.Object.fromEntries) if given else None


# -- js.fetch ----------------------------------------------------------------------------------------------------------


async def _fetch_for_javascript(resource: Any = None, init: Any = None) -> Any:
    await suspend_if_stopped()
    return await send(js.Request.new(resource, init), caller())


js_fetch = JsFunction(_fetch_for_javascript, "fetch", is_promised=True, most=2)
"""The global `fetch` of JavaScript."""


# -- the network -------------------------------------------------------------------------------------------------------


async def send(request: Any, called_by: Caller | None = None, refusal: Refusal | None = None) -> Any:
    """Send a request through httpx, where the mocks of a test are.

    Args:
        request: A `js.Request`, whose body is taken.
        called_by: The caller, for the report of a refusal.
        refusal: Makes the error where the network is not allowed; that of `workers.fetch` by default.

    Returns:
        The `js.Response`.

    Raises:
        JsException: The URL's scheme is none of the web's.
        OSError: The connection failed, or there were too many redirects.
        NetworkRefusedError: No mock answered, and the network is not allowed.
    """
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
