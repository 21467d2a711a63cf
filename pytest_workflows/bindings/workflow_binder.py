"""Workflow classes as bindings: each is bound to the test's engine with what the configuration says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_workflows.active_test import running_worker

if TYPE_CHECKING:
    from durable_engine import Engine, WorkflowBinding
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.project.wrangler import WorkflowBindingConfig
    from pytest_workflows.sources.worker_code import Sources
    from pytest_workflows.workers.context import ExecutionContext

    from .worker_group import Member


class WorkflowBinder:
    """Binds workflow classes to one test's engine.

    Args:
        project: The worker project that the test belongs to; None where no configuration was found.
        sources: Gives what is the source of the Worker under test.
        engine: Gives the test's engine.
        context: Gives a `ctx` for each instance of a class.
        member: The Worker's place among those of the test.
    """

    def __init__(
        self,
        project: Project | None,
        sources: Callable[[], Sources],
        engine: Callable[[], Engine],
        context: Callable[[], ExecutionContext],
        member: Member,
    ) -> None:
        self._project = project
        self._sources = sources
        self._engine = engine
        self._context = context
        self._member = member

    def bind_configured(self, workflow: WorkflowBindingConfig, name: str) -> WorkflowBinding:
        """The binding of a workflow of this Worker that the configuration names.

        Args:
            workflow: The workflow.
            name: The engine's name for it.

        Raises:
            WorkflowConfigError: If its class cannot be had, or the engine refuses what the configuration says of it.
        """
        from durable_engine import InvalidArgumentError
        from pytest_workflows.errors import WorkflowConfigError

        assert self._project is not None
        place = f"{self._project.path}:{workflow.line}"
        cls = self._project.workflow_class(workflow)
        retention = {"successRetention": workflow.success_retention, "errorRetention": workflow.error_retention}
        options: dict[str, Any] = {"concurrency": workflow.concurrency, "retention": retention}
        if workflow.step_limit is not None:
            options["step_limit"] = workflow.step_limit
        try:
            return self.bind_class(name, cls, workflow.name, **options)
        except InvalidArgumentError as error:
            raise WorkflowConfigError(f"{place}: {error}") from None

    def bind_class(self, name: str, cls: type, workflow_name: str | None = None, **options: Any) -> WorkflowBinding:
        """The binding of a workflow class.

        Args:
            name: The binding's name.
            cls: The class.
            workflow_name: The workflow's own name, where it has another one.
            options: What the engine takes of a workflow.

        Raises:
            InvalidArgumentError: If the class has no `run`, or the engine refuses an option.
        """
        from pytest_workflows.project.wrangler import implicit_dependencies, preserves_non_retryable

        if not callable(getattr(cls, "run", None)):
            from durable_engine import InvalidArgumentError

            raise InvalidArgumentError(
                f"The workflow class {cls.__name__} for binding {name!r} has no method `run`. "
                "Add `async def run(self, event, step)` to it."
            )
        self._member.group.classes[name] = cls
        self._sources().add_class(name, cls)
        config = None if self._project is None else self._project.config
        return self._engine().bind(
            name,
            lambda event, step: self._entrypoint(cls).run(event, step),
            workflow_name=workflow_name,
            implicit_dependencies=implicit_dependencies(config),
            preserves_non_retryable=preserves_non_retryable(config),
            setup=lambda: running_worker.set(self._member.running),
            **options,
        )

    def check_class(self, workflow: WorkflowBindingConfig, place: str) -> None:
        """Check that the main module has a class that another Worker's configuration names.

        Args:
            workflow: The workflow that the other configuration says to be here, and this one does not.
            place: File and line of the other configuration.

        Raises:
            WorkflowConfigError: If it has not.
        """
        from pytest_workflows.errors import WorkflowConfigError

        assert self._project is not None
        module = self._project.load_main()
        if not isinstance(getattr(module, workflow.class_name, None), type):
            raise WorkflowConfigError(
                f"{place}: the workflow {workflow.name!r} is said to be of the Worker {self._member.name!r}, and "
                f"{self._project.path} has no workflow of that name, nor {module.__file__} a class "
                f"{workflow.class_name!r}. Correct one of the two."
            )

    def _entrypoint(self, cls: Callable[..., Any]) -> Any:
        """An object of the user's class, of which nothing but its `run` is known."""
        from pytest_workflows.workers import env

        return cls(self._context(), env)
