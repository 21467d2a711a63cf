"""A call of a method of an entrypoint, as another Worker makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durable_engine import hide_frames
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.standins.services import Fetcher
from pytest_workflows.workers.binding_wrappers import BindingWrapper

if TYPE_CHECKING:
    from pytest_workflows.standins.host import Host

hide_frames(__file__)


async def call_method(
    host: Host, entrypoint: str | None, name: str, args: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    """Call a method of a new object of an entrypoint, and await what it gives.

    Args:
        host: The test.
        entrypoint: The class; None for the default entrypoint.
        name: The method.
        args: The arguments, of Python.
        options: The keywords, which arrive as one dict, last.

    Raises:
        WorkflowConfigError: If there is no such class.
        JsException: As a service binding raises it.
    """
    cls = host.export(entrypoint)
    if cls is None:
        raise WorkflowConfigError(f"The Worker's main module has no class `{entrypoint or 'Default'}`.")
    service = Fetcher(host, cls)
    # Not by the wrapper's attribute: an entrypoint's `fetch` is a method here too.
    return await BindingWrapper(service)._invoke(name, lambda *values: service._call(name, values), args, options)
