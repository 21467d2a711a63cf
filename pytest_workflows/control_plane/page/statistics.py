"""The numbers as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Response

from pytest_workflows.control_plane.answers import Envelope
from pytest_workflows.control_plane.json_answers import answer_with
from pytest_workflows.control_plane.numbers import By, Census, Counted, numbers_of
from pytest_workflows.control_plane.routes import failures

from .asking import PageAsker
from .details import Details


def statistics_router(asker: PageAsker, details: Details) -> APIRouter:
    """The endpoint of the numbers.

    Args:
        asker: Asks what is counted.
        details: Knows real durations.
    """
    router = APIRouter(responses=failures())
    served = asker.served
    census = Census(served.engine, details.wall_ms)

    @router.get("/numbers", operation_id="page_numbers", response_model=Envelope[dict[str, Any]])
    async def numbers(by: By = "day") -> Response:
        """Instances by status and by day, wall and virtual time, retries, the slowest steps."""

        async def count() -> tuple[list[Counted], int]:
            return await census.count(), served.engine.clock.now_ms

        counted, now = await asker.ask(count, is_long=True, is_reading=True)
        return await asker.made(lambda: answer_with(Envelope(result=msgspec.to_builtins(numbers_of(counted, by, now)))))

    return router
