"""The graph of a workflow's steps in the platform's form, from its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .directory import Listed
    from .served import Served


def graph_of(served: Served, listed: Listed) -> dict[str, Any] | None:
    """The graph; None where the source does not show one.

    Args:
        served: What is served.
        listed: The workflow.
    """
    return None
