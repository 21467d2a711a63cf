"""The import hook: while pytest runs, `import workers`, `js` and `pyodide` find the modules of this plugin.

A Worker's source imports what only exists on the platform. The hook puts a finder first on `sys.meta_path`
which answers for exactly those names with modules of `pytest_workflows.workers`. Nothing is imported until a
source asks for it, and `uninstall` leaves `sys.meta_path` and `sys.modules` as `install` found them.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_HOME = "pytest_workflows.workers"
_SERVED = {
    "workers": _HOME,
    "workers.asgi": f"{_HOME}.asgi",
    "workers.blob": f"{_HOME}.blob",
    "workers.entrypoints": f"{_HOME}.entrypoints",
    "workers.formdata": f"{_HOME}.formdata",
    "workers.gateway": f"{_HOME}.gateway",
    "workers.request": f"{_HOME}.request",
    "workers.response": f"{_HOME}.response",
    "workers.rpc": f"{_HOME}.rpc",
    "workers.types": f"{_HOME}.types",
    "workers.utils": f"{_HOME}.utils",
    "workers.workflows": f"{_HOME}.workflows",
    "workers.wsgi": f"{_HOME}.wsgi",
    "js": f"{_HOME}.js_module",
    "pyodide": f"{_HOME}.pyodide_module",
    "pyodide.ffi": f"{_HOME}.pyodide_ffi",
    "pyodide.ffi.wrappers": f"{_HOME}.pyodide_wrappers",
    "pyodide.http": f"{_HOME}.pyodide_http",
    "pyodide.webloop": f"{_HOME}.pyodide_webloop",
}
_ASGI = "asgi"
"""The SDK's one module beside `workers`; a Worker's own module of that name comes first, as there."""
_ROOTS = tuple(name for name in _SERVED if "." not in name)
_TARGETS = frozenset(_SERVED.values())
_ROOT_OF = {_SERVED[root]: root for root in _ROOTS}


class _Loader(Loader):
    """Loads a platform name by putting a module of ours in its place."""

    def __init__(self, target: str) -> None:
        self._target = target

    def exec_module(self, module: ModuleType) -> None:
        # The import system hands out what it finds in sys.modules afterwards. Filling `module` instead would
        # make a second copy of every class; handing ours out of create_module would overwrite its __spec__.
        sys.modules[module.__name__] = importlib.import_module(self._target)


class Finder(MetaPathFinder):
    """Finds the platform's modules, and explains the names in them that are not provided."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for the platform's names and for nothing else."""
        if fullname in _SERVED:
            return ModuleSpec(fullname, _Loader(_SERVED[fullname]))
        if fullname == _ASGI:
            is_theirs = any(finder.find_spec(fullname, path) for finder in sys.meta_path if finder is not self)
            return None if is_theirs else ModuleSpec(fullname, _Loader(f"{_HOME}.asgi"))
        parent, _, name = fullname.rpartition(".")
        if parent in _ROOTS:
            spec = self._find_in_folders(fullname, path)
            if spec is not None or path is None or list(path) != list(sys.modules[parent].__path__):
                return spec  # pytest asks for what lies in a folder that it names
        if parent in _SERVED:
            raise _explain(_SERVED[parent], name, fullname, is_module=True)
        # `from workers import X` asks for a submodule X once the module has no such attribute. The import
        # statement drops the AttributeError's text, so this is the one place where the reason can still reach
        # the user.
        if parent in _TARGETS and PathFinder.find_spec(fullname, path) is None:
            root = _ROOT_OF.get(parent)
            if root is not None and self._find_in_folders(f"{root}.{name}", None) is not None:
                return ModuleSpec(fullname, _Loader(f"{root}.{name}"))
            raise _explain(parent, name, fullname, is_module=False)
        return None

    def _find_in_folders(self, fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """A module in a user's folder that has a name of the platform, such as `tests/workers/helper.py`.

        The folder itself is never imported: its name means the platform's module.
        """
        root, _, _ = fullname.partition(".")
        places = [*(path or ()), *(os.path.join(entry or os.getcwd(), root) for entry in sys.path)]
        for finder in sys.meta_path:  # one of them is pytest's, which rewrites a test's asserts
            spec = None if finder is self else finder.find_spec(fullname, places)
            if spec is not None:
                return spec
        return None


def _explain(module: str, name: str, fullname: str, *, is_module: bool) -> ImportError:
    from pytest_workflows.errors import MissingNameError

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
        self._finder = Finder()
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
            for name in _take_out():
                _forget(name)
            sys.modules.update(self._displaced)
            self._displaced = {}


def _take_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] in _ROOTS or _is_our_asgi(name)]
    return {name: sys.modules.pop(name) for name in names}


def _is_our_asgi(name: str) -> bool:
    return name == _ASGI and sys.modules[name] is sys.modules.get(f"{_HOME}.asgi")


def _forget(name: str) -> None:
    """Remove what the import of a module in a user's folder left on our own modules."""
    parent, _, child = name.rpartition(".")
    target = _SERVED.get(parent)
    if target is not None and name not in _SERVED:
        sys.modules.pop(f"{target}.{child}", None)
        vars(sys.modules[target]).pop(child, None)


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


def prepare_for(path: Path, rootdir: Path) -> None:
    """Load the platform's module before pytest takes a folder of that name for it.

    With `--import-mode=importlib`, pytest imports the folders above a test file itself, unless their names are imported
    already.

    Args:
        path: A file or folder that is about to be collected.
        rootdir: pytest's rootdir. Folders above it are named only where they are packages.
    """
    folders = (path, *path.parents)
    if path.is_relative_to(rootdir):
        folders = tuple(one for one in folders if rootdir in one.parents or (one / "__init__.py").is_file())
    for name in {folder.name for folder in folders}.intersection(_ROOTS):
        importlib.import_module(name)
