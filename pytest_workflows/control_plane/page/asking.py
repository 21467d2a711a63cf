"""How the page's API asks the engine: on its loop, with the engine's errors in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from durable_engine import EngineError, InstanceHandle, Shown, WorkflowBinding
from pytest_workflows.control_plane.asking import Asker
from pytest_workflows.control_plane.errors import BAD_REQUEST, INSTANCE_NOT_FOUND, WORKFLOW_NOT_FOUND, ApiError
from pytest_workflows.control_plane.served import Served

T = TypeVar("T")


class PageAsker:
    """Asks something of what is served.

    Args:
        served: What is served.

    Attributes:
        served: As given.
    """

    def __init__(self, served: Served) -> None:
        self.served = served
        self._asker = Asker(served)
        self._patient = Asker(served, _LONG)

    async def ask(self, action: Callable[[], Awaitable[T]], *, is_long: bool = False, is_reading: bool = False) -> T:
        """Ask something, on the loop of what is served.

        Args:
            action: Makes what is awaited there.
            is_long: Whether it may take minutes.
            is_reading: Whether it changes nothing: where nothing can be stored, it shows what is in memory.

        Raises:
            ApiError: If the engine refuses it, or its loop does not give way.
            JsException: If the platform would refuse it.
        """
        try:
            return await (self._patient if is_long else self._asker).ask(action, is_reading=is_reading)
        except EngineError as error:
            raise ApiError(400, BAD_REQUEST, str(error)) from None

    async def read(self, question: Callable[[], T], about: Callable[[T], Shown | None] = lambda _: None) -> T:
        """The same for something that waits for nothing. Where nothing can be stored, it shows what is in memory.

        Args:
            question: Gives the answer, on the loop of what is served.
            about: Gives what an answer tells of, where that is not everything: nothing else has to be on disk.

        Raises:
            ApiError: If its loop does not give way.
        """
        return await self._asker.read(question, about)

    async def made(self, make: Callable[[], T]) -> T:
        """What takes its time, such as the recording of a thousand steps: made in a thread, and others are answered.

        Args:
            make: Makes it, of nothing that changes meanwhile.
        """
        return await self._asker.made(make)

    def known(self, workflow: str) -> WorkflowBinding:
        """The binding of a workflow.

        Args:
            workflow: The binding's name, or the workflow's own, as the platform's API has it.

        Raises:
            ApiError: If there is none.
        """
        bindings = self.served.engine.bindings
        if workflow in bindings:
            return bindings[workflow]
        for binding in bindings.values():
            if binding.workflow.workflow_name == workflow:
                return binding
        names = ", ".join(bindings) or "none"
        raise ApiError(404, WORKFLOW_NOT_FOUND, f"There is no workflow {workflow!r} here. There are: {names}.")

    async def handle(self, workflow: str, id: str) -> InstanceHandle:
        """The handle of an instance. On the engine's loop.

        Args:
            workflow: The workflow's binding.
            id: The instance's id.

        Raises:
            ApiError: If there is no such workflow or instance.
        """
        binding = self.known(workflow)
        if not self.served.engine.exists(binding.workflow, id):
            raise ApiError(404, INSTANCE_NOT_FOUND, f"Workflow {workflow!r} has no instance {id!r}.")
        return await binding.get(id)


_LONG = 600.0
"""Real seconds that it may take to run the clock to another time."""
