"""The instances of a workflow as the platform's API shows them, from what is stored of them."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from durable_engine import HistoryRow, InstanceRow, StepRow, error_of, to_datetime
from durable_engine.history import WORKFLOW_START, WORKFLOW_TERMINATED

from .answers import (
    ApiStatus,
    CreatedInstance,
    CronSchedule,
    DoShape,
    InstanceRowShape,
    InstanceShape,
    SleepShape,
    TerminationShape,
    TerminationTrigger,
    Trigger,
    TriggerSource,
    WaitShape,
)
from .directory import Directory, Listed, api_status
from .step_shapes import error_shape, json_text, plain, step_shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from durable_engine.execution.execution import Execution
    from durable_engine.storage.store import Store

_BEGINNING: Final = 8
"""Among so many lines of history is the start of an instance: being queued, and pauses before it, come first."""
_SUCCESS: Final = {"complete": True, "errored": False, "terminated": False}


class Gathered(msgspec.Struct, frozen=True):
    """An instance as stored, gathered in a short time; it is made into a shape where nobody has to wait for that.

    Attributes:
        row: Its row.
        status: Its status.
        source: What made it.
        version_id: The version that it began with.
        history: Its history.
        steps: Its steps.
    """

    row: InstanceRow
    status: ApiStatus
    source: TriggerSource
    version_id: str
    history: list[HistoryRow]
    steps: list[StepRow]


class InstanceShapes:
    """Makes the shapes of instances.

    Args:
        store: Where they are stored.
        directory: The workflows.
    """

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory

    def created(self, listed: Listed, instance: Execution) -> CreatedInstance:
        """An instance that was created."""
        return CreatedInstance(
            id=instance.id,
            status=api_status(instance),
            version_id=self._directory.version_at(instance.row.created_at),
            workflow_id=listed.id,
            trigger_source=self._source(instance),
        )

    def row(self, listed: Listed, instance: Execution) -> InstanceRowShape:
        """An instance in a list."""
        row = instance.row
        created, ended = to_datetime(row.created_at), _when(row.ended_at)
        changed = self._store.last_at(row.key)
        return InstanceRowShape(
            id=instance.id,
            status=api_status(instance),
            version_id=self._directory.version_at(row.created_at),
            workflow_id=listed.id,
            trigger_source=self._source(instance),
            created_on=created,
            modified_on=created if changed is None else to_datetime(changed),
            started_on=_started(self._store.history_after(row.key, 0, _BEGINNING)),
            ended_on=ended,
        )

    def gather(self, instance: Execution) -> Gathered:
        """Gather what is stored of an instance."""
        row = copy.copy(instance.row)
        return Gathered(
            row,
            api_status(instance),
            self._source(instance),
            self._directory.version_at(row.created_at),
            self._store.history(row.key),
            self._store.steps(row.key),
        )

    @staticmethod
    def whole(gathered: Gathered, *, newest_first: bool = False, with_steps: bool = True) -> InstanceShape:
        """An instance with its steps, on any loop or thread.

        Args:
            gathered: What is stored of it.
            newest_first: Whether the steps come in the opposite order.
            with_steps: Whether they come at all.
        """
        row, history, rows = gathered.row, gathered.history, gathered.steps
        cron = row.trigger
        steps: list[DoShape | SleepShape | WaitShape | TerminationShape] = []
        if with_steps:
            steps += step_shapes(rows, history)
            steps += _terminations(history)
        return InstanceShape(
            status=gathered.status,
            params=plain(row.params),
            trigger=Trigger(source=gathered.source),
            version_id=gathered.version_id,
            queued=to_datetime(row.created_at),
            start=_started(history),
            end=_when(row.ended_at),
            success=_SUCCESS.get(row.status),
            error=error_shape(error_of(row)),
            output=json_text(plain(row.output)),
            schedule=None if cron is None else CronSchedule(cron=cron.cron, scheduled_time=cron.scheduled_time),
            steps=steps[::-1] if newest_first else steps,
            step_count=len(rows),
        )

    @staticmethod
    def _source(instance: Execution) -> TriggerSource:
        if instance.row.cron is not None:
            return "cron"
        return "api" if instance.row.source == "api" else "binding"


def _terminations(history: Sequence[HistoryRow]) -> list[TerminationShape]:
    ends = [line for line in history if line.kind == WORKFLOW_TERMINATED]
    return [TerminationShape(trigger=TerminationTrigger(source="unknown")) for _ in ends]


def _started(history: Sequence[HistoryRow]) -> datetime | None:
    return next((to_datetime(line.at) for line in history if line.kind == WORKFLOW_START), None)


def _when(ms: int | None) -> datetime | None:
    return None if ms is None else to_datetime(ms)
