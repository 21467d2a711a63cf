"""The page's routes: its files, and what they ask."""

from __future__ import annotations

from fastapi import APIRouter, Response

from pytest_workflows.control_plane.served import Served

from .actions import actions_router
from .asking import PageAsker
from .assets import icon, page, script, style
from .by_hand import by_hand_router
from .details import Details
from .instances import instances_router
from .listing import Listing
from .looks import looks_router
from .statistics import statistics_router
from .stores import stores_router

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def make_router(served: Served) -> APIRouter:
    """The page's routes, below `/__workflows`.

    Args:
        served: What it shows.
    """
    router = APIRouter(prefix="/__workflows")
    listing, details = Listing(served.engine), Details(served)

    def file(path: str, text: str, kind: str) -> None:
        async def answer() -> Response:
            return Response(text, media_type=kind, headers=_HEADERS)

        router.add_api_route(path, answer, methods=["GET", "HEAD"], include_in_schema=False)

    for path in ("", "/"):
        file(path, page(), "text/html")
    file("/static/page.js", script(), "text/javascript")
    file("/static/page.css", style(), "text/css")
    file("/static/icon.svg", icon(), "image/svg+xml")
    asker = PageAsker(served)
    for part in (
        looks_router(asker, listing),
        instances_router(asker, details),
        actions_router(asker),
        by_hand_router(asker),
        stores_router(asker),
        statistics_router(asker, details),
    ):
        router.include_router(part, prefix="/api")
    return router
