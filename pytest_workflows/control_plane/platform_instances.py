"""The platform's API of instances, below `/client/v4`."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Query, Response

from durable_engine import Shown, to_datetime

from .answers import (
    ChangedStatus,
    CreatedInstance,
    DeletedInstances,
    Done,
    Envelope,
    InstanceRowShape,
    InstanceShape,
    Listing,
    PageInfo,
    SentEvent,
    StepOutput,
    WaitOutput,
)
from .asking import Asker
from .bodies import (
    Account,
    CreateBody,
    DeleteBody,
    EventType,
    Filters,
    InstanceId,
    RestartBody,
    StatusBody,
    TerminateBody,
    WorkflowName,
)
from .directory import Directory, api_status
from .instance_calls import InstanceCalls
from .instance_shapes import Gathered, InstanceShapes
from .json_answers import answer_with
from .paging import Wanted, page_by_key
from .routes import failures
from .step_shapes import WholeOutput, event_type_of, find_step

_BASE = "/client/v4/accounts/{account_id}/workflows/{workflow_name}/instances"
_ONE = _BASE + "/{instance_id}"
_MANY_STEPS = 300
"""More steps are made into their shapes in a thread: other requests are answered meanwhile."""
_OUTPUTS_ARE_JSON: Final = {"workflows-outputs": "json"}
"""The platform's shape has no place for it, and a text may be JSON by chance."""


class PlatformInstances:
    """The routes of instances.

    Args:
        asker: Asks what is served.
        directory: Its workflows.
        calls: The calls on instances.
        shapes: Makes the shapes of instances.
    """

    def __init__(self, asker: Asker, directory: Directory, calls: InstanceCalls, shapes: InstanceShapes) -> None:
        self._asker = asker
        self._directory = directory
        self._calls = calls
        self._shapes = shapes

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["instances"])
        add = router.add_api_route
        add(_BASE, self.instances, responses=failures(404), summary="List instances")
        add(_BASE, self.create, methods=["POST"], responses=failures(404), summary="Create an instance")
        add(_BASE + "/batch", self.create_all, methods=["POST"], responses=failures(404), summary="Create instances")
        add(
            _BASE + "/batch/delete",
            self.delete_some,
            methods=["POST"],
            responses=failures(404),
            summary="Delete instances",
        )
        add(
            _ONE,
            self.instance,
            response_model=Envelope[InstanceShape],
            responses=failures(404),
            summary="Get an instance",
        )
        add(_ONE, self.delete, methods=["DELETE"], responses=failures(404), summary="Delete an instance")
        add(
            _ONE + "/status",
            self.change,
            methods=["PATCH"],
            responses=failures(404),
            summary="Pause, resume, terminate or restart an instance",
        )
        add(
            _ONE + "/events/{event_type}",
            self.send_event,
            methods=["POST"],
            responses=failures(404),
            summary="Send an event to an instance",
        )
        add(
            _ONE + "/step",
            self.step,
            response_model=Envelope[WaitOutput | StepOutput],
            responses={**failures(404), 200: {"content": {"application/octet-stream": {}}}},
            summary="Get the whole output of a step",
        )
        return router

    async def instances(
        self, account_id: Account, workflow_name: WorkflowName, filters: Annotated[Filters, Query()]
    ) -> Listing[InstanceRowShape]:
        """The instances of a workflow, the newest first."""
        shown: list[int] = []

        def read() -> Listing[InstanceRowShape]:
            listed = self._directory.find(workflow_name)
            wanted = Wanted(filters.per_page, filters.page, filters.cursor, filters.direction)
            found, info = page_by_key(self._calls.filtered(listed, filters), lambda one: one.row.key, wanted)
            shown.extend(one.row.key for one in found)
            return Listing(result=[self._shapes.row(listed, one) for one in found], result_info=info)

        return await self._asker.read(read, lambda _: Shown(shown, all_rows=True))

    async def create(
        self, account_id: Account, workflow_name: WorkflowName, body: CreateBody | None = None
    ) -> Envelope[CreatedInstance]:
        """Create an instance."""

        async def create() -> Envelope[CreatedInstance]:
            listed = self._directory.find(workflow_name)
            instance = await self._calls.create(listed, body or CreateBody())
            return Envelope(result=self._shapes.created(listed, instance))

        return await self._asker.ask(create)

    async def create_all(
        self,
        account_id: Account,
        workflow_name: WorkflowName,
        body: Annotated[list[CreateBody], Body(min_length=1, max_length=100)],
    ) -> Listing[CreatedInstance]:
        """Create up to 100 instances; those whose ids exist already are left out."""

        async def create() -> Listing[CreatedInstance]:
            listed = self._directory.find(workflow_name)
            made = await self._calls.create_all(listed, body)
            count = len(made)
            info = PageInfo(count=count, page=1, per_page=max(count, 1), total_count=count, total_pages=1)
            return Listing(result=[self._shapes.created(listed, one) for one in made], result_info=info)

        return await self._asker.ask(create)

    async def instance(
        self,
        account_id: Account,
        workflow_name: WorkflowName,
        instance_id: InstanceId,
        order: Annotated[Literal["asc", "desc"], Query(description="The order of the steps.")] = "asc",
        simple: Annotated[Literal["true", "false"], Query(description="Whether the steps are left out.")] = "false",
    ) -> Response:
        """An instance with its steps."""
        found = await self.whole(workflow_name, instance_id, newest_first=order == "desc", with_steps=simple == "false")
        return answer_with(Envelope(result=found), _OUTPUTS_ARE_JSON)

    async def whole(
        self, workflow_name: str, instance_id: str, *, newest_first: bool = False, with_steps: bool = True
    ) -> InstanceShape:
        """An instance with its steps.

        Args:
            workflow_name: The workflow's name.
            instance_id: The instance's id.
            newest_first: Whether the steps come in the opposite order.
            with_steps: Whether they come at all.

        Raises:
            ApiError: If there is no such workflow or instance.
        """

        def read() -> Gathered:
            return self._shapes.gather(self._calls.find(self._directory.find(workflow_name), instance_id))

        gathered = await self._asker.read(read, lambda found: Shown((found.row.key,)))
        make = functools.partial(self._shapes.whole, gathered, newest_first=newest_first, with_steps=with_steps)
        return await self._asker.made(make) if len(gathered.steps) > _MANY_STEPS else make()

    async def delete(self, account_id: Account, workflow_name: WorkflowName, instance_id: InstanceId) -> Envelope[Done]:
        """Delete an instance and all that is stored of it."""

        async def delete() -> Envelope[Done]:
            await self._calls.delete(self._directory.find(workflow_name), instance_id)
            return Envelope(result=Done())

        return await self._asker.ask(delete)

    async def delete_some(
        self, account_id: Account, workflow_name: WorkflowName, body: DeleteBody
    ) -> Envelope[DeletedInstances]:
        """Delete up to 100 instances."""

        async def delete() -> Envelope[DeletedInstances]:
            found = await self._calls.delete_some(self._directory.find(workflow_name), body.instances)
            return Envelope(result=DeletedInstances.model_validate(found))

        return await self._asker.ask(delete)

    async def change(
        self, account_id: Account, workflow_name: WorkflowName, instance_id: InstanceId, body: StatusBody
    ) -> Envelope[ChangedStatus]:
        """Pause, resume, terminate or restart an instance."""
        point = body.from_ if isinstance(body, RestartBody) else None
        rollback = body.rollback if isinstance(body, TerminateBody) else None

        async def change() -> Envelope[ChangedStatus]:
            listed = self._directory.find(workflow_name)
            instance = await self._calls.change(listed, instance_id, body.status, point=point, rollback=rollback)
            now = to_datetime(self._asker.served.engine.clock.now_ms)
            return Envelope(result=ChangedStatus(status=api_status(instance), timestamp=now))

        return await self._asker.ask(change)

    async def send_event(
        self,
        account_id: Account,
        workflow_name: WorkflowName,
        instance_id: InstanceId,
        event_type: EventType,
        payload: Annotated[Any, Body()] = None,
    ) -> Envelope[SentEvent]:
        """Send an event: the body is its payload."""

        async def send() -> Envelope[SentEvent]:
            await self._calls.send_event(self._directory.find(workflow_name), instance_id, event_type, payload)
            now = to_datetime(self._asker.served.engine.clock.now_ms)
            return Envelope(result=SentEvent(instance_id=instance_id, timestamp=now))

        return await self._asker.ask(send)

    async def step(
        self,
        account_id: Account,
        workflow_name: WorkflowName,
        instance_id: InstanceId,
        name: Annotated[str, Query(description="The step's name with its occurrence: `charge-1`.")],
        type: Annotated[Literal["step", "waitForEvent"], Query(description="The step's type.")],
        attempt: Annotated[int | None, Query(ge=1, description="Of one attempt alone.")] = None,
    ) -> Response:
        """The whole output of a step; that of a stream as it is, `application/octet-stream`."""

        def read() -> Response:
            instance = self._calls.find(self._directory.find(workflow_name), instance_id)
            store = self._asker.served.engine.store
            history = store.history(instance.row.key)
            row = find_step(store.steps(instance.row.key), name, type)
            found = WholeOutput(row, history, attempt)
            if isinstance(found.output, bytes):
                return Response(found.output, media_type="application/octet-stream")
            shape = StepOutput(status=found.status, error=found.error, output=found.output)
            if type == "step":
                return answer_with(Envelope(result=shape))
            waited_for = event_type_of(row, history)
            return answer_with(Envelope(result=WaitOutput(**shape.model_dump(), event_type=waited_for)))

        return await self._asker.read(read)
