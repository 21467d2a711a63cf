"""The bytes of what a binding is given: at once, or when a stream is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any


def with_bytes(body: Any, use: Callable[[bytes], Any]) -> Any:
    """Do something with bytes at once, or with those of a stream when they are read.

    Args:
        body: Bytes or a stream.
        use: Is given the bytes.

    Returns:
        What `use` gives; a coroutine that gives it where bytes have to be waited for.
    """
    data = body if isinstance(body, bytes) else body._drain()
    return use(data) if isinstance(data, bytes) else _when_read(data, use)


async def _when_read(data: Awaitable[bytes], use: Callable[[bytes], Any]) -> Any:
    return use(await data)
