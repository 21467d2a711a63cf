"""Names of a package that are imported with their first use: a session that uses none of a file does not load it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping


def named_lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """A package's `__getattr__`.

    Args:
        package: The package's name.
        homes: The files of its names, relative to it: `{"load": ".files"}`.
    """

    def __getattr__(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found: object = getattr(importlib.import_module(homes[name], package), name)
        return found

    return __getattr__
