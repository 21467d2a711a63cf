"""What a test asks of the calls of a stand-in: which there were, and that the next ones fail or answer late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from durable_engine import InvalidArgumentError, UnusedModificationError, duration_ms
from pytest_workflows.messages.short_repr import shown
from pytest_workflows.workers.binding_wrappers import BindingWrapper, DurableObjectNamespaceWrapper

from .call_log import CallLog, CallRecord, InjectedFault


def calls_of(binding: Any) -> list[CallRecord]:
    """The calls of a binding so far, in order: the Worker's, and those that the test made itself.

    Args:
        binding: A binding that the plugin provides, such as `workflow_env.DB`. The calls of the objects that it gives,
            such as statements, are among them.

    Returns:
        A record for each call: its method by the platform's name, its arguments, and what came of it.

    Raises:
        InvalidArgumentError: If it is no such binding.

    Example:
        ```python
        assert [call.args for call in calls_of(workflow_env.CACHE) if call.method == "put"] == [("order-1", "paid")]
        ```
    """
    return list(_log_of(binding, "calls_of").records)


@contextmanager
def inject_fault(binding: Any, method: str, *, error: Any = None, times: int = 1, delay: Any = None) -> Iterator[None]:
    """Let the next calls of a binding's method fail, or answer late, while the block lasts.

    Faults of one method that are nested queue up. A call that fails does nothing.

    Args:
        binding: A binding that the plugin provides, such as `workflow_env.DB`.
        method: The method's name as the platform has it; that of a statement too: `"run"`.
        error: An exception, or a text: the calls raise a `JsException` of that text.
        times: How many calls.
        delay: In place of an error: how long the answer takes, in virtual time: a text such as `"30 seconds"`, a
            `timedelta`, or milliseconds.

    Raises:
        InvalidArgumentError: If an argument is not as it must be.
        UnusedModificationError: If the block ends and no call has met the fault, unless the test is marked with
            `unused_mocks="ignore"`.

    Example:
        ```python
        with inject_fault(workflow_env.DB, "run", error="D1_ERROR: database is overloaded"):
            await workflow_env.ORDERS.create({"id": "order-1"})
            await order.wait_for_status("complete")
        ```
    """
    log = _log_of(binding, "inject_fault")
    if not isinstance(method, str) or not method:
        raise InvalidArgumentError(f"inject_fault takes the method's name, a text such as 'put', not {shown(method)}.")
    if (error is None) == (delay is None):
        raise InvalidArgumentError("inject_fault takes an error or a delay, one of both.")
    if error is not None and not isinstance(error, str | BaseException):
        raise InvalidArgumentError(f"An injected error is an exception instance or a text, not {shown(error)}.")
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        raise InvalidArgumentError(f"inject_fault takes a number of times from 1 on, not {shown(times)}.")
    ms = 0 if delay is None else duration_ms(delay, "The delay of an injected fault")
    fault = InjectedFault(method, error, ms, times)
    log.faults.append(fault)
    try:
        yield
    finally:
        if fault in log.faults:
            log.faults.remove(fault)
    if log.is_strict and not fault.is_used:
        called = ", ".join(dict.fromkeys(record.method for record in log.records)) or "nothing"
        raise UnusedModificationError(
            f"No call met inject_fault({log.name}, {method!r}, ...). Called of {log.name}: {called}. Remove it, "
            'correct it, or relax this with @pytest.mark.workflow(unused_mocks="ignore").'
        )


def _log_of(binding: Any, function: str) -> CallLog:
    log = binding._calls if isinstance(binding, BindingWrapper | DurableObjectNamespaceWrapper) else None
    if not isinstance(log, CallLog):
        raise InvalidArgumentError(
            f"{function} takes a binding that the plugin provides, such as workflow_env.DB, not {shown(binding)}. What "
            "the fixture workflow_bindings gives keeps its own records."
        )
    return log
