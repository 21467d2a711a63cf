"""Served as `workers.gateway`: what the ASGI and the WSGI adapter have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

__all__ = ["BaseOptions", "EncodeBody"]

EncodeBody = Literal["automatic", "manual"]

NULL_BODY_STATUSES = frozenset({101, 103, 204, 205, 304})
"""The statuses whose responses have no body, whatever the application sends."""


@dataclass(frozen=True, kw_only=True)
class BaseOptions:
    """The options of an adapter.

    Args:
        encode_body: Whether the platform encodes the body as the header Content-Encoding says ("automatic"), or the
            application has done so ("manual").

    Raises:
        ValueError: `encode_body` is neither.
    """

    encode_body: EncodeBody = "automatic"

    def __post_init__(self) -> None:
        allowed = get_args(EncodeBody)
        if self.encode_body not in allowed:
            raise ValueError(f"encode_body must be one of {allowed}, got {self.encode_body!r}")

    def response_init(self) -> dict[str, Any]:
        """What the options add to the keywords of `js.Response.new`."""
        return {} if self.encode_body == "automatic" else {"encodeBody": self.encode_body}
