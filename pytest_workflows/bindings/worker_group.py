"""The Workers of one test: its own, and those that its bindings lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from pytest_workflows.active_test import Resolver, RunningWorker, inside_worker
from pytest_workflows.errors import WorkflowConfigError

if TYPE_CHECKING:
    from durable_engine import WorkflowBinding
    from pytest_workflows.project.binding_config import BindingConfig
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.project.worker_registry import WorkerRegistry
    from pytest_workflows.project.wrangler import WorkflowBindingConfig
    from pytest_workflows.sources.worker_code import Sources
    from pytest_workflows.standins.host import Host

SEPARATOR = "/"
"""Stands between the name of a Worker beside the test's own one and what is called by it: `billing/DB`."""


class Member(msgspec.Struct, frozen=True, eq=False):
    """A Worker of a test.

    Attributes:
        group: The Workers of the test.
        name: Its name; empty for the test's own one.
        running: What its code sees; None for the test's own one.
    """

    group: WorkerGroup
    name: str = ""
    running: RunningWorker | None = None

    def qualified(self, name: str) -> str:
        """A name of this Worker's, told apart from the same name of another Worker's."""
        return f"{self.name}{SEPARATOR}{name}" if self.name else name

    def inside(self) -> AbstractContextManager[None]:
        """A block in which its code runs."""
        return inside_worker(self.running)

    def words(self, what: str) -> str:
        """The words for something of the Worker's, in reports."""
        return f"{what} of the Worker {self.name!r}" if self.name else what


class WorkerEnv(Protocol):
    """The bindings of one Worker, as the group of Workers sees them.

    Attributes:
        member: The Worker's place in the group.
    """

    member: Member

    @property
    def host(self) -> Host:
        """The test, as the Worker's stand-ins see it."""
        ...

    @property
    def given(self) -> Mapping[str, Any]:
        """The bindings that the test gave to the Worker."""
        ...

    @property
    def own_names(self) -> frozenset[str | None]:
        """The names of the Worker itself."""
        ...

    def resolve(self, name: str) -> object:
        """The binding, variable or fake of a name."""

    def names(self) -> Iterable[str]:
        """The names that `env` has."""
        ...

    def consumes(self, queue: str) -> bool:
        """Whether the Worker is a consumer of a queue."""
        ...

    def make_stores(self) -> None:
        """Make the bindings that have stores."""

    def deploy(self, given: Mapping[str, Any] | None) -> None:
        """Make what comes of the Worker's source and configuration anew."""

    def leave_stores(self) -> None:
        """Let go of the stores without closing them."""

    def workflow_names(self) -> list[str]:
        """The names of the workflows that have a class in the Worker."""
        ...

    def workflow_binding(self, name: str) -> WorkflowBinding:
        """A workflow's binding, by one of these names."""
        ...

    def bind_for(self, wanted: WorkflowBindingConfig, place: str) -> object:
        """The binding of a workflow of the Worker, as another one's configuration names it."""


class WorkerGroup:
    """The Workers of one test, each with its own bindings and modules, on one engine and in one set of stores.

    Args:
        own: The bindings of the test's own Worker.
        project: Its project; None where no configuration was found.
        registry: Knows the Workers of the repository; None where there is none.
        sources: Gives the sources of the Workers under test.
        make: Makes the bindings of another Worker.

    Attributes:
        classes: The workflow classes that were bound so far, by the engine's names.
        reached: Called with another Worker's project when the test first reaches it.
    """

    def __init__(
        self,
        own: WorkerEnv,
        project: Project | None,
        registry: WorkerRegistry[Project] | None,
        sources: Callable[[], Sources],
        make: Callable[[Project, Callable[[WorkerEnv], Member]], WorkerEnv],
    ) -> None:
        self._own = own
        self._project = project
        self._registry = registry
        self._sources = sources
        self._make = make
        self._others: dict[Project, WorkerEnv] = {}
        self.classes: dict[str, type] = {}
        self.reached: Callable[[Project], None] = lambda project: None

    @property
    def own_host(self) -> Host:
        """The host of the test's own Worker, whose stores and chance are everybody's."""
        return self._own.host

    @property
    def others(self) -> list[WorkerEnv]:
        """The bindings of the other Workers that were reached so far."""
        return list(self._others.values())

    def forget(self) -> None:
        """Let go of the other Workers: the test has another engine."""
        for other in self._others.values():
            other.leave_stores()
        self._others = {}

    # -- who there is ------------------------------------------------------------------------------------------------

    def find(self, name: str) -> WorkerEnv | None:
        """The bindings of the Worker of a name; None where it is not there.

        Raises:
            WorkflowConfigError: If it cannot be said which one it is.
            Exception: What its main module raises while it is imported.
        """
        if self._project is not None and name in self._project.config.own_names:
            return self._own
        project = None if self._registry is None else self._registry.find(name)
        if project is None or project.folder is None:
            return None
        found = self._opened(project)
        with found.member.inside():
            project.load_main()
        return found

    def why_not(self, name: str) -> str:
        """Why a Worker is not there, and what to do, for a message."""
        if self._registry is None:
            return "no Workers are known here"
        project = self._registry.find(name)
        if project is None:
            return self._registry.why_not(name)
        return f"its main module ({project.path}) is no Python"

    def names(self) -> list[str]:
        """The names of the Workers that can be found, the test's own one included."""
        own = None if self._project is None else self._project.config.name
        found = [] if self._registry is None else self._registry.names()
        return sorted({*found, *([] if own is None else [own])})

    def _opened(self, project: Project) -> WorkerEnv:
        if project is self._project:
            return self._own
        found = self._others.get(project)
        if found is None:
            name = project.config.name or project.path.parent.name  # a queue led to one without a name

            def member(env: WorkerEnv) -> Member:
                running = RunningWorker(Resolver(env.resolve, env.names), project.python_version, project.is_on)
                return Member(self, name, running)

            found = self._make(project, member)
            self._sources().add_folder(project.folder)
            self._others[project] = found
            self.reached(project)
        return found

    def check_given(self, given: Mapping[str, Any]) -> None:
        """Check that the Workers are there to which the test gives bindings.

        Args:
            given: All that the test gave.

        Raises:
            WorkflowConfigError: If one is not.
        """
        for name in given:
            worker, separator, _ = str(name).partition(SEPARATOR)
            if separator and (self._registry is None or self._registry.find(worker) is None):
                raise WorkflowConfigError(
                    f"The fixture workflow_bindings gives {name!r}, a binding of the Worker {worker!r}: "
                    f"{self.why_not(worker)}."
                )

    def given_to(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the test gave to a Worker: for one beside its own, by `name/BINDING`.

        Args:
            name: The Worker's name; empty for the test's own one.
            given: All that the test gave.
        """
        if not name:
            return {key: value for key, value in given.items() if SEPARATOR not in key}
        start = f"{name}{SEPARATOR}"
        return {key[len(start) :]: value for key, value in given.items() if key.startswith(start)}

    # -- what they share ---------------------------------------------------------------------------------------------

    def consumer_of(self, queue: str, asking: Member) -> Host:
        """The host of the Worker that consumes a queue; of the one that asks, where there is no other.

        Args:
            queue: The queue's name.
            asking: The Worker that asks.
        """
        envs = {env.member: env for env in (self._own, *self.others)}
        for env in (envs[asking], self._own):
            if env.consumes(queue):
                return env.host
        project = None if self._registry is None else self._registry.consumer_of(queue)
        found = envs[asking] if project is None or project.folder is None else self._opened(project)
        return found.host

    def same(self, kind: str, matches: Callable[[BindingConfig], bool]) -> Iterator[BindingConfig]:
        """The bindings to a resource, of the Workers that ini names, or else of those that were reached so far.

        Args:
            kind: What it is, as the configuration has it.
            matches: Whether a binding is to that one.
        """
        if self._registry is not None and self._registry.is_configured:
            projects = self._registry.projects
        else:
            projects = [one for one in (self._project, *self._others) if one is not None]
        for project in projects:
            yield from (one for one in project.config.bindings if one.kind == kind and matches(one))

    def engine_name(self, env: WorkerEnv, workflow: WorkflowBindingConfig) -> str:
        """The engine's name of a workflow: its binding in the test's own Worker, or one with its Worker's name.

        Args:
            env: The bindings of the workflow's Worker.
            workflow: The workflow.
        """
        if env is self._own:
            return workflow.binding
        names = env.own_names
        configured = () if self._project is None else self._project.config.workflows
        given = self._own.given
        mine = (
            one.binding
            for one in configured
            if one.script_name in names and one.name == workflow.name and one.binding not in given
        )
        return next(mine, env.member.qualified(workflow.binding))
