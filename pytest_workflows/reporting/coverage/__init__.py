"""Step coverage: which steps of which workflows the tests reached, and in what ways.

What is counted, and its forms for people and machines, belongs here. Which steps a source has is found by `sources`;
the options and the threshold belong to `session`.
"""

from __future__ import annotations

from .measure import known_by, measure, relative, sources_of, what_happened
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
    "relative",
    "show",
    "sources_of",
    "what_happened",
]
