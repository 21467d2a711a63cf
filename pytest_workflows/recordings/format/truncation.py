"""Truncation of recordings of very many steps: the file keeps the first and the last ones, and says so."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from pytest_workflows.recordings.errors import RecordingError

from .model import Recording, Step

OPTION = "workflows_record_steps"
T = TypeVar("T")


def cut(recording: Recording, most: int) -> Recording:
    """A recording without the middle of too many steps, or of too many attempts of one.

    Args:
        recording: The recording.
        most: How many of each are kept; 0 for all.
    """
    counts = [len(recording.steps), *(len(step.attempts) for step in recording.steps)]
    if not most or max(counts) <= most:
        return recording
    left_out = max(0, len(recording.steps) - most)
    kept = _ends(recording.steps, most)
    labels = {step.key.label for step in kept}
    lost = {
        (step.key.label, attempt.number)
        for step in kept
        for attempt in step.attempts[most - most // 2 : len(step.attempts) - most // 2]
    }
    return msgspec.structs.replace(
        recording,
        steps=[_without(step, lost) for step in kept],
        effects=[
            one
            for one in recording.effects
            if one.step is None or (one.step in labels and (one.step, one.attempt) not in lost)
        ],
        history=[
            line
            for line in recording.history
            if line.step is None or (line.step in labels and (line.step, line.detail.get("attempt")) not in lost)
        ],
        left_out=left_out + len(lost),
        notes=[*recording.notes, _note(recording, left_out, len(lost))],
    )


def _ends(items: list[T], most: int) -> list[T]:
    return items if len(items) <= most else [*items[: most - most // 2], *items[len(items) - most // 2 :]]


def _without(step: Step, lost: set[tuple[str, int]]) -> Step:
    attempts = [attempt for attempt in step.attempts if (step.key.label, attempt.number) not in lost]
    return msgspec.structs.replace(step, attempts=attempts)


def _note(recording: Recording, steps: int, attempts: int) -> str:
    counts = [f"{steps:,} of {len(recording.steps):,} steps"] if steps else []
    counts += [f"{attempts:,} attempts"] if attempts else []
    return f"{' and '.join(counts)} are left out of the middle. Set ini {OPTION} = 0 to record all of them."


def check_whole(recording: Recording, name: str) -> None:
    """Make sure that a recording is whole, so that it can be played.

    Args:
        recording: The recording.
        name: Names it in the error.

    Raises:
        RecordingError: If some of it was left out.
    """
    if recording.left_out:
        raise RecordingError(
            f"{name} was cut: {' '.join(recording.notes[-1:])} It can be read, and not be played: run its test again "
            f"with `-o {OPTION}=0`."
        )
