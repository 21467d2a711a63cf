"""What a wait for an instance says: what is awaited, where the instance stands, and why it may not come."""

from __future__ import annotations

import difflib

from durable_engine import (
    FINAL_STATUSES,
    STATUSES,
    Engine,
    InstanceRow,
    InvalidArgumentError,
    StepRecord,
    UnreachableStatusError,
    Workflow,
    error_of,
    hide_frames,
)

from .registry import closest, list_steps

hide_frames(__file__)


def describe_wait(
    engine: Engine, workflow: Workflow, id: str, steps: list[StepRecord], what: str, step_name: str | None = None
) -> str:
    """What a wait is for, and where the instance stands.

    Args:
        engine: The engine.
        workflow: The instance's workflow.
        id: The instance's id.
        steps: Its steps so far.
        what: What is awaited.
        step_name: The name of the step that is awaited, if it is one: the closest one that ran is named.
    """
    from pytest_workflows.timeline.step_table import whole_message
    from pytest_workflows.timeline.text import never_created, waits_for

    lines = [f"Waiting for {what} of instance {id!r} of {workflow.name!r}.", *_queued_behind(engine, workflow, id)]
    if step_name is not None:
        lines += _near_steps(step_name, steps)
    instance = engine.find(workflow, id)
    if instance is None:
        lines.append(never_created(engine, workflow, id))
        lines += map(str, engine.calls.forgotten)
    elif instance.status in FINAL_STATUSES:
        error = error_of(instance.row)
        how = "" if error is None else f" with {error['name']}: {whole_message(error['message'])}"
        lines.append(f"It is {instance.status}{how}{'' if how else '.'}")
    else:
        lines.append(f"It is {instance.status} now: {waits_for(steps)}.")
    return "\n".join([*lines, *_asked_again(steps)])


def unreachable_status(status: str, row: InstanceRow, steps: list[StepRecord], wanted: str) -> UnreachableStatusError:
    """The error for a status that an instance cannot come to any more, because it has ended in another one.

    Args:
        status: The status that it has ended in.
        row: The instance as stored.
        steps: Its steps.
        wanted: The status that is awaited.
    """
    from pytest_workflows.timeline.step_table import error_text

    lines = [
        f"The Workflow instance {row.id} has reached status {status!r}. This is a finite status that prevents it "
        f"from ever reaching the expected status of {wanted!r}."
    ]
    error = error_of(row)
    if error is not None:
        lines.append(f"It ended with {error_text(error)}")
    return UnreachableStatusError("\n".join([*lines, *_asked_again(steps)]))


def _near_steps(name: str, steps: list[StepRecord]) -> list[str]:
    """The steps that ran, and which of them may be meant."""
    lines = [list_steps(steps)]
    close = closest(name, steps)
    if close is not None:
        lines.append(f"Did you mean {close!r}?")
    elif any(step.name == name and step.kind != "do" for step in steps):
        lines.append(f"{name!r} is a sleep or a wait for an event; only steps of `do` have a result.")
    return lines


def _queued_behind(engine: Engine, workflow: Workflow, id: str) -> list[str]:
    """The reason why the instance does not start, where it is queued."""
    holders = engine.lifecycle.slot_holders(workflow, id)
    if not holders:
        return []
    listed = ", ".join(f"{holder.id!r} ({holder.status})" for holder in holders)
    return [
        f"It is queued: concurrency.limit lets {len(holders)} instance(s) of {workflow.name!r} run at a "
        f"time, and the slots are held by {listed}. Bring one of them to its end, or delete it."
    ]


def _asked_again(steps: list[StepRecord]) -> list[str]:
    """A question about a step that repeats very often, if one does."""
    from pytest_workflows.timeline.step_table import repeated

    question = repeated(steps)
    return [question] if question else []


def check_status(status: object) -> None:
    """See to it that there is such a status.

    Raises:
        InvalidArgumentError: If there is not; the closest one is named.
    """
    __tracebackhide__ = True
    known = [name for name in STATUSES if name != "unknown"]
    if status not in known:
        close = difflib.get_close_matches(str(status), known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise InvalidArgumentError(f"{status!r} is no status of an instance.{hint} There are: {', '.join(known)}.")
