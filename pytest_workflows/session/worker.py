"""The Worker's entrypoints, as a test calls them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from durable_engine import InvalidArgumentError, JsDict, WorkflowBinding, call_bounded, hide_frames, read_now
from pytest_workflows.active_test import Handler, running_handler
from pytest_workflows.bindings.env_resolver import EnvResolver
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.messages.short_repr import shown
from pytest_workflows.workers import Request, Response
from pytest_workflows.workers.environment import EnvProxy, WorkerEnvProxy, env
from pytest_workflows.workers.request import as_received
from pytest_workflows.workers.response import response_of

if TYPE_CHECKING:
    from pytest_workflows.workers.binding_wrappers import FetcherWrapper

    from .testrun import TestRun

hide_frames(__file__)

BASE_URL = "https://example.com"


class WorkflowWorker:
    """A caller of the handlers of the Worker under test. Made by the fixture `workflow_worker`.

    Args:
        test_run: The test's run.
        entrypoint: The class whose handlers are called; None for the default entrypoint.
        resolver: The bindings of another Worker; those of the test's own one by default.
    """

    def __init__(self, test_run: TestRun, entrypoint: str | None = None, resolver: EnvResolver | None = None) -> None:
        self._test_run = test_run
        self._env = test_run.env if resolver is None else resolver
        self._entrypoint = entrypoint

    @property
    def env(self) -> EnvProxy:
        """The Worker's bindings: for the test's own Worker the same as the fixture `workflow_env`."""
        return env if self._env.member.running is None else WorkerEnvProxy(self._env.member.running.resolver)

    def entrypoint(self, name: str) -> WorkflowWorker:
        """The same for a named entrypoint.

        Args:
            name: The class's name in the Worker's main module.

        Raises:
            WorkflowConfigError: If there is no such class.
        """
        if not isinstance(name, str) or not name:
            raise InvalidArgumentError(f"An entrypoint is the name of a class such as 'Admin', not {name!r}.")
        self._check_project()
        project = self._env.project
        assert project is not None
        if self._env.handlers.entrypoint(name) is None:
            known = ", ".join(map(repr, _entrypoints(project.load_main())))
            raise WorkflowConfigError(
                f"{project.load_main().__file__} has no entrypoint {name!r}. It has {known or 'none'}."
            )
        return WorkflowWorker(self._test_run, name, self._env)

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
        request = request_of(resource, method, headers, json, content)
        return response_of(await self._call("fetch", as_received(request)))

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
        scheduled = self._env.workflows.schedules.get(cron, ()) if self._entrypoint is None else ()
        has_handler = self._env.handlers.has("scheduled", self._entrypoint)
        if not scheduled and not has_handler and self._entrypoint is None:
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
            from pytest_workflows.standins.scheduled import ScheduledController

            await self._call("scheduled", ScheduledController(cron, at))

    async def queue(self, queue: str, messages: Sequence[Any]) -> JsDict:
        """Give the Worker's queue handler one batch.

        Args:
            queue: The queue's name, as `batch.queue`.
            messages: The bodies, or dicts of `body` and, if wanted, `id` (a text), `attempts` (from 1) and `timestamp`
                (a `datetime`, or milliseconds since 1970).

        Returns:
            What the handler said of them, as the platform has it: `outcome`, `ackAll`, `retryBatch` (`retry`,
            `delaySeconds`), `explicitAcks` (ids) and `retryMessages` (`msgId`, `delaySeconds`). Nothing is retried.

        Raises:
            WorkflowConfigError: If the Worker has no queue handler.

        Example:
            >>> result = await workflow_worker.queue("orders", [{"sku": "A1"}])  # doctest: +SKIP
            >>> assert result.retryMessages == []  # doctest: +SKIP
        """
        from pytest_workflows.javascript.rpc import python_from_rpc

        from .queue_messages import batch_of

        self._check_project()
        controller = batch_of(queue, messages, self._env.host)
        await self._call("queue", controller)
        answer: JsDict = python_from_rpc(controller._answer.as_js())
        return answer

    async def email(self, sender: str, to: str, raw: str | bytes) -> JsDict:
        """Give the Worker's email handler a message.

        Args:
            sender: The envelope's sender, `message.from_`.
            to: The envelope's recipient.
            raw: The message: its headers, an empty line, and its body.

        Returns:
            What the handler did with it: `rejected` (the reason, or None), `forwarded` (addresses) and `replies`.

        Raises:
            WorkflowConfigError: If the Worker has no email handler.
        """
        from pytest_workflows.standins.email import ForwardableEmailMessage

        for name, value in (("sender", sender), ("to", to)):
            if not isinstance(value, str):
                raise InvalidArgumentError(f"{name} is an address such as 'ada@example.com', not {value!r}.")
        if not isinstance(raw, str | bytes):
            raise InvalidArgumentError(f"raw is a message as text or bytes, not {raw!r}.")
        message = ForwardableEmailMessage(sender, to, raw.encode() if isinstance(raw, str) else raw)
        await self._call("email", message)
        return JsDict({"rejected": message._reject, "forwarded": message._forwarded, "replies": message._replies})

    async def tail(self, events: Sequence[Any]) -> None:
        """Give the Worker's tail handler events of other Workers.

        Args:
            events: The events, as dicts: `{"scriptName": "shop", "outcome": "ok", "logs": []}`.

        Raises:
            WorkflowConfigError: If the Worker has no tail handler.
        """
        from pytest_workflows.javascript.rpc import python_to_rpc

        if not isinstance(events, list | tuple):
            raise InvalidArgumentError(f"events is a list of dicts, not {events!r}.")
        await self._call("tail", python_to_rpc(list(events)))

    @property
    def rpc(self) -> FetcherWrapper:
        """The entrypoint as a service binding: `await workflow_worker.rpc.add(1, 2)`.

        Arguments and result cross, keywords arrive as one dict, and what a method raises is a `JsException`.

        Raises:
            WorkflowConfigError: If the Worker has no default entrypoint that is a class.
        """
        from pytest_workflows.standins.services import Fetcher
        from pytest_workflows.workers.binding_wrappers import FetcherWrapper

        self._check_project()
        if self._env.handlers.entrypoint(self._entrypoint) is None:
            raise WorkflowConfigError(f"The Worker's main module has no class `{self._entrypoint or 'Default'}`.")
        return FetcherWrapper(Fetcher(self._env.host, self._entrypoint))

    def _check_project(self) -> None:
        setup = self._test_run.setup
        if self._env.project is None:
            raise WorkflowConfigError(
                "workflow_worker needs the Worker's wrangler configuration, which names its `main`. "
                f"{setup.nothing_found()}."
            )

    def _refuse_cron(self, cron: str) -> None:
        """Refuse a cron where no handler is, and name the crons that start a workflow."""
        known, project = self._env.workflows.schedules, self._env.project
        if project is not None and known:
            raise WorkflowConfigError(
                f"The cron {cron!r} starts nothing: the Worker has no scheduled handler, and {project.path} schedules "
                f"workflows by {', '.join(map(repr, known))} only. Give one of these, as it is written there."
            )

    async def _call(self, kind: str, argument: object) -> Any:
        self._check_project()
        handlers = self._env.handlers
        handler = handlers.find(kind, self._entrypoint)
        name = f"The {kind} handler" if self._entrypoint is None else f"The {kind} handler of {self._entrypoint}"
        token = running_handler.set(Handler(kind))
        try:
            return await call_bounded(self._test_run.engine, name, lambda: handlers.call(handler, argument))
        finally:
            running_handler.reset(token)


class WorkflowWorkers(Mapping[str, WorkflowWorker]):
    """The Workers of a test by their names, its own one included. Made by the fixture `workflow_workers`.

    Args:
        test_run: The test's run.

    Example:
        >>> async def test_is_billed(workflow_workers):
        ...     response = await workflow_workers["billing"].fetch("/bills/1")
        ...     assert await workflow_workers["billing"].env.BILLS.get("1") == "paid"
    """

    def __init__(self, test_run: TestRun) -> None:
        self._test_run = test_run

    def __getitem__(self, name: str) -> WorkflowWorker:
        """The Worker of a name, as its configuration has it.

        Raises:
            WorkflowConfigError: If it is not there.
        """
        group = self._test_run.env.member.group
        found = group.find(name)
        if found is None:
            raise WorkflowConfigError(f"There is no Worker {shown(name)}: {group.why_not(name)}.")
        assert isinstance(found, EnvResolver)
        return WorkflowWorker(self._test_run, resolver=found)

    def __contains__(self, name: object) -> bool:
        return name in self._test_run.env.member.group.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self._test_run.env.member.group.names())

    def __len__(self) -> int:
        return len(self._test_run.env.member.group.names())


def _entrypoints(module: object) -> list[str]:
    """The entrypoints that a module defines."""
    from pytest_workflows.workers import WorkerEntrypoint

    return sorted(
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, WorkerEntrypoint) and value is not WorkerEntrypoint
    )


def request_of(
    url: str | Request, method: str, headers: Mapping[str, str] | None, json: Any, content: str | bytes | None
) -> Request:
    """The request that a test wants to be sent; the arguments are those of `fetch`.

    Raises:
        InvalidArgumentError: If one of them cannot be sent.
    """
    import json as json_module

    if isinstance(url, Request):
        return url

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
