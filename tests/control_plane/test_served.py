"""Answers of what is served wait for the disk, be they errors."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from durable_engine import EngineClosedError, EngineError, JsException, StoreError
from pytest_workflows.control_plane.served import on_loop


@pytest.mark.parametrize(
    ("error", "is_stored"),
    [
        (None, True),
        (JsException("Error", "instance.already_exists"), True),
        (EngineError("the instance has ended"), True),
        (StoreError("the disk is full"), False),
        (EngineClosedError("closed"), False),
    ],
)
async def test_an_answer_waits_until_everything_is_on_disk_and_so_does_an_error_that_tells_of_it(
    error: Exception | None, is_stored: bool
) -> None:
    waits: list[str] = []

    async def stored() -> None:
        waits.append("stored")

    async def ask() -> str:
        if error is not None:
            raise error
        return "found"

    served: Any = SimpleNamespace(
        loop=asyncio.get_running_loop(), engine=SimpleNamespace(store=SimpleNamespace(stored=stored))
    )
    if error is None:
        assert await on_loop(served, ask) == "found"
    else:
        with pytest.raises(type(error)):
            await on_loop(served, ask)
    assert waits == ["stored"] * is_stored
