"""The vocabulary of an instance: kinds of history events and of steps, statuses, and which status may follow which.

The names are the platform's, and stand in storage, in recordings and in `instance.history` as they stand here. Whoever
compares or writes a kind imports its constant: mypy knows then that there is one of that name, also where the kind
comes from a recording and is any text.

A new kind of event belongs into one of the two `Literal` types, gets a constant, and is put into the sets below that
it belongs to. `tests/engine/test_history.py` says which tables of readers have to name it as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

# -- steps -------------------------------------------------------------------------------------------------------------

StepKind = Literal["do", "sleep", "wait_for_event"]

StepStatus = Literal["running", "waiting", "complete", "errored"]
FINAL_STEP_STATUSES: frozenset[StepStatus] = frozenset({"complete", "errored"})

NEW: Final = "new"
"""The status of a step that nothing is stored of yet."""

StoredStepStatus = Literal["new", StepStatus]

NEXT_STEP_STATUSES: Mapping[StoredStepStatus, frozenset[StoredStepStatus]] = {
    NEW: frozenset({"running", "waiting"}),
    # An attempt that was lost in a crash is made again.
    "running": frozenset({"running", "waiting", "complete", "errored"}),
    # A `do` waits for its next attempt; sleeps and waits do nothing else.
    "waiting": frozenset({"running", "complete", "errored"}),
    "complete": frozenset(),
    "errored": frozenset(),
}
"""The statuses of a step that may follow each status."""

# -- instances ---------------------------------------------------------------------------------------------------------

FinalStatus = Literal["errored", "terminated", "complete"]
FINAL_STATUSES: frozenset[FinalStatus] = frozenset(get_args(FinalStatus))

StoredStatus = Literal["queued", "running", "paused", FinalStatus, "waitingForPause"]
"""The statuses that an instance is stored with."""

InstanceStatus = Literal[
    "queued", "running", "paused", "errored", "terminated", "complete", "waiting", "waitingForPause", "unknown"
]
"""The statuses that `status()` knows: one that runs is `waiting` while only sleeps and events hold it up."""

STATUSES: tuple[InstanceStatus, ...] = get_args(InstanceStatus)

NEXT_STATUSES: Mapping[StoredStatus, frozenset[StoredStatus]] = {
    "queued": frozenset({"running", "waitingForPause", "terminated", "queued"}),
    "running": frozenset({"complete", "errored", "waitingForPause", "terminated", "queued"}),
    # A crash leaves it on its way to the pause.
    "waitingForPause": frozenset(
        {"paused", "running", "complete", "errored", "waitingForPause", "terminated", "queued"}
    ),
    "paused": frozenset({"terminated", "queued"}),
    "complete": frozenset({"queued"}),
    "errored": frozenset({"queued"}),
    "terminated": frozenset({"queued"}),
}
"""The statuses of an instance that may follow each status. A restart, and the end of a pause, queue it again."""

# -- history -----------------------------------------------------------------------------------------------------------

InstanceEventKind = Literal[
    "WORKFLOW_QUEUED",
    "WORKFLOW_START",
    "WORKFLOW_RUNNING",
    "WORKFLOW_WAITING_FOR_PAUSE",
    "WORKFLOW_PAUSED",
    "WORKFLOW_SUCCESS",
    "WORKFLOW_FAILURE",
    "WORKFLOW_TERMINATED",
]
StepEventKind = Literal[
    "STEP_START",
    "ATTEMPT_START",
    "ATTEMPT_FAILURE",
    "ATTEMPT_SUCCESS",
    "STEP_SUCCESS",
    "STEP_FAILURE",
    "SLEEP_START",
    "SLEEP_COMPLETE",
    "WAIT_START",
    "WAIT_COMPLETE",
    "WAIT_TIMED_OUT",
]
HistoryKind = Literal[InstanceEventKind, StepEventKind]
HISTORY_KINDS: tuple[HistoryKind, ...] = get_args(HistoryKind)

WORKFLOW_QUEUED: Final = "WORKFLOW_QUEUED"
WORKFLOW_START: Final = "WORKFLOW_START"
WORKFLOW_RUNNING: Final = "WORKFLOW_RUNNING"
WORKFLOW_WAITING_FOR_PAUSE: Final = "WORKFLOW_WAITING_FOR_PAUSE"
WORKFLOW_PAUSED: Final = "WORKFLOW_PAUSED"
WORKFLOW_SUCCESS: Final = "WORKFLOW_SUCCESS"
WORKFLOW_FAILURE: Final = "WORKFLOW_FAILURE"
WORKFLOW_TERMINATED: Final = "WORKFLOW_TERMINATED"
STEP_START: Final = "STEP_START"
ATTEMPT_START: Final = "ATTEMPT_START"
ATTEMPT_FAILURE: Final = "ATTEMPT_FAILURE"
ATTEMPT_SUCCESS: Final = "ATTEMPT_SUCCESS"
STEP_SUCCESS: Final = "STEP_SUCCESS"
STEP_FAILURE: Final = "STEP_FAILURE"
SLEEP_START: Final = "SLEEP_START"
SLEEP_COMPLETE: Final = "SLEEP_COMPLETE"
WAIT_START: Final = "WAIT_START"
WAIT_COMPLETE: Final = "WAIT_COMPLETE"
WAIT_TIMED_OUT: Final = "WAIT_TIMED_OUT"

# Sets of kinds. Each kind of an instance's event is in one of the first three, and each of a step's in `STEP_STARTS`,
# `STEP_ENDS` or `ATTEMPT_KINDS`.

INSTANCE_BEGINNINGS: frozenset[InstanceEventKind] = frozenset({WORKFLOW_QUEUED, WORKFLOW_START})
INSTANCE_CHANGES: Mapping[StoredStatus, InstanceEventKind] = {
    "running": WORKFLOW_RUNNING,
    "waitingForPause": WORKFLOW_WAITING_FOR_PAUSE,
    "paused": WORKFLOW_PAUSED,
}
"""The kind of history of a change to a status that is not final; that of being queued is written elsewhere."""
INSTANCE_ENDS: Mapping[FinalStatus, InstanceEventKind] = {
    "complete": WORKFLOW_SUCCESS,
    "errored": WORKFLOW_FAILURE,
    "terminated": WORKFLOW_TERMINATED,
}
"""The kind of history of the end in each final status."""

DO_ENDS: frozenset[StepEventKind] = frozenset({STEP_SUCCESS, STEP_FAILURE})
WAITING_STARTS: frozenset[StepEventKind] = frozenset({SLEEP_START, WAIT_START})
"""Kinds of history that begin a wait, be it for time or for an event."""
WAITING_ENDS: frozenset[StepEventKind] = frozenset({SLEEP_COMPLETE, WAIT_COMPLETE, WAIT_TIMED_OUT})
STEP_STARTS: frozenset[StepEventKind] = WAITING_STARTS | {STEP_START}
STEP_ENDS: frozenset[StepEventKind] = WAITING_ENDS | DO_ENDS
"""Kinds of history which say that a step has its outcome."""
ATTEMPT_ENDS: frozenset[StepEventKind] = frozenset({ATTEMPT_SUCCESS, ATTEMPT_FAILURE})
ATTEMPT_KINDS: frozenset[StepEventKind] = ATTEMPT_ENDS | {ATTEMPT_START}

STEP_KINDS: Mapping[str, StepKind] = {
    STEP_START: "do",
    ATTEMPT_START: "do",
    ATTEMPT_FAILURE: "do",
    ATTEMPT_SUCCESS: "do",
    STEP_SUCCESS: "do",
    STEP_FAILURE: "do",
    SLEEP_START: "sleep",
    SLEEP_COMPLETE: "sleep",
    WAIT_START: "wait_for_event",
    WAIT_COMPLETE: "wait_for_event",
    WAIT_TIMED_OUT: "wait_for_event",
}
"""The kind of step of each kind of history."""
