"""The Worker's default entrypoint, as a test calls it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from durable_engine import InvalidArgumentError, WorkflowBinding, call_bounded, hide_frames, read_now
from pytest_workflows.active_test import Handler, running_handler
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.workers import Request, Response, env
from pytest_workflows.workers.context import ExecutionContext
from pytest_workflows.workers.response import response_of

if TYPE_CHECKING:
    from .testrun import TestRun

hide_frames(__file__)

BASE_URL = "https://example.com"
_ARGUMENTS = {"scheduled": "controller, env, ctx"}
"""The arguments of each handler of which the platform leaves out none."""


class WorkflowWorker:
    """A caller of the handlers of the Worker under test. Made by the fixture `workflow_worker`.

    Args:
        test_run: The test's run.
    """

    def __init__(self, test_run: TestRun) -> None:
        self._test_run = test_run
        self._env = test_run.env

    async def fetch(
        self,
        resource: str | Request,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: str | bytes | None = None,
    ) -> Response:
        """Send a request to the Worker's fetch handler.

        Args:
            resource: A URL (a path alone is one of https://example.com), or a whole `Request`.
            method: The HTTP method.
            headers: Request headers.
            json: A body that is sent as JSON.
            content: A body that is sent as it is.

        Returns:
            The handler's answer.

        Raises:
            WorkflowConfigError: If the Worker has no fetch handler.
            TypeError: If the handler answered with something else than a `Response`.
        """
        request = resource if isinstance(resource, Request) else _request(resource, method, headers, json, content)
        given = await self._call("fetch", request)
        response = response_of(given)
        if response is None:
            raise TypeError(
                f"The fetch handler returned {type(given).__name__}, not a Response: {given!r}. "
                "Return workers.Response(...)."
            )
        return response

    async def scheduled(self, *, cron: str = "* * * * *", scheduled_time: datetime | float | None = None) -> None:
        """Fire a cron trigger: start the workflows that it schedules, and call the scheduled handler.

        Args:
            cron: The trigger's expression, as the configuration has it in `schedules`, and as `controller.cron`.
            scheduled_time: When it was due, as `controller.scheduledTime` in epoch milliseconds: a `datetime` (a naive
                one is UTC) or milliseconds; now by default.

        Raises:
            WorkflowConfigError: If the Worker has no scheduled handler, and no workflow that this cron starts.
            InvalidArgumentError: If a workflow was started by this cron for that time already.
        """
        if not isinstance(cron, str):
            raise InvalidArgumentError(f"cron is a trigger's expression such as '0 9 * * 1', not {cron!r}.")
        engine = self._test_run.engine
        at: float
        if scheduled_time is None:
            at = engine.clock.now_ms
        elif isinstance(scheduled_time, int | float):
            at = scheduled_time
        else:
            at = read_now(scheduled_time)
        scheduled = self._env.schedules.get(cron, ())
        has_handler = self._has_handler("scheduled")
        if not scheduled and not has_handler:
            self._refuse_cron(cron)
        for workflow in scheduled:
            binding = self._env.workflow_binding(workflow.binding)
            if not isinstance(binding, WorkflowBinding):
                raise InvalidArgumentError(
                    f"The cron {cron!r} starts the workflow {workflow.binding!r}, and the fixture workflow_bindings "
                    f"gives {binding!r} in its place, which a cron cannot start. Give a WorkflowEntrypoint there."
                )
            engine.lifecycle.create_scheduled(binding.workflow, cron, int(at))
        if has_handler or not scheduled:
            await self._call("scheduled", ScheduledController(cron, at))

    def _has_handler(self, kind: str) -> bool:
        project = self._test_run.project
        if project is None:
            return False
        module = project.load_main()
        return hasattr(getattr(module, "Default", None), kind) or hasattr(module, f"on_{kind}")

    def _refuse_cron(self, cron: str) -> None:
        """Refuse a cron where no handler is, and name the crons that start a workflow."""
        known, project = self._env.schedules, self._test_run.project
        if project is not None and known:
            raise WorkflowConfigError(
                f"The cron {cron!r} starts nothing: the Worker has no scheduled handler, and {project.path} schedules "
                f"workflows by {', '.join(map(repr, known))} only. Give one of these, as it is written there."
            )

    async def _call(self, kind: str, argument: object) -> Any:
        handler, arguments = self._handler(kind, argument, self._env.context)
        token = running_handler.set(Handler(kind))
        try:
            given = _as_many_as_taken(handler, arguments) if kind == "fetch" else _all(kind, handler, arguments)
            return await call_bounded(self._test_run.engine, f"The {kind} handler", lambda: handler(*given))
        finally:
            running_handler.reset(token)

    def _handler(self, kind: str, argument: object, context: ExecutionContext) -> tuple[Any, tuple[object, ...]]:
        setup = self._test_run.setup
        project = setup.project
        if project is None:
            raise WorkflowConfigError(
                "workflow_worker needs the Worker's wrangler configuration, which names its `main`. "
                f"{setup.nothing_found()}."
            )
        module = project.load_main()
        default: Any = getattr(module, "Default", None)
        if inspect.isclass(default):
            method = getattr(default(context, env), kind, None)  # type: ignore[call-arg]  # the user's class
            if method is not None:
                return method, (argument, env, context)
        function = getattr(module, f"on_{kind}", None)
        if function is None:
            raise WorkflowConfigError(
                f"{module.__file__} has no {kind} handler: neither a class `Default` with a method `{kind}`, nor a "
                f"function `on_{kind}`. Add one, or call the workflow's binding itself: workflow_env.X.create(...)."
            )
        return function, (argument, env, context)


class ScheduledController:
    """The controller that a scheduled handler gets.

    Attributes:
        cron: The trigger's expression.
        scheduledTime: When it was due, in epoch milliseconds.
    """

    def __init__(self, cron: str, scheduled_time: float) -> None:
        self.cron = cron
        self.scheduledTime = scheduled_time
        self.type = "scheduled"

    def noRetry(self) -> None:
        """Accepted; nothing retries a trigger here."""


def _request(
    url: str, method: str, headers: Mapping[str, str] | None, json: Any, content: str | bytes | None
) -> Request:
    import json as json_module

    if not isinstance(url, str):
        raise InvalidArgumentError(f"fetch takes a URL or a workers.Request, not {url!r}.")
    if not isinstance(method, str):
        raise InvalidArgumentError(f"method is an HTTP method such as 'POST', not {method!r}.")
    if content is not None and not isinstance(content, str | bytes):
        raise InvalidArgumentError(f"content is a text or bytes, not {content!r}. For anything else use json=.")
    if json is not None and content is not None:
        raise InvalidArgumentError("fetch takes json= or content=, not both.")
    given = dict(headers or {})
    body = content
    if json is not None:
        try:
            body = json_module.dumps(json)
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(f"json={json!r} cannot be sent as JSON: {error}.") from None
        given.setdefault("content-type", "application/json")
    options: dict[str, Any] = {"method": method.upper()}
    if given:
        options["headers"] = given
    if body is not None:
        options["body"] = body
    return Request(BASE_URL + url if url.startswith("/") else url, **options)


def _as_many_as_taken(handler: Any, arguments: tuple[object, ...]) -> tuple[object, ...]:
    # The platform leaves out what a fetch handler does not take, from the right.
    fewer = arguments
    while fewer and not _takes(handler, fewer):
        fewer = fewer[:-1]
    return fewer if _takes(handler, fewer) else arguments


def _all(kind: str, handler: Any, arguments: tuple[object, ...]) -> tuple[object, ...]:
    """The arguments of a handler of which the platform leaves out none.

    Raises:
        TypeError: If it does not take them.
    """
    if not _takes(handler, arguments):
        code = inspect.unwrap(handler).__code__
        method = "self, " if inspect.ismethod(handler) else ""
        raise TypeError(
            f"{code.co_filename}:{code.co_firstlineno}: the {kind} handler takes {inspect.signature(handler)}, and the "
            f"platform always calls it with three arguments. Write "
            f"`async def {handler.__name__}({method}{_ARGUMENTS[kind]}):`."
        )
    return arguments


def _takes(handler: Any, arguments: tuple[object, ...]) -> bool:
    try:
        inspect.signature(handler).bind(*arguments)
    except TypeError:
        return False
    return True
