"""A Worker's sources, read without running them: whose code a file has, which steps there are, and what stands where.

What is found in files and in frames belongs here. What is made of it, a finding, a graph or a report, belongs to
`rules` and `reporting`; how sources are imported, to `project`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .finder import find_class_steps, find_steps
    from .model import START, SourceStep, SourceWorkflow
    from .names import StepName, family

__all__ = ["START", "SourceStep", "SourceWorkflow", "StepName", "family", "find_class_steps", "find_steps"]

_HOMES = {
    "find_class_steps": ".finder",
    "find_steps": ".finder",
    "START": ".model",
    "SourceStep": ".model",
    "SourceWorkflow": ".model",
    "StepName": ".names",
    "family": ".names",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(_HOMES[name], __name__), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
