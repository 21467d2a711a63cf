"""The scope of an ASGI connection: what a request says, in the words of the ASGI specification.

Source: workers-runtime-sdk 1.9.5, `workers.asgi`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from . import js_module as js
from .asgi_lifespan import ASGI
from .headers import header_items

__all__ = ["request_to_scope"]


def request_to_scope(req: Any, env: Any, ws: bool = False, state: dict[str, Any] | None = None) -> dict[str, Any]:
    """Make the scope of a request.

    Args:
        req: The request: a `workers.Request` or a `js.Request`.
        env: The bindings, which an application finds under `env`.
        ws: Whether it upgrades to a WebSocket.
        state: What the lifespan left for requests; each gets a shallow copy.
    """
    url = js.URL.new(req.url)
    scope = {
        "asgi": ASGI,
        "headers": [(name.lower().encode(), value.encode()) for name, value in header_items(req)],
        "http_version": "1.1",
        "method": req.method,
        "scheme": url.protocol[:-1],
        "path": unquote(url.pathname),
        "raw_path": url.pathname.encode(),
        "query_string": url.search[1:].encode(),
        "type": "websocket" if ws else "http",
        "env": env,
    }
    if state is not None:
        scope["state"] = dict(state)
    return scope
