"""The platform's API of workflows and their versions, below `/client/v4`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from durable_engine import duration_ms, to_datetime

from .answers import (
    AccountShape,
    Concurrency,
    DefaultRetention,
    DeletedWorkflow,
    Envelope,
    Listing,
    ScheduledWorkflow,
    StepLimit,
    UpdatedWorkflow,
    VersionGraph,
    VersionShape,
    WorkflowShape,
    time_text,
)
from .asking import Asker
from .bodies import Account, Page, PerPage, UpdateBody, VersionId, WorkflowName
from .crons import next_time
from .directory import Directory, Listed
from .errors import BAD_REQUEST, ApiError
from .graphs import graph_of
from .instance_calls import InstanceCalls
from .paging import Wanted, page_of
from .routes import ACCOUNT, failures
from .served import Version

_BASE = "/client/v4/accounts/{account_id}/workflows"
_ONE = _BASE + "/{workflow_name}"


class PlatformWorkflows:
    """The routes of workflows.

    Args:
        asker: Asks what is served.
        directory: Its workflows.
        calls: The calls on instances.
    """

    def __init__(self, asker: Asker, directory: Directory, calls: InstanceCalls) -> None:
        self._asker = asker
        self._directory = directory
        self._calls = calls

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["workflows"])
        add = router.add_api_route
        add("/client/v4/accounts", self.accounts, responses=failures(), summary="List accounts")
        add(_BASE, self.workflows, responses=failures(), summary="List workflows")
        add(_ONE, self.workflow, responses=failures(404), summary="Get a workflow")
        add(_ONE, self.update, methods=["PUT"], responses=failures(404, 409), summary="Put a workflow")
        add(_ONE, self.delete, methods=["DELETE"], responses=failures(404), summary="Delete a workflow's instances")
        add(_ONE + "/versions", self.versions, responses=failures(404), summary="List versions")
        add(_ONE + "/versions/{version_id}", self.version, responses=failures(404), summary="Get a version")
        add(_ONE + "/versions/{version_id}/graph", self.graph, responses=failures(404), summary="Get a version's graph")
        return router

    async def accounts(self, page: Page = 1, per_page: PerPage = 25) -> Listing[AccountShape]:
        """The one account that there is here."""
        found, info = page_of([AccountShape(id=ACCOUNT, name="Local")], Wanted(per_page, page))
        return Listing(result=list(found), result_info=info)

    async def workflows(
        self,
        account_id: Account,
        page: Page = 1,
        per_page: PerPage = 25,
        search: Annotated[str, Query(description="A part of the name.")] = "",
    ) -> Listing[WorkflowShape]:
        """The workflows of the Worker."""

        def read() -> Listing[WorkflowShape]:
            wanted = [one for one in self._directory.workflows if search.lower() in one.name.lower()]
            found, info = page_of(wanted, Wanted(per_page, page))
            return Listing(result=[self._shape(one) for one in found], result_info=info)

        return await self._asker.read(read)

    async def workflow(self, account_id: Account, workflow_name: WorkflowName) -> Envelope[WorkflowShape]:
        """One workflow."""
        return await self._asker.read(lambda: Envelope(result=self._shape(self._directory.find(workflow_name))))

    async def update(
        self, account_id: Account, workflow_name: WorkflowName, body: UpdateBody
    ) -> Envelope[UpdatedWorkflow]:
        """Put a workflow as it is: here the configuration says how it is, and another one is refused."""

        def put() -> Envelope[UpdatedWorkflow]:
            listed = self._directory.find(workflow_name)
            _check_same(listed, body)
            shape = self._shape(listed)
            fields = shape.model_dump(exclude={"instances", "schedules", "script_deleted"})
            return Envelope(result=UpdatedWorkflow(**fields, version_id=self._present.id))

        return await self._asker.read(put)

    async def delete(self, account_id: Account, workflow_name: WorkflowName) -> Envelope[DeletedWorkflow]:
        """Delete every instance of a workflow. The workflow itself stays as long as the configuration has it."""

        async def delete() -> Envelope[DeletedWorkflow]:
            self._calls.delete_all(self._directory.find(workflow_name))
            return Envelope(result=DeletedWorkflow())

        return await self._asker.ask(delete)

    async def versions(
        self, account_id: Account, workflow_name: WorkflowName, page: Page = 1, per_page: PerPage = 25
    ) -> Listing[VersionShape]:
        """The versions of a workflow, the newest first."""

        def read() -> Listing[VersionShape]:
            listed = self._directory.find(workflow_name)
            found, info = page_of(self._directory.versions[::-1], Wanted(per_page, page))
            return Listing(result=[self._version(listed, one) for one in found], result_info=info)

        return await self._asker.read(read)

    async def version(
        self, account_id: Account, workflow_name: WorkflowName, version_id: VersionId
    ) -> Envelope[VersionShape]:
        """One version of a workflow."""

        def read() -> Envelope[VersionShape]:
            listed = self._directory.find(workflow_name)
            return Envelope(result=self._version(listed, self._directory.version(version_id)))

        return await self._asker.read(read)

    async def graph(
        self, account_id: Account, workflow_name: WorkflowName, version_id: VersionId
    ) -> Envelope[VersionGraph]:
        """The graph of a version's steps; that of the present source, as earlier ones are not kept."""

        def read() -> Envelope[VersionGraph]:
            listed = self._directory.find(workflow_name)
            version = self._directory.version(version_id)
            at = to_datetime(version.created_at)
            graph = graph_of(self._asker.served, listed) if version is self._present else None
            return Envelope(
                result=VersionGraph(
                    id=version.id,
                    workflow_id=listed.id,
                    class_name=listed.class_name,
                    created_on=at,
                    modified_on=at,
                    graph=graph,
                )
            )

        return await self._asker.read(read)

    # -- shapes ------------------------------------------------------------------------------------------------------

    @property
    def _present(self) -> Version:
        return self._directory.versions[-1]

    def _shape(self, listed: Listed) -> WorkflowShape:
        instances = self._directory.instances(listed)
        return WorkflowShape(
            id=listed.id,
            name=listed.name,
            class_name=listed.class_name,
            script_name=listed.script_name,
            created_on=self._directory.created_on,
            modified_on=self._directory.modified_on,
            triggered_on=to_datetime(max(one.row.created_at for one in instances)) if instances else None,
            instances=self._directory.counts(listed),
            schedules=[
                ScheduledWorkflow(cron=cron, next_instance=self._next(cron))
                for cron in ([] if listed.config is None else dict.fromkeys(listed.config.schedules))
            ],
        )

    def _next(self, cron: str) -> str:
        found = next_time(cron, self._asker.served.engine.clock.now)
        return "" if found is None else time_text(found)

    def _version(self, listed: Listed, version: Version) -> VersionShape:
        at = to_datetime(version.created_at)
        workflow = listed.binding.workflow
        return VersionShape(
            id=version.id,
            workflow_id=listed.id,
            class_name=listed.class_name,
            created_on=at,
            modified_on=at,
            has_dag=version is self._present and graph_of(self._asker.served, listed) is not None,
            concurrency=Concurrency(limit=workflow.concurrency),
            default_retention=DefaultRetention(
                error_retention=workflow.retention.error, success_retention=workflow.retention.success
            ),
            limits=StepLimit(steps=workflow.step_limit),
        )


def _check_same(listed: Listed, body: UpdateBody) -> None:
    """Check that a workflow that is put is as it is already.

    Raises:
        ApiError: If it is not.
    """
    workflow = listed.binding.workflow
    pairs: list[tuple[str, Any, Any]] = [
        ("class_name", body.class_name, listed.class_name),
        ("script_name", body.script_name, listed.script_name),
    ]
    if body.concurrency is not None:
        pairs.append(("concurrency", body.concurrency.limit, workflow.concurrency))
    if body.limits is not None and body.limits.steps is not None:
        pairs.append(("limits.steps", body.limits.steps, workflow.step_limit))
    if body.schedules is not None:
        crons = () if listed.config is None else listed.config.schedules
        pairs.append(("schedules", [one.cron for one in body.schedules], list(crons)))
    if body.default_retention is not None:
        for name, kept in (("success", workflow.retention.success), ("error", workflow.retention.error)):
            wanted = getattr(body.default_retention, f"{name}_retention")
            if wanted is not None:
                pairs.append((f"default_retention.{name}_retention", duration_ms(wanted, "A retention"), kept))
    for field, given, present in pairs:
        if given != present:
            raise ApiError(
                409,
                BAD_REQUEST,
                f"{field} of the workflow {listed.name!r} is {present!r}, and not {given!r}: here the wrangler "
                "configuration says so. Change it there; it is read again at once.",
            )
