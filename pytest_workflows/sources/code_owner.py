"""Whose code a file has: ours, a library's, a Worker's, or a test's. Whoever asks that of a frame asks here.

The engine tells its own code, libraries and users apart (`durable_engine.owner_of`). Here stands what a plugin adds to
that: its own folder, and what of a user's code is the Worker's.
"""

from __future__ import annotations

import inspect
import os
import sys
from functools import lru_cache
from types import FunctionType

from durable_engine import Owner, own_folder, owner_of
from durable_engine import is_library as is_library
from durable_engine import is_ours as is_ours
from durable_engine import is_standard as is_standard

# The package's own folder, wherever in it this file lies.
own_folder(sys.modules[__name__.partition(".")[0]].__path__[0])

_FOREIGN_FOLDERS = frozenset({"site-packages", "dist-packages", "node_modules", "python_modules", "tests", "test"})


def file_of_class(cls: type) -> str | None:
    """The file of a class, also where `sys.modules` has another Worker's module by its module's name; None if unknown.

    Args:
        cls: The class.
    """
    start = f"{cls.__qualname__}."
    for value in vars(cls).values():
        function = inspect.unwrap(getattr(value, "__func__", value)) if callable(value) else None
        if isinstance(function, FunctionType) and function.__qualname__.startswith(start):
            file = function.__code__.co_filename
            if not is_generated(file):
                return os.path.realpath(file)
    try:
        return os.path.realpath(inspect.getfile(cls))
    except (TypeError, OSError):
        return None


def is_generated(file: str) -> bool:
    """Whether code comes from no file: what dataclasses, attrs and namedtuple compile."""
    return owner_of(file) is Owner.GENERATED


@lru_cache(maxsize=4096)
def is_workers(folder: str, file: str) -> bool:
    """Whether a file is a Worker's: below the folder of its `main`, and no library's and no test's.

    Args:
        folder: The folder, its links resolved.
        file: The file.
    """
    prefix, real = os.path.join(folder, ""), os.path.realpath(file)
    if not real.startswith(prefix):
        return False
    *folders, name = real[len(prefix) :].split(os.sep)
    is_test = name.startswith(("test_", "conftest")) or name.endswith("_test.py")
    return not is_test and _FOREIGN_FOLDERS.isdisjoint(folders)
