"""The instances of a workflow as the platform's API shows them, from what is stored of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from durable_engine import HistoryRow, error_of, to_datetime
from durable_engine.history import WORKFLOW_START, WORKFLOW_TERMINATED

from .answers import (
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
        history = self._store.history(row.key)
        return InstanceRowShape(
            id=instance.id,
            status=api_status(instance),
            version_id=self._directory.version_at(row.created_at),
            workflow_id=listed.id,
            trigger_source=self._source(instance),
            created_on=created,
            modified_on=to_datetime(history[-1].at) if history else created,
            started_on=_started(history[:_BEGINNING]),
            ended_on=ended,
        )

    def whole(self, instance: Execution, *, newest_first: bool = False, with_steps: bool = True) -> InstanceShape:
        """An instance with its steps.

        Args:
            instance: The instance.
            newest_first: Whether the steps come in the opposite order.
            with_steps: Whether they come at all.
        """
        row = instance.row
        history = self._store.history(row.key)
        rows = self._store.steps(row.key)
        cron = row.trigger
        steps: list[DoShape | SleepShape | WaitShape | TerminationShape] = []
        if with_steps:
            steps += step_shapes(rows, history)
            steps += _terminations(history)
        return InstanceShape(
            status=api_status(instance),
            params=plain(row.params),
            trigger=Trigger(source=self._source(instance)),
            version_id=self._directory.version_at(row.created_at),
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
