"""The imports of a Worker's modules: each import statement of them is seen here, and nobody else's is.

A module of a project runs with an `__import__` of its own, which the interpreter takes from the module's
`__builtins__`; a call of `importlib.import_module` is as good as a statement. So a check can judge what the Worker's
code imports, with file and line, while tests and libraries import as ever; and the modules of a project that is not the
active one are found in that project's own table.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import importlib.util
import os
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Protocol

import msgspec


class WorkerImport(msgspec.Struct, frozen=True):
    """An import statement of the Worker's own code, about to be executed.

    Attributes:
        name: The absolute name of the module.
        names: The names that `from ... import` takes out of it; empty for `import ...`.
        file: The Worker's file.
        line: The line in it.
        module: The name of the module that imports.
    """

    name: str
    names: tuple[str, ...]
    file: str
    line: int
    module: str


class ImportingProject(Protocol):
    """A project as its imports see it."""

    @property
    def folder(self) -> Path | None:
        """The folder of a Python `main`."""
        ...

    @property
    def vendored(self) -> Path:
        """The folder `python_modules`."""
        ...

    @property
    def is_in_place(self) -> bool:
        """Whether its modules are those of `sys.modules`."""
        ...

    @property
    def modules_aside(self) -> Mapping[str, ModuleType]:
        """Its modules while it is not in place."""
        ...

    def has_file(self, file: str) -> bool:
        """Whether a file is the Worker's."""
        ...

    def in_place(self) -> AbstractContextManager[None]:
        """Its modules are those of `sys.modules` within the context."""
        ...


class WorkerImports(MetaPathFinder):
    """The finder of a project's modules, and what their import statements do.

    Args:
        project: The project.

    Attributes:
        checks: Called before each import statement of the Worker's own code; what one raises, the statement raises.
        around: Made around the execution of each of its own modules.
        keeps_bytecode: Whether its own modules have bytecode on disk. That of a file tells two versions apart by size
            and second, which is not enough where a change is deployed at once.
    """

    def __init__(self, project: ImportingProject) -> None:
        self._project = project
        self.checks: list[Callable[[WorkerImport], None]] = []
        self.around: list[Callable[[ModuleType], AbstractContextManager[None]]] = []
        self.keeps_bytecode = True
        # A real dict: with any other mapping the interpreter takes 10 to 30 times as long for each use of a builtin.
        self._builtins: dict[str, Any] = {}
        self._executing = 0

    @property
    def is_executing(self) -> bool:
        """Whether one of the project's own modules is being executed: what happens now, its import does."""
        return self._executing > 0

    # -- finding -----------------------------------------------------------------------------------------------------

    def install(self, before: type[MetaPathFinder] | None = None) -> None:
        """Find the project's modules from now on, behind the finder of the platform's modules.

        Args:
            before: The class of that finder.
        """
        places = [place for place, finder in enumerate(sys.meta_path) if before is not None and type(finder) is before]
        sys.meta_path.insert(places[-1] + 1 if places else 0, self)
        self.copy_builtins()
        _COPYING.add(self)
        builtins.__class__ = _WatchedBuiltins
        importlib.import_module = _import_module

    def uninstall(self) -> None:
        """Find nothing any more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        if not any(isinstance(finder, WorkerImports) for finder in sys.meta_path):
            builtins.__class__ = ModuleType
            if importlib.import_module is _import_module:
                importlib.import_module = _IMPORT_MODULE

    def copy_builtins(self) -> None:
        """Let the project's modules have what `builtins` has now."""
        now = {**vars(builtins), "__import__": self._import_statement}
        self._builtins.update(now)  # and never empty, even for a thread that runs
        for name in self._builtins.keys() - now.keys():
            del self._builtins[name]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module as the finders behind this one do, and have it run with our `__import__` if it is ours."""
        folders = self.folders
        places = folders if path is None else [place for place in path if place.startswith(tuple(folders))]
        if not has_module(places, fullname.rpartition(".")[2]):
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                self._take(spec, folders)
                return spec
        return None

    @functools.cached_property
    def folders(self) -> list[str]:
        """Where the project's modules lie: each import of the session asks."""
        folder = self._project.folder
        return [str(self._project.vendored)] if folder is None else [str(folder), str(self._project.vendored)]

    def _take(self, spec: ModuleSpec, folders: Iterable[str]) -> None:
        loader, origin = spec.loader, spec.origin
        # A test module's loader is pytest's, one for all of them; an own one for each module can be changed.
        if not isinstance(loader, SourceFileLoader) or origin is None:
            return
        vendored = origin.startswith(f"{self._project.vendored}{os.sep}")
        if not vendored and not self._project.has_file(origin):
            return
        execute = loader.exec_module
        if not (vendored or self.keeps_bytecode):
            loader.path_stats = _refuse_stats  # type: ignore[method-assign]  # then it neither reads nor writes any

        def run(module: ModuleType) -> None:
            module.__dict__["__builtins__"] = self._builtins
            if vendored:
                execute(module)
                return
            self._executing += 1
            try:
                with ExitStack() as stack:
                    for made in self.around:
                        stack.enter_context(made(module))
                    execute(module)
            finally:
                self._executing -= 1

        loader.exec_module = run  # type: ignore[method-assign]  # of this one object

    # -- importing ---------------------------------------------------------------------------------------------------

    def _import_statement(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        __tracebackhide__ = True
        # A library in C has no frame: it imports in its caller's, with a list of no names, which no statement has.
        is_of_library = isinstance(fromlist, list) and not fromlist and globals is locals
        if self.checks and not is_of_library:
            self._check(sys._getframe(1), _absolute(name, globals or {}, level), fromlist or ())
        if self._project.is_in_place:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        absolute = _absolute(name, globals or {}, level)
        known = self._find_aside(absolute, fromlist or ()) if not level or absolute != name else None
        if known is not None:
            return known
        if not (level or self._has(name.partition(".")[0])):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        with self._project.in_place():
            return builtins.__import__(name, globals, locals, fromlist or (), level)

    def import_module(self, name: str, package: str | None, frame: FrameType) -> ModuleType:
        """Carry out a call of `importlib.import_module` in one of the project's modules.

        Args:
            name: As it is called with.
            package: As it is called with.
            frame: The caller's.
        """
        if self.checks:
            self._check(frame, importlib.util.resolve_name(name, package) if package else name, ())
        if self._project.is_in_place or not (name.startswith(".") or self._has(name.partition(".")[0])):
            return _IMPORT_MODULE(name, package)
        with self._project.in_place():
            return _IMPORT_MODULE(name, package)

    def _check(self, frame: FrameType, name: str, fromlist: Sequence[str]) -> None:
        while frame.f_code.co_filename == "<string>" and frame.f_back is not None:
            frame = frame.f_back  # what the Worker's code evaluates from a text is its own
        file = frame.f_code.co_filename
        if not self._project.has_file(file):
            return
        statement = WorkerImport(name, tuple(fromlist), file, frame.f_lineno, str(frame.f_globals.get("__name__")))
        for check in self.checks:
            check(statement)

    def _find_aside(self, name: str, fromlist: Sequence[str]) -> ModuleType | None:
        """What an import statement is answered with where all of it is imported: to change places takes milliseconds.

        A `*` may import what lies in a package.
        """
        module = self._project.modules_aside.get(name)
        if module is None or not fromlist:
            return module and self._project.modules_aside.get(name.partition(".")[0])
        return module if all(one != "*" and hasattr(module, one) for one in fromlist) else None

    def _has(self, root: str) -> bool:
        return root in self._project.modules_aside or has_module(self.folders, root)


def _refuse_stats(path: str) -> Mapping[str, Any]:
    raise OSError(f"The bytecode of {path} is not kept.")


def _absolute(name: str, names: Mapping[str, Any], level: int) -> str:
    package = str(names.get("__package__") or "")
    return importlib.util.resolve_name("." * level + name, package) if level and package else name


_IMPORT_MODULE = importlib.import_module


def _import_module(name: str, package: str | None = None) -> ModuleType:
    """`importlib.import_module` while there are projects: a Worker's call of it is as good as an import statement."""
    frame = sys._getframe(1)
    names = frame.f_globals.get("__builtins__")
    imports = getattr(names.get("__import__"), "__self__", None) if isinstance(names, dict) else None
    if isinstance(imports, WorkerImports):
        return imports.import_module(name, package, frame)
    return _IMPORT_MODULE(name, package)


class _WatchedBuiltins(ModuleType):
    """The module `builtins` while modules run with copies of it: what a test replaces in it, it replaces in them."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        _take_over()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        _take_over()


_COPYING: weakref.WeakSet[WorkerImports] = weakref.WeakSet()
"""Whose modules run with a copy of the builtins; a project that was put aside is one, its code may still run."""


def _take_over() -> None:
    for imports in _COPYING:
        imports.copy_builtins()


def has_module(folders: Iterable[str | Path], name: str) -> bool:
    """Whether one of the folders has a module, or a folder that may be a package, of a name."""
    return any(
        os.path.isfile(os.path.join(folder, f"{name}.py")) or os.path.isdir(os.path.join(folder, name))
        for folder in folders
    )
