"""What one Worker exports, `ctx.exports`: workflows, entrypoints and classes of Durable Objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .worker_workflows import WorkerWorkflows

if TYPE_CHECKING:
    from pytest_workflows.project.worker_project import Project
    from pytest_workflows.standins.host import Host
    from pytest_workflows.workers.context import ExecutionContext


class WorkerExports:
    """The exports of one Worker by the names of their classes.

    Args:
        project: The Worker's project; None where no configuration was found.
        workflows: Its workflows.
        host: Gives the test, as its stand-ins see it.
    """

    def __init__(self, project: Project | None, workflows: WorkerWorkflows, host: Callable[[], Host]) -> None:
        self._project = project
        self._workflows = workflows
        self._host = host

    def context(self, props: Any = None) -> ExecutionContext:
        """A `ctx`, for an entrypoint or a handler.

        Args:
            props: What the caller's binding says of itself.
        """
        from pytest_workflows.project.wrangler import has_ctx_exports
        from pytest_workflows.workers.context import ExecutionContext, Exports

        config = None if self._project is None else self._project.config
        exports = Exports(self.get, self._names) if has_ctx_exports(config) else None
        return ExecutionContext(exports, props)

    def get(self, class_name: str) -> object:
        """What the Worker exports under the name of a class: a workflow, an entrypoint or Durable Objects.

        Raises:
            KeyError: If there is none; its argument says why.
            MissingBindingError: If the platform has it, and we have not.
        """
        from .missing_exports import no_export

        for workflow in self._workflows.exports():
            if workflow.class_name == class_name:
                return self._workflows.bind_export(workflow)
        found = self._of_class(class_name)
        if found is None:
            raise no_export(class_name, self._project)
        return found

    def _of_class(self, name: str) -> object | None:
        from pytest_workflows.workers.entrypoints import DurableObject, WorkerEntrypoint

        entrypoint = None if name in ("default", "Default") else name
        host = self._host()
        found = host.export(entrypoint)
        if found is None or found in (WorkerEntrypoint, DurableObject):
            return None
        if issubclass(found, WorkerEntrypoint):
            from pytest_workflows.standins.services import LoopbackServiceStub

            return LoopbackServiceStub(host, entrypoint)
        if issubclass(found, DurableObject):
            from pytest_workflows.standins.durable_objects import declares, namespace_of

            if host.config is not None and declares(name, host.config.settings):
                return namespace_of(found, name, host)
        return None

    def _names(self) -> list[str]:
        names = [workflow.class_name for workflow in self._workflows.exports()]
        classes = vars(self._project.load_main()) if self._project is not None else {}
        return names + [name for name in classes if name not in names and self._of_class(name) is not None]


__all__ = ["WorkerExports"]
