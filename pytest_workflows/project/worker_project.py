"""A worker project: its configuration, and the modules that live beside `main`."""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.javascript.runtime import set_runtime
from pytest_workflows.messages.short_repr import shown

from .dev_vars import find_dev_vars, load_dev_vars
from .importer import Finder
from .loop_at_import import explain_missing_loop
from .worker_imports import WorkerImports
from .worker_registry import WorkerRegistry
from .wrangler import WorkflowBindingConfig, WranglerConfig, find_config, is_flag_on, load_config, python_version

_FOREIGN = frozenset({"site-packages", "node_modules", "python_modules"})
_IN_PLACE: list[Project] = []
"""The projects whose modules are in `sys.modules`: of a session one at a time, the innermost session's last."""


class Project:
    """A worker project.

    Args:
        path: Its configuration.
        environment: Which environment of it holds.
        dev_vars: Whether `.dev.vars` beside it is read.
        today: The project that has the secrets, where this is an older version of it.

    Attributes:
        imports: What the import statements of its modules do.
    """

    def __init__(
        self, path: Path, environment: str | None = None, *, dev_vars: bool = True, today: Project | None = None
    ) -> None:
        self.path = path
        self._has_secrets = today or self
        self._environment = environment
        self._reads_dev_vars = dev_vars
        self._secrets: dict[str, str] | None = None
        self._config: WranglerConfig | None = None
        self._error: WorkflowConfigError | None = None
        self._aside: dict[str, ModuleType] = {}
        self._main: ModuleType | None = None
        self._place: int | None = None
        self.imports = WorkerImports(self)

    def python_version(self) -> tuple[int, int]:
        """The Python that the platform runs the Worker with."""
        return python_version(self.config)

    def is_on(self, flag: str, since: str) -> bool:
        """Whether a compatibility flag holds for the Worker, by its name or by date."""
        return is_flag_on(self.config, flag, since)

    @property
    def config(self) -> WranglerConfig:
        """The configuration, read on first use.

        Raises:
            WorkflowConfigError: If it cannot be read.
        """
        if self._error is not None:
            raise self._error
        if self._config is None:
            try:
                self._config = load_config(self.path, self._environment)
            except WorkflowConfigError as error:
                self._error = error
                raise
        return self._config

    @property
    def readable(self) -> bool:
        """Whether the configuration can be read: a test that uses none of our fixtures must not fail for it."""
        try:
            return bool(self.config)
        except WorkflowConfigError:
            return False

    @property
    def secrets(self) -> Mapping[str, str]:
        """The variables of `.dev.vars`, read on first use; of a configuration with `secrets`, only those that it names.

        Raises:
            WorkflowConfigError: If it cannot be read.
        """
        if self._secrets is None:
            beside = self._has_secrets.path
            path = find_dev_vars(beside, self._environment) if self._reads_dev_vars else None
            found = {} if path is None else load_dev_vars(path)
            required = self.config.required_secrets
            if required is not None:
                found = {name: found[name] for name in found if name in required or name in self.config.vars}
            self._secrets = found
        return self._secrets

    @property
    def variables(self) -> Mapping[str, Any]:
        """The variables in `env`: those of the configuration, and the secrets, which win over them.

        Raises:
            WorkflowConfigError: If they cannot be read.
        """
        return {**self.config.vars, **self.secrets}

    def version_at(self, path: Path) -> Project:
        """An older version of this project, with the secrets of this one: no repository keeps them.

        Args:
            path: The configuration of that version.
        """
        return Project(path, self._environment, dev_vars=self._reads_dev_vars, today=self)

    @property
    def folder(self) -> Path | None:
        """The folder of a Python `main`; None without one, and for a configuration that cannot be read."""
        main = self.config.main if self.readable else None
        return main.parent if main is not None and main.suffix == ".py" else None

    @property
    def vendored(self) -> Path:
        """The folder that pywrangler puts a Worker's dependencies into, whether it exists or not."""
        return self.path.parent / "python_modules"

    def has_file(self, file: str) -> bool:
        """Whether a file is the Worker's: it lies beside `main`, and is no test and no library."""
        from pytest_workflows.sources.code_owner import is_workers

        folder = self._real_folder
        return folder is not None and is_workers(folder, file)

    @functools.cached_property
    def _real_folder(self) -> str | None:
        return None if self.folder is None else os.path.realpath(self.folder)

    # -- the modules beside main -------------------------------------------------------------------------------------

    def activate(self) -> None:
        """Make `import entry` find this project's module, and bring back the modules that it had.

        Modules in `python_modules` are found behind everything else on the path: a test's environment
        has most of it itself, built for this machine.
        """
        folder = self.folder
        if folder is None:
            return
        if self.vendored.is_dir() and str(self.vendored) not in sys.path:
            sys.path.append(str(self.vendored))
        entry = str(folder)
        _IN_PLACE.append(self)
        self.imports.install(before=Finder)
        self._place = sys.path.index(entry) if entry in sys.path else None
        if self._place is not None:
            del sys.path[self._place]
        sys.path.insert(0, entry)
        sys.modules.update(self._aside)
        self._aside = {}
        importlib.invalidate_caches()

    def deactivate(self) -> None:
        """Put this project's modules aside, so that another one can have some of the same names."""
        folder = self.folder
        if folder is None:
            return
        if self.is_in_place:
            _IN_PLACE.remove(self)
        self.imports.uninstall()
        if str(folder) in sys.path:
            sys.path.remove(str(folder))
        if self._place is not None:  # `pythonpath = src` and the like had it there before us
            sys.path.insert(self._place, str(folder))
        if str(self.vendored) in sys.path:
            sys.path.remove(str(self.vendored))
        vendored = f"{self.vendored}{os.sep}"
        beside = (f"{folder}{os.sep}", vendored)  # there may be thousands of modules, and hardly one of them is here
        for name, module in list(sys.modules.items()):
            places = [place for place in _places_of(module) if place.startswith(beside)]
            if any(_is_beside_main(place, folder) or place.startswith(vendored) for place in places):
                self._aside[name] = sys.modules.pop(name)

    @property
    def is_in_place(self) -> bool:
        """Whether its modules are in `sys.modules`."""
        return self in _IN_PLACE

    @property
    def modules_aside(self) -> Mapping[str, ModuleType]:
        """Its modules by name, while they are not in `sys.modules`."""
        return self._aside

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within the context its modules are in `sys.modules`, in place of those of the project that is active."""
        if self.is_in_place:
            yield
            return
        other = _IN_PLACE[-1] if _IN_PLACE else None
        if other is not None:
            other.deactivate()
        self.activate()
        try:
            yield
        finally:
            self.deactivate()
            if other is not None:
                other.activate()

    def load_main(self) -> ModuleType:
        """Import `main` under its stem, whichever project is active.

        Raises:
            WorkflowConfigError: If the file does not exist, if another module of that name is loaded, or if it needs a
                running event loop and there is none.
        """
        config = self.config
        main = config.main
        if main is not None and self._main is not None:
            modules = sys.modules if self.is_in_place else self._aside
            if modules.get(main.stem) is self._main:
                return self._main  # every call of a handler asks for it
        if main is None or not os.path.isfile(main):
            what = "names no main" if main is None else f"names main {shown(str(main))}, which does not exist"
            raise WorkflowConfigError(
                f"{config.path}:{config.main_line}: the configuration {what}. Write there the path of the Worker's "
                'module, such as "main": "src/entry.py".'
            )
        if main.suffix != ".py":
            raise WorkflowConfigError(
                f"{config.path}:{config.main_line}: main is {main}, no Python module. Its workflows cannot run "
                "here; give stand-ins through the fixture workflow_bindings."
            )
        try:
            with self.in_place():
                module = importlib.import_module(main.stem)
        except RuntimeError as error:
            said = explain_missing_loop(error, self.has_file)
            if said is None:
                raise
            raise WorkflowConfigError(said) from None  # the text names file and line
        file = getattr(module, "__file__", None)
        if file is None or Path(file).resolve() != main:
            raise WorkflowConfigError(
                f"{config.path}:{config.main_line}: main is {main}, but `import {main.stem}` gives {file}. "
                "Two modules of one name cannot be loaded: rename one of them."
            )
        self._main = module
        return module

    def module(self, name: str) -> ModuleType | None:
        """One of the Worker's modules, imported if need be, whichever project is active; None where there is none.

        Args:
            name: Its name, as `import` takes it.
        """
        with self.in_place():
            try:
                return importlib.import_module(name)
            except ModuleNotFoundError:
                return None

    def workflow_class(self, workflow: WorkflowBindingConfig) -> type[Any]:
        """The class that a workflow binding names.

        Raises:
            WorkflowConfigError: If `main` has no such class, or it has no `run`.
        """
        where = f"{self.config.path}:{workflow.line}"
        module = self.load_main()
        found = getattr(module, workflow.class_name, None)
        if found is None:
            raise WorkflowConfigError(f"{where}: {_no_class(module, workflow.class_name)}")
        if not inspect.isclass(found):
            raise WorkflowConfigError(
                f"{where}: {workflow.class_name!r} in {module.__file__} is no class: {found!r}. "
                "A workflow is a subclass of workers.WorkflowEntrypoint."
            )
        if not callable(getattr(found, "run", None)):
            raise WorkflowConfigError(
                f"{where}: the class {workflow.class_name} in {module.__file__} has no method `run`. "
                "Add `async def run(self, event, step)` to it."
            )
        return found


class ProjectSwitcher:
    """The projects of a session, of which one is active at a time.

    Args:
        rootdir: pytest's rootdir.
        configured: Ini `workflows_config`.
        environment: Ini `workflows_wrangler_env`.
        dev_vars: Ini `workflows_dev_vars`.
        workers: Ini `workflows_workers`: the folders of the Workers that belong together; None where it is not set.
        made: Called with each project, before anything of it is imported.

    Attributes:
        registry: The Workers of the repository.
        active: The project whose modules can be imported now; None where there is none.
    """

    def __init__(
        self,
        rootdir: Path,
        configured: str | None,
        environment: str | None,
        *,
        dev_vars: bool = True,
        workers: Sequence[Path] | None = None,
        made: Callable[[Project], None] = lambda project: None,
    ) -> None:
        self._dev_vars = dev_vars
        self._made = made
        self._rootdir = rootdir
        self._configured = configured
        self._environment = environment
        self._projects: dict[Path, Project] = {}
        self._by_folder: dict[Path, Project | None] = {}
        self._opened: dict[Path, Project] = {}
        self._last: tuple[Path, Path] | None = None
        self.registry = WorkerRegistry(rootdir, workers, self._open)
        self.active: Project | None = None

    def activate_for(self, path: Path) -> Project | None:
        """Make the project active that a file or folder belongs to.

        Returns:
            The project, or None where there is no configuration.

        Raises:
            WorkflowConfigError: If ini names a configuration that does not exist or cannot be read, or Workers that
                cannot be told apart.
        """
        self.registry.check()
        if self._last is None or self._last[0] is not path:  # each test of a file asks, with the same object
            self._last = path, path if os.path.isdir(path) else path.parent
        folder = self._last[1]
        if folder not in self._by_folder:
            self._by_folder[folder] = self._find(folder)
        project = self._by_folder[folder]
        if project is not self.active:
            if self.active is not None:
                self.active.deactivate()
            if project is None:
                set_runtime()
            else:
                project.activate()
                set_runtime(project.python_version, project.is_on)
            self.active = project
        return project

    def project_of(self, path: Path) -> Project | None:
        """The project that a file belongs to, if it was collected; the active one stays active."""
        return self._by_folder.get(path if os.path.isdir(path) else path.parent)

    def _find(self, folder: Path) -> Project | None:
        found = find_config(folder, self._rootdir, self._configured)
        if found is None:
            return None
        if found not in self._projects:
            self._keep(self._project(found, self._environment))
        project = self._projects[found]
        if self._configured is not None:
            assert project.config
        return project

    def _project(self, config: Path, environment: str | None) -> Project:
        return Project(config, environment, dev_vars=self._dev_vars)

    def _open(self, config: Path) -> Project:
        """The project of a Worker beside the tests' own: where it has no such environment, its top level holds."""
        if config not in self._opened:
            project = self._projects.get(config) or self._keep(self._project(config, self._environment))
            if self._environment is not None and not project.readable:
                top = self._project(config, None)
                if top.readable:  # and tests of that Worker's own are told that there is no such environment
                    self._made(top)
                    project = top
            self._opened[config] = project
        return self._opened[config]

    def _keep(self, project: Project) -> Project:
        self._projects[project.path] = project
        self._made(project)
        return project

    def close(self) -> None:
        """Leave `sys.path` and `sys.modules` without anything of the projects."""
        if self.active is not None:
            self.active.deactivate()
            self.active = None
            set_runtime()


def attributes_of(module: object) -> Mapping[str, Any]:
    """The attributes of what `sys.modules` holds, which is not touched; none of what is no module."""
    # Not getattr: sys.modules holds objects that import or raise when touched, and namespace paths that rescan.
    # A library of cffi says that it is a module, and is none.
    if not issubclass(type(module), ModuleType):
        return {}
    found: Mapping[str, Any] = object.__getattribute__(module, "__dict__")
    return found


def _places_of(module: ModuleType) -> list[str]:
    """The file of a module, or the folders of a package that has none."""
    attributes = attributes_of(module)
    file = attributes.get("__file__")
    places = [file] if file else list(attributes.get("__path__") or ())
    return [place for place in places if isinstance(place, str)]


def _is_beside_main(file: str, folder: Path) -> bool:
    """Whether a module is put aside with the project that it belongs to: helpers of its tests as well."""
    prefix = f"{folder}{os.sep}"
    if not file.startswith(prefix):
        return False
    *folders, name = file[len(prefix) :].split(os.sep)
    # Where main lies at the top of the project, the tests live below it; they belong to pytest.
    return not _FOREIGN.intersection(folders) and not name.startswith(("test_", "conftest"))


def _no_class(module: ModuleType, name: str) -> str:
    classes = [
        key for key, value in vars(module).items() if inspect.isclass(value) and value.__module__ == module.__name__
    ]
    close = difflib.get_close_matches(name, classes, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{module.__file__} has no class {name!r}.{hint} It has: {', '.join(classes) or 'none'}."
