"""The Worker's handlers as the control plane calls them: for a request from outside, and for a cron."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from durable_engine import InvalidArgumentError
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.standins.handler_calls import log

from .served import Fired

if TYPE_CHECKING:
    from durable_engine import Engine
    from pytest_workflows.bindings.env_resolver import EnvResolver
    from pytest_workflows.workers import Request, Response

_NO_FETCH = (
    "This Worker has no fetch handler: neither a class `Default` with a method `fetch`, nor a function `on_fetch`.\n"
    "Its workflows are at /__workflows.\n"
)


async def call_fetch(env: EnvResolver, request: Request) -> Response:
    """Call the Worker's fetch handler; what it gives to `waitUntil`, and what its body streams, goes on behind it.

    Args:
        env: The Worker's bindings.
        request: The request.

    Raises:
        TypeError: If the handler answers with something else than a `Response`.
        Exception: What the handler raises.
    """
    from pytest_workflows.workers import Response
    from pytest_workflows.workers.request import as_received
    from pytest_workflows.workers.response import response_of

    handlers = env.handlers
    if not handlers.has("fetch"):
        return Response(_NO_FETCH, status=404)
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        try:
            handler = handlers.find("fetch")
            await handlers.call(handler, as_received(request), answered=answer.set_result)
        except asyncio.CancelledError:
            answer.cancel()
            raise
        except BaseException as error:
            if answer.done() or isinstance(error, GeneratorExit):
                raise
            answer.set_exception(error if isinstance(error, Exception) else _as_exception(error))

    task = env.host.spawn(work(), "The fetch handler")
    try:
        given = await answer
    except asyncio.CancelledError:
        task.cancel()  # whoever asked has gone
        raise
    return response_of(given)


def _as_exception(error: BaseException) -> Exception:
    """What would end the process, as something that does not: the next request is answered again."""
    made = RuntimeError(f"The fetch handler raised {error!r}.")
    made.__cause__ = error
    return made


async def fire_cron(env: EnvResolver, engine: Engine, cron: str, scheduled_time: float) -> Fired:
    """Fire a cron trigger: start the workflows that it schedules, and call the scheduled handler.

    Args:
        env: The Worker's bindings.
        engine: Their engine.
        cron: The expression, as the configuration has it.
        scheduled_time: When it was due, in milliseconds since 1970.

    Returns:
        What became of it; what was raised is in the log.
    """
    from pytest_workflows.standins.scheduled import ScheduledController

    workflows = env.workflows.schedules.get(cron, ())
    has_handler = env.handlers.has("scheduled")
    controller = ScheduledController(cron, scheduled_time)
    outcome = "ok"
    try:
        for workflow in workflows:
            binding = env.workflow_binding(workflow.binding)
            engine.lifecycle.create_scheduled(binding.workflow, cron, int(scheduled_time))
        if has_handler or not workflows:
            outcome = await env.host.spawn(env.host.call_handler("scheduled", controller), "The scheduled handler")
    except (InvalidArgumentError, WorkflowConfigError) as error:
        log(f"The cron {cron!r}", error)
        outcome = "exception"
    return Fired(outcome, controller._is_final)
