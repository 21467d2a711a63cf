"""A durable-execution engine in memory, which behaves as Cloudflare Workflows does for Python.

This is the engine's public API; everything that is not named here is internal.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from . import history
from .api.binding import InstanceHandle, WorkflowBinding, suspend_if_stopped
from .context.frames import (
    Owner,
    hide_frames,
    is_hidden,
    is_library,
    is_ours,
    is_standard,
    own_folder,
    owner_of,
    place_of_user,
)
from .context.processor_time import Stopwatch, run_untimed, untimed
from .context.scope import Scope, WorkerCall, current_scope, running_call, running_engine
from .engine import DEFAULT_TIMEOUT, Engine, engine_of
from .errors import (
    ConversionError,
    EngineClosedError,
    EngineError,
    EventLoopBlockedError,
    InstanceEndedError,
    InstanceNotFoundError,
    InternalError,
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
    StoreError,
    UnknownValueError,
    UnreachableStatusError,
    UnusedModificationError,
    WaitTimeoutError,
    WorkflowDurationWarning,
    WorkflowObserverWarning,
    WorkflowRuleError,
    WorkflowRuleWarning,
)
from .execution.execution import Execution
from .execution.step import Step
from .guard.bounded_calls import call_bounded
from .guard.watchdog import WATCHDOG
from .history import FINAL_STATUSES, STATUSES, InstanceStatus, StepKind, StepStatus
from .instance import Instance
from .limits import Limits
from .model import (
    Ask,
    AttemptRecord,
    CallbackRun,
    CronTrigger,
    Effect,
    HistoryEvent,
    Place,
    StepKey,
    StepRecord,
)
from .replay.playback import PlayedLine, PlayedStep, Script
from .rows import MOCKED, SENSITIVE, HistoryRow, InstanceRow, StepRow
from .storage.inspection import (
    error_of,
    failure_of,
    history_of,
    history_records,
    shown_result,
    status_answer,
    step_error,
    step_records,
    steps_of,
    stored_inputs,
)
from .storage.store import Line, Shown, history_rows
from .testing import changes
from .testing.changes import Selector
from .testing.effects import (
    acting_scope,
    as_coroutine_function,
    count_subrequest,
    delay_answer,
    inside_service,
    is_over,
    make_effect,
    notify_call,
    notify_effect,
)
from .testing.faults import FaultPoint, Faults
from .testing.findings import Finding, Findings, Rule
from .testing.hazards import PAUSE_REJECTS
from .testing.modifications import InstanceModifications, Modification, check_consistent, exception_in
from .testing.observers import Observer, ObserverFailure
from .testing.paths import ExecutionRecord
from .text.source_paths import shown_path
from .text.stable_repr import printable, show
from .time.clients import Clients
from .time.clock import VirtualClock
from .time.real_clock import RealClock
from .usage import InstanceUsage
from .values.boundary import cross, decode, encode, js_number_text, to_json, with_whole_stream
from .values.datetimes import PLAIN_DATETIME, read_now, to_datetime, to_ms
from .values.durations import duration_ms, in_words, parse_duration
from .values.failures import ErrorInfo, end_of_unserialisable
from .values.js_values import (
    TYPED_ARRAYS,
    JsBigInt,
    JsDict,
    JsNull,
    JsProxy,
    StreamContent,
    TransparentProxy,
    jsnull,
    streams,
    unwrap,
)
from .values.unknown_value import REDACTED_REASON, UnknownValue
from .workflow import Workflow

__all__ = [
    "DEFAULT_TIMEOUT",
    "FINAL_STATUSES",
    "MOCKED",
    "PAUSE_REJECTS",
    "PLAIN_DATETIME",
    "REDACTED_REASON",
    "SENSITIVE",
    "STATUSES",
    "TYPED_ARRAYS",
    "WATCHDOG",
    "Ask",
    "AttemptRecord",
    "CallbackRun",
    "Clients",
    "ConversionError",
    "CronTrigger",
    "Effect",
    "Engine",
    "EngineClosedError",
    "EngineError",
    "ErrorInfo",
    "EventLoopBlockedError",
    "Execution",
    "ExecutionRecord",
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
    "InstanceStatus",
    "InstanceUsage",
    "InternalError",
    "IntrospectionError",
    "InvalidArgumentError",
    "JsBigInt",
    "JsDict",
    "JsException",
    "JsNull",
    "JsProxy",
    "Limits",
    "Line",
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
    "RealClock",
    "ReplayEnded",
    "Rule",
    "Scope",
    "Script",
    "Selector",
    "Shown",
    "Step",
    "StepFailedError",
    "StepKey",
    "StepKind",
    "StepRecord",
    "StepRow",
    "StepStatus",
    "Stopwatch",
    "StoreError",
    "StreamContent",
    "TransparentProxy",
    "UnknownValue",
    "UnknownValueError",
    "UnreachableStatusError",
    "UnusedModificationError",
    "VirtualClock",
    "WaitTimeoutError",
    "WorkerCall",
    "Workflow",
    "WorkflowBinding",
    "WorkflowDurationWarning",
    "WorkflowObserverWarning",
    "WorkflowRuleError",
    "WorkflowRuleWarning",
    "acting_scope",
    "as_coroutine_function",
    "call_bounded",
    "changes",
    "check_consistent",
    "count_subrequest",
    "cross",
    "current_scope",
    "decode",
    "delay_answer",
    "duration_ms",
    "encode",
    "end_of_unserialisable",
    "engine_of",
    "error_of",
    "exception_in",
    "failure_of",
    "hide_frames",
    "history",
    "history_of",
    "history_records",
    "history_rows",
    "in_words",
    "inside_service",
    "is_hidden",
    "is_library",
    "is_ours",
    "is_over",
    "is_standard",
    "js_number_text",
    "jsnull",
    "make_effect",
    "notify_call",
    "notify_effect",
    "own_folder",
    "owner_of",
    "parse_duration",
    "place_of_user",
    "printable",
    "read_now",
    "run_untimed",
    "running_call",
    "running_engine",
    "show",
    "shown_path",
    "shown_result",
    "status_answer",
    "step_error",
    "step_records",
    "steps_of",
    "stored_inputs",
    "streams",
    "suspend_if_stopped",
    "to_datetime",
    "to_json",
    "to_ms",
    "untimed",
    "unwrap",
    "with_whole_stream",
]
