"""A run as text: used by failure reports and by errors alike."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from durable_engine import (
    FINAL_STATUSES,
    Engine,
    HistoryEvent,
    Instance,
    Life,
    StepRecord,
    Workflow,
    error_of,
    history_records,
    in_words,
    step_records,
    to_datetime,
)

if TYPE_CHECKING:
    from rich.table import Table

WIDTH = 100
_VALUE_WIDTH = 60
_TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True, slots=True)
class Run:
    """An instance's run as it stands, kept so that it can be shown after the instance is gone.

    Attributes:
        id: The instance's id.
        workflow: Its binding's name.
        status: Its status.
        now: The virtual time.
        row: The instance as stored.
        steps: Its steps as stored.
        history: Its history as stored.
        events: Types of the events that nothing has taken.
        lives: Its lives since it was created or restarted.
    """

    id: str
    workflow: str
    status: str
    now: datetime
    row: Any
    steps: list[Any]
    history: list[Any]
    events: list[str]
    lives: list[Life]


def keep_run(engine: Engine, instance: Instance) -> Run:
    """Keep an instance's run; cheap, since nothing is rendered."""
    key = instance.row.key
    return Run(
        id=instance.id,
        workflow=instance.workflow.name,
        status=instance.status,
        now=engine.clock.now,
        row=instance.row,
        steps=engine.store.steps(key),
        history=engine.store.history(key),
        events=[event.type for event in engine.store.events(key)],
        lives=engine.paths.lives(key),
    )


def timeline(engine: Engine, workflow: Workflow, id: str) -> str:
    """The run of one instance: its steps with virtual times, attempts, errors, mocks, and what it waits for now."""
    instance = engine.find(workflow, id)
    if instance is None:
        return f"Instance {id!r} of {workflow.name!r} was never created.{_others(engine, workflow)}"
    return render(keep_run(engine, instance))


def render(run: Run) -> str:
    """A run as text."""
    history = history_records(run.history)
    steps = step_records(run.steps, run.history)
    start = history[0].at if history else run.now
    lines = [
        f"Instance {run.id!r} of {run.workflow!r}: {run.status} at {run.now:%Y-%m-%d %H:%M:%S} UTC "
        f"(virtual time, {_offset(start, run.now)} after its start)"
    ]
    if steps:
        lines.append(_table(steps, history, start))
    else:
        lines.append("  No step has started.")
    lines += _lives(run.lives, start)
    error = error_of(run.row)
    if error is not None:
        lines.append(f"  ended with {error['name']}: {_summary(error['message'])}")
    if run.status not in FINAL_STATUSES:
        lines.append(f"  now: {_waits_for(steps)}")
    if run.events:
        lines.append(f"  events that nothing has taken: {', '.join(map(repr, run.events))}")
    return "\n".join(lines)


def _lives(lives: list[Life], start: datetime) -> list[str]:
    """What each life asked for, where the memory was lost on the way."""
    if not any(life.lost_at is not None for life in lives):
        return []
    lines = []
    for number, life in enumerate(lives, start=1):
        asked = ", ".join(ask.key.label for ask in life.path) or "nothing"
        end = ""
        if life.lost_at is not None:
            where = "" if life.point is None else f": {life.point.title}"
            end = f"; its memory was lost at {_offset(start, to_datetime(life.lost_at))}{where}"
        lines.append(f"  life {number} asked for {asked}{end}")
    return lines


def _others(engine: Engine, workflow: Workflow) -> str:
    ids = [repr(instance.id) for instance in engine.instances if instance.workflow is workflow]
    return f" It has: {', '.join(ids[:10])}{', ...' if len(ids) > 10 else ''}." if ids else " It has no instances."


def _table(steps: list[StepRecord], history: list[HistoryEvent], start: datetime) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, show_edge=False)
    for _ in range(4):
        table.add_column(overflow="fold")
    details = _details(history)
    for step in steps:
        _add_step(table, step, details.get((step.kind, step.key.label), {}), start)
    out = io.StringIO()
    Console(file=out, width=WIDTH, no_color=True, highlight=False, markup=False, legacy_windows=False).print(table)
    return "\n".join(f"  {line.rstrip()}" for line in out.getvalue().splitlines())


def _add_step(table: Table, step: StepRecord, detail: dict[str, Any], start: datetime) -> None:
    table.add_row(_offset(start, step.started_at), step.kind, step.key.label, _outcome(step, detail) + _mocked(step))
    shown = step.attempts if len(step.attempts) > 1 or step.error else []
    for attempt in shown:
        text = f"attempt {attempt.number}: "
        if attempt.error is not None:
            text += f"{attempt.error['name']}: {_summary(attempt.error['message'])}"
            if attempt.retry_delay is not None:
                text += f", retried after {in_words(round(attempt.retry_delay.total_seconds() * 1000))}"
        else:
            text += "complete" if attempt.ended_at else "running"
        table.add_row(_offset(start, attempt.started_at), "", "", text)


def _outcome(step: StepRecord, detail: dict[str, Any]) -> str:
    if step.kind == "sleep":
        return f"{in_words(detail.get('durationMs', 0))}, {step.status}"
    if step.kind == "wait_for_event":
        awaited = f"event {detail.get('event')!r}"
        return f"{awaited}, {'timed out' if step.status == 'errored' else step.status}"
    if step.status == "complete":
        return f"complete: {_short(step.result)}"
    if step.status == "waiting":
        return "waits for its next attempt"
    return "failed" if step.status == "errored" else "running"


def _mocked(step: StepRecord) -> str:
    return " (mocked)" if step.mocked else ""


def _details(history: list[HistoryEvent]) -> dict[tuple[str, str], dict[str, Any]]:
    kinds = {"SLEEP_START": "sleep", "WAIT_START": "wait_for_event"}
    return {(kinds[event.kind], event.step or ""): event.detail for event in history if event.kind in kinds}


def _waits_for(steps: list[StepRecord]) -> str:
    open_steps = [step for step in steps if step.status in ("running", "waiting")]
    parts = []
    for step in open_steps:
        if step.kind == "sleep":
            parts.append(f"sleeps in {step.key.label!r}")
        elif step.kind == "wait_for_event":
            parts.append(f"waits for an event in {step.key.label!r}")
        elif step.status == "waiting":
            parts.append(f"waits to retry {step.key.label!r}")
        else:
            parts.append(f"runs the callback of {step.key.label!r} (attempt {len(step.attempts)})")
    return "; ".join(parts) or "runs code of the workflow outside of its steps"


def _offset(start: datetime, at: datetime) -> str:
    return f"+{in_words(round((at - start).total_seconds() * 1000))}"


def _summary(message: str) -> str:
    """The line of a message that says what happened: behind the frames, where it holds a traceback."""
    lines = message.strip().splitlines()
    telling = (line for line in lines if not line.startswith(" ") and not line.endswith(_TRACEBACK))
    return next(telling, lines[-1] if lines else "")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _VALUE_WIDTH else f"{text[: _VALUE_WIDTH - 3]}..."
