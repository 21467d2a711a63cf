"""Coverage as lines for the terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

import msgspec

from pytest_workflows.messages.short_repr import counted, cut, one_line

from .model import Coverage, StepCoverage, WorkflowCoverage

FORMAT = "pytest-workflows-step-coverage"
VERSION = 1
_KINDS = {"do": "do", "sleep": "sleep", "wait_for_event": "event"}
_STATES = {"real": "real", "mocked": "mocks", "never": "NEVER"}
_COLOURS = {"real": "", "mocked": "yellow", "never": "red"}
_NAME = 28
_WIDTH = 80
_KEPT = "\0"
"""The stand-in for a space where no line may end."""


Shown = tuple[str, str]
"""A line, and its colour: `""`, `"bold"`, `"yellow"`, `"red"` or `"green"`."""


def show(coverage: Coverage) -> list[Shown]:
    """The coverage as lines, made for 80 columns."""
    if not coverage.workflows:
        return [("No test ran a workflow, and none is configured.", "")]
    lines: list[Shown] = []
    for workflow in coverage.workflows:
        lines += [*_workflow(workflow), ("", "")]
    total = f"TOTAL  {_steps(coverage.reached, coverage.steps)} reached: {percent(coverage.percent)}"
    return [*lines, (total, "green" if coverage.percent == 100 else "yellow")]


def percent(value: float) -> str:
    """A share as people write it: `87.5%`, `100%`."""
    return f"{value:.1f}".removesuffix(".0") + "%"


def dump(coverage: Coverage) -> bytes:
    """The coverage as JSON, indented, with a newline at its end."""
    found = {
        "format": FORMAT,
        "version": VERSION,
        "percent": coverage.percent,
        "steps": coverage.steps,
        "reached": coverage.reached,
        "workflows": [
            {
                **msgspec.to_builtins(workflow.known),
                "instances": workflow.instances,
                "source_found": workflow.found,
                "percent": workflow.percent,
                "reached": workflow.reached,
                "steps": [{**msgspec.to_builtins(step), "state": step.state} for step in workflow.steps],
            }
            for workflow in coverage.workflows
        ],
    }
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


def _workflow(workflow: WorkflowCoverage) -> Iterator[Shown]:
    of = " in ".join(part for part in (workflow.known.class_name, workflow.known.file) if part)
    reached = f"{_steps(workflow.reached, len(workflow.steps))} reached: {percent(workflow.percent)}"
    yield f"{workflow.known.workflow}  {reached}{f'  ({of})' if of else ''}", "bold"
    if not workflow.found:
        yield "  (its source cannot be read: steps that no test reached are not known)", "yellow"
    for step in workflow.steps:
        line = "-" if step.line is None else str(step.line)
        state = _STATES[step.state]
        notes = _notes(step, lost=workflow.found and step.line is None)
        before = f"  {_KINDS[step.kind]:<5}  {_short(step.name):<{_NAME}}  {line:>5}  {state:<5}  "
        text = fill(notes, _WIDTH, initial_indent=before, subsequent_indent=" " * len(before))
        for shown in (text or before.rstrip()).splitlines():
            yield shown.replace(_KEPT, " "), _COLOURS[step.state]


def _steps(reached: int, steps: int) -> str:
    return f"{reached} of {counted(steps, 'step')}"


def _short(name: str) -> str:
    return cut(one_line(name), _NAME)


def _notes(step: StepCoverage, *, lost: bool) -> str:
    if not step.runs:
        return ""
    parts = [counted(step.runs, "run")]
    if step.real and step.mocked:
        parts.append(f"{step.mocked} mocked")
    waits = step.kind == "wait_for_event"
    for count, text in (
        (step.failed, "failed"),
        (step.exhausted, "retried to the end"),
        (step.timed_out, "waited and timed out" if waits else "timed out"),
        (step.crashed, "crashed"),
    ):
        if count:
            parts.append(f"{count} {text}")
    if lost:
        parts.append("not found in the source")
    return ", ".join(part.replace(" ", _KEPT) for part in parts)
