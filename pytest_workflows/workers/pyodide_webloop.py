"""Served as `pyodide.webloop`."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from .missing import not_yet

__all__ = ["WebLoop"]

# Not a package; but only for one does `from pyodide.webloop import X` ask the import hook, which can say why there is
# no X.
__path__: list[str] = []


class WebLoop(asyncio.AbstractEventLoop):
    """The platform's event loop, for sources that patch it; here asyncio's own runs."""


def __getattr__(name: str) -> NoReturn:
    raise not_yet("pyodide.webloop", name, __all__)
