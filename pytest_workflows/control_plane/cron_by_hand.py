"""Cron triggers by hand, at the addresses that the vendor's tools have for them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from .answers import FiredCron
from .asking import Asker
from .routes import failures
from .served import Fired

_PATHS = ("/cdn-cgi/local/scheduled", "/cdn-cgi/handler/scheduled")


def cron_router(asker: Asker) -> APIRouter:
    """The routes that fire a cron trigger.

    Args:
        asker: Asks what is served.
    """
    router = APIRouter(tags=["cron"])

    async def fire(
        cron: Annotated[str, Query(description="The cron expression, as the configuration has it.")] = "",
        time: Annotated[
            int | None, Query(ge=0, description="When it was due, in milliseconds; now by default.")
        ] = None,
        format: Annotated[Literal["json", "text"], Query(description="`json` for an object.")] = "text",
    ) -> Response:
        """Fire a cron trigger: its workflows are started, and the scheduled handler is called."""
        served = asker.served

        async def call() -> Fired:
            return await served.scheduled(cron, served.engine.clock.now_ms if time is None else time)

        fired = await asker.ask(call, is_long=True)
        status = 200 if fired.outcome == "ok" else 500
        if format == "json":
            return JSONResponse({"outcome": fired.outcome, "noRetry": fired.no_retry}, status)
        return PlainTextResponse(fired.outcome, status)

    answered: dict[int | str, dict[str, Any]] = {
        200: {"model": FiredCron, "content": {"text/plain": {"schema": {"type": "string"}}}},
        500: {
            "description": "The handler raised an exception: `exception`, or the object.",
            "content": {"text/plain": {"schema": {"type": "string"}}, "application/json": {"schema": {}}},
        },
    }
    for path in _PATHS:
        for method in ("GET", "POST"):
            router.add_api_route(
                path,
                fire,
                methods=[method],
                responses={**failures(), **answered},
                summary="Fire a cron trigger",
                operation_id=f"fire_cron_{method.lower()}_{path.split('/')[2]}",
                response_class=Response,
            )
    return router
