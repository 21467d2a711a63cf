"""One instance in full, for the page: its recording, the sources that it names, a test of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from fastapi import APIRouter, Response

from pytest_workflows.control_plane.answers import Envelope
from pytest_workflows.control_plane.errors import INSTANCE_NOT_FOUND, ApiError
from pytest_workflows.control_plane.json_answers import answer_with
from pytest_workflows.control_plane.routes import failures
from pytest_workflows.control_plane.served import Served
from pytest_workflows.recordings import Recording

from .asking import PageAsker
from .details import Details, Taken
from .models import WrittenTest

T = TypeVar("T")

_DRAWN = 30
"""Of how many instances the graph of a workflow is drawn."""


def instances_router(asker: PageAsker, details: Details) -> APIRouter:
    """The endpoints of one instance.

    Args:
        asker: Asks whose instances.
        details: These in full.
    """
    router = APIRouter(responses=failures(404))

    async def of_recording(workflow: str, id: str, make: Callable[[Recording], T]) -> T:
        name = asker.known(workflow).workflow.name

        # Only what is stored is read on the engine's loop; what costs time is done in a thread.
        taken = await asker.read(lambda: details.take(name, id))
        if taken is None:
            raise ApiError(404, INSTANCE_NOT_FOUND, f"Workflow {workflow!r} has no instance {id!r}.")
        return await asker.made(lambda: make(details.recording(taken)))

    @router.get("/instance", operation_id="page_instance", response_model=Envelope[dict[str, Any]])
    async def instance(workflow: str, id: str) -> Response:
        """One instance in full: its recording, as docs/reference/recordings.md describes it, without its history."""

        def answer(found: Recording) -> Response:
            return answer_with(Envelope(result=msgspec.to_builtins(msgspec.structs.replace(found, history=[]))))

        return await of_recording(workflow, id, answer)

    @router.get("/sources", operation_id="page_sources")
    async def sources(workflow: str, id: str) -> Envelope[dict[str, str]]:
        """The texts of the files that an instance's steps, calls and errors point to."""
        from pytest_workflows.reporting.kept_sources import SourcesOnDisk, texts_of

        texts = await of_recording(workflow, id, lambda found: texts_of([found], SourcesOnDisk(details.root)))
        return Envelope(result=texts)

    @router.get("/test", operation_id="page_test")
    async def test(workflow: str, id: str) -> Envelope[WrittenTest]:
        """A test that goes the way of an instance."""
        from pytest_workflows.generating import generate

        workflow = asker.known(workflow).workflow.name
        is_exported = _is_exported(asker.served, workflow)
        text = await of_recording(workflow, id, lambda found: generate(found, workflow, is_exported=is_exported))
        name = text.partition("async def ")[2].partition("(")[0]
        return Envelope(result=WrittenTest(file=f"tests/{name}.py", text=text))

    @router.get("/graph", include_in_schema=False)
    async def graph(workflow: str) -> Response:
        """The steps of a workflow as a picture: those of the source, and how often the newest instances took each."""
        from pytest_workflows.reporting.coverage import KnownWorkflow, sources_of
        from pytest_workflows.reporting.graph import build_graph, to_svg

        workflow = asker.known(workflow).workflow.name

        async def take() -> list[Taken]:
            found = []
            for id in newest(asker.served, workflow):
                found.append(details.take(workflow, id))
                await asyncio.sleep(0)  # the Worker's code has a turn between
            return [taken for taken in found if taken is not None]

        taken = await asker.ask(take, is_reading=True)
        place = details.place_of(workflow)

        def draw() -> bytes:
            source = sources_of(details.root)(KnownWorkflow(workflow, *place))
            drawn = build_graph(map(details.recording, taken), source, workflow)
            return to_svg(drawn).encode("utf-8", "replace")  # what users name may hold lone surrogates

        policy = "default-src 'none'; style-src 'unsafe-inline'"
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
        return Response(await asker.made(draw), media_type="image/svg+xml", headers=headers)

    return router


def newest(served: Served, workflow: str) -> list[str]:
    """The ids of a workflow's newest instances. On the engine's loop."""
    mine = [one.id for one in served.engine.instances if one.workflow.name == workflow]
    return mine[-_DRAWN:]


def _is_exported(served: Served, workflow: str) -> bool:
    """Whether a workflow has no binding in `env`."""
    project = served.env.project
    if project is None:
        return False
    names = {one.binding for one in project.config.workflows}
    return workflow not in names and any(one.binding == workflow for one in project.config.exports)
