"""What the page's buttons do to instances."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter

from durable_engine import FINAL_STATUSES, InstanceHandle, encode
from pytest_workflows.control_plane.errors import CANNOT_SEND_EVENT, ApiError
from pytest_workflows.control_plane.served import Served

from .asking import ask, handle, known
from .models import Answer, Creation, Event, InstanceId, Meant, Restart


def actions_router(served: Served) -> APIRouter:
    """The endpoints of the buttons.

    Args:
        served: What they act on.
    """
    router = APIRouter()

    async def act(meant: Meant, action: Callable[[InstanceHandle], Awaitable[None]]) -> Answer[InstanceId]:
        async def acted() -> None:
            await action(await handle(served, meant.workflow, meant.id))

        await ask(served, acted)
        return Answer(result=InstanceId(workflow=meant.workflow, id=meant.id))

    @router.post("/create", operation_id="page_create")
    async def create(asked: Creation) -> Answer[InstanceId]:
        """Create an instance."""

        async def created() -> str:
            options = {"params": asked.params, **({} if asked.id is None else {"id": asked.id})}
            return (await known(served, asked.workflow).create(options)).id

        return Answer(result=InstanceId(workflow=asked.workflow, id=await ask(served, created)))

    @router.post("/event", operation_id="page_event")
    async def event(asked: Event) -> Answer[InstanceId]:
        """Send an event to an instance."""

        async def sent() -> None:
            await handle(served, asked.workflow, asked.id)
            workflow = known(served, asked.workflow).workflow
            status = served.engine.require(workflow, asked.id).status
            if status in FINAL_STATUSES:
                raise ApiError(
                    409, CANNOT_SEND_EVENT, f"Instance {asked.id!r} has ended ({status}): no event reaches it any more."
                )
            served.engine.send_event(workflow, asked.id, asked.type, encode(asked.payload))

        await ask(served, sent)
        return Answer(result=InstanceId(workflow=asked.workflow, id=asked.id))

    @router.post("/pause", operation_id="page_pause")
    async def pause(asked: Meant) -> Answer[InstanceId]:
        """Pause an instance."""
        return await act(asked, lambda one: one.pause())

    @router.post("/resume", operation_id="page_resume")
    async def resume(asked: Meant) -> Answer[InstanceId]:
        """Let a paused instance go on."""
        return await act(asked, lambda one: one.resume())

    @router.post("/restart", operation_id="page_restart")
    async def restart(asked: Restart) -> Answer[InstanceId]:
        """Run an instance again, from the top or from a step on."""
        point = {} if asked.from_ is None else {"from": asked.from_.model_dump()}
        return await act(asked, lambda one: one.restart(point))

    @router.post("/terminate", operation_id="page_terminate")
    async def terminate(asked: Meant) -> Answer[InstanceId]:
        """End an instance."""
        return await act(asked, lambda one: one.terminate())

    @router.post("/delete", operation_id="page_delete")
    async def delete(asked: Meant) -> Answer[InstanceId]:
        """Delete an instance and everything that is stored of it."""
        return await act(asked, lambda one: one.delete())

    return router
