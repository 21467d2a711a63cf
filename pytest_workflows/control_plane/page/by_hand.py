"""Time that is moved by hand: what an instance waits for is over, or the clock is put forward."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter

from durable_engine import Execution, StepKey, StepKind, duration_ms, to_datetime
from pytest_workflows.control_plane.answers import Envelope
from pytest_workflows.control_plane.errors import BAD_REQUEST, ApiError
from pytest_workflows.control_plane.routes import failures

from .asking import PageAsker
from .models import Hastening, Now, Travel

_WAITS: Final = {
    "sleep": "sleeps",
    "do": "waits for a next attempt",
    "wait_for_event": "waits for an event",
}
"""By kind what a step of it does while it waits."""


def by_hand_router(asker: PageAsker) -> APIRouter:
    """The endpoints that move time.

    Args:
        asker: Asks whose time it is.
    """
    router = APIRouter(responses=failures(404, 409))
    served = asker.served

    async def hasten(asked: Hastening, kind: StepKind) -> Envelope[Now]:
        async def hastened() -> str:
            await asker.handle(asked.workflow, asked.id)
            workflow = asker.known(asked.workflow).workflow
            key = _waiting(served.engine.require(workflow, asked.id), asked, kind)
            served.engine.hasten(workflow, asked.id, key)
            return served.engine.clock.now.isoformat()

        return Envelope(result=Now(now=await asker.ask(hastened)))

    @router.post("/time/skip", operation_id="time_skip")
    async def skip(asked: Hastening) -> Envelope[Now]:
        """Let a sleep be over."""
        return await hasten(asked, "sleep")

    @router.post("/time/retry", operation_id="time_retry")
    async def retry(asked: Hastening) -> Envelope[Now]:
        """Let a step's next attempt begin."""
        return await hasten(asked, "do")

    @router.post("/time/timeout", operation_id="time_timeout")
    async def timeout(asked: Hastening) -> Envelope[Now]:
        """Let a wait for an event time out."""
        return await hasten(asked, "wait_for_event")

    @router.post("/time/travel", operation_id="time_travel")
    async def travel(asked: Travel) -> Envelope[Now]:
        """Run the clock to a moment: whatever is due until then happens."""

        async def travelled() -> str:
            await served.engine.travel_to(_target(asked, served.engine.clock.now_ms))
            return served.engine.clock.now.isoformat()

        return Envelope(result=Now(now=await asker.ask(travelled, is_long=True)))

    return router


def _waiting(instance: Execution, asked: Hastening, kind: StepKind) -> StepKey:
    """The step that is meant.

    Raises:
        ApiError: If there is none that waits so, or more than one.
    """
    steps = instance.engine.store.steps(instance.row.key)
    waiting = [step.key for step in steps if step.key.kind == kind and step.status == "waiting"]
    found = [
        key
        for key in waiting
        if asked.name in (None, key.name)
        and asked.count in (None, key.count)
        and asked.duration in (None, key.duration)
    ]
    if len(found) == 1:
        return found[0]
    what = _WAITS[kind]
    meant = "" if asked.name is None else f" called {asked.name!r}"
    if not found:
        others = ", ".join(key.label for key in waiting) or "none"
        raise ApiError(
            409,
            BAD_REQUEST,
            f"No step{meant} of instance {asked.id!r} {what}: it is {instance.status}. Those that do: {others}.",
        )
    names = ", ".join(f"{key.name!r} ({key.count})" for key in found)
    raise ApiError(400, BAD_REQUEST, f"Several steps{meant} of instance {asked.id!r} wait so: {names}. Say which one.")


def _target(asked: Travel, now: int) -> datetime:
    if (asked.to is None) == (asked.by is None):
        raise ApiError(400, BAD_REQUEST, 'Say where to: {"to": "2026-12-04T09:00:00Z"}, or how far: {"by": "3 days"}.')
    if asked.by is not None:
        try:
            return to_datetime(now + duration_ms(asked.by, "The duration to run the clock by"))
        except OverflowError:
            raise ApiError(400, BAD_REQUEST, f"{asked.by!r} leads beyond the year 9999.") from None
    assert asked.to is not None
    try:
        when = datetime.fromisoformat(asked.to)
    except ValueError:
        raise ApiError(
            400,
            BAD_REQUEST,
            f"{asked.to!r} is no moment. Write it like 2026-12-04T09:00:00Z (UTC unless it says more).",
        ) from None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
