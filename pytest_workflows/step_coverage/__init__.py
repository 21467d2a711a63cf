"""Step coverage: which steps of which workflows the tests reached, and in what ways."""

from __future__ import annotations

from .measure import KnownWorkflow, measure, sources_of
from .model import Coverage, StepCoverage, WorkflowCoverage
from .reports import dump, show

__all__ = [
    "Coverage",
    "KnownWorkflow",
    "StepCoverage",
    "WorkflowCoverage",
    "dump",
    "measure",
    "show",
    "sources_of",
]
