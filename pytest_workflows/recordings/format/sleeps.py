"""Sleeps of a recording: the platform counts them by name and duration, and selectors of a test by the name alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from durable_engine import StepKey
from durable_engine.history import SLEEP_START, STEP_KINDS

from .model import Recording, Step


def by_name(steps: Sequence[Step]) -> dict[StepKey, int]:
    """The occurrence of its name that each sleep is, whatever its duration."""
    counts: Counter[str] = Counter()
    found = {}
    for step in steps:
        if step.kind == "sleep":
            counts[step.name] += 1
            found[step.key] = counts[step.name]
    return found


def line_keys(recording: Recording) -> list[StepKey | None]:
    """The step of each line of the history."""
    labelled: dict[tuple[str, str | None], list[Step]] = {}
    for step in recording.steps:
        labelled.setdefault((step.kind, step.label), []).append(step)
    found: list[StepKey | None] = []
    under_way: set[StepKey] = set()
    for line in recording.history:
        candidates = labelled.get((STEP_KINDS.get(line.kind, ""), line.step), [])
        if len(candidates) > 1:  # sleeps of one name and several durations
            if line.kind == SLEEP_START:
                candidates = [one for one in candidates if one.duration_ms == line.detail.get("durationMs")]
                under_way.update(one.key for one in candidates)
            else:
                candidates = [one for one in candidates if one.key in under_way and one.ended_at == line.at]
                under_way.difference_update(one.key for one in candidates[:1])
        found.append(candidates[0].key if candidates else None)
    return found


def renumbered(recording: Recording) -> Recording:
    """A recording of 0.1.0, which counted sleeps by the name alone, as one that is made now; any other as it is."""
    counts: Counter[tuple[str, int | None]] = Counter()
    steps, labels = [], {}
    for step in recording.steps:
        if step.kind == "sleep":
            counts[step.name, step.duration_ms] += 1
            renamed = msgspec.structs.replace(step, count=counts[step.name, step.duration_ms])
            labels[step.label] = renamed.label
            step = renamed
        steps.append(step)
    if all(old == new for old, new in labels.items()):
        return recording
    others = {step.label for step in recording.steps if step.kind != "sleep"}
    return msgspec.structs.replace(
        recording,
        steps=steps,
        history=[
            msgspec.structs.replace(line, step=labels.get(line.step or "", line.step))
            if STEP_KINDS.get(line.kind) == "sleep"
            else line
            for line in recording.history
        ],
        crashes=[
            crash
            if crash.after is None or crash.after in others
            else msgspec.structs.replace(crash, after=labels.get(crash.after, crash.after))
            for crash in recording.crashes
        ],
    )
