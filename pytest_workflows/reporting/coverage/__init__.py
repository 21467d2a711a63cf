"""Step coverage: which steps of which workflows the tests reached, and in what ways."""

from __future__ import annotations

from .measure import known_by, measure, sources_of, what_happened
from .model import Coverage, KnownWorkflow, StepCoverage, WorkflowCoverage
from .reports import dump, percent, show

__all__ = [
    "Coverage",
    "KnownWorkflow",
    "StepCoverage",
    "WorkflowCoverage",
    "dump",
    "known_by",
    "measure",
    "percent",
    "show",
    "sources_of",
    "what_happened",
]
