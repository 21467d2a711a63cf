"""A durable-execution engine in memory, which behaves as Cloudflare Workflows does for Python.

This is the engine's public door; what is not named here is its own affair.
"""

from __future__ import annotations

from .binding import InstanceHandle, Workflow, WorkflowBinding, pass_door
from .boundary import JsBigInt, JsDict, JsNull, JsProxy, cross, decode, encode, jsnull, to_json
from .clock import VirtualClock, read_now, to_datetime
from .durations import duration_ms, in_words, parse_duration
from .engine import DEFAULT_TIMEOUT, Engine
from .errors import (
    ConversionError,
    EngineClosedError,
    EngineError,
    InstanceEndedError,
    InstanceNotFoundError,
    IntrospectionError,
    InvalidArgumentError,
    JsException,
    ModificationError,
    NeverHappensError,
    NonRetryableError,
    NotAvailableError,
    ReplayEnded,
    StepFailedError,
    UnreachableStatusError,
    UnusedModificationError,
    WaitTimeoutError,
    WorkflowDurationWarning,
    WorkflowRuleError,
    WorkflowRuleWarning,
)
from .faults import FaultPoint, Faults
from .findings import RULES, Finding, Findings, Rule
from .inspection import error_of, history_of, history_records, shown_result, step_error, step_records, steps_of
from .instance import Instance
from .limits import Limits
from .model import (
    FINAL_STATUSES,
    STATUSES,
    Ask,
    AttemptRecord,
    CallbackRun,
    Effect,
    HistoryEvent,
    Place,
    StepKey,
    StepKind,
    StepRecord,
    StepStatus,
)
from .modifications import InstanceModifications, Modification, Selector, check_consistent
from .observers import Observer
from .paths import Life
from .scope import Scope, current_scope
from .showing import show
from .step import Step
from .store import HistoryRow, InstanceRow, StepRow

__all__ = [
    "DEFAULT_TIMEOUT",
    "FINAL_STATUSES",
    "RULES",
    "STATUSES",
    "Ask",
    "AttemptRecord",
    "CallbackRun",
    "ConversionError",
    "Effect",
    "Engine",
    "EngineClosedError",
    "EngineError",
    "FaultPoint",
    "Faults",
    "Finding",
    "Findings",
    "HistoryEvent",
    "HistoryRow",
    "Instance",
    "InstanceEndedError",
    "InstanceHandle",
    "InstanceModifications",
    "InstanceNotFoundError",
    "InstanceRow",
    "IntrospectionError",
    "InvalidArgumentError",
    "JsBigInt",
    "JsDict",
    "JsException",
    "JsNull",
    "JsProxy",
    "Life",
    "Limits",
    "Modification",
    "ModificationError",
    "NeverHappensError",
    "NonRetryableError",
    "NotAvailableError",
    "Observer",
    "Place",
    "ReplayEnded",
    "Rule",
    "Scope",
    "Selector",
    "Step",
    "StepFailedError",
    "StepKey",
    "StepKind",
    "StepRecord",
    "StepRow",
    "StepStatus",
    "UnreachableStatusError",
    "UnusedModificationError",
    "VirtualClock",
    "WaitTimeoutError",
    "Workflow",
    "WorkflowBinding",
    "WorkflowDurationWarning",
    "WorkflowRuleError",
    "WorkflowRuleWarning",
    "check_consistent",
    "cross",
    "current_scope",
    "decode",
    "duration_ms",
    "encode",
    "error_of",
    "history_of",
    "history_records",
    "in_words",
    "jsnull",
    "parse_duration",
    "pass_door",
    "read_now",
    "show",
    "shown_result",
    "step_error",
    "step_records",
    "steps_of",
    "to_datetime",
    "to_json",
]
