"""Outputs that a dump does not have, or not the whole of, and that the API gives for one step at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from durable_engine import StreamContent
from pytest_workflows.recordings.format.model import Recording, Step, Value
from pytest_workflows.recordings.format.values import tag

from .envelope import open_envelope
from .fields import get, mapping, text
from .notes import AS_JSON
from .values import REDACTED, holds_unknown, loaded, read_value


def names_in_dump(found: object) -> set[str]:
    """The names of a dump's steps, as it has them."""
    steps = get(open_envelope(found, "the dump"), "steps")
    names = [text(get(mapping(step), "name")) for step in steps] if isinstance(steps, list) else []
    return {name for name in names if name is not None}


def are_encoded(notes: Iterable[str], json_outputs: bool | None) -> bool:
    """Whether the outputs of a dump were read as JSON text, by its recording's notes or since that was said."""
    return AS_JSON in notes if json_outputs is None else json_outputs


def steps_without_output(recording: Recording) -> list[Step]:
    """The steps that have an output, and whose output is not known or has a part that is not."""
    return [
        step
        for step in recording.steps
        if step.status == "complete" and step.kind != "sleep" and not step.sensitive and holds_unknown(_output(step))
    ]


def give_whole_output(recording: Recording, step: Step, output: Any, *, is_encoded: bool) -> None:
    """Put a step's whole output into its recording.

    Args:
        recording: The recording.
        step: The step of it.
        output: The output as the API gave it: a value of JSON, or bytes.
        is_encoded: Whether outputs are JSON text in the API's answers.
    """
    value = _as_recorded(output, f"the output of step {step.label!r}", is_encoded)
    if step.kind == "wait_for_event":
        assert isinstance(step.result, dict)
        step.result["payload"] = value
        if step.event is not None:
            recording.events[step.event].payload = value
        note = f"The payload of the event that {step.label!r} took is not whole in the dump"
    else:
        step.result = value
        note = f"The output of step {step.label!r} is not "
    if not holds_unknown(value):
        recording.notes = [line for line in recording.notes if not line.startswith(note)]


def _output(step: Step) -> Value:
    return (
        step.result.get("payload")
        if step.kind == "wait_for_event" and isinstance(step.result, Mapping)
        else step.result
    )


def _as_recorded(output: Any, what: str, is_encoded: bool) -> Value:
    if isinstance(output, bytes):
        return tag(StreamContent(output))
    value = read_value(output, what, as_text=is_encoded)
    if not holds_unknown(value) or output == REDACTED:
        return value
    # It looks as if it were cut short, and is not.
    return tag(loaded(output) if is_encoded and isinstance(output, str) else output)
