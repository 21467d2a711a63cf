"""`workers.FetchResponse`: the reading half of a response."""

from __future__ import annotations

import httpx

from .body import Body


class FetchResponse(Body):
    """A response to be read. What sources meet is its subclass `Response`; this one is for `isinstance` and hints.

    Args:
        headers: The headers.
        content: The body, or None.
        status: The status code.
        status_text: The reason beside the status code.
    """

    def __init__(self, headers: httpx.Headers, content: bytes | None, status: int, status_text: str) -> None:
        super().__init__(headers, content)
        self._status = status
        self._status_text = status_text
        self._url = ""
        self._redirected = False

    @property
    def url(self) -> str:
        """The URL of the response, after redirects; empty for one that was made by hand."""
        return self._url

    @property
    def status(self) -> int:
        """The status code."""
        return self._status

    @property
    def status_text(self) -> str:
        """The reason beside the status code, empty unless given."""
        return self._status_text

    @property
    def ok(self) -> bool:
        """Whether the status code is 200 to 299."""
        return 200 <= self._status <= 299

    @property
    def redirected(self) -> bool:
        """Whether `fetch` followed a redirect on the way."""
        return self._redirected

    def raise_for_status(self) -> None:
        """Raise OSError when the status code says that the request failed (400 to 599)."""
        if 400 <= self._status <= 599:
            side = "Client" if self._status < 500 else "Server"
            raise OSError(f"{self._status} {side} Error: {self._status_text} for url: {self._url}")
