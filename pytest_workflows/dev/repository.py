"""The Workers of a repository as their files are now: made anew for each deploy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.project.worker_project import Project
from pytest_workflows.project.worker_registry import WorkerRegistry

if TYPE_CHECKING:
    from .settings import DevSettings


class Repository:
    """The projects of a repository, each read when it is first asked for.

    Args:
        settings: What the process is started with.
        made: Called with each project, before anything of it is imported.

    Attributes:
        own: The project that is served.
        registry: Knows the others.
    """

    def __init__(self, settings: DevSettings, made: Callable[[Project], None] = lambda project: None) -> None:
        self._settings = settings
        self._made = made
        self._opened: dict[Path, Project] = {}
        self.own = self._project(settings.config, settings.environment)
        self._opened[settings.config] = self.own
        self.registry: WorkerRegistry[Project] = WorkerRegistry(settings.rootdir, settings.workers, self.open)

    def _project(self, config: Path, environment: str | None) -> Project:
        made = Project(config, environment, dev_vars=self._settings.dev_vars)
        made.imports.keeps_bytecode = False
        self._made(made)
        return made

    def open(self, config: Path) -> Project:
        """The project of a configuration: where it has no such environment, its top level holds.

        Args:
            config: The configuration.
        """
        if config not in self._opened:
            found = self._project(config, self._settings.environment)
            if self._settings.environment is not None and not found.readable:
                top = self._project(config, None)
                found = top if top.readable else found
            self._opened[config] = found
        return self._opened[config]

    @property
    def opened(self) -> list[Project]:
        """The projects that were asked for."""
        return list(self._opened.values())

    def reachable(self) -> list[Project]:
        """The project that is served, and those that its bindings lead to.

        Raises:
            WorkflowConfigError: If its configuration cannot be read.
        """
        return [self.own, *(one for one in self.registry.related_to(self.own.config) if one.path != self.own.path)]

    def check(self) -> None:
        """Import the Worker, and look at what its configuration says of it.

        Raises:
            WorkflowConfigError: If the configuration, the secrets or the classes are not as they must be.
            Exception: What the Worker's main module raises while it is imported.
        """
        self.registry.check()
        own = self.own
        main = own.config.main
        if main is not None and main.is_file() and main.suffix != ".py":
            raise WorkflowConfigError(
                f"{own.path}:{own.config.main_line}: main is {main}, no Python module. Only Workers in Python are "
                "served here."
            )
        assert own.secrets is not None
        try:
            own.load_main()
        except Exception:
            raise
        except BaseException as error:  # SystemExit, or the panic of a library in Rust: it would end all
            raise WorkflowConfigError(f"{main}: the module raised {error!r} while it was imported.") from error
        for workflow in own.config.all_workflows:
            if workflow.script_name is None:
                own.workflow_class(workflow)
