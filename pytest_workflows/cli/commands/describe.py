"""`pytest-workflows describe FILE`: an instance and its steps, as the platform's own tool shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from durable_engine import FINAL_STATUSES
from durable_engine.history import FINAL_STEP_STATUSES, WORKFLOW_TERMINATED
from pytest_workflows.cli.files import read_file
from pytest_workflows.cli.options import Config, File, InstanceId, Json, JsonOutputs, WorkflowOption
from pytest_workflows.cli.terminal import formatting as words
from pytest_workflows.cli.terminal.console import Row, coloured, columns, labelled, safe_json, show, stdout
from pytest_workflows.recordings import Attempt, LogLine, Recording, SourcePlace, Step, dump

_VALUE = 400
_NOTES = 12
_LINES = 10
_TRIGGERS = ("api", "binding", "event", "cron")
_FRAME = re.compile(r'File "([^"\n]+)", line (\d+)')
_LIBRARY = re.compile(r"[/\\](?:site|dist)-packages[/\\]|[/\\]python_modules[/\\]|[/\\]lib[/\\]python\d")
_TOOK = {"running": "not over yet", "no outcome": "-"}
EXAMPLES = """
Examples:

    pytest-workflows describe latest

    pytest-workflows describe .workflows/failures/test_it/orders-1.json

    wrangler workflows instances describe orders ID --json | pytest-workflows describe -
"""


def register(app: typer.Typer) -> None:
    """Register the command."""
    app.command("describe", epilog=EXAMPLES)(describe)


def describe(
    file: File,
    workflow: WorkflowOption = None,
    id: InstanceId = None,
    json_outputs: JsonOutputs = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Show one instance: how it ended, and every step with its attempts and errors.

    What the file does not say is shown as unknown.
    """
    recording = read_file(file, id=id, config=config, json_outputs=json_outputs)
    recording.workflow = recording.workflow or workflow
    if json:
        typer.echo(safe_json(dump(recording).decode()), nl=False)
    else:
        show_recording(recording, stdout())


def show_recording(recording: Recording, console: Console) -> None:
    """Print a recording."""
    show(labelled(_instance(recording)), console)
    console.print(Text(f"\nSteps: {len(recording.steps) or 'none'}", style="bold"))
    for step in recording.steps:
        console.print()
        show(labelled(_step(recording, step), indent=2), console)
        if step.attempts:
            show(_attempts(recording, step), console)
    for step in recording.rollbacks:
        console.print()
        show(labelled(_rollback(recording, step), indent=2), console)
        if step.attempts:
            show(_attempts(recording, step), console)
    for line in recording.history:
        if line.kind == WORKFLOW_TERMINATED:
            console.print()
            show(labelled(_termination(line.detail), indent=2), console)
    for finding in recording.findings:
        console.print()
        where = _where(finding.place)
        show(
            labelled([("Broken rule", finding.rule), ("Where", where), ("Noticed", finding.message)], indent=2), console
        )
    if recording.notes:
        console.print(Text("\nNot known:", style="bold"))
        show(_bullets(recording.notes), console)


def _bullets(notes: list[str]) -> Padding:
    table = columns("", "")
    table.show_header = False
    for note in notes[:_NOTES]:
        table.add_row("-", note)
    if len(notes) > _NOTES:
        table.add_row("-", f"and {len(notes) - _NOTES} more: see --json")
    return Padding(table, (0, 0, 0, 2), expand=False)


# -- the instance ------------------------------------------------------------------------------------------------------


def _instance(recording: Recording) -> Iterator[Row]:
    over = recording.status in FINAL_STATUSES
    yield "Workflow name", words.name_of(recording)
    yield "Instance id", recording.instance_id
    yield "Version id", recording.version_id or words.UNKNOWN
    yield "Status", coloured(recording.status)
    yield "Trigger", _source(recording.trigger)
    yield "Queued", words.moment(recording.created_at)
    yield "Success", coloured(_success(recording.status))
    yield "Start", words.moment(recording.started_at) if recording.status != "queued" else "not yet"
    yield "End", words.moment(recording.ended_at) if over else "not yet"
    yield "Duration", _duration(recording)
    yield "Last successful step", _last_successful(recording)
    if recording.file is not None:
        yield (
            "Source",
            recording.file if recording.class_name is None else f"{recording.class_name} in {recording.file}",
        )
    yield "Params", words.value(recording.params, _VALUE)
    if recording.status == "complete":
        yield "Output", words.value(recording.output, _VALUE)
    if recording.status == "errored":
        yield "Error", Text(words.error(recording.error) or words.UNKNOWN, style="red")
        yield from _raised(recording.traceback or (recording.error.message if recording.error else ""))
    if recording.log:
        yield "Printed", _printed(recording.log)
    if recording.test is not None:
        yield "Test", f"{recording.test} ({recording.outcome or 'outcome unknown'})"


def _where(place: SourcePlace) -> str:
    return f"{place.file}:{place.line}"


def _raised(message: str) -> Iterator[Row]:
    """The place where an error was raised, by the traceback in its message: the last one that is no library's."""
    frames = _FRAME.findall(message)
    own = [frame for frame in frames if not _LIBRARY.search(frame[0])]
    for file, line in (own or frames)[-1:]:
        path = Path(file)
        near = path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else file
        yield "Raised at", f"{near}:{line}"


def _printed(log: list[LogLine]) -> str:
    more = [f"... and {len(log) - _LINES} more"] if len(log) > _LINES else []
    return "\n".join([*(line.text.rstrip() for line in log[:_LINES]), *more])


def _success(status: str) -> str:
    if status not in FINAL_STATUSES:
        return "not yet" if status != "unknown" else words.UNKNOWN
    return "yes" if status == "complete" else "no"


def _duration(recording: Recording) -> str:
    if recording.ended_at is None and recording.status not in FINAL_STATUSES:
        return "not over yet"
    return words.between(recording.started_at, recording.ended_at)


def _last_successful(recording: Recording) -> str:
    # Parallel steps end in another order than they start in; where times do not decide, the order in the file does.
    last: Step | None = None
    for step in recording.steps:
        if step.status == "complete" and (last is None or not _ended_before(step, last)):
            last = step
    if last is None:
        return words.UNKNOWN if any(step.unknown_outcome for step in recording.steps) else "none"
    return last.label


def _ended_before(step: Step, other: Step) -> bool:
    return step.ended_at is not None and other.ended_at is not None and step.ended_at < other.ended_at


def _rollback(recording: Recording, step: Step) -> Iterator[Row]:
    """The rows of a rollback: a step by which production undid a step."""
    for label, shown in _step(recording, step):
        if label != "Output":
            yield label, "rollback" if label == "Type" else shown


def _termination(detail: dict[str, object]) -> Iterator[Row]:
    yield "Type", "termination"
    yield "Trigger", _source(detail.get("trigger"))


def _source(trigger: object) -> str:
    """The source of a trigger, which production has in words, and history as a number."""
    if not isinstance(trigger, dict):
        return words.UNKNOWN
    source, cron = trigger.get("source"), trigger.get("cron")
    if type(source) is int and 0 <= source < len(_TRIGGERS):
        source = _TRIGGERS[source]
    return f"{source if isinstance(source, str) else words.UNKNOWN}{f' ({cron})' if cron else ''}"


# -- a step ------------------------------------------------------------------------------------------------------------


def _step(recording: Recording, step: Step) -> Iterator[Row]:
    over = step.status in FINAL_STEP_STATUSES
    cut_off = not over and recording.status in FINAL_STATUSES and not step.unknown_outcome
    yield "Name", step.label
    yield "Type", f"{words.TYPES[step.kind]}{' (mocked)' if step.mocked else ''}"
    if step.place is not None:
        yield "Source", _where(step.place)
    if step.kind == "wait_for_event":
        yield "Event", step.event_type or words.UNKNOWN
    yield "Start", words.moment(step.started_at)
    if over:
        yield "End", words.moment(step.ended_at)
        yield "Duration", words.between(step.started_at, step.ended_at)
        yield "Success", coloured("yes" if step.status == "complete" else "no")
    elif step.unknown_outcome:
        yield from ((name, words.UNKNOWN) for name in ("End", "Duration", "Success"))
    else:
        yield "End", "never: the instance ended" if cut_off else "not yet"
        yield "Duration", "-" if cut_off else "not over yet"
        yield "Success", coloured("no outcome" if cut_off else "not yet")
    if step.kind != "do" and not over and recording.status not in FINAL_STATUSES:
        yield ("Wakes up at" if step.kind == "sleep" else "Times out at"), _due(step)
    if step.kind == "do" and step.status == "waiting" and recording.status not in FINAL_STATUSES:
        yield "Retries at", _retries_at(step)
    if step.status == "complete" and step.kind != "sleep":
        yield "Output", words.value(step.result, _VALUE)
    if step.error is not None:
        yield "Error", Text(words.error(step.error), style="red")
        yield from _raised(step.error.message)
    log = [line for attempt in step.attempts for line in attempt.log]
    if log:
        yield "Printed", _printed(log)


def _due(step: Step) -> str:
    ms = step.duration_ms if step.kind == "sleep" else step.timeout_ms
    return words.UNKNOWN if step.started_at is None or ms is None else _later(step.started_at, ms)


def _retries_at(step: Step) -> str:
    last = step.attempts[-1] if step.attempts else None
    if last is None or last.ended_at is None or last.retry_delay_ms is None:
        return words.UNKNOWN
    return _later(last.ended_at, last.retry_delay_ms)


def _later(start: datetime, ms: int) -> str:
    return f"{words.moment(start + timedelta(milliseconds=ms))} ({words.duration(ms)} later)"


def _time_of(at: datetime | None, day: datetime | None) -> str:
    """A time without its date, where that is the date that stands above it."""
    shown = words.moment(at).removesuffix(" UTC")
    return shown[11:] if at is not None and day is not None and at.date() == day.date() else shown


def _attempts(recording: Recording, step: Step) -> Padding:
    table = columns("Attempt", "Start", "Duration", "State", "Error")
    for attempt in step.attempts:
        state = _state(recording, step, attempt)
        table.add_row(
            str(attempt.number),
            _time_of(attempt.started_at, step.started_at),
            _TOOK.get(state) or words.between(attempt.started_at, attempt.ended_at),
            Text(state, style={"error": "red", "success": "green", "lost": "yellow"}.get(state, "cyan")),
            Text(words.error(attempt.error), style="red"),
        )
    return Padding(table, (0, 0, 0, 4), expand=False)


def _state(recording: Recording, step: Step, attempt: Attempt) -> str:
    if attempt.lost:
        return "lost"
    if attempt.error is not None:
        return "error"
    is_last = attempt is step.attempts[-1]
    if attempt.ended_at is not None or (is_last and step.status == "complete"):
        return "success"
    if not is_last or step.status == "errored" or step.unknown_outcome:
        return words.UNKNOWN
    return "no outcome" if recording.status in FINAL_STATUSES else "running"
