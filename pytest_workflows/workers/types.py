"""Served as `workers.types`: names that sources use in type hints.

Source: workers-runtime-sdk 1.9.5, `workers.types`.
"""

from __future__ import annotations

from collections.abc import Awaitable
from http import HTTPMethod
from typing import Any, Protocol, TypeAlias, TypedDict

__all__ = ["Body", "Context", "FetchKwargs", "Headers", "JSBody", "RequestInitCfProperties"]

JSBody: TypeAlias = "js.Blob | JsBuffer | js.FormData | js.ReadableStream | js.URLSearchParams"  # type: ignore[name-defined] # noqa: F821
Body: TypeAlias = "str | FormData | JSBody"  # type: ignore[name-defined] # noqa: F821
Headers: TypeAlias = "dict[str, str] | list[tuple[str, str]] | js.Headers"  # type: ignore[name-defined] # noqa: F821


class Context(Protocol):
    """The `ctx` of a handler."""

    def waitUntil(self, other: Awaitable[Any]) -> None:
        """Let work run on after the response was returned."""


class RequestInitCfProperties(TypedDict, total=False):
    """The `cf` of a request that `fetch` sends."""

    apps: bool | None
    cacheEverything: bool | None
    cacheKey: str | None
    cacheTags: list[str] | None
    cacheTtl: int
    cacheTtlByStatus: dict[str, int]
    image: Any | None
    mirage: bool | None
    polish: str | None
    resolveOverride: str | None
    scrapeShield: bool | None
    webp: bool | None


class FetchKwargs(TypedDict, total=False):
    """The options of `fetch` and `Request`."""

    headers: Any
    body: Any
    method: HTTPMethod | None
    redirect: str | None
    cf: RequestInitCfProperties | None
    fetcher: Any
