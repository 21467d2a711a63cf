"""The page to steer by: its files, and the endpoints that it asks.

What a person sees and presses belongs here. What the platform's own API answers belongs to `control_plane` itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter

    from pytest_workflows.control_plane.served import Served


def page_router(served: Served) -> APIRouter:
    """The page's routes, below `/__workflows`. From now on it follows what happens on the engine.

    Args:
        served: What it shows.
    """
    from .router import make_router

    return make_router(served)
