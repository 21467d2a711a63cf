"""What the page shows: what there is, the list of instances as it changes, one instance in full."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from pytest_workflows.control_plane.errors import INSTANCE_NOT_FOUND, ApiError
from pytest_workflows.control_plane.served import Served, on_loop
from pytest_workflows.recordings import Recording

from .asking import known
from .details import Details
from .listing import Changes, Listing
from .models import Answer, DivergenceModel, Overview, VersionModel, WorkflowModel, WrittenTest

_TICK = 0.3
"""Seconds between two messages to a window at the least: what changes meanwhile is told together."""

_QUIET = 15
"""After so many messages without news a window gets one nevertheless, so that both sides know of each other."""

MOST_LINES = 5000
"""The newest instances that a window gets at once; the others are searched for."""


def looks_router(served: Served, listing: Listing, details: Details) -> APIRouter:
    """The endpoints that show what there is.

    Args:
        served: What is shown.
        listing: Its list of instances.
        details: Its instances in full.
    """
    router = APIRouter()

    async def look(revision: int) -> tuple[Changes, Overview]:
        changes = await listing.since(revision)
        details.forget(changes.gone)
        return changes, _overview(served, listing)

    @router.get("/overview", operation_id="page_overview")
    async def overview() -> Answer[Overview]:
        """What there is: workflows, versions, the time."""
        return Answer(result=(await on_loop(served, lambda: look(0)))[1])

    @router.get("/changes", include_in_schema=False)
    async def changes() -> StreamingResponse:
        """The list of instances, and then each change of it, as server-sent events."""

        async def told() -> AsyncIterator[bytes]:
            revision, before, quiet = 0, b"", 0
            while True:
                found, seen = await on_loop(served, lambda: look(revision))
                message, plain = _message(found, seen, is_all=revision == 0)
                quiet = 0 if found.revision != revision or plain != before or not revision else quiet + 1
                if quiet % _QUIET == 0:
                    yield message
                revision, before = max(found.revision, 1), plain
                await asyncio.sleep(_TICK)

        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(told(), media_type="text/event-stream", headers=headers)

    @router.get("/instances", operation_id="page_instances")
    async def instances(
        search: Annotated[str, Query(max_length=500)] = "",
        workflow: str | None = None,
        status: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST_LINES)] = 500,
    ) -> Answer[list[dict[str, Any]]]:
        """The newest instances of a workflow, in a status, that hold every word of a search."""
        words = search.lower().split()
        found = [
            line
            for line in await on_loop(served, listing.lines)
            if workflow in (None, line.workflow)
            and status in (None, line.status)
            and all(word in f"{line.workflow} {line.id} {line.error or ''}".lower() for word in words)
        ]
        found.sort(key=lambda line: -line.created)
        return Answer(result=[msgspec.to_builtins(line) for line in found[:limit]])

    async def recording(workflow: str, id: str) -> Recording:
        known(served, workflow)
        found = await details.recording(workflow, id)
        if found is None:
            raise ApiError(404, INSTANCE_NOT_FOUND, f"Workflow {workflow!r} has no instance {id!r}.")
        return found

    @router.get("/instance", operation_id="page_instance")
    async def instance(workflow: str, id: str) -> Answer[dict[str, Any]]:
        """One instance in full: its recording, as docs/reference/recordings.md describes it, without its history."""
        found = msgspec.to_builtins(msgspec.structs.replace(await recording(workflow, id), history=[]))
        answer = {"result": found, "success": True, "errors": [], "messages": []}
        return Response(_json(answer), media_type="application/json")  # type: ignore[return-value]

    @router.get("/sources", operation_id="page_sources")
    async def sources(workflow: str, id: str) -> Answer[dict[str, str]]:
        """The texts of the files that an instance's steps, calls and errors point to."""
        from pytest_workflows.reporting.kept_sources import SourcesOnDisk, texts_of

        found = await recording(workflow, id)
        return Answer(result=texts_of([found], SourcesOnDisk(details.root)))

    @router.get("/test", operation_id="page_test")
    async def test(workflow: str, id: str) -> Answer[WrittenTest]:
        """A test that goes the way of an instance."""
        from pytest_workflows.generating import generate

        found = await recording(workflow, id)
        text = generate(found, workflow, is_exported=_is_exported(served, workflow))
        name = text.partition("async def ")[2].partition("(")[0]
        return Answer(result=WrittenTest(file=f"tests/{name}.py", text=text))

    return router


def _is_exported(served: Served, workflow: str) -> bool:
    """Whether a workflow has no binding in `env`."""
    project = served.env.project
    if project is None:
        return False
    names = {one.binding for one in project.config.workflows}
    return workflow not in names and any(one.binding == workflow for one in project.config.exports)


def _overview(served: Served, listing: Listing) -> Overview:
    engine, project = served.engine, served.env.project
    classes, counts = served.env.classes, listing.counts()
    versions = [
        VersionModel(number=one.number, id=one.id, created_at=one.created_at, problem=one.problem)
        for one in served.versions
    ]
    return Overview(
        worker="" if project is None else project.config.name or "",
        is_live=served.is_live,
        now=engine.clock.now.isoformat(),
        versions=versions,
        problem=versions[-1].problem if versions else None,
        divergences=[
            DivergenceModel(at=one.at, version=one.version, workflow=one.workflow, id=one.id, table=one.table)
            for one in getattr(served, "divergences", ())
        ],
        workflows=[
            WorkflowModel(
                binding=name,
                name=bound.workflow.workflow_name,
                class_name=None if name not in classes else classes[name].__qualname__,
                concurrency=bound.workflow.concurrency,
                statuses=counts.get(name, {}),
            )
            for name, bound in engine.bindings.items()
        ],
    )


def _message(changes: Changes, overview: Overview, *, is_all: bool) -> tuple[bytes, bytes]:
    """A message to a window, and what of it is news when it changes."""
    plain = overview.model_dump(exclude={"now"})
    newest = sorted(changes.lines, key=lambda line: -line.created)[:MOST_LINES]
    lines = msgspec.to_builtins(newest)
    message = _json({**plain, "now": overview.now, "all": is_all, "lines": lines, "gone": changes.gone})
    return b"data: " + message + b"\n\n", _json(plain)


def _json(value: object) -> bytes:
    # Not msgspec's own JSON: what users name may hold lone surrogates.
    return json.dumps(value, separators=(",", ":")).encode()
