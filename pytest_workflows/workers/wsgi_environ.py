"""The environ of a WSGI application: what a request says, in the words of PEP 3333.

Source: workers-runtime-sdk 1.9.5, `workers.wsgi`.
"""

from __future__ import annotations

import io
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

from .headers import header_items

__all__ = ["build_environ"]

_DEFAULT_PORTS = {"https": "443"}
_OWN_NAMES = ("CONTENT_TYPE", "CONTENT_LENGTH")
"""The headers that have no prefix."""


def build_environ(req: Any, env: Any, body: Any) -> dict[str, Any]:
    """Make the environ of a request.

    Args:
        req: The request: a `workers.Request` or a `js.Request`.
        env: The bindings, which an application finds under `workers.env`.
        body: The request's body: bytes, or a file.

    Raises:
        ValueError: The request's URL is not absolute.
    """
    url = urlsplit(req.url)
    if not url.scheme:
        raise ValueError(f"Request URL is not absolute: {req.url!r}")
    is_whole = isinstance(body, bytes | bytearray)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": str(getattr(req.method, "value", req.method)),
        "SCRIPT_NAME": "",
        # Bytes in a str, as PEP 3333 has it: each character is a byte of the path.
        "PATH_INFO": unquote(url.path or "/").encode().decode("latin-1"),
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port) if url.port else _DEFAULT_PORTS.get(url.scheme, "80"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": url.scheme,
        "wsgi.input": io.BytesIO(body) if is_whole else body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "workers.env": env,
    }
    for header, value in header_items(req):
        name = header.upper().replace("-", "_")
        if name in _OWN_NAMES:
            environ[name] = value
            continue
        before = environ.get(f"HTTP_{name}")
        environ[f"HTTP_{name}"] = value if before is None else f"{before},{value}"
    if is_whole and body:
        environ.setdefault("CONTENT_LENGTH", str(len(body)))
    return environ
