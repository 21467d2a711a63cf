"""A durable-execution engine in memory, which behaves as Cloudflare Workflows does for Python.

This is the engine's public door; what is not named here is its own affair.
"""

from __future__ import annotations

from .binding import InstanceHandle, Workflow, WorkflowBinding, pass_door
from .boundary import Cover, JsBigInt, JsDict, JsNull, JsProxy, cross, decode, encode, jsnull, to_json, unwrap
from .calls import call_bounded
from .clock import PLAIN_DATETIME, VirtualClock, read_now, to_datetime, to_ms
from .durations import duration_ms, in_words, parse_duration
from .effects import acting_scope, as_coroutine_function, inside_service, make_effect, tell_call, tell_effect
from .engine import DEFAULT_TIMEOUT, Engine
from .errors import (
    ConversionError,
    EngineClosedError,
    EngineError,
    EventLoopBlockedError,
    InstanceEndedError,
    InstanceNotFoundError,
    IntrospectionError,
    InvalidArgumentError,
    JsException,
    MissingAwaitError,
    ModificationError,
    NeverHappensError,
    NonRetryableError,
    NotAvailableError,
    ReplayEnded,
    StepFailedError,
    UnknownRuleError,
    UnknownValueError,
    UnreachableStatusError,
    UnusedModificationError,
    WaitTimeoutError,
    WorkflowDurationWarning,
    WorkflowObserverWarning,
    WorkflowRuleError,
    WorkflowRuleWarning,
)
from .failures import ErrorInfo, end_of_unserialisable
from .faults import FaultPoint, Faults
from .findings import RULES, Finding, Findings, Rule
from .frames import Owner, hide_frames, is_hidden, own_folder, owner_of
from .hazards import PAUSE_REJECTS
from .inspection import (
    error_of,
    failure_of,
    history_of,
    history_records,
    shown_result,
    step_error,
    step_records,
    steps_of,
    stored_inputs,
)
from .instance import Instance
from .limits import Limits
from .model import (
    FINAL_STATUSES,
    STATUSES,
    Ask,
    AttemptRecord,
    CallbackRun,
    CronTrigger,
    Effect,
    HistoryEvent,
    Place,
    StepKey,
    StepKind,
    StepRecord,
    StepStatus,
)
from .modifications import InstanceModifications, Modification, Selector, check_consistent
from .observers import Observer, ObserverFailure
from .paths import Life
from .playback import PlayedLine, PlayedStep, Script
from .scope import Scope, current_scope
from .showing import printable, show
from .source_paths import shown_path
from .step import Step
from .store import MOCKED, SENSITIVE, HistoryRow, InstanceRow, StepRow
from .unknown import REDACTED_REASON, UnknownValue
from .watchdog import WATCHDOG

__all__ = [
    "DEFAULT_TIMEOUT",
    "FINAL_STATUSES",
    "MOCKED",
    "PAUSE_REJECTS",
    "PLAIN_DATETIME",
    "REDACTED_REASON",
    "RULES",
    "SENSITIVE",
    "STATUSES",
    "WATCHDOG",
    "Ask",
    "AttemptRecord",
    "CallbackRun",
    "ConversionError",
    "Cover",
    "CronTrigger",
    "Effect",
    "Engine",
    "EngineClosedError",
    "EngineError",
    "ErrorInfo",
    "EventLoopBlockedError",
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
    "MissingAwaitError",
    "Modification",
    "ModificationError",
    "NeverHappensError",
    "NonRetryableError",
    "NotAvailableError",
    "Observer",
    "ObserverFailure",
    "Owner",
    "Place",
    "PlayedLine",
    "PlayedStep",
    "ReplayEnded",
    "Rule",
    "Scope",
    "Script",
    "Selector",
    "Step",
    "StepFailedError",
    "StepKey",
    "StepKind",
    "StepRecord",
    "StepRow",
    "StepStatus",
    "UnknownRuleError",
    "UnknownValue",
    "UnknownValueError",
    "UnreachableStatusError",
    "UnusedModificationError",
    "VirtualClock",
    "WaitTimeoutError",
    "Workflow",
    "WorkflowBinding",
    "WorkflowDurationWarning",
    "WorkflowObserverWarning",
    "WorkflowRuleError",
    "WorkflowRuleWarning",
    "acting_scope",
    "as_coroutine_function",
    "call_bounded",
    "check_consistent",
    "cross",
    "current_scope",
    "decode",
    "duration_ms",
    "encode",
    "end_of_unserialisable",
    "error_of",
    "failure_of",
    "hide_frames",
    "history_of",
    "history_records",
    "in_words",
    "inside_service",
    "is_hidden",
    "jsnull",
    "make_effect",
    "own_folder",
    "owner_of",
    "parse_duration",
    "pass_door",
    "printable",
    "read_now",
    "show",
    "shown_path",
    "shown_result",
    "step_error",
    "step_records",
    "steps_of",
    "stored_inputs",
    "tell_call",
    "tell_effect",
    "to_datetime",
    "to_json",
    "to_ms",
    "unwrap",
]
