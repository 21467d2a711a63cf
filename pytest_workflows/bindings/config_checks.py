"""The configuration's bindings, checked as a whole before the first test that uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflows.errors import WorkflowConfigError

if TYPE_CHECKING:
    from pytest_workflows.project.worker_project import Project

    from .env_resolver import EnvResolver

_WITH_CLASSES = frozenset({"durable_objects.bindings", "services"})


class ConfigChecks:
    """What is known to be wrong with the bindings of each project of a session."""

    def __init__(self) -> None:
        self._found: dict[tuple[Project, frozenset[str]], WorkflowConfigError | None] = {}

    def check(self, project: Project, env: EnvResolver) -> None:
        """Check the bindings of a project, those left out that the test gives itself.

        Args:
            project: The project.
            env: The test's bindings.

        Raises:
            WorkflowConfigError: If the configuration cannot be read, or one of them cannot be right: file and line.
        """
        __tracebackhide__ = True
        config = project.config
        if not config.bindings and not config.consumers:
            return
        key = (project, frozenset(env.given))
        if key not in self._found:
            self._found[key] = _mistake(project, env)
        error = self._found[key]
        if error is not None:
            raise type(error)(str(error))


def _mistake(project: Project, env: EnvResolver) -> WorkflowConfigError | None:
    config = project.config
    bindings = [one for one in config.bindings if env.is_own(one) and one.name not in env.given]
    has_classes = bool(config.consumers) or any(one.kind in _WITH_CLASSES for one in bindings)
    can_import = not has_classes or _can_import(project)
    try:
        for binding in bindings:
            if can_import or binding.kind not in _WITH_CLASSES:
                env.resolve(binding.name)
        if can_import:
            _check_consumers(project, env)
    except WorkflowConfigError as error:
        return error
    return None


def _can_import(project: Project) -> bool:
    """Whether the main module can be imported; the first test that needs it is told why not."""
    try:
        project.load_main()
    except Exception:
        return False
    return True


def _check_consumers(project: Project, env: EnvResolver) -> None:
    from pytest_workflows.standins.queue_config import consumer_of

    config = project.config
    for queue, line in config.consumers.items():
        if consumer_of(config, queue) is not None and not env.handlers.has("queue"):
            raise WorkflowConfigError(
                f"{config.path}:{line}: the Worker is a consumer of the queue {queue!r}, and its main module has no "
                "queue handler. Write `async def queue(self, batch, env, ctx):` in its default entrypoint."
            )
