"""What the page's buttons do to instances."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter

from durable_engine import FINAL_STATUSES, InstanceHandle, encode
from pytest_workflows.control_plane.answers import Envelope
from pytest_workflows.control_plane.errors import CANNOT_SEND_EVENT, ApiError
from pytest_workflows.control_plane.json_values import as_javascript
from pytest_workflows.control_plane.routes import failures

from .asking import PageAsker
from .models import Creation, Event, InstanceId, Meant, Restart


def actions_router(asker: PageAsker) -> APIRouter:
    """The endpoints of the buttons.

    Args:
        asker: Asks what they act on.
    """
    router = APIRouter(responses=failures(404, 409))
    served = asker.served

    async def act(meant: Meant, action: Callable[[InstanceHandle], Awaitable[None]]) -> Envelope[InstanceId]:
        async def acted() -> None:
            await action(await asker.handle(meant.workflow, meant.id))

        await asker.ask(acted)
        return Envelope(result=InstanceId(workflow=asker.known(meant.workflow).workflow.name, id=meant.id))

    @router.post("/create", operation_id="page_create")
    async def create(asked: Creation) -> Envelope[InstanceId]:
        """Create an instance."""

        async def created() -> str:
            options: dict[str, Any] = {"params": as_javascript(asked.params, "params")}
            if asked.id is not None:
                options["id"] = asked.id
            binding = asker.known(asked.workflow)
            id = (await binding.create(options)).id
            served.engine.lifecycle.note_source(binding.workflow, id, "api")
            return id

        id = await asker.ask(created)
        return Envelope(result=InstanceId(workflow=asker.known(asked.workflow).workflow.name, id=id))

    @router.post("/event", operation_id="page_event")
    async def event(asked: Event) -> Envelope[InstanceId]:
        """Send an event to an instance."""

        async def sent() -> None:
            await asker.handle(asked.workflow, asked.id)
            workflow = asker.known(asked.workflow).workflow
            status = served.engine.require(workflow, asked.id).status
            if status in FINAL_STATUSES:
                raise ApiError(
                    409, CANNOT_SEND_EVENT, f"Instance {asked.id!r} has ended ({status}): no event reaches it any more."
                )
            payload = encode(as_javascript(asked.payload, "the payload"))
            served.engine.send_event(workflow, asked.id, asked.type, payload)

        await asker.ask(sent)
        return Envelope(result=InstanceId(workflow=asker.known(asked.workflow).workflow.name, id=asked.id))

    @router.post("/pause", operation_id="page_pause")
    async def pause(asked: Meant) -> Envelope[InstanceId]:
        """Pause an instance."""
        return await act(asked, lambda one: one.pause())

    @router.post("/resume", operation_id="page_resume")
    async def resume(asked: Meant) -> Envelope[InstanceId]:
        """Let a paused instance go on."""
        return await act(asked, lambda one: one.resume())

    @router.post("/restart", operation_id="page_restart")
    async def restart(asked: Restart) -> Envelope[InstanceId]:
        """Run an instance again, from the top or from a step on."""
        point = {} if asked.from_ is None else {"from": asked.from_.model_dump()}
        return await act(asked, lambda one: one.restart(point))

    @router.post("/terminate", operation_id="page_terminate")
    async def terminate(asked: Meant) -> Envelope[InstanceId]:
        """End an instance."""
        return await act(asked, lambda one: one.terminate())

    @router.post("/delete", operation_id="page_delete")
    async def delete(asked: Meant) -> Envelope[InstanceId]:
        """Delete an instance and everything that is stored of it."""
        return await act(asked, lambda one: one.delete())

    return router
