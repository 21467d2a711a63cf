"""Served as `pyodide`."""

from __future__ import annotations

from typing import NoReturn

from . import pyodide_ffi as ffi
from . import pyodide_webloop as webloop
from .missing import not_yet

__all__ = ["ffi", "webloop"]

# `import pyodide.ffi` needs a package; the import hook knows where its submodules are.
__path__: list[str] = []


def __getattr__(name: str) -> NoReturn:
    raise not_yet("pyodide", name, __all__)
