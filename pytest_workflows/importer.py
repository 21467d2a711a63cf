"""The import hook: while pytest runs, `import workers`, `js` and `pyodide` find the modules of this plugin.

A Worker's source imports what only exists on the platform. The hook puts a finder first on `sys.meta_path`
which answers for exactly those names with modules of `pytest_workflows.workers`. Nothing is imported until a
source asks for it, and `uninstall` leaves `sys.meta_path` and `sys.modules` as `install` found them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from .errors import MissingNameError

_HOME = "pytest_workflows.workers"
_SERVED = {
    "workers": _HOME,
    "workers.entrypoints": f"{_HOME}.entrypoints",
    "workers.request": f"{_HOME}.request",
    "workers.response": f"{_HOME}.response",
    "workers.workflows": f"{_HOME}.workflows",
    "js": f"{_HOME}.js_module",
    "pyodide": f"{_HOME}.pyodide_module",
    "pyodide.ffi": f"{_HOME}.pyodide_ffi",
    "pyodide.webloop": f"{_HOME}.pyodide_webloop",
}
_ROOTS = tuple(name for name in _SERVED if "." not in name)
_TARGETS = frozenset(_SERVED.values())


class _Loader(Loader):
    """Loads a platform name by putting a module of ours in its place."""

    def __init__(self, target: str) -> None:
        self._target = target

    def exec_module(self, module: ModuleType) -> None:
        # The import system hands out what it finds in sys.modules afterwards. Filling `module` instead would
        # make a second copy of every class; handing ours out of create_module would overwrite its __spec__.
        sys.modules[module.__name__] = importlib.import_module(self._target)


class _Finder(MetaPathFinder):
    """Finds the platform's modules, and explains the names in them that are not provided."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for the platform's names and for nothing else."""
        if fullname in _SERVED:
            return ModuleSpec(fullname, _Loader(_SERVED[fullname]))
        parent, _, name = fullname.rpartition(".")
        if parent in _SERVED:
            raise _explain(_SERVED[parent], name, fullname, is_module=True)
        # `from workers import X` asks for a submodule X once the module has no such attribute. The import
        # statement drops the AttributeError's text, so this is the one place where the reason can still reach
        # the user.
        if parent in _TARGETS and PathFinder.find_spec(fullname, path) is None:
            raise _explain(parent, name, fullname, is_module=False)
        return None


def _explain(module: str, name: str, fullname: str, *, is_module: bool) -> ImportError:
    text = f"{name} is no module of its own."
    try:
        getattr(sys.modules[module], name)
    except MissingNameError as error:
        missing = error.as_import(fullname, is_module=is_module)
        assert isinstance(missing, ImportError)
        return missing
    except AttributeError as error:
        text = str(error)
    return (ModuleNotFoundError if is_module else ImportError)(text, name=fullname)


class _Hook:
    """The one finder, how many sessions asked for it, and what it displaced."""

    def __init__(self) -> None:
        self._finder = _Finder()
        self._depth = 0
        self._displaced: dict[str, ModuleType] = {}

    def install(self) -> None:
        self._depth += 1
        if self._depth == 1:
            self._displaced = _take_out()
            sys.meta_path.insert(0, self._finder)

    def uninstall(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            # An in-process pytest session (pytester) restores sys.meta_path on its own account.
            if self._finder in sys.meta_path:
                sys.meta_path.remove(self._finder)
            _take_out()
            sys.modules.update(self._displaced)
            self._displaced = {}


def _take_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] in _ROOTS]
    return {name: sys.modules.pop(name) for name in names}


_HOOK = _Hook()


def install() -> None:
    """Serve `workers`, `js` and `pyodide` from this plugin until `uninstall` was called as often.

    A really installed package or a stub of those names is put aside meanwhile.

    Example:
        >>> from pytest_workflows import importer
        >>> importer.install()
        >>> from workers import WorkflowEntrypoint
        >>> importer.uninstall()
    """
    _HOOK.install()


def uninstall() -> None:
    """Take back one `install`. After the last one, imports find what they found before."""
    _HOOK.uninstall()
