"""The fixture `workflow_server`: the address at which a test's own Worker is served, with the control plane."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from durable_engine import Observer
from pytest_workflows.control_plane.errors import INTERNAL, ApiError
from pytest_workflows.control_plane.security import Security, is_own
from pytest_workflows.control_plane.worker_requests import WHOLE_BODY

from .http_server import HOST, App, HttpServer, Receive, Scope, Send, find_server
from .loop_of_test import LoopError, LoopOfTest
from .outside import OutsideClients
from .requests import ClientRequest, current_request
from .served_run import ServedRun

if TYPE_CHECKING:
    from durable_engine import Clients, Engine, Instance, Place, StepKey
    from pytest_workflows.session.testrun import TestRun

_MOST_AT_ONCE = 1 << 20
"""Bytes of a request's body that are awaited before the Worker is called."""
_PAUSE = 0.25
"""Seconds for which a body may pause before the Worker is called nevertheless."""


class _Waits(Observer):
    """Observes when waits for events begin, which a client may be about to answer.

    Args:
        clients: What the engine knows of clients.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def wait_started(self, instance: Instance, wait: StepKey, event_type: str, place: Place) -> None:
        """Give who has been asking the time to answer."""
        self._clients.wait_began()


class WorkflowServer:
    """A server of the test's own Worker, on a free port of 127.0.0.1. Made by the fixture `workflow_server`.

    It serves from the moment at which its address is first asked for until the test's call is over. By the teardown
    nobody is served: a client that polls in a thread, for what a test that has failed no longer does, would keep the
    test's loop from its end.

    Args:
        test_run: The test's run.

    Raises:
        WorkflowConfigError: If the extra `dev` is not installed.
    """

    def __init__(self, test_run: TestRun) -> None:
        # Now, and not amid a wait of the test: to import a web framework takes as long as many a test.
        self._make_app = find_server()
        self._test_run = test_run
        self._served = ServedRun(test_run)
        self._loop = LoopOfTest(lambda: test_run.engine, test_run.env.workflows.bind_all)
        self._server: HttpServer | None = None
        self._outside: OutsideClients | None = None
        self._engine: Engine | None = None
        self._app: App | None = None
        self._mistakes: dict[str, None] = {}
        test_run.before_teardown.append(self._stop)

    def __repr__(self) -> str:
        return "<workflow_server>" if self._server is None else f"<workflow_server at {self.url}>"

    @property
    def url(self) -> str:
        """The Worker's own address, such as `http://127.0.0.1:43215`, without a slash at its end."""
        if self._server is None:
            server = self._server = HttpServer(self._answer)
            self._outside = OutsideClients(server.clients)
        engine = self._test_run.engine
        if self._engine is not engine:
            self._app = self._make_app(self._served, Security())
            self._engine = engine
            engine.clients.outside = self._outside
            engine.observers.add(_Waits(engine.clients))
        return f"http://{HOST}:{self._server.port}"

    @property
    def api_url(self) -> str:
        """The address of the platform's API: `base_url` of its official client."""
        return f"{self.url}/client/v4"

    @property
    def page_url(self) -> str:
        """The address of the control plane's page."""
        return f"{self.url}/__workflows"

    def close(self) -> None:
        """Serve nobody any more.

        Raises:
            WorkflowConfigError: If clients were refused because the test does not let its loop answer.
        """
        __tracebackhide__ = True
        self._stop()
        if self._mistakes:
            from pytest_workflows.errors import WorkflowConfigError

            raise WorkflowConfigError("\n".join(self._mistakes))

    def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        engine = self._test_run.used_engine
        if engine is not None:
            engine.clients.close()

    # -- in the server's thread --------------------------------------------------------------------------------------

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = ClientRequest(self._test_run.engine.clients)
        if self._outside is not None:
            self._outside.note(scope.get("client"))
        token = current_request.set(request)
        try:
            problem = await self._problem()
            if problem is not None:
                await _refuse(scope, send, problem)
            else:
                assert self._app is not None
                await self._app(scope, await _begun(request, scope, receive), _noting_stream(request, send))
        finally:
            current_request.reset(token)
            request.end()

    async def _problem(self) -> str | None:
        """Why the test answers nothing; None once its loop has turned."""
        try:
            await self._loop.turn()
        except LoopError as error:
            if error.is_mistake:
                self._mistakes[str(error)] = None
            return str(error)
        except Exception as error:  # of a configuration that cannot be bound
            self._mistakes[str(error)] = None
            return f"{type(error).__name__}: {error}"
        return None


async def _begun(request: ClientRequest, scope: Scope, receive: Receive) -> Receive:
    """Wait for a request's body, so that no code of the Worker waits for it; a long or slow one comes while it is read.

    Returns:
        What receives the rest.
    """
    before: list[Any] = []

    async def received() -> Any:
        if before:
            return before.pop(0)
        message = await receive()
        if _is_last(message):
            request.has_arrived()
        return message

    if scope["type"] != "http" or not _has_body(scope):
        request.has_arrived()
        return received
    size = 0
    with contextlib.suppress(TimeoutError):
        while size < _MOST_AT_ONCE and not (before and _is_last(before[-1])):
            before.append(await asyncio.wait_for(receive(), _PAUSE))
            size += len(before[-1].get("body", b""))
    if before and _is_last(before[-1]):
        request.has_arrived()
        if before[-1]["type"] == "http.request":
            scope[WHOLE_BODY] = b"".join(message.get("body", b"") for message in before)
    return received


def _is_last(message: Any) -> bool:
    return message["type"] != "http.request" or not message.get("more_body", False)


def _has_body(scope: Scope) -> bool:
    headers = {name.lower(): value for name, value in scope["headers"]}
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _noting_stream(request: ClientRequest, send: Send) -> Send:
    """What sends the response, and notes one that does not end: of events, or of a socket."""

    async def sent(message: Any) -> None:
        if message["type"] == "websocket.accept" or (message["type"] == "http.response.start" and _is_stream(message)):
            request.end()
        await send(message)

    return sent


def _is_stream(message: Any) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in message.get("headers", ())
    )


async def _nothing() -> Any:
    """Receive nothing: an answer that is whole asks for nothing."""


async def _refuse(scope: Scope, send: Send, text: str) -> None:
    if scope["type"] != "http":
        return
    if is_own(scope["path"]):
        from pytest_workflows.control_plane.app import answer_of

        error = ApiError(503, INTERNAL, text)
        await answer_of(error, {"x-should-retry": "false"})(scope, _nothing, send)  # it would be refused again
        return
    body = f"{text}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
