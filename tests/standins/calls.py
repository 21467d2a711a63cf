"""Calls of bindings by tests that are no coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from durable_engine import JsException


def get(call: Awaitable[Any]) -> Any:
    """What a call gives."""

    async def run() -> Any:
        return await call

    return asyncio.run(run())


def error_of(call: Awaitable[Any]) -> str:
    """The text of the error with which a call fails."""
    with pytest.raises(JsException) as caught:
        get(call)
    return str(caught.value)
