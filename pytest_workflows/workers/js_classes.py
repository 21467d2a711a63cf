"""JavaScript's globals for the SDK's modules, imported when they are first named."""

from __future__ import annotations

from typing import Any

from pytest_workflows.javascript.globals import NAMES, find_global


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return find_global(name)
