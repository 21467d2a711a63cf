"""The resolver of `env`: which binding, variable or fake each name gives to the Worker, in one test."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_workflows.project.worker_registry import script_of
from pytest_workflows.standins.registry import is_provided

from .worker_exports import WorkerExports
from .worker_group import Member, WorkerEnv, WorkerGroup
from .worker_workflows import WorkerWorkflows, is_workflow_class
from .workflow_binder import WorkflowBinder

if TYPE_CHECKING:
    from durable_engine import Engine, WorkflowBinding
    from pytest_workflows.project.binding_config import BindingConfig
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.project.worker_registry import WorkerRegistry
    from pytest_workflows.project.wrangler import WorkflowBindingConfig, WranglerConfig
    from pytest_workflows.sources.worker_code import Sources
    from pytest_workflows.standins.host import Host
    from pytest_workflows.standins.stores import Contents, StoreKeeper, Stores
    from pytest_workflows.workers.context import ExecutionContext

    from .handlers import Handlers
    from .stand_in_host import StandInHost


class EnvResolver:
    """Resolves the names of one test's `env`, and of its `ctx.exports`.

    What the test gave comes first, then the configuration's workflows, its variables with the secrets, and its other
    bindings, which nobody provides. Each is made when its name is first asked for.

    Args:
        project: The worker project that the test belongs to; None where no configuration was found.
        sources: Gives what is the source of the Worker under test.
        engine: Gives the test's engine.
        ask_given: Gives the bindings of the fixture `workflow_bindings`, where the test did not hand them over.
        check: Called before a binding is given; what it raises refuses it.
        is_strict: Whether an injected fault that no call meets is an error.
        template: Gives the stores that a seed has left, of which the test gets a copy.
        registry: Knows the Workers of the repository, which bindings may lead to; None where there is none.
        member: Gives this Worker's place beside the test's own one; None for the test's own one.
        keeper: Where the contents of bindings outlive the process; None for in memory only.

    Attributes:
        project: As given.
        member: Its place among the Workers of the test.
        workflows: Its workflows.
        exports: What it exports.
    """

    def __init__(
        self,
        project: Project | None,
        sources: Callable[[], Sources],
        engine: Callable[[], Engine],
        *,
        ask_given: Callable[[], Mapping[str, Any]] = dict,
        check: Callable[[], None] = lambda: None,
        is_strict: bool = True,
        template: Callable[[], Stores | None] = lambda: None,
        registry: WorkerRegistry[Project] | None = None,
        member: Callable[[WorkerEnv], Member] | None = None,
        keeper: StoreKeeper | None = None,
    ) -> None:
        self.project = project
        self._sources = sources
        self._engine = engine
        self._ask_given = ask_given
        self._check = check
        self._is_strict = is_strict
        self._template = template
        self._keeper = keeper
        self._overrides: Mapping[str, Any] | None = None
        self._resolved: dict[str, object] = {}
        self._proxies: dict[str, object] = {}
        self._host: StandInHost | None = None
        if member is None:
            self.member = Member(WorkerGroup(self, project, registry, sources, self._of_other))
        else:
            self.member = member(self)
        self._binder = WorkflowBinder(project, sources, engine, self._context, self.member)
        self.workflows = WorkerWorkflows(self, project, engine, self.member, self._binder, self._found)
        self.exports = WorkerExports(project, self.workflows, lambda: self.host)

    def _context(self) -> ExecutionContext:
        return self.exports.context()

    def _of_other(self, project: Project, member: Callable[[WorkerEnv], Member]) -> EnvResolver:
        """The bindings of another Worker, in the same test."""
        return type(self)(
            project,
            self._sources,
            self._engine,
            ask_given=self._everything_given,
            check=self._check,
            is_strict=self._is_strict,
            member=member,
        )

    @functools.cached_property
    def handlers(self) -> Handlers:
        """The Worker's handlers."""
        from .handlers import Handlers

        return Handlers(self.project, self.exports.context, self._warn, self.member.inside)

    def _warn(self, rule: str, problem: str, place: tuple[str, int]) -> None:
        self.host.warn(rule, problem, place)

    def override(self, bindings: Mapping[str, Any]) -> None:
        """Let the bindings of the fixture `workflow_bindings` win over the configuration's.

        Raises:
            WorkflowConfigError: If one of them is of a Worker that is not there.
        """
        self.member.group.check_given(bindings)
        self._overrides = self._sources().given = bindings  # not a copy: a property test puts new fakes into it

    def forget(self) -> None:
        """Make everything anew when it is next asked for: the test has another engine."""
        self._resolved, self._proxies = {}, {}
        self.close()

    def deploy(self, given: Mapping[str, Any] | None) -> None:
        """Make what comes of the Worker's source and configuration anew: another version of both is deployed.

        Args:
            given: The bindings of the fixture `workflow_bindings` for that version; None where nobody asked for them.
        """
        if given is not None:
            self.override(given)
        mine = self.given
        kept = {name for name, value in mine.items() if not isinstance(value, type)}
        self._resolved = {name: value for name, value in self._resolved.items() if name in kept}
        self._proxies = {}
        self.workflows.bind_again()
        if self._host is not None:
            self._host.deployed()
            self.make_stores()
            for name in self._resolved:
                _migrate(self._resolved[name])
        for other in () if self.member.name else self.member.group.others:
            other.deploy(None)

    def close(self) -> None:
        """Let go of the stores."""
        self.member.group.forget()
        if self._host is not None:
            self._host.stores.close()
            self._host = None

    def leave_stores(self) -> None:
        """Let go of the stores without closing them: somebody else keeps them."""
        self._host = None

    @property
    def given(self) -> Mapping[str, Any]:
        """The bindings that the test gave to the Worker."""
        return self.member.group.given_to(self.member.name, self._everything_given())

    @property
    def overridden(self) -> list[str]:
        """The names of the bindings that the test gave, as far as it was asked for them."""
        return sorted(self._overrides or ())

    @property
    def classes(self) -> Mapping[str, type]:
        """The workflow classes of all Workers that were bound so far, by the engine's names."""
        return self.member.group.classes

    # -- names of env ------------------------------------------------------------------------------------------------

    def resolve(self, name: str) -> object:
        """The binding, variable or fake of that name, as the Worker sees it in `env`.

        Raises:
            KeyError: If there is none.
        """
        self._check()
        found = self._found(name)
        return self._recorded(name) if self._is_asked_by_worker() else found

    def _found(self, name: str) -> object:
        if name not in self._resolved:
            self._resolved[name] = self._make(name)
        return self._resolved[name]

    def _is_asked_by_worker(self) -> bool:
        """Whether the Worker's own code asks, in a workflow; tests, fakes and handlers get the object itself."""
        from durable_engine import current_scope

        return current_scope.get() is not None and self._sources().caller() is not None

    def _recorded(self, name: str) -> object:
        if name not in self._proxies:
            from .recording_proxy import record

            self._proxies[name] = record(self._resolved[name], self.member.qualified(name))
        return self._proxies[name]

    def _make(self, name: str) -> object:
        given = self.given
        if name in given:
            value = given[name]
            if isinstance(value, type) and (made := self._of_class(name, value)) is not None:
                return made
            return self._wrapped(name, value)
        if self.project is None:
            raise KeyError(name)
        config = self.project.config
        for workflow in config.workflows:
            if workflow.binding == name:
                return self.workflows.bind(workflow)
        variables = self.project.variables
        if name in variables:
            from pytest_workflows.standins.variables import variable

            return variable(variables[name])
        for binding in config.bindings:
            if binding.name == name and (host := self._host_of(binding)) is not None:
                return self._provide(binding, host)
        if name in config.other_bindings:
            from .missing_binding import missing_binding

            kind, why = config.other_bindings[name], self._why_missing(name)
            return missing_binding(name, kind, config.path, why, in_test=self._keeper is None)
        raise KeyError(name)

    def _of_class(self, name: str, given: type) -> object | None:
        """The binding of a class that the test gave: a workflow, a service binding or a namespace; None for no such."""
        if is_workflow_class(given):
            return self._binder.bind_class(self.member.qualified(name), given)
        from pytest_workflows.workers.entrypoints import DurableObject, WorkerEntrypoint

        if issubclass(given, WorkerEntrypoint):
            from pytest_workflows.standins.services import Fetcher

            return self._wrapped(name, Fetcher(self.host, given))
        if issubclass(given, DurableObject):
            from pytest_workflows.standins.durable_objects import namespace_of

            with self.host.stores.asked_by(self.member.qualified(name)):
                return self._wrapped(name, namespace_of(given, given.__name__, self.host))
        return None

    def is_own(self, binding: BindingConfig) -> bool:
        """Whether there is a stand-in for a binding of the configuration, and it is of nothing of another Worker's."""
        return is_provided(binding) and self._script_of(binding) is None

    def _script_of(self, binding: BindingConfig) -> str | None:
        """The name of the other Worker that a binding leads to; None where it leads to none."""
        script = script_of(binding)
        return None if script is None or script in self.own_names else script

    def _host_of(self, binding: BindingConfig) -> Host | None:
        """The host of what stands in for a binding: another Worker's for what is that Worker's; None for none."""
        if not is_provided(binding):
            return None
        script = self._script_of(binding)
        if script is None:
            return self.host
        other = self.member.group.find(script)
        return None if other is None else other.host

    def _why_missing(self, name: str) -> str | None:
        """Why another Worker, to which a binding leads, is not there."""
        for binding in self._configured().bindings:
            if binding.name == name and (script := self._script_of(binding)) is not None:
                return f"It leads to the Worker {script!r}: {self.member.group.why_not(script)}."
        return None

    def _provide(self, binding: BindingConfig, host: Host) -> object:
        """The stand-in of a binding, as the SDK hands it to the Worker."""
        from pytest_workflows.standins.registry import make

        with host.stores.asked_by(self.member.qualified(binding.name)):
            made = make(binding, host)
        return self._wrapped(binding.name, made)

    def _wrapped(self, name: str, value: object) -> object:
        """A binding as the Worker gets it: an object of JavaScript in the SDK's wrapper, anything else as it is."""
        from durable_engine import JsProxy

        if not isinstance(value, JsProxy):
            return value
        from pytest_workflows.workers.binding_wrappers import wrap_binding

        from .call_log import CallLog, logs_of

        called = self.member.qualified(name)
        log = logs_of(self._engine()).get(called) or CallLog(called, self._engine(), is_strict=self._is_strict)
        return wrap_binding(value, log)

    def contents(self) -> dict[tuple[str, ...], Contents]:
        """What the stores of all bindings hold, by the bindings' names: also of those that nobody has asked for.

        Those of other Workers are among them, as far as the test has reached the Worker.
        """
        for env in (self, *self.member.group.others):
            env.make_stores()
        return {} if self._host is None else self._host.stores.contents()

    def make_stores(self) -> None:
        """Make the bindings that have stores, whether or not anybody has asked for them; none of another Worker's."""
        from pytest_workflows.errors import WorkflowConfigError

        config = self._config()
        for binding in () if config is None else config.bindings:
            if self.is_own(binding) and binding.name not in self.given:
                with contextlib.suppress(WorkflowConfigError):  # the test has not used it, or knows of it
                    self.resolve(binding.name)

    @property
    def host(self) -> StandInHost:
        """The test, as its stand-ins see it."""
        if self._host is None:
            from .stand_in_host import StandInHost

            template = None if self.member.name else self._template()
            self._host = StandInHost(
                self.project, self._engine, self.handlers, self._sources, self.member, template, self._keeper
            )
        return self._host

    def names(self) -> Iterable[str]:
        """The names that `env` has."""
        names = set(self.given)
        if self.project is not None:
            config = self.project.config
            names |= {workflow.binding for workflow in config.workflows}
            names |= self.project.variables.keys() | config.other_bindings.keys()
        return sorted(names)

    def _everything_given(self) -> Mapping[str, Any]:
        """What the test gave, to other Workers too."""
        if self._overrides is None:
            if self.member.name:
                return self._ask_given()
            self.override(self._ask_given())
        assert self._overrides is not None
        return self._overrides

    @property
    def own_names(self) -> frozenset[str | None]:
        """The names of the Worker itself."""
        config = self._config()
        return frozenset() if config is None else config.own_names

    def consumes(self, queue: str) -> bool:
        """Whether the Worker is a consumer of a queue."""
        config = self._config()
        return config is not None and queue in config.consumers

    def _configured(self) -> WranglerConfig:
        assert self.project is not None
        return self.project.config

    def _config(self) -> WranglerConfig | None:
        return None if self.project is None else self.project.config

    # -- workflows ---------------------------------------------------------------------------------------------------

    def workflow_names(self) -> list[str]:
        """The engine's names of the workflows that have a class here: configured ones first, then exported ones."""
        return self.workflows.names()

    def workflow_binding(self, name: str) -> WorkflowBinding:
        """A workflow's binding, by one of `workflow_names`."""
        return self.workflows.binding(name)

    def bind_for(self, wanted: WorkflowBindingConfig, place: str) -> object:
        """The binding of a workflow of this Worker, as the configuration of another one names it."""
        return self.workflows.bind_for(wanted, place)


def _migrate(binding: object) -> None:
    """Apply the migrations that a database has not had; nothing for any other binding."""
    from pytest_workflows.standins.d1 import D1Database

    found = getattr(binding, "_binding", None)
    if isinstance(found, D1Database):
        found._migrations.apply(found._service.database)
