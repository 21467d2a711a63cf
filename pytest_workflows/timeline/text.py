"""The timeline: a run as text, for failure reports and for errors alike."""

from __future__ import annotations

from datetime import datetime

from durable_engine import (
    FINAL_STATUSES,
    Engine,
    ExecutionRecord,
    StepRecord,
    Workflow,
    in_words,
    to_datetime,
)
from pytest_workflows import active_test

from . import usage
from .bar_chart import BLOCKS, draw_bars
from .run import Run
from .step_table import EDGE, STYLES, TextFormatter, ends, joined, offset, repeated, table
from .styled_text import Line, Part, paragraph, width_of, write

WIDTH = 78
"""The width of the text. With the indentation of --workflows-report every terminal has it."""
BAR_WIDTH = 20
_INDENT = "  "


def never_created(engine: Engine, workflow: Workflow, id: str) -> str:
    """The message of an error for an instance that does not exist: it names those that do."""
    ids = [repr(instance.id) for instance in engine.instances if instance.workflow is workflow]
    others = f"It has: {', '.join(ids[:EDGE])}{', ...' if len(ids) > EDGE else ''}." if ids else "It has no instances."
    return f"Instance {id!r} of {workflow.name!r} was never created. {others}"


def render(run: Run, *, colour: bool = False) -> str:
    """A run as text of at most 78 columns.

    Args:
        run: The run.
        colour: Whether with the codes for colours that terminals understand.
    """
    return write(lines_of(run), colour=colour)


def lines_of(run: Run, formatter: TextFormatter | None = None) -> list[Line]:
    """A run as lines whose parts have colours.

    Args:
        run: The run.
        formatter: The formatter of values and messages; a plain one by default.
    """
    formatter = formatter or TextFormatter()
    history, steps = run.history_events, run.step_records
    start = history[0].at if history else run.now
    lines = _head(run, start, formatter)
    if steps:
        bars = draw_bars(run.history, round(run.now.timestamp() * 1000), BAR_WIDTH)
        if not active_test.is_ascii():
            bars = {key: bar.translate(BLOCKS) for key, bar in bars.items()}
        lines += [
            [Part(_INDENT), *line]
            for line in table(steps, history, bars, start, WIDTH - len(_INDENT), formatter, run.calls)
        ]
    else:
        lines += _note("No step has started.")
    question = repeated(steps)
    if question is not None and not formatter.has_shown(question):
        lines += _note(formatter.word(question), "yellow")
    used = usage.in_words(run.uses)
    if used is not None:
        lines += _note(f"used: {used}", "dim")
    lines += _execution_lines(run.executions, start, formatter)
    if run.error is not None:
        lines += _note(
            f"ended with {formatter.word(run.error['name'])}: {formatter.message(run.error['message'])}", "red"
        )
    if run.status not in FINAL_STATUSES:
        lines += _note(f"now: {formatter.word(waits_for(steps))}", "yellow")
    if run.events:
        lines += _note(f"events that nothing has taken: {formatter.word(joined([repr(one) for one in run.events]))}")
    return lines


def _head(run: Run, start: datetime, formatter: TextFormatter) -> list[Line]:
    of = formatter.word(f"Instance {run.id!r} of {run.workflow!r}: ")
    at = f" at {run.now:%Y-%m-%d %H:%M:%S} UTC"
    status = Part(run.status, STYLES.get(run.status, "yellow"))
    lines: list[Line] = [[Part(of, "bold"), status, Part(at)]]
    if width_of(of + run.status + at) > WIDTH:
        lines = [[Part(line, "bold")] for line in paragraph(of + run.status + at, WIDTH, _INDENT)]
    since = in_words(round((run.now - start).total_seconds() * 1000))
    return lines + _note(f"virtual time, {since} after its start", "dim")


def _note(text: str, style: str = "") -> list[Line]:
    return [[Part(line, style)] for line in paragraph(_INDENT + text, WIDTH, _INDENT * 2)]


def _execution_lines(executions: list[ExecutionRecord], start: datetime, formatter: TextFormatter) -> list[Line]:
    """Lines on the steps that each execution asked for, where the memory was lost on the way."""
    if not any(record.lost_at is not None for record in executions):
        return []
    first, left_out, last = ends(
        [_execution_line(number, record, start, formatter) for number, record in enumerate(executions, start=1)]
    )
    gap = [f"... {len(left_out):,} executions left out"] if left_out else []
    return [line for text in (*first, *gap, *last) for line in _note(text)]


def _execution_line(number: int, record: ExecutionRecord, start: datetime, formatter: TextFormatter) -> str:
    asked = formatter.word(joined([ask.key.label for ask in record.path])) or "nothing"
    if record.lost_at is None:
        return f"execution {number} asked for {asked}"
    where = "" if record.point is None else f": {formatter.word(record.point.title)}"
    lost = offset(start, to_datetime(record.lost_at))
    return f"execution {number} asked for {asked}; its memory was lost at {lost}{where}"


def waits_for(steps: list[StepRecord]) -> str:
    """The present activity of an instance that has not ended."""
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
            attempt = f" (attempt {len(step.attempts)})" if step.attempts else ""
            parts.append(f"runs the callback of {step.key.label!r}{attempt}")
    if len(parts) > EDGE:
        parts[EDGE:] = [f"and {len(parts) - EDGE:,} more steps are open"]
    return "; ".join(parts) or "runs code of the workflow outside of its steps"
