"""The resolver of `env`: which binding, variable or fake each name gives to the Worker, in one test."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from pytest_workflows.standins.registry import is_provided

from .workflow_binder import WorkflowBinder

if TYPE_CHECKING:
    from durable_engine import Engine, WorkflowBinding
    from pytest_workflows.project.binding_config import BindingConfig
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.project.wrangler import WorkflowBindingConfig, WranglerConfig
    from pytest_workflows.sources.worker_code import Sources
    from pytest_workflows.standins.stores import Contents, Stores
    from pytest_workflows.workers.context import ExecutionContext

    from .handlers import Handlers
    from .stand_in_host import StandInHost

_SCRIPTS = {"services": "service", "durable_objects.bindings": "script_name"}
"""By kind of binding: the setting that names a Worker."""


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
    ) -> None:
        self._project = project
        self._sources = sources
        self._engine = engine
        self._ask_given = ask_given
        self._check = check
        self._is_strict = is_strict
        self._template = template
        self._overrides: Mapping[str, Any] | None = None
        self._resolved: dict[str, object] = {}
        self._proxies: dict[str, object] = {}
        self._host: StandInHost | None = None
        self._workflows = WorkflowBinder(project, sources, engine, self.context)

    @functools.cached_property
    def handlers(self) -> Handlers:
        """The Worker's handlers."""
        from .handlers import Handlers

        return Handlers(self._project, self.context, lambda rule, problem, place: self.host.warn(rule, problem, place))

    def override(self, bindings: Mapping[str, Any]) -> None:
        """Let the bindings of the fixture `workflow_bindings` win over the configuration's."""
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
        kept = {name for name, value in (self._overrides or {}).items() if not isinstance(value, type)}
        self._resolved = {name: value for name, value in self._resolved.items() if name in kept}
        self._proxies = {}
        engine = self._engine()
        with engine.deploying():
            for name in self.workflow_names():
                if name in engine.bindings:
                    self.workflow_binding(name)
        if self._host is not None:
            self._host.deployed()
            self._make_stores()
            for name in self._resolved:
                _migrate(self._resolved[name])

    def close(self) -> None:
        """Let go of the stores."""
        if self._host is not None:
            self._host.stores.close()
            self._host = None

    def leave_stores(self) -> None:
        """Let go of the stores without closing them: somebody else keeps them."""
        self._host = None

    @property
    def given(self) -> Mapping[str, Any]:
        """The bindings that the test gave."""
        return self._given()

    @property
    def overridden(self) -> list[str]:
        """The names of the bindings that the test gave, as far as it was asked for them."""
        return sorted(self._overrides or ())

    @property
    def classes(self) -> Mapping[str, type]:
        """The workflow classes that were bound so far, by the names of their bindings."""
        return self._workflows.classes

    # -- names of env ------------------------------------------------------------------------------------------------

    def resolve(self, name: str) -> object:
        """The binding, variable or fake of that name, as the Worker sees it in `env`.

        Raises:
            KeyError: If there is none.
        """
        self._check()
        if name not in self._resolved:
            self._resolved[name] = self._make(name)
        return self._recorded(name) if self._is_asked_by_worker() else self._resolved[name]

    def _is_asked_by_worker(self) -> bool:
        """Whether the Worker's own code asks, in a workflow; tests, fakes and handlers get the object itself."""
        from durable_engine import current_scope

        return current_scope.get() is not None and self._sources().caller() is not None

    def _recorded(self, name: str) -> object:
        if name not in self._proxies:
            from .recording_proxy import record

            self._proxies[name] = record(self._resolved[name], name)
        return self._proxies[name]

    def _make(self, name: str) -> object:
        given = self._given()
        if name in given:
            value = given[name]
            if isinstance(value, type) and (made := self._of_class(name, value)) is not None:
                return made
            return self._wrapped(name, value)
        if self._project is None:
            raise KeyError(name)
        config = self._project.config
        for workflow in config.workflows:
            if workflow.binding == name:
                return self._workflows.bind_configured(workflow)
        variables = self._project.variables
        if name in variables:
            from pytest_workflows.standins.variables import variable

            return variable(variables[name])
        for binding in config.bindings:
            if binding.name == name and self._is_provided(binding):
                return self._provide(binding)
        if name in config.other_bindings:
            from .missing_binding import missing_binding

            return missing_binding(name, config.other_bindings[name], config.path)
        raise KeyError(name)

    def _of_class(self, name: str, given: type) -> object | None:
        """The binding of a class that the test gave: a workflow, a service binding or a namespace; None for no such."""
        if _is_entrypoint(given):
            return self._workflows.bind_class(name, given)
        from pytest_workflows.workers.entrypoints import DurableObject, WorkerEntrypoint

        if issubclass(given, WorkerEntrypoint):
            from pytest_workflows.standins.services import Fetcher

            return self._wrapped(name, Fetcher(self.host, given))
        if issubclass(given, DurableObject):
            from pytest_workflows.standins.durable_objects import namespace_of

            with self.host.stores.asked_by(name):
                return self._wrapped(name, namespace_of(given, given.__name__, self.host))
        return None

    def _is_provided(self, binding: BindingConfig) -> bool:
        """Whether there is a stand-in for a binding: not for what is another Worker's."""
        script = binding.settings.get(_SCRIPTS.get(binding.kind, ""))
        config = self._config()
        return is_provided(binding) and (script is None or config is None or script in config.own_names)

    def _provide(self, binding: BindingConfig) -> object:
        """The stand-in of a binding, as the SDK hands it to the Worker."""
        from pytest_workflows.standins.registry import make

        with self.host.stores.asked_by(binding.name):
            made = make(binding, self.host)
        return self._wrapped(binding.name, made)

    def _wrapped(self, name: str, value: object) -> object:
        """A binding as the Worker gets it: an object of JavaScript in the SDK's wrapper, anything else as it is."""
        from durable_engine import JsProxy

        if not isinstance(value, JsProxy):
            return value
        from pytest_workflows.workers.binding_wrappers import wrap_binding

        from .call_log import CallLog, logs_of

        log = logs_of(self._engine()).get(name) or CallLog(name, self._engine(), is_strict=self._is_strict)
        return wrap_binding(value, log)

    def contents(self) -> dict[tuple[str, ...], Contents]:
        """What the stores of all bindings hold, by the bindings' names: also of those that nobody has asked for."""
        self._make_stores()
        return {} if self._host is None else self._host.stores.contents()

    def _make_stores(self) -> None:
        """Make the bindings that have stores, whether or not anybody has asked for them."""
        from pytest_workflows.errors import WorkflowConfigError

        config = self._config()
        for binding in () if config is None else config.bindings:
            if self._is_provided(binding) and binding.name not in self._given():
                with contextlib.suppress(WorkflowConfigError):  # the test has not used it, or knows of it
                    self.resolve(binding.name)

    @property
    def host(self) -> StandInHost:
        """The test, as its stand-ins see it."""
        if self._host is None:
            from .stand_in_host import StandInHost

            self._host = StandInHost(self._project, self._engine, self.handlers, self._sources, self._template())
        return self._host

    def names(self) -> Iterable[str]:
        """The names that `env` has."""
        names = set(self._given())
        if self._project is not None:
            config = self._project.config
            names |= {workflow.binding for workflow in config.workflows}
            names |= self._project.variables.keys() | config.other_bindings.keys()
        return sorted(names)

    def _given(self) -> Mapping[str, Any]:
        if self._overrides is None:
            self.override(self._ask_given())
        assert self._overrides is not None
        return self._overrides

    def _config(self) -> WranglerConfig | None:
        return None if self._project is None else self._project.config

    # -- workflows ---------------------------------------------------------------------------------------------------

    def workflow_names(self) -> list[str]:
        """The engine's names of the workflows that have a class here: configured ones first, then exported ones."""
        config, given = self._config(), self._given()
        workflows = () if config is None else config.workflows
        # A workflow of another Worker does not matter until it is used.
        names = [one.binding for one in workflows if one.script_name is None or one.binding in given]
        names += [one.binding for one in self._exports() if one.binding not in names]
        mine = [name for name in names if name not in given or _is_entrypoint(given[name])]
        return mine + [name for name in given if name not in names and _is_entrypoint(given[name])]

    def workflow_binding(self, name: str) -> WorkflowBinding:
        """A workflow's binding, by one of `workflow_names`."""
        for workflow in self._exports():
            if workflow.binding == name:
                return self._bind_export(workflow)
        return cast("WorkflowBinding", self.resolve(name))

    @property
    def schedules(self) -> dict[str, list[WorkflowBindingConfig]]:
        """The workflows of this Worker that each cron starts."""
        config = self._config()
        found: dict[str, list[WorkflowBindingConfig]] = {}
        for workflow in () if config is None else config.all_workflows:
            for cron in dict.fromkeys(workflow.schedules if workflow.script_name is None else ()):
                found.setdefault(cron, []).append(workflow)
        return found

    # -- what the Worker exports -------------------------------------------------------------------------------------

    def context(self, props: Any = None) -> ExecutionContext:
        """A `ctx`, for an entrypoint or a handler.

        Args:
            props: What the caller's binding says of itself.
        """
        from pytest_workflows.project.wrangler import has_ctx_exports
        from pytest_workflows.workers.context import ExecutionContext, Exports

        exports = Exports(self.export, self._export_names) if has_ctx_exports(self._config()) else None
        return ExecutionContext(exports, props)

    def export(self, class_name: str) -> object:
        """What the Worker exports under the name of a class: a workflow, an entrypoint or Durable Objects.

        Raises:
            KeyError: If there is none; its argument says why.
            MissingBindingError: If the platform has it, and we have not.
        """
        from .missing_exports import no_export

        for workflow in self._exports():
            if workflow.class_name == class_name:
                return self._bind_export(workflow)
        found = self._export_of_class(class_name)
        if found is None:
            raise no_export(class_name, self._project)
        return found

    def _export_of_class(self, name: str) -> object | None:
        from pytest_workflows.workers.entrypoints import DurableObject, WorkerEntrypoint

        entrypoint = None if name in ("default", "Default") else name
        found = self.handlers.entrypoint(entrypoint)
        if found is None or found in (WorkerEntrypoint, DurableObject):
            return None
        if issubclass(found, WorkerEntrypoint):
            from pytest_workflows.standins.services import LoopbackServiceStub

            return LoopbackServiceStub(self.host, entrypoint)
        if issubclass(found, DurableObject):
            from pytest_workflows.standins.durable_objects import declares, namespace_of

            config = self._config()
            if config is not None and declares(name, config.settings):
                return namespace_of(found, name, self.host)
        return None

    def _bind_export(self, workflow: WorkflowBindingConfig) -> WorkflowBinding:
        """The binding of an exported workflow: its own, or that of `env` that is the same workflow."""
        name, config = workflow.binding, self._config()
        configured = () if config is None else config.workflows
        if name in self._given() or any(one.binding == name for one in configured):
            return cast("WorkflowBinding", self.resolve(name))
        bindings = self._engine().bindings
        if name not in bindings:
            self._workflows.bind_configured(workflow)
        return self._engine().bindings[name]

    def _exports(self) -> Iterable[WorkflowBindingConfig]:
        config = self._config()
        return () if config is None else config.exports

    def _export_names(self) -> list[str]:
        names = [workflow.class_name for workflow in self._exports()]
        classes = vars(self._project.load_main()) if self._project is not None else {}
        return names + [name for name in classes if name not in names and self._export_of_class(name) is not None]


def _is_entrypoint(value: object) -> bool:
    from pytest_workflows.workers.entrypoints import WorkflowEntrypoint

    return isinstance(value, type) and issubclass(value, WorkflowEntrypoint)


def _migrate(binding: object) -> None:
    """Apply the migrations that a database has not had; nothing for any other binding."""
    from pytest_workflows.standins.d1 import D1Database

    found = getattr(binding, "_binding", None)
    if isinstance(found, D1Database):
        found._migrations.apply(found._service.database)
