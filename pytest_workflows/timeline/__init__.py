"""The run of an instance as text: for failing tests, for errors, and for `--workflows-report`.

Code that turns a run into lines belongs here. The lines are put into pytest's report or on a page by `session`
and `reporting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .run import Run
    from .text import render

__all__ = ["Run", "render"]


def __getattr__(name: str) -> object:
    # The engine is not loaded before a run is there to show.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import run, text

    found: object = getattr(run if name == "Run" else text, name)
    return found
