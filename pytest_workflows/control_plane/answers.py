"""The shapes of the platform's answers, as its published schema has them: one model each, with which they are made.

The names of fields are the platform's. Where the schema calls a field optional and the platform fills it, it is filled.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

T = TypeVar("T")

ApiStatus = Literal[
    "queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting", "rollingBack"
]
"""The statuses of an instance in the API."""

TriggerSource = Literal["unknown", "api", "binding", "event", "cron"]


def time_text(at: datetime) -> str:
    """A time as JavaScript writes it: UTC, in milliseconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


Time = Annotated[
    datetime,
    PlainSerializer(time_text, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Shape(BaseModel):
    """Base of the shapes."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)


class Message(Shape):
    """A line of the envelope: the platform's code, and words."""

    code: int
    message: str


class Envelope(Shape, Generic[T]):
    """The envelope round an answer."""

    success: Literal[True] = True
    errors: list[Message] = Field(default=[], max_length=0)
    messages: list[Message] = []
    result: T


class PageInfo(Shape):
    """Where a page of a list stands."""

    count: int
    page: int
    per_page: int
    total_count: int
    total_pages: int
    cursor: str | None = None


class Listing(Envelope[list[T]], Generic[T]):
    """The envelope round a page of a list."""

    result_info: PageInfo


class Failure(Shape):
    """The envelope round an error."""

    success: Literal[False] = False
    errors: list[Message]
    messages: list[Message] = []
    result: None = None


# -- workflows --------------------------------------------------------------------------------------------------------


class ScheduledWorkflow(Shape):
    """A cron trigger of a workflow."""

    cron: str
    next_instance: str


class WorkflowShape(Shape):
    """A workflow."""

    id: str
    name: str
    class_name: str
    script_name: str
    created_on: Time
    modified_on: Time
    triggered_on: Time | None
    instances: dict[str, int]
    schedules: list[ScheduledWorkflow]
    script_deleted: bool = False


class UpdatedWorkflow(Shape):
    """A workflow that was put."""

    id: str
    name: str
    class_name: str
    script_name: str
    created_on: Time
    modified_on: Time
    triggered_on: Time | None
    is_deleted: int = 0
    terminator_running: int = 0
    version_id: str


class DeletedWorkflow(Shape):
    """What became of a workflow that was deleted."""

    status: Literal["ok"] = "ok"
    success: bool = True


# -- versions ---------------------------------------------------------------------------------------------------------


class Concurrency(Shape):
    """How many instances run at a time; None for any number."""

    limit: int | None


class DefaultRetention(Shape):
    """For how many milliseconds instances are kept; None where nothing is said."""

    error_retention: int | None
    success_retention: int | None


class StepLimit(Shape):
    """How many steps an instance may have."""

    steps: int | None


class VersionShape(Shape):
    """A version of a workflow."""

    id: str
    workflow_id: str
    class_name: str
    created_on: Time
    modified_on: Time
    has_dag: bool
    language: Literal["javascript", "python"] = "python"
    concurrency: Concurrency
    default_retention: DefaultRetention
    limits: StepLimit


class VersionGraph(Shape):
    """A version's graph of steps; None where the source does not show one."""

    id: str
    workflow_id: str
    class_name: str
    created_on: Time
    modified_on: Time
    graph: dict[str, Any] | None


# -- instances --------------------------------------------------------------------------------------------------------


class ErrorShape(Shape):
    """An error: its name and its message."""

    name: str
    message: str


class CreatedInstance(Shape):
    """An instance that was created."""

    id: str
    status: ApiStatus
    version_id: str
    workflow_id: str
    trigger_source: TriggerSource


class InstanceRowShape(CreatedInstance):
    """An instance in a list."""

    created_on: Time
    modified_on: Time
    started_on: Time | None
    ended_on: Time | None


class AttemptShape(Shape):
    """An attempt of a step."""

    start: Time
    end: Time | None
    success: bool | None
    error: ErrorShape | None


class RetriesShape(Shape):
    """How a step is tried again."""

    limit: int | float
    delay: int | float | str
    backoff: Literal["constant", "linear", "exponential"] | None = None


class StepConfigShape(Shape):
    """A step's configuration."""

    retries: RetriesShape
    timeout: int | float | str
    sensitive: Literal["output"] | None = None


class DoShape(Shape):
    """A step with a callback. Its output is JSON."""

    name: str
    type: Literal["step"] = "step"
    start: Time
    end: Time | None
    success: bool | None
    config: StepConfigShape
    attempts: list[AttemptShape]
    output: str | None


class SleepShape(Shape):
    """A sleep; its end is when it is due, until it is over."""

    name: str
    type: Literal["sleep"] = "sleep"
    start: Time
    end: Time
    finished: bool
    error: ErrorShape | None


class WaitShape(Shape):
    """A wait for an event; its end is when it times out, until it is over. Its output is the event, as JSON."""

    name: str
    type: Literal["waitForEvent"] = "waitForEvent"
    start: Time
    end: Time
    finished: bool
    error: ErrorShape | None
    event_type: str
    output: str | None


class TerminationTrigger(Shape):
    """Who terminated an instance."""

    source: str


class TerminationShape(Shape):
    """That an instance was terminated."""

    type: Literal["termination"] = "termination"
    trigger: TerminationTrigger


StepShape = Annotated[DoShape | SleepShape | WaitShape | TerminationShape, Field(discriminator="type")]


class Trigger(Shape):
    """What made an instance."""

    source: TriggerSource


class CronSchedule(Shape):
    """The cron trigger that made an instance."""

    cron: str
    scheduled_time: int = Field(serialization_alias="scheduledTime")


class InstanceShape(Shape):
    """An instance. Its output is JSON; `null` until it completes."""

    status: ApiStatus
    params: Any
    trigger: Trigger
    version_id: str = Field(serialization_alias="versionId")
    queued: Time
    start: Time | None
    end: Time | None
    success: bool | None
    error: ErrorShape | None
    output: str
    rollback: None = None
    schedule: CronSchedule | None = None
    steps: list[StepShape]
    step_count: int


class StepOutput(Shape):
    """The whole output of a step, or of one attempt."""

    status: ApiStatus
    error: ErrorShape | None
    output: Any


class WaitOutput(StepOutput):
    """The payload of the event that a wait took."""

    event_type: str


class ChangedStatus(Shape):
    """The status of an instance after a change."""

    status: ApiStatus
    timestamp: Time


class SentEvent(Shape):
    """An event that was sent."""

    instance_id: str = Field(serialization_alias="instanceId")
    timestamp: Time


class DeletedInstance(Shape):
    """An instance that was deleted."""

    id: str


class NotDeleted(Shape):
    """An instance that was not deleted."""

    id: str
    code: int
    message: str


class DeletedInstances(Shape):
    """What became of instances that were to be deleted."""

    deleted: list[DeletedInstance]
    errors: list[NotDeleted]


class Done(Shape):
    """That something was done."""

    success: Literal[True] = True


class AccountShape(Shape):
    """The only account that there is here."""

    id: str
    name: str


class FiredCron(Shape):
    """What became of a cron trigger that was fired."""

    outcome: Literal["ok", "exception"]
    no_retry: bool = Field(serialization_alias="noRetry")
