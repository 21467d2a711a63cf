"""A recording as a test: the code that `pytest-workflows codegen` prints.

The code and its layout belong here. What the recording means belongs to `recordings`.
"""

from __future__ import annotations

from .module import generate

__all__ = ["generate"]
