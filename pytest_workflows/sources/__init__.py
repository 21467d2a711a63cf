"""A Worker's sources, read without running them: whose code a file has, which steps there are, and what stands where.

What is found in files and in frames belongs here. What is made of it, a finding, a graph or a report, belongs to
`rules` and `reporting`; how sources are imported, to `project`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflows.lazy_names import named_lazily

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

__getattr__ = named_lazily(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
