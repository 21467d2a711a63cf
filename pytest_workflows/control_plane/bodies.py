"""What clients send: the bodies of requests, their paths and their filters."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr, WithJsonSchema

from .answers import ApiStatus

_NUMBER = re.compile(r"[-+.\d]+(e[-+]?\d+)?", re.IGNORECASE)
"""Pydantic would take it for seconds since 1970."""

Duration = StrictInt | StrictStr
Location = Literal["wnam", "weur", "enam", "eeur", "apac", "apac-ne", "apac-se", "oc", "sam", "afr", "me"]

NewId = Annotated[
    str,
    WithJsonSchema({"type": "string", "pattern": "^[a-zA-Z0-9_][a-zA-Z0-9_-]*$", "maxLength": 100, "minLength": 1}),
]
"""An id that an instance may be created with: the engine says what is wrong with another one."""

AnyId = Annotated[
    str, WithJsonSchema({"type": "string", "pattern": "^[a-zA-Z0-9, *\\/#_-]+$", "maxLength": 271, "minLength": 1})
]
"""An id that an instance may have: those of cron triggers are longer, and have other letters."""

Account = Annotated[str, Path(description="The account's id: whatever it is, there is one account here.")]
WorkflowName = Annotated[str, AfterValidator(unquote), Path(description="The workflow's own name.")]
InstanceId = Annotated[str, AfterValidator(unquote), Path(description="The instance's id.")]
EventType = Annotated[str, AfterValidator(unquote), Path(description="The event's type.")]
VersionId = Annotated[str, AfterValidator(unquote), Path(description="The version's id.")]

Page = Annotated[int, Query(ge=1, description="The number of the page.")]
PerPage = Annotated[int, Query(ge=1, le=100, description="The most rows of a page.")]


def _in_utc(at: datetime) -> datetime:
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC it is not within the years 1 to 9999") from None


def _written(given: object) -> object:
    if isinstance(given, str) and _NUMBER.fullmatch(given):
        raise ValueError("it is written in ISO 8601, such as 2026-03-02T09:00:00Z")
    return given


Moment = Annotated[datetime, BeforeValidator(_written), AfterValidator(_in_utc)]


class Sent(BaseModel):
    """Base of bodies; what the API does not know is left out."""

    model_config = ConfigDict(extra="ignore")


class RetentionBody(Sent):
    """For how long an instance is kept after its end: milliseconds, or a text such as `5 minutes`."""

    error_retention: Duration | None = None
    success_retention: Duration | None = None


class CreateBody(Sent):
    """An instance that is to be created. Its params are JSON text; a value that is no text is taken as it is."""

    instance_id: NewId | None = None
    instance_retention: RetentionBody | None = None
    location_hint: Location | None = None
    params: Any = None

    @property
    def has_params(self) -> bool:
        """Whether there are any: null is one of them."""
        return "params" in self.model_fields_set


class PauseBody(Sent):
    """Pause."""

    status: Literal["pause"]


class ResumeBody(Sent):
    """Go on."""

    status: Literal["resume"]


class TerminateBody(Sent):
    """End now."""

    status: Literal["terminate"]
    rollback: bool | None = None


class FromBody(Sent):
    """The step from which an instance runs again."""

    name: str = Field(min_length=1)
    count: int | None = Field(default=None, ge=1)
    type: Literal["do", "sleep", "waitForEvent"] | None = None


class RestartBody(Sent):
    """Run again, from the top or from a step."""

    status: Literal["restart"]
    from_: FromBody | None = Field(default=None, alias="from")


StatusBody = Annotated[PauseBody | ResumeBody | TerminateBody | RestartBody, Field(discriminator="status")]


class LimitBody(Sent):
    """How many instances run at a time."""

    limit: int | None = None


class StepsBody(Sent):
    """How many steps an instance may have."""

    steps: int | None = None


class CronBody(Sent):
    """A cron trigger."""

    cron: str


class UpdateBody(Sent):
    """A workflow that is put."""

    class_name: str
    script_name: str
    concurrency: LimitBody | None = None
    default_retention: RetentionBody | None = None
    limits: StepsBody | None = None
    schedules: list[CronBody] | None = None


class LocalCreateBody(Sent):
    """An instance that wrangler wants to be created."""

    id: NewId | None = None
    params: Any = None

    def as_create(self) -> CreateBody:
        """The same as the platform's API has it; a text is a value here, and no JSON."""
        given: dict[str, Any] = {} if self.id is None else {"instance_id": self.id}
        if "params" in self.model_fields_set:
            given["params"] = json.dumps(self.params) if isinstance(self.params, str) else self.params
        return CreateBody(**given)


class DeleteBody(Sent):
    """Instances that are to be deleted."""

    instances: list[AnyId] = Field(min_length=1, max_length=100)


class LocalFilters(BaseModel):
    """Which instances of a workflow a local session lists."""

    model_config = ConfigDict(extra="ignore")

    page: int | None = Field(default=None, ge=1)
    per_page: int = Field(default=25, ge=1, le=100)
    status: ApiStatus | None = None
    date_start: Moment | None = None
    date_end: Moment | None = None


class Filters(LocalFilters):
    """Which instances of a workflow are listed."""

    cursor: str | None = None
    direction: Literal["asc", "desc"] = "desc"
