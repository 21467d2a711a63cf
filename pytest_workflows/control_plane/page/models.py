"""What the page's API takes and answers with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr

from pytest_workflows.control_plane.answers import Shape

Text = Annotated[str, Field(min_length=1, max_length=1024)]


class Asked(BaseModel):
    """What a request asks for; a name that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid")


class Creation(Asked):
    """An instance to be created."""

    workflow: Text
    id: str | None = None
    params: Any = None


class Meant(Asked):
    """An instance that is meant."""

    workflow: Text
    id: Text


class Event(Meant):
    """An event to be sent to an instance."""

    type: Text
    payload: Any = None


class RestartPoint(Asked):
    """The step from which on an instance is run again."""

    name: Text
    count: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    type: Literal["do", "sleep", "waitForEvent"] = "do"


class Restart(Meant):
    """An instance to be run again."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: Annotated[RestartPoint | None, Field(alias="from")] = None


class Hastening(Meant):
    """What an instance waits for, which is to be over; which of its steps need only be said where there are several."""

    name: str | None = None
    count: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    duration: int | None = None


class Travel(Asked):
    """Where the clock is to be put: a moment, or how far from now."""

    to: str | None = None
    by: StrictStr | StrictInt | StrictFloat | None = None


class InstanceId(Shape):
    """An instance, by its id."""

    workflow: str
    id: str


class Now(Shape):
    """What time it is for the engine."""

    now: str


class WrittenTest(Shape):
    """A test of an instance."""

    file: str
    text: str


class VersionModel(Shape):
    """A version of the Worker's source."""

    number: int
    id: str
    created_at: int
    problem: str | None


class DivergenceModel(Shape):
    """An instance that went another way with a newer version."""

    at: int
    version: int
    workflow: str
    id: str
    summary: str
    table: str


class WorkflowModel(Shape):
    """A workflow."""

    binding: str
    name: str
    class_name: str | None
    concurrency: int | None
    statuses: dict[str, int]


class Overview(Shape):
    """What there is."""

    worker: str
    is_live: bool
    now: str
    versions: list[VersionModel]
    problem: str | None
    divergences: list[DivergenceModel]
    workflows: list[WorkflowModel]


class StoreModel(Shape):
    """A store: its kind as the configuration has it, and the names of the bindings to it."""

    kind: str
    id: str
    names: list[str]
    tables: list[str]


class StorePage(Shape):
    """A page of what a store holds; `next` is what to ask for the following one with."""

    columns: list[str]
    rows: list[list[Any]]
    next: str | None
