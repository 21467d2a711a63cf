"""How a test gets an introspector: of one instance, or of a workflow."""

from __future__ import annotations

from typing import cast

from durable_engine import InvalidArgumentError, WorkflowBinding, hide_frames

from .elsewhere import Introspectable
from .instance import InstanceIntrospector
from .workflow import WorkflowIntrospector

hide_frames(__file__)


def introspect_workflow_instance(binding: WorkflowBinding, instance_id: str) -> InstanceIntrospector:
    """Introspect one instance, which need not exist yet.

    Args:
        binding: The workflow's binding, such as `workflow_env.ORDERS`.
        instance_id: The id that it was or will be created with.

    Returns:
        The introspector, for `async with ... as instance`, or `instance = await ...` and `await instance.dispose()`.

    Raises:
        InvalidArgumentError: If the first argument is no workflow binding, or the id is empty.
        MissingBindingError: If it is a workflow of another Worker that is not there.

    Example:
        ```python
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            await workflow_env.ORDERS.create({"id": "order-1"})
            await instance.wait_for_status("complete")
        ```
    """
    if not isinstance(binding, Introspectable):
        check_binding(binding, "introspect_workflow_instance")
    if not isinstance(instance_id, str) or not instance_id:
        raise InvalidArgumentError(
            f"introspect_workflow_instance takes the instance's id, a text that is not empty, not {instance_id!r}. "
            "For ids that are made at run time use introspect_workflow."
        )
    if isinstance(binding, Introspectable):
        return cast(InstanceIntrospector, binding.introspect_instance(instance_id))
    return InstanceIntrospector(binding, instance_id)


def introspect_workflow(binding: WorkflowBinding) -> WorkflowIntrospector:
    """Introspect every instance that is created while the introspector is open, whoever creates it.

    Args:
        binding: The workflow's binding, such as `workflow_env.ORDERS`.

    Returns:
        The introspector, for `async with ... as introspector`, or `introspector = await ...` and
        `await introspector.dispose()`.

    Raises:
        InvalidArgumentError: If the argument is no workflow binding.
        MissingBindingError: If it is a workflow of another Worker that is not there.
    """
    if isinstance(binding, Introspectable):
        return cast(WorkflowIntrospector, binding.introspect())
    check_binding(binding, "introspect_workflow")
    return WorkflowIntrospector(binding)


def check_binding(binding: object, function: str) -> None:
    """Check that an argument is a workflow's binding.

    Args:
        binding: The argument.
        function: The function that takes it.

    Raises:
        MissingBindingError: If it is a workflow of another Worker that is not there.
        InvalidArgumentError: If it is anything else.
    """
    if isinstance(binding, Introspectable):
        binding.refuse(function)
    if not isinstance(binding, WorkflowBinding):
        from pytest_workflows.bindings.missing_binding import refuse_missing

        refuse_missing(binding, function)
        raise InvalidArgumentError(
            f"{function} takes a workflow binding such as workflow_env.ORDERS, not {type(binding).__name__}: "
            f"{binding!r}. Bindings come from the wrangler configuration or the workflow_bindings fixture."
        )
