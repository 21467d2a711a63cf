"""The API of a local session, as `wrangler workflows ... --local` asks for it: instances are said as the platform's."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response

from durable_engine import to_datetime

from .answers import ChangedStatus, DeletedInstances, DeletedWorkflow, Done, Envelope
from .asking import Asker
from .bodies import (
    DeleteBody,
    EventType,
    InstanceId,
    LocalCreateBody,
    LocalFilters,
    StatusBody,
    WorkflowName,
)
from .directory import Directory, Listed, api_status
from .instance_calls import InstanceCalls
from .json_answers import answer_with
from .local_answers import (
    Count,
    LocalCreated,
    LocalInstance,
    LocalInstanceDetails,
    LocalInstances,
    LocalPageInfo,
    LocalWorkflow,
    LocalWorkflowDetails,
    LocalWorkflows,
    as_local,
)
from .platform_instances import PlatformInstances
from .routes import ACCOUNT, failures

_ROOTS = ("/cdn-cgi/local/explorer/api", "/cdn-cgi/explorer/api")
"""Where wrangler 4.164.0 asks, and where earlier versions did."""


class Explorer:
    """The routes of a local session.

    Args:
        asker: Asks what is served.
        directory: Its workflows.
        calls: The calls on instances.
        platform: The platform's API of instances, which it has in common with this one.
    """

    def __init__(self, asker: Asker, directory: Directory, calls: InstanceCalls, platform: PlatformInstances) -> None:
        self._asker = asker
        self._directory = directory
        self._calls = calls
        self._platform = platform

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["local explorer"])
        for root in _ROOTS:
            self._add(router, f"{root}/workflows")
        return router

    def _add(self, router: APIRouter, base: str) -> None:
        one, instances = base + "/{workflow_name}", base + "/{workflow_name}/instances"
        instance = instances + "/{instance_id}"
        routes: list[tuple[str, str, Any, tuple[int, ...], str]] = [
            ("GET", base, self.workflows, (), "List workflows"),
            ("GET", one, self.workflow, (404,), "Get a workflow"),
            ("DELETE", one, self.delete_workflow, (404,), "Delete a workflow's instances"),
            ("GET", instances, self.instances, (404,), "List instances"),
            ("POST", instances, self.create, (404,), "Create an instance"),
            ("POST", instances + "/batch/delete", self.delete_some, (404,), "Delete instances"),
            ("DELETE", instance, self.delete, (404,), "Delete an instance"),
            ("PATCH", instance + "/status", self.change, (404,), "Pause, resume, terminate or restart an instance"),
            ("POST", instance + "/events/{event_type}", self.send_event, (404,), "Send an event to an instance"),
        ]
        for method, path, endpoint, statuses, summary in routes:
            router.add_api_route(path, endpoint, methods=[method], responses=failures(*statuses), summary=summary)
        router.add_api_route(
            instance,
            self.instance,
            response_model=Envelope[LocalInstanceDetails],
            responses=failures(404),
            summary="Get an instance",
        )

    async def workflows(self) -> LocalWorkflows:
        """The workflows of the Worker."""

        def read() -> LocalWorkflows:
            found = [
                LocalWorkflow(name=one.name, class_name=one.class_name, script_name=one.script_name)
                for one in self._directory.workflows
            ]
            return LocalWorkflows(result=found, result_info=Count(count=len(found)))

        return await self._asker.read(read)

    async def workflow(self, workflow_name: WorkflowName) -> Envelope[LocalWorkflowDetails]:
        """One workflow, with how many instances have each status."""

        def read() -> Envelope[LocalWorkflowDetails]:
            one = self._directory.find(workflow_name)
            return Envelope(
                result=LocalWorkflowDetails(
                    name=one.name,
                    class_name=one.class_name,
                    script_name=one.script_name,
                    instances=self._counts(one),
                )
            )

        return await self._asker.read(read)

    async def delete_workflow(self, workflow_name: WorkflowName) -> Envelope[DeletedWorkflow]:
        """Delete every instance of a workflow."""

        async def delete() -> Envelope[DeletedWorkflow]:
            self._calls.delete_all(self._directory.find(workflow_name))
            return Envelope(result=DeletedWorkflow())

        return await self._asker.ask(delete)

    async def instances(self, workflow_name: WorkflowName, filters: Annotated[LocalFilters, Query()]) -> LocalInstances:
        """The instances of a workflow, the newest first."""

        def read() -> LocalInstances:
            listed = self._directory.find(workflow_name)
            rows = self._calls.filtered(listed, filters)[::-1]
            page, size = filters.page or 1, filters.per_page
            found = [
                LocalInstance(id=one.id, status=api_status(one), created_on=to_datetime(one.row.created_at))
                for one in rows[(page - 1) * size : page * size]
            ]
            info = LocalPageInfo(
                page=page,
                per_page=size,
                total_count=len(rows),
                total_pages=max(1, math.ceil(len(rows) / size)),
                status_counts=self._counts(listed),
            )
            return LocalInstances(result=found, result_info=info)

        return await self._asker.read(read)

    async def create(self, workflow_name: WorkflowName, body: LocalCreateBody | None = None) -> Envelope[LocalCreated]:
        """Create an instance."""

        async def create() -> Envelope[LocalCreated]:
            listed = self._directory.find(workflow_name)
            instance = await self._calls.create(listed, (body or LocalCreateBody()).as_create())
            return Envelope(result=LocalCreated(id=instance.id))

        return await self._asker.ask(create)

    async def delete_some(self, workflow_name: WorkflowName, body: DeleteBody) -> Envelope[DeletedInstances]:
        """Delete up to 100 instances."""
        return await self._platform.delete_some(ACCOUNT, workflow_name, body)

    async def instance(self, workflow_name: WorkflowName, instance_id: InstanceId) -> Response:
        """An instance with its steps."""
        found = await self._platform.whole(workflow_name, instance_id)
        return answer_with(Envelope(result=as_local(instance_id, found)))

    async def delete(self, workflow_name: WorkflowName, instance_id: InstanceId) -> Envelope[Done]:
        """Delete an instance and all that is stored of it."""
        return await self._platform.delete(ACCOUNT, workflow_name, instance_id)

    async def change(
        self, workflow_name: WorkflowName, instance_id: InstanceId, body: StatusBody
    ) -> Envelope[ChangedStatus]:
        """Pause, resume, terminate or restart an instance."""
        return await self._platform.change(ACCOUNT, workflow_name, instance_id, body)

    async def send_event(
        self,
        workflow_name: WorkflowName,
        instance_id: InstanceId,
        event_type: EventType,
        payload: Annotated[Any, Body()] = None,
    ) -> Envelope[Done]:
        """Send an event: the body is its payload."""
        await self._platform.send_event(ACCOUNT, workflow_name, instance_id, event_type, payload)
        return Envelope(result=Done())

    def _counts(self, listed: Listed) -> dict[str, int]:
        """How many instances have each status, as far as a local session knows them."""
        counts = self._directory.counts(listed)
        del counts["rollingBack"]
        return counts
