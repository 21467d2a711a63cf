"""The numbers as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter

from pytest_workflows.control_plane.numbers import By, Census, Counted, numbers_of
from pytest_workflows.control_plane.served import Served, on_loop

from .details import Details
from .models import Answer


def statistics_router(served: Served, details: Details) -> APIRouter:
    """The endpoint of the numbers.

    Args:
        served: What is counted.
        details: Knows real durations.
    """
    router = APIRouter()
    census = Census(served.engine, details.wall_ms)

    @router.get("/numbers", operation_id="page_numbers")
    async def numbers(by: By = "day") -> Answer[dict[str, Any]]:
        """Instances by status and by day, wall and virtual time, retries, the slowest steps."""

        async def count() -> tuple[list[Counted], int]:
            return await census.count(), served.engine.clock.now_ms

        counted, now = await on_loop(served, count)
        return Answer(result=msgspec.to_builtins(numbers_of(counted, by, now)))

    return router
