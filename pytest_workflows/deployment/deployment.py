"""The deployment of a Worker's project: which modules and which packages the platform has when it runs there."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pytest_workflows.project.worker_imports import has_module

from .builds import builds_for
from .declared import Declaration, read_declaration
from .installable import Installability, shown_tags
from .installed import Installed
from .modules import files_of
from .resolution import Resolution, resolve
from .size import sizes_of

if TYPE_CHECKING:
    from pytest_workflows.project.worker_project import Project

_PLATFORM = frozenset({"_pyodide", "asgi", "js", "pyodide", "pyodide_js", "workers"})
"""What the platform has beside the standard library: Pyodide's modules and the SDK's."""
_MIB = 2**20
_SDK = "workers-runtime-sdk"
"""The one package that pywrangler installs unasked (workers-py 1.17.9)."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a Worker as it is deployed: an import, or its size.

    Attributes:
        rule: The rule that it breaks.
        text: What is wrong, a clause.
        remedy: What to do; None for what the rule says.
        is_missing: Whether the platform has no such module.
    """

    rule: str
    text: str
    remedy: str | None = None
    is_missing: bool = False


def deployment_of(project: Project) -> Deployment:
    """What is deployed with the Worker of a project, read once."""
    if project not in _DEPLOYMENTS:
        _DEPLOYMENTS[project] = Deployment(project)
    return _DEPLOYMENTS[project]


class Deployment:
    """What is deployed with a Worker.

    Args:
        project: The Worker's project.
    """

    def __init__(self, project: Project) -> None:
        # Not the project itself: what is known of it would keep it alive.
        self._home = project.path.parent
        self._python_modules = project.vendored
        base = project.config.settings.get("base_dir")
        self._own_folders = [self._home / base] if isinstance(base, str) else []
        if project.folder is not None:
            self._own_folders.append(project.folder)
        self._builds = builds_for(project.python_version())
        self._installed = Installed()
        self._vendored = Installed([str(project.vendored)])
        self._settings = project.config.settings
        self._problems: dict[tuple[str, tuple[str, ...]], Problem | None] = {}

    @cached_property
    def _declaration(self) -> Declaration | None:
        return read_declaration(self._home, self._builds.environment)

    @cached_property
    def _is_known(self) -> bool:
        """Whether anything says what is deployed: `pyproject.toml`, a lock file, or `python_modules/`."""
        return self._declaration is not None or bool(self._vendored_names())

    def _vendored_names(self) -> list[str]:
        try:
            return [name for name in os.listdir(self._python_modules) if name != "pyvenv.cfg" and name[0] != "."]
        except OSError:
            return []

    @cached_property
    def _resolution(self) -> Resolution:
        declaration = self._declaration
        declared = () if declaration is None else declaration.requirements
        return resolve(declared, self._needed_by, self._builds.environment)

    def _needed_by(self, name: str, extra: str) -> list[Requirement]:
        """What a package needs, or one of its extras, by all that is known of it."""
        needed = [*self._installed.requirements(name), *self._vendored.requirements(name)]
        for lock in () if self._declaration is None else self._declaration.locks:
            package = lock.packages.get(name)
            if package is not None:
                needed += package.extras.get(extra, ()) if extra else package.requirements
        return needed

    def has(self, distribution: str) -> bool | None:
        """Whether a distribution is deployed.

        Args:
            distribution: Its name, as a requirement has it: `tzdata`.

        Returns:
            None where nothing says what is deployed.
        """
        if not self._is_known:
            return None
        name = canonicalize_name(distribution)
        is_vendored = name in self._vendored or has_module([self._python_modules], name.replace("-", "_"))
        return name in self._resolution or is_vendored or name == _SDK

    @cached_property
    def _sizes(self) -> Counter[str]:
        return sizes_of(self._own_folders, self._python_modules, self._settings)

    def problem_of_size(self, most: int) -> Problem | None:
        """What is wrong with the size of the Worker with its modules.

        Args:
            most: The most bytes that it may have.

        Returns:
            None where it is not larger.
        """
        size = self._sizes.total()
        if size <= most:
            return None
        largest = ", ".join(f"{name} {one / _MIB:,.1f} MiB" for name, one in self._sizes.most_common(3))
        return Problem(
            "worker-size",
            f"the Worker has {size / _MIB:,.1f} MiB with its modules, {size / most:,.1f} times the {most // _MIB} MiB "
            f"that it may have; most of it: {largest}",
            "leave out what it does not need: `python_modules.exclude` in the configuration takes patterns, and what "
            "lies beside the folder of main is not uploaded",
        )

    def problem(self, module: str, names: Sequence[str] = ()) -> Problem | None:
        """What is wrong with an import statement of the Worker's own code.

        Args:
            module: The absolute name of the module.
            names: What is imported from it.

        Returns:
            None where the platform answers it as this machine does; where nothing says what is deployed; and where
            nothing answers it here, so that the statement itself fails.
        """
        key = (module, tuple(names))
        if key not in self._problems:
            self._problems[key] = self._find_problem(module, names)
        return self._problems[key]

    def _find_problem(self, module: str, names: Sequence[str]) -> Problem | None:
        top = module.partition(".")[0]
        if not self._is_known or top in sys.stdlib_module_names or top in _PLATFORM:
            return None
        if has_module(self._own_folders, top):
            return None
        if has_module([self._python_modules], top):
            return self._problem_of_vendored(module)
        found = (self._problem_of(module, file) for file in files_of(module, names))
        return next((one for one in found if one is not None), None)

    def _problem_of(self, module: str, file: str) -> Problem | None:
        owner = self._installed.owner(file, module.partition(".")[0], self._resolution.needs)
        if owner is None and self.has(module.partition(".")[0]):
            return None  # a test's own stand-in for a package that is not installed here
        if owner is None or (owner == self._own_name and not self.has(owner)):
            return self._problem_of_file(module, file)
        if self.has(owner):
            return self._problem_of_builds(module, owner)
        declaration = self._declaration
        group = None if declaration is None else declaration.groups.get(owner)
        return Problem(
            "not-deployed",
            f"`import {module}` is answered by {self._installed.title(owner)} of the test environment, which "
            f"{self._not_declared}" + (f"; it is in {group}, which is not deployed" if group else ""),
            f'write "{owner}" into the dependencies of [project] in pyproject.toml, from which pywrangler installs, or '
            "do without it",
            is_missing=True,
        )

    @property
    def _own_name(self) -> str | None:
        return None if self._declaration is None else self._declaration.name

    @property
    def _not_declared(self) -> str:
        declaration = self._declaration
        if declaration is None:
            return "is not in python_modules"
        read = [] if declaration.pyproject is None else ["the dependencies of [project] in pyproject.toml"]
        read += [lock.file.name for lock in declaration.locks]
        is_one = read == [lock.file.name for lock in declaration.locks[:1]]
        return f"{' and '.join(read)} neither {'names nor needs' if is_one else 'name nor need'}"

    def _problem_of_file(self, module: str, file: str) -> Problem:
        folder = self._own_folders[0] if self._own_folders else "the folder of main"
        return Problem(
            "not-deployed",
            f"`import {module}` is answered by {file}, and what is deployed by that name must lie in {folder}",
            "move it there, or make it a package and declare that in pyproject.toml",
            is_missing=True,
        )

    def _problem_of_vendored(self, module: str) -> Problem | None:
        for file in files_of(module, folder=self._python_modules):
            name = self._vendored.owner(file, module.partition(".")[0])
            tags = frozenset() if name is None else self._vendored.tags(name)
            if name is not None and tags and not any(map(self._builds.takes, tags)):
                return Problem(
                    "no-pyodide-build",
                    f"`import {module}`: {self._vendored.title(name)} in python_modules is built for "
                    f"{shown_tags(tags)}, and the platform runs Pyodide {self._builds.pyodide}",
                    "let `pywrangler sync` fill python_modules: it takes what is built for Pyodide",
                )
        return None

    def _problem_of_builds(self, module: str, owner: str) -> Problem | None:
        installable = Installability(self._builds, self._declaration, self._installed)
        for way in self._resolution.ways_from(owner):
            why = None if way[-1] in self._vendored else installable.why_not(way[-1])
            if why is not None:
                needs = "".join(f"{one} needs {needed}; " for one, needed in pairwise(way))
                return Problem(
                    "no-pyodide-build",
                    f"`import {module}`: {needs}{why}",
                    "take a package that is pure Python, or that Pyodide has a build of",
                )
        return None


_DEPLOYMENTS: WeakKeyDictionary[Project, Deployment] = WeakKeyDictionary()
