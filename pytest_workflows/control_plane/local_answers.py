"""The shapes of a local session's answers, as wrangler reads them: values are values there, and no JSON text."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from .answers import (
    ApiStatus,
    AttemptShape,
    Envelope,
    ErrorShape,
    InstanceShape,
    Shape,
    StepConfigShape,
    TerminationShape,
    Time,
    Trigger,
)


class LocalWorkflow(Shape):
    """A workflow."""

    name: str
    class_name: str
    script_name: str


class LocalWorkflowDetails(LocalWorkflow):
    """A workflow, with how many instances have each status."""

    instances: dict[str, int]


class LocalInstance(Shape):
    """An instance in a list."""

    id: str
    status: ApiStatus
    created_on: Time


class LocalCreated(Shape):
    """An instance that was created."""

    id: str


class Count(Shape):
    """How many there are."""

    count: int


class LocalWorkflows(Envelope[list[LocalWorkflow]]):
    """The workflows."""

    result_info: Count


class LocalPageInfo(Shape):
    """Where a page of instances stands, and how many instances have each status."""

    page: int
    per_page: int
    total_count: int
    total_pages: int
    status_counts: dict[str, int]


class LocalInstances(Envelope[list[LocalInstance]]):
    """A page of instances."""

    result_info: LocalPageInfo


class LocalDo(Shape):
    """A step with a callback."""

    name: str
    type: Literal["step"] = "step"
    start: Time
    end: Time | None
    success: bool | None
    config: StepConfigShape
    attempts: list[AttemptShape]
    output: Any


class LocalWait(Shape):
    """A sleep, or a wait for an event; it has no end until it is over."""

    name: str
    type: Literal["sleep", "waitForEvent"]
    start: Time
    end: Time | None
    finished: bool
    error: ErrorShape | None
    event_type: str | None = None
    output: Any = None


LocalStep = Annotated[LocalDo | LocalWait | TerminationShape, Field(discriminator="type")]


class LocalInstanceDetails(Shape):
    """An instance with its steps."""

    id: str
    status: ApiStatus
    params: Any
    trigger: Trigger
    version_id: str = Field(serialization_alias="versionId")
    queued: Time
    start: Time | None
    end: Time | None
    success: bool | None
    error: ErrorShape | None
    output: Any
    steps: list[LocalStep]
    step_count: int


def as_local(id: str, shape: InstanceShape) -> LocalInstanceDetails:
    """An instance as a local session shows it.

    Args:
        id: Its id.
        shape: It as the platform shows it.
    """
    steps: list[LocalDo | LocalWait | TerminationShape] = []
    for one in shape.steps:
        if isinstance(one, TerminationShape):
            steps.append(one)
            continue
        fields = {name: getattr(one, name) for name in type(one).model_fields}
        if "output" in fields:
            fields["output"] = _value(fields["output"])
        if "finished" in fields:
            fields["end"] = one.end if fields["finished"] else None
        steps.append(LocalDo(**fields) if one.type == "step" else LocalWait(**fields))
    names = LocalInstanceDetails.model_fields.keys() - {"id", "steps", "output"}
    return LocalInstanceDetails(
        id=id, steps=steps, output=_value(shape.output), **{name: getattr(shape, name) for name in names}
    )


def _value(output: str | None) -> Any:
    """The value of an output, which is JSON text on the platform; another text, such as `[REDACTED]`, as it is."""
    try:
        return None if output is None else json.loads(output)
    except ValueError:
        return output
