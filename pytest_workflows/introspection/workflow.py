"""The introspector of a workflow: every instance that is created while it is open."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable
from typing import Any, Self

from durable_engine import (
    InstanceModifications,
    Modification,
    StepRecord,
    UnusedModificationError,
    Workflow,
    WorkflowBinding,
    hide_frames,
)

from .base import Introspector
from .instance import InstanceIntrospector
from .modifying import ModifyFunction, Modifying
from .registry import Leaving, unused_error

hide_frames(__file__)

_MOST_LEFT = 500
"""The most instances of one workflow of which something is kept when they are disposed of."""


class Introspectors(list[InstanceIntrospector]):
    """A list that may be awaited: the platform's test API gives it asynchronously."""

    def __await__(self) -> Generator[Any, None, Self]:
        """The list itself, at once."""

        async def itself() -> Self:
            return self

        return itself().__await__()


class WorkflowIntrospector(Introspector):
    """An introspector of every instance that is created while it is open. Made by `introspect_workflow`."""

    def __init__(self, binding: WorkflowBinding) -> None:
        super().__init__(binding)
        self._instances: dict[str, InstanceIntrospector] = {}

    def __repr__(self) -> str:
        return f"<introspector of workflow {self._workflow.name!r}>"

    def modify_all(self, function: ModifyFunction | None = None) -> Modifying[Self]:
        """Change how instances run that are created from now on; used as `modify` of an instance.

        Args:
            function: Called with the modifier; plain or async.
        """
        self._check_open()
        return Modifying(self, self._engine, function, self._modifications, self._apply, "introspector.modify_all")

    def _apply(self, modifications: list[Modification]) -> None:
        self._check_open()
        self._modifications += modifications

    def get(self) -> Introspectors:
        """The introspectors of the instances so far, in order of creation; the same objects each time.

        Returns:
            A list. Awaiting it gives it too, as in tests that were written for the platform's own API.
        """
        if self._state != "disposed":
            self._check_open()
        return Introspectors(self._instances.values())

    def _created(self, workflow: Workflow, id: str, modifications: InstanceModifications) -> None:
        if workflow is self._workflow:
            for modification in self._modifications:
                modifications.add(modification, general=True)
            self._instances.pop(id, None)  # one that was deleted and is created again comes last
            self._instances[id] = InstanceIntrospector(self._binding, id, covered=True)

    def _open(self) -> None:
        self._registry.open_workflow(self, self._workflow.name)
        self._engine.lifecycle.on_create.append(self._created)

    def _dispose(self) -> None:
        if self._state == "open":
            if not self._engine.closed:
                self._engine.lifecycle.on_create.remove(self._created)
                self._registry.close_workflow(self._workflow.name)
                self.keep_left(self._registry.keep_runs(self._engine, self._workflow, self._instances))
                self._engine.discard(self._workflow, self._instances)
            for instance in self._instances.values():
                instance.mark_disposed()
        self._state = "disposed"

    def keep_left(self, leaving: Leaving | None = None) -> None:
        """Keep the records of the first instances that are seen after they are gone.

        Args:
            leaving: Gives their runs, where somebody else keeps those, too.
        """
        for instance in itertools.islice(self._open_instances(), _MOST_LEFT):
            instance.keep_left(leaving)

    @property
    def _called(self) -> str:
        return f"introspect_workflow(env.{self._workflow.name})"

    def _ids(self) -> Iterable[str]:
        return tuple(self._instances)

    def _unused(self) -> UnusedModificationError | None:
        if not self._instances or self._engine.closed:
            return None
        mine = list(self._modifications)
        for instance in self._open_instances():
            mine += instance._modifications
        return unused_error(mine, f"the instances of {self._workflow.name!r}", self._steps_that_ran)

    def _steps_that_ran(self) -> list[StepRecord]:
        return list({step.key: step for instance in self._open_instances() for step in instance.steps}.values())

    def _open_instances(self) -> list[InstanceIntrospector]:
        return [instance for instance in self._instances.values() if instance.is_open]
