"""The workflows that a control plane serves, by their own names, and the versions of their source.

All of it is asked on the loop of what is served.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, get_args

import msgspec

from durable_engine import to_datetime

from .answers import ApiStatus
from .errors import VERSION_NOT_FOUND, WORKFLOW_NOT_FOUND, ApiError

if TYPE_CHECKING:
    from durable_engine import WorkflowBinding
    from durable_engine.execution.execution import Execution
    from pytest_workflows.project.wrangler import WorkflowBindingConfig, WranglerConfig

    from .served import Served, Version

STATUSES: Final[tuple[ApiStatus, ...]] = get_args(ApiStatus)
_IDS: Final = uuid.UUID("5f0c8c3e-3d0f-4a53-9d5c-3a1c6f8f4f0e")
_NO_SCRIPT: Final = "worker"
_MOST_NAMES: Final = 10


class Listed(msgspec.Struct, frozen=True):
    """A workflow of the Worker.

    Attributes:
        binding: Its binding.
        class_name: Its class.
        script_name: The Worker that has the class.
        config: What the configuration says of it; None where a test gave the class.
    """

    binding: WorkflowBinding
    class_name: str
    script_name: str
    config: WorkflowBindingConfig | None

    @property
    def name(self) -> str:
        """Its own name."""
        return self.binding.workflow.workflow_name

    @property
    def id(self) -> str:
        """A UUID that is the same in each process."""
        return str(uuid.uuid5(_IDS, f"{self.script_name}/{self.name}"))


class Directory:
    """The workflows of what is served.

    Args:
        served: What is served.
    """

    def __init__(self, served: Served) -> None:
        self._served = served

    @property
    def workflows(self) -> list[Listed]:
        """The workflows, in the order of the configuration: of those with one name the first."""
        found: dict[str, Listed] = {}
        for one in self._all():
            found.setdefault(one.name, one)
        return list(found.values())

    def find(self, name: str) -> Listed:
        """A workflow, by its own name or by that of its binding.

        Raises:
            ApiError: If there is none.
        """
        known = self.workflows
        for one in known:
            if one.name == name:
                return one
        for one in known:
            if one.binding.workflow.name == name:
                return one
        names = ", ".join([repr(one.name) for one in known[:_MOST_NAMES]]) or "none"
        more = ", ..." if len(known) > _MOST_NAMES else ""
        raise ApiError(404, WORKFLOW_NOT_FOUND, f"There is no workflow {name!r}. The Worker has: {names}{more}.")

    def instances(self, listed: Listed) -> list[Execution]:
        """The instances of a workflow, in the order of their creation."""
        name = listed.binding.workflow.name
        return [one for one in self._served.engine.instances if one.workflow.name == name]

    def counts(self, listed: Listed) -> dict[str, int]:
        """How many instances of a workflow have each status."""
        found = Counter(api_status(one) for one in self.instances(listed))
        return {status: found[status] for status in STATUSES}

    # -- versions ----------------------------------------------------------------------------------------------------

    @property
    def versions(self) -> Sequence[Version]:
        """The versions that ran, each once, the oldest first."""
        # One that ran on after another was refused stands there again.
        return list({one.id: one for one in self._served.versions if one.problem is None}.values())

    def version(self, id: str) -> Version:
        """A version.

        Raises:
            ApiError: If there is none of that id.
        """
        for one in self.versions:
            if one.id == id:
                return one
        raise ApiError(404, VERSION_NOT_FOUND, f"There is no version {id!r}.")

    def version_at(self, created_at: int) -> str:
        """The id of the version that an instance began with.

        Args:
            created_at: When the instance was created, in epoch milliseconds.
        """
        known = self.versions
        before = [one for one in known if one.created_at <= created_at]
        found = before[-1:] or known[:1]
        return found[0].id if found else str(_IDS)

    @property
    def created_on(self) -> datetime:
        """When the first version was deployed."""
        return self._when(0)

    @property
    def modified_on(self) -> datetime:
        """When the present version was deployed."""
        return self._when(-1)

    def _when(self, index: int) -> datetime:
        known = self.versions
        return to_datetime(known[index].created_at if known else 0)

    # -- where they come from ----------------------------------------------------------------------------------------

    def _all(self) -> Iterator[Listed]:
        env, engine = self._served.env, self._served.engine
        seen: set[str] = set()
        for name in env.workflow_names():
            binding = env.workflow_binding(name)
            seen.add(binding.workflow.name)
            yield self._listed(binding, name)
        for name, binding in engine.bindings.items():  # those of other Workers that it uses
            if name not in seen:
                yield self._listed(binding, name)

    def _listed(self, binding: WorkflowBinding, name: str) -> Listed:
        config = self._configured(name)
        cls = self._served.env.classes.get(binding.workflow.name)
        class_name = config.class_name if config is not None else name if cls is None else cls.__name__
        script = None if config is None else config.script_name
        return Listed(binding, class_name, script or self._script, config)

    def _configured(self, name: str) -> WorkflowBindingConfig | None:
        config = self._config
        workflows = () if config is None else (*config.workflows, *config.exports)
        return next((one for one in workflows if one.binding == name), None)

    @property
    def _config(self) -> WranglerConfig | None:
        project = self._served.env.project
        return project.config if project is not None and project.readable else None

    @property
    def _script(self) -> str:
        return (self._config.name if self._config is not None else None) or _NO_SCRIPT


def api_status(instance: Execution) -> ApiStatus:
    """An instance's status as the API has it: its schema has no `unknown`."""
    status = instance.status
    return "running" if status == "unknown" else status
