"""A workflow's steps in its source, read without running it: which there are, and which may follow which."""

from __future__ import annotations

from .finder import find_class_steps, find_steps
from .model import START, SourceStep, SourceWorkflow
from .names import StepName, family

__all__ = ["START", "SourceStep", "SourceWorkflow", "StepName", "family", "find_class_steps", "find_steps"]
