"""A call of a method of an entrypoint, as another Worker makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from durable_engine import JsProxy, hide_frames
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.javascript.objects import JsPlain
from pytest_workflows.javascript.rpc import python_from_rpc, python_to_rpc
from pytest_workflows.standins.crossing import call_python, method_of, send
from pytest_workflows.workers.binding_wrappers import PASSTHROUGH, BindingWrapper, RpcStubWrapper

if TYPE_CHECKING:
    from pytest_workflows.bindings.handlers import Handlers
    from pytest_workflows.standins.host import Host

hide_frames(__file__)


async def call_method(
    handlers: Handlers,
    host: Host,
    entrypoint: str | None,
    name: str,
    args: Sequence[Any],
    options: Mapping[str, Any],
) -> Any:
    """Call a method of a new object of an entrypoint, and await what it gives.

    Args:
        handlers: The Worker's handlers.
        host: The test.
        entrypoint: The class; None for the default entrypoint.
        name: The method.
        args: The arguments, of Python.
        options: The keywords, which arrive as one dict, last.

    Raises:
        WorkflowConfigError: If there is no such class.
        JsException: As a service binding raises it.
    """
    cls = handlers.entrypoint(entrypoint)
    if cls is None:
        raise WorkflowConfigError(f"The Worker's main module has no class `{entrypoint or 'Default'}`.")
    values = [python_to_rpc(value) for value in args]
    if options:
        values.append(JsPlain({key: python_to_rpc(value) for key, value in options.items()}))

    async def receive(given: list[Any]) -> Any:
        return await call_python(host, method_of(handlers.make(cls), name), given)

    result = python_from_rpc(await send(host, receive, values, f"The method {name!r} of {cls.__name__}"))
    return [_wrapped(one) for one in result] if type(result) is list else _wrapped(result)


def _wrapped(value: Any) -> Any:
    if not isinstance(value, JsProxy) or getattr(value, "_js_class", None) in PASSTHROUGH:
        return value
    return RpcStubWrapper(value) if callable(value) else BindingWrapper(value)
