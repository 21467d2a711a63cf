"""Which implementation of WebSockets the HTTP server takes."""

from __future__ import annotations

from typing import Any


def implementation() -> Any:
    """That which is not about to go, where this uvicorn has it: from 0.35 on."""
    from uvicorn.config import WS_PROTOCOLS

    return "websockets-sansio" if "websockets-sansio" in WS_PROTOCOLS else "auto"
