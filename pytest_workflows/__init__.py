"""Test Cloudflare Python Workflows under plain pytest.

The names that a test imports are here. Nothing is loaded before it is used: an installed plugin must not slow a pytest
run that does not use it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from durable_engine import (
        AttemptRecord,
        EngineClosedError,
        EngineError,
        EventLoopBlockedError,
        HistoryEvent,
        InstanceEndedError,
        InstanceNotFoundError,
        IntrospectionError,
        InvalidArgumentError,
        MissingAwaitError,
        ModificationError,
        NeverHappensError,
        NotAvailableError,
        StepFailedError,
        StepRecord,
        UnknownValue,
        UnknownValueError,
        UnreachableStatusError,
        UnusedModificationError,
        WaitTimeoutError,
        WorkflowDurationWarning,
        WorkflowObserverWarning,
        WorkflowRuleError,
        WorkflowRuleWarning,
    )

    from .bindings.call_log import CallRecord
    from .bindings.calls import calls_of, inject_fault
    from .errors import (
        MissingBindingError,
        MissingNameError,
        NetworkRefusedError,
        UnprovidedError,
        WorkflowConfigError,
        WorkflowConfigWarning,
    )
    from .introspection.fault_plan import FaultPlan
    from .introspection.instance import InstanceIntrospector
    from .introspection.introspectors import introspect_workflow, introspect_workflow_instance
    from .introspection.modifier import Modifier
    from .introspection.workflow import WorkflowIntrospector
    from .recordings.errors import DivergenceError, RecordingError
    from .recordings.format.model import Recording
    from .recordings.playback.reproduction import reproduce
    from .standins.ai import AiAnswers
    from .standins.d1_binding import apply_d1_migrations
    from .standins.object_access import (
        evict_durable_object,
        list_durable_object_ids,
        run_durable_object_alarm,
        run_in_durable_object,
    )
    from .timeline.run import Run

__all__ = [
    "AiAnswers",
    "AttemptRecord",
    "CallRecord",
    "DivergenceError",
    "EngineClosedError",
    "EngineError",
    "EventLoopBlockedError",
    "FaultPlan",
    "HistoryEvent",
    "InstanceEndedError",
    "InstanceIntrospector",
    "InstanceNotFoundError",
    "IntrospectionError",
    "InvalidArgumentError",
    "MissingAwaitError",
    "MissingBindingError",
    "MissingNameError",
    "ModificationError",
    "Modifier",
    "NetworkRefusedError",
    "NeverHappensError",
    "NotAvailableError",
    "Recording",
    "RecordingError",
    "Run",
    "StepFailedError",
    "StepRecord",
    "UnknownValue",
    "UnknownValueError",
    "UnprovidedError",
    "UnreachableStatusError",
    "UnusedModificationError",
    "WaitTimeoutError",
    "WorkflowConfigError",
    "WorkflowConfigWarning",
    "WorkflowDurationWarning",
    "WorkflowIntrospector",
    "WorkflowObserverWarning",
    "WorkflowRuleError",
    "WorkflowRuleWarning",
    "apply_d1_migrations",
    "calls_of",
    "evict_durable_object",
    "inject_fault",
    "introspect_workflow",
    "introspect_workflow_instance",
    "list_durable_object_ids",
    "reproduce",
    "run_durable_object_alarm",
    "run_in_durable_object",
]

_HOMES = {
    "AiAnswers": ".standins.ai",
    "CallRecord": ".bindings.call_log",
    "calls_of": ".bindings.calls",
    "inject_fault": ".bindings.calls",
    "DivergenceError": ".recordings.errors",
    "Recording": ".recordings.format.model",
    "RecordingError": ".recordings.errors",
    "reproduce": ".recordings.playback.reproduction",
    "FaultPlan": ".introspection.fault_plan",
    "InstanceIntrospector": ".introspection.instance",
    "MissingBindingError": ".errors",
    "MissingNameError": ".errors",
    "NetworkRefusedError": ".errors",
    "UnprovidedError": ".errors",
    "Modifier": ".introspection.modifier",
    "Run": ".timeline.run",
    "WorkflowConfigError": ".errors",
    "WorkflowConfigWarning": ".errors",
    "WorkflowIntrospector": ".introspection.workflow",
    "apply_d1_migrations": ".standins.d1_binding",
    "evict_durable_object": ".standins.object_access",
    "list_durable_object_ids": ".standins.object_access",
    "run_durable_object_alarm": ".standins.object_access",
    "run_in_durable_object": ".standins.object_access",
    "introspect_workflow": ".introspection.introspectors",
    "introspect_workflow_instance": ".introspection.introspectors",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name)
    module = importlib.import_module(home, __name__) if home else importlib.import_module("durable_engine")
    # Not kept in globals(): pytester forgets modules between in-process runs, and a kept class would be of a gone one.
    found: object = getattr(module, name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
