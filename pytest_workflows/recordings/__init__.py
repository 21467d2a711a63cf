"""Recordings: a run of an instance in a file, and what can be done with one.

What a recording is, how it is made and how it runs again belongs here, a room each. What is drawn of one belongs to
`reporting`, and what is printed to `timeline` and `cli`.
"""

from __future__ import annotations

from .errors import DivergenceError, RecordingError
from .files import dump, load, parse, read
from .format.model import (
    Attempt,
    Crash,
    Effect,
    ErrorRecord,
    FindingRecord,
    HistoryLine,
    LogLine,
    ModificationRecord,
    Recording,
    ResourceUse,
    RunSettings,
    SentEvent,
    SourcePlace,
    Step,
    Value,
)
from .format.sleeps import by_name, line_keys
from .format.values import UNKNOWN, is_unknown, tag, untag
from .stats import Spread, StepStats, WorkflowStats, stats_of, virtual_ms, wall_ms, workflow_of

__all__ = [
    "UNKNOWN",
    "Attempt",
    "Crash",
    "DivergenceError",
    "Effect",
    "ErrorRecord",
    "FindingRecord",
    "HistoryLine",
    "LogLine",
    "ModificationRecord",
    "Recording",
    "RecordingError",
    "ResourceUse",
    "RunSettings",
    "SentEvent",
    "SourcePlace",
    "Spread",
    "Step",
    "StepStats",
    "Value",
    "WorkflowStats",
    "by_name",
    "dump",
    "is_unknown",
    "line_keys",
    "load",
    "parse",
    "read",
    "stats_of",
    "tag",
    "untag",
    "virtual_ms",
    "wall_ms",
    "workflow_of",
]
