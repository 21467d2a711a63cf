"""The page to steer by: static files, and the endpoints that it asks.

What is shown and steered belongs here. The platform's API, and what it says of an instance, does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

if TYPE_CHECKING:
    from pytest_workflows.control_plane.served import Served


def page_router(served: Served) -> APIRouter:
    """The page's routes, below `/__workflows`.

    Args:
        served: What it shows.
    """
    return APIRouter()
