"""Where an imported module lies: in the file that this machine's import system would take."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path


def files_of(module: str, names: Sequence[str] = (), folder: Path | None = None) -> list[str]:
    """The files of an import statement.

    A module of a package that has a file of its own is looked up no further: the package says whose it is. What is
    imported from a namespace package is one by one.

    Args:
        module: The absolute name of the module.
        names: What is imported from it.
        folder: The folder that is searched in place of `sys.path`.

    Returns:
        Nothing where there is no such module, or it comes from no file: an object that a test has put in its place.
    """
    top, *rest = module.split(".")
    spec = _top_spec(top) if folder is None else PathFinder.find_spec(top, [str(folder)])
    while spec is not None and not spec.has_location and spec.submodule_search_locations is not None:
        if not rest:
            found = (_below(spec, name) for name in names)
            return [one.origin for one in found if one is not None and one.has_location and one.origin]
        spec = _below(spec, rest.pop(0))
    return [spec.origin] if spec is not None and spec.has_location and spec.origin else []


def _below(package: ModuleSpec, name: str) -> ModuleSpec | None:
    # By its last name: with the dotted one, a package without a file asks `sys.modules` for its parent, which nobody
    # has imported yet.
    return PathFinder.find_spec(name, list(package.submodule_search_locations or ()))


def _top_spec(top: str) -> ModuleSpec | None:
    try:
        return find_spec(top)
    except (AttributeError, ImportError, ValueError):  # a stand-in in `sys.modules` has no spec
        return None
