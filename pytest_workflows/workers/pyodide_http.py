"""Served as `pyodide.http`: `pyfetch`, and the response that it gives.

Source: Pyodide 314.0.7, `pyodide.http`.
"""

from __future__ import annotations

import builtins
import json
from typing import Any, NoReturn

from durable_engine import JsException

from .missing import not_yet

__all__ = ["AbortError", "BodyUsedError", "FetchResponse", "HttpStatusError", "pyfetch"]

# Not a package; but only for one does `from pyodide.http import X` ask the import hook, which can say why there is
# no X.
__path__: list[str] = []


class HttpStatusError(OSError):
    """A response whose status says that the request failed.

    Args:
        status: The status code.
        status_text: The reason beside it.
        url: The URL.
    """

    def __init__(self, status: int, status_text: str, url: str) -> None:
        self.status, self.status_text, self.url = status, status_text, url
        side = "Client" if status < 500 else "Server"
        super().__init__(f"{status} {side} Error: {status_text} for url: {url}")


class BodyUsedError(OSError):
    """The body was read before."""

    def __init__(self, *args: Any) -> None:
        super().__init__("Response body is already used")


class AbortError(OSError):
    """The request was aborted.

    Args:
        reason: The reason, or the error that says so.
    """

    def __init__(self, reason: Any = None) -> None:
        super().__init__(reason.message if isinstance(reason, JsException) else reason)


class FetchResponse:
    """A response to be read.

    Args:
        url: The URL that was asked for.
        js_response: The `js.Response`.
        abort_controller: Aborts the request.
        abort_signal: Tells that it was aborted.
    """

    js_response: Any

    def __init__(self, url: str, js_response: Any, abort_controller: Any = None, abort_signal: Any = None) -> None:
        self._url = url
        self.js_response = js_response
        self.abort_controller = abort_controller
        self.abort_signal = abort_signal

    @property
    def body_used(self) -> bool:
        """Whether the body was read."""
        return self.js_response.bodyUsed  # type: ignore[no-any-return]

    @property
    def headers(self) -> dict[str, str]:
        """The headers."""
        return dict(self.js_response.headers)

    @property
    def ok(self) -> bool:
        """Whether the status code is 200 to 299."""
        return self.js_response.ok  # type: ignore[no-any-return]

    @property
    def redirected(self) -> bool:
        """Whether a redirect was followed on the way."""
        return self.js_response.redirected  # type: ignore[no-any-return]

    @property
    def status(self) -> int:
        """The status code."""
        return self.js_response.status  # type: ignore[no-any-return]

    @property
    def status_text(self) -> str:
        """The reason beside the status code."""
        return self.js_response.statusText  # type: ignore[no-any-return]

    @property
    def type(self) -> str:
        """The kind of response: `"default"` for any that a Worker meets."""
        return self.js_response.type  # type: ignore[no-any-return]

    @property
    def url(self) -> str:
        """The URL of the response, after redirects; empty for one that was made by hand."""
        return self.js_response.url  # type: ignore[no-any-return]

    def _raise_if_failed(self) -> None:
        if self.abort_signal is not None and self.abort_signal.aborted:
            raise AbortError(self.abort_signal.reason)
        if self.js_response.bodyUsed:
            raise BodyUsedError

    def raise_for_status(self) -> None:
        """Raise HttpStatusError, an OSError, when the status code says that the request failed (400 to 599)."""
        if 400 <= self.status < 600:
            raise HttpStatusError(self.status, self.status_text, self.url)

    def clone(self) -> FetchResponse:
        """A copy with a body of its own. Raises BodyUsedError when the body was read before."""
        if self.js_response.bodyUsed:
            raise BodyUsedError
        return FetchResponse(self._url, self.js_response.clone(), self.abort_controller, self.abort_signal)

    async def buffer(self) -> Any:
        """The content, as an ArrayBuffer. Raises BodyUsedError when it was read before."""
        self._raise_if_failed()
        return await self.js_response.arrayBuffer()

    async def text(self) -> str:
        """The content as text, decoded as UTF-8. Raises BodyUsedError when it was read before."""
        self._raise_if_failed()
        return await self.js_response.text()  # type: ignore[no-any-return]

    async def string(self) -> str:
        """The content as text: the older name of `text`."""
        return await self.text()

    async def json(self, **kwargs: Any) -> Any:
        """The content as JSON. Raises BodyUsedError when it was read before.

        Args:
            **kwargs: Passed on to `json.loads`.
        """
        return json.loads(await self.text(), **kwargs)

    async def bytes(self) -> builtins.bytes:
        """The content. Raises BodyUsedError when it was read before."""
        return (await self.buffer()).to_bytes()  # type: ignore[no-any-return]

    async def memoryview(self) -> builtins.memoryview:
        """The content, as a view that can be written to. Raises BodyUsedError when it was read before."""
        return (await self.buffer()).to_py()  # type: ignore[no-any-return]

    def abort(self, reason: Any = None) -> None:
        """Abort the request.

        Args:
            reason: Why.
        """
        if self.abort_controller is None:
            raise ValueError("abort_controller is not set")
        self.abort_controller.abort(reason)


async def pyfetch(request: Any, /, *, fetcher: Any = None, **options: Any) -> FetchResponse:
    """Send a request by JavaScript's `fetch`.

    Args:
        request: A URL or a `js.Request`.
        fetcher: The function of JavaScript to send it with; `js.fetch` by default.
        **options: The members of JavaScript's RequestInit.

    Raises:
        OSError: The request could not be sent.
    """
    from .outbound import send_by  # httpx is for those who send requests

    return FetchResponse(str(request), await send_by(fetcher, request, options))


for _class in (AbortError, BodyUsedError, FetchResponse, HttpStatusError):
    _class.__module__ = "pyodide.http"


def __getattr__(name: str) -> NoReturn:
    raise not_yet("pyodide.http", name, __all__)
