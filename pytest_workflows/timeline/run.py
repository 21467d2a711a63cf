"""A run: what is kept of an instance while a test runs, for reports, recordings and whoever asks once it is gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from durable_engine import (
    Effect,
    Engine,
    ExecutionRecord,
    HistoryEvent,
    HistoryRow,
    Instance,
    InstanceRow,
    Line,
    StepRecord,
    StepRow,
    error_of,
    history_records,
    history_rows,
    step_records,
    to_datetime,
)
from pytest_workflows.standins.made_calls import made_calls

from .usage import Use, uses_of


@dataclass(frozen=True, slots=True)
class Run:
    """An instance's run as it stands, kept so that it can be shown after the instance is gone.

    Attributes:
        id: The instance's id.
        workflow: Its binding's name.
        status: Its status.
        now: The virtual time; that of its end, once it has ended.
        row: The instance as stored.
        steps: Its steps as stored.
        lines: Its history as stored.
        events: Types of the events that nothing has taken.
        executions: Its executions since it was created or restarted.
        calls: The calls of bindings that the plugin provides, which its steps made.
        uses: What it has used of what the platform limits.
    """

    id: str
    workflow: str
    status: str
    now: datetime
    row: InstanceRow
    steps: list[StepRow]
    lines: list[Line]
    events: list[str]
    executions: list[ExecutionRecord]
    calls: list[Effect] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)

    @property
    def history(self) -> list[HistoryRow]:
        """Its history."""
        return history_rows(self.lines)

    @property
    def step_records(self) -> list[StepRecord]:
        """Its steps, as `instance.steps` shows them."""
        return step_records(self.steps, self.history)

    @property
    def history_events(self) -> list[HistoryEvent]:
        """Its history, as `instance.history` shows it."""
        return history_records(self.history)

    @property
    def error(self) -> dict[str, str] | None:
        """The error that it ended with, or None."""
        return error_of(self.row)


def keep_run(engine: Engine, instance: Instance) -> Run:
    """Keep an instance's run; cheap, since nothing is rendered."""
    key = instance.row.key
    steps = engine.store.steps(key)
    return Run(
        id=instance.id,
        workflow=instance.workflow.name,
        status=instance.status,
        now=engine.clock.now if instance.row.ended_at is None else to_datetime(instance.row.ended_at),
        row=instance.row,
        steps=steps,
        lines=engine.store.lines(key),
        events=[event.type for event in engine.store.events(key)],
        executions=engine.paths.executions(key),
        calls=made_calls(engine).of(key),
        uses=uses_of(engine, instance, steps),
    )
