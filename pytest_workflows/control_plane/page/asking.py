"""How the page's API asks the engine: on its loop, with the engine's errors in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from durable_engine import EngineError, InstanceHandle, WorkflowBinding
from pytest_workflows.control_plane.errors import BAD_REQUEST, WORKFLOW_NOT_FOUND, ApiError
from pytest_workflows.control_plane.served import Served, on_loop

T = TypeVar("T")


async def ask(served: Served, action: Callable[[], Awaitable[T]]) -> T:
    """Ask something of what is served.

    Args:
        served: What is served.
        action: Makes what is awaited on its loop.

    Raises:
        ApiError: If the engine refuses it.
        JsException: If the platform would.
    """
    try:
        return await on_loop(served, action)
    except EngineError as error:
        raise ApiError(400, BAD_REQUEST, str(error)) from None


def known(served: Served, workflow: str) -> WorkflowBinding:
    """The binding of a workflow.

    Args:
        served: What is served.
        workflow: The binding's name.

    Raises:
        ApiError: If there is none.
    """
    bindings = served.engine.bindings
    if workflow not in bindings:
        names = ", ".join(bindings) or "none"
        raise ApiError(404, WORKFLOW_NOT_FOUND, f"There is no workflow {workflow!r} here. There are: {names}.")
    return bindings[workflow]


async def handle(served: Served, workflow: str, id: str) -> InstanceHandle:
    """The handle of an instance. On the engine's loop.

    Args:
        served: What is served.
        workflow: The workflow's binding.
        id: The instance's id.

    Raises:
        ApiError: If there is no such workflow.
        JsException: If there is no such instance.
    """
    return await known(served, workflow).get(id)
