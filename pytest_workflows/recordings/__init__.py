"""Recordings: a run of an instance in a file, and what can be done with one.

What a recording is, how it is made and how it runs again belongs here, a room each. What is drawn of one belongs to
`reporting`, and what is printed to `timeline` and `cli`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflows.lazy_names import named_lazily

if TYPE_CHECKING:
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

_HOMES = {
    "DivergenceError": ".errors",
    "RecordingError": ".errors",
    "dump": ".files",
    "load": ".files",
    "parse": ".files",
    "read": ".files",
    "Attempt": ".format.model",
    "Crash": ".format.model",
    "Effect": ".format.model",
    "ErrorRecord": ".format.model",
    "FindingRecord": ".format.model",
    "HistoryLine": ".format.model",
    "LogLine": ".format.model",
    "ModificationRecord": ".format.model",
    "Recording": ".format.model",
    "ResourceUse": ".format.model",
    "RunSettings": ".format.model",
    "SentEvent": ".format.model",
    "SourcePlace": ".format.model",
    "Step": ".format.model",
    "Value": ".format.model",
    "by_name": ".format.sleeps",
    "line_keys": ".format.sleeps",
    "UNKNOWN": ".format.values",
    "is_unknown": ".format.values",
    "tag": ".format.values",
    "untag": ".format.values",
    "Spread": ".stats",
    "StepStats": ".stats",
    "WorkflowStats": ".stats",
    "stats_of": ".stats",
    "virtual_ms": ".stats",
    "wall_ms": ".stats",
    "workflow_of": ".stats",
}

__getattr__ = named_lazily(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
