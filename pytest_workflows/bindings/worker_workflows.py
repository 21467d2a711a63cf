"""The workflows of one Worker: those of its configuration, and those of other Workers that it names."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

import msgspec

from .worker_group import SEPARATOR, Member, WorkerEnv

if TYPE_CHECKING:
    from durable_engine import Engine, WorkflowBinding
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.project.wrangler import WorkflowBindingConfig, WranglerConfig

    from .workflow_binder import WorkflowBinder


class WorkerWorkflows:
    """The workflows that one Worker has bindings to, or exports; each is bound when it is first asked for.

    Args:
        env: The Worker's bindings.
        project: Its project; None where no configuration was found.
        engine: Gives the test's engine.
        member: The Worker's place among those of the test.
        binder: Binds classes to the engine.
        found: Gives what a name of `env` is, to whoever asks: the binding itself, which no proxy stands before.
    """

    def __init__(
        self,
        env: WorkerEnv,
        project: Project | None,
        engine: Callable[[], Engine],
        member: Member,
        binder: WorkflowBinder,
        found: Callable[[str], object],
    ) -> None:
        self._env = env
        self._project = project
        self._engine = engine
        self._member = member
        self._binder = binder
        self._found = found

    def names(self) -> list[str]:
        """The names of the workflows that have a class here: configured ones first, then exported ones."""
        config, given = self._config, self._env.given
        workflows = () if config is None else config.workflows
        # A workflow of another Worker does not matter until it is used.
        names = [one.binding for one in workflows if one.script_name is None or one.binding in given]
        names += [one.binding for one in self.exports() if one.binding not in names]
        mine = [name for name in names if name not in given or is_workflow_class(given[name])]
        return mine + [name for name in given if name not in names and is_workflow_class(given[name])]

    def are_of_another(self, name: str) -> bool:
        """Whether a name, of `env` or such as `billing/AUDIT`, is of a workflow of another Worker that is there."""
        worker, separator, rest = name.partition(SEPARATOR)
        if separator:
            other = self._member.group.find(worker)
            return other is not None and rest in other.workflow_names()
        workflows = () if self._config is None else self._config.workflows
        scripts = [one.script_name for one in workflows if one.binding == name and one.script_name is not None]
        return any(self._member.group.find(script) is not None for script in scripts)

    def binding(self, name: str) -> WorkflowBinding:
        """A workflow's binding, by one of `names`, or by a name that leads to another Worker's.

        Raises:
            KeyError: If there is none.
        """
        worker, separator, rest = name.partition(SEPARATOR)
        if separator:
            other = self._member.group.find(worker)
            if other is None:
                raise KeyError(name)
            return other.workflow_binding(rest)
        for workflow in self.exports():
            if workflow.binding == name:
                return self.bind_export(workflow)
        return cast("WorkflowBinding", self._env.resolve(name))

    @property
    def schedules(self) -> dict[str, list[WorkflowBindingConfig]]:
        """The workflows of this Worker that each cron starts."""
        found: dict[str, list[WorkflowBindingConfig]] = {}
        for workflow in () if self._config is None else self._config.all_workflows:
            for cron in dict.fromkeys(workflow.schedules if workflow.script_name is None else ()):
                found.setdefault(cron, []).append(workflow)
        return found

    def exports(self) -> Iterable[WorkflowBindingConfig]:
        """The workflows that the configuration exports."""
        return () if self._config is None else self._config.exports

    @property
    def _config(self) -> WranglerConfig | None:
        return None if self._project is None else self._project.config

    # -- binding -----------------------------------------------------------------------------------------------------

    def bind(self, workflow: WorkflowBindingConfig) -> object:
        """The binding of a workflow that the configuration has a binding to.

        Args:
            workflow: The workflow.

        Returns:
            For another Worker's that is not there: what says so when it is used.

        Raises:
            WorkflowConfigError: If its class cannot be had.
        """
        script = workflow.script_name
        if script is None:
            return self._bind_own(workflow)
        assert self._project is not None
        place = f"{self._project.path}:{workflow.line}"
        other = self._member.group.find(script)
        if other is not None:
            return other.bind_for(workflow, place)
        from .missing_binding import ForeignWorkflow

        why = self._member.group.why_not(script)
        return ForeignWorkflow(workflow.binding, workflow.class_name, script, place, why)

    def bind_for(self, wanted: WorkflowBindingConfig, place: str) -> object:
        """The binding of a workflow of this Worker, as the configuration of another one names it.

        Args:
            wanted: What the other one's says of it.
            place: File and line that say so.

        Raises:
            WorkflowConfigError: If there is no such workflow here.
        """
        config = self._config
        assert config is not None
        bound = self._env.given.keys() | {one.binding for one in config.workflows}
        for workflow in config.all_workflows:
            if workflow.script_name is None and workflow.name == wanted.name:
                return self._found(workflow.binding) if workflow.binding in bound else self._bind_own(workflow)
        self._binder.check_class(wanted, place)
        return self._bind_own(msgspec.structs.replace(wanted, script_name=None))

    def bind_export(self, workflow: WorkflowBindingConfig) -> WorkflowBinding:
        """The binding of an exported workflow: its own, or that of `env` that is the same workflow."""
        name = workflow.binding
        configured = () if self._config is None else self._config.workflows
        if name in self._env.given or any(one.binding == name for one in configured):
            return cast("WorkflowBinding", self._env.resolve(name))
        return self._bind_own(workflow)

    def bind_all(self) -> None:
        """Bind all of them; one of another Worker that cannot be had hurts who uses it, and nobody else."""
        for name in self.names():
            self.binding(name)
        for workflow in () if self._config is None else self._config.workflows:
            if workflow.script_name is not None and workflow.binding not in self._env.given:
                with contextlib.suppress(Exception):
                    self._env.resolve(workflow.binding)

    def bind_again(self) -> None:
        """Bind those that are bound, as the version has them that is deployed."""
        given, bound, group = self._env.given, self._engine().bindings, self._member.group
        for workflow in () if self._config is None else self._config.all_workflows:
            is_own = workflow.script_name is None and workflow.binding not in given
            if is_own and group.engine_name(self._env, workflow) in bound:
                self._bind_own(workflow)
        for name, value in given.items():
            if is_workflow_class(value) and self._member.qualified(name) in bound:
                self._found(name)

    def _bind_own(self, workflow: WorkflowBindingConfig) -> WorkflowBinding:
        """The binding of a workflow of this Worker, one for all Workers."""
        name = self._member.group.engine_name(self._env, workflow)
        engine = self._engine()
        known = None if engine.is_deploying else engine.bindings.get(name)
        return self._binder.bind_configured(workflow, name) if known is None else known


def is_workflow_class(value: object) -> bool:
    """Whether a value that a test gives is the class of a workflow."""
    from pytest_workflows.workers.entrypoints import WorkflowEntrypoint

    return isinstance(value, type) and issubclass(value, WorkflowEntrypoint)


__all__ = ["WorkerWorkflows", "is_workflow_class"]
