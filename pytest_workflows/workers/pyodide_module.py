"""Served as `pyodide`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pytest_workflows.javascript.runtime import python_version

from .missing import not_yet

# `import pyodide.ffi` needs a package; the import hook knows where its submodules are.
__path__: list[str] = []

_VERSIONS = {(3, 12): "0.26.0a2", (3, 13): "0.28.2"}
_NEWEST = "314.0.7"
_MODULES = {"ffi": "pyodide_ffi", "http": "pyodide_http", "webloop": "pyodide_webloop"}

__all__ = sorted(("__version__", *_MODULES))


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__package__}.{_MODULES[name]}")
    if name == "__version__":
        return _VERSIONS.get(python_version(), _NEWEST)
    raise not_yet("pyodide", name, __all__)
