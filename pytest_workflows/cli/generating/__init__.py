"""A recording as a test: the code that `pytest-workflows codegen` prints."""

from __future__ import annotations

from .module import generate

__all__ = ["generate"]
