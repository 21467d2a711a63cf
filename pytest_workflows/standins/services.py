"""Service bindings: another entrypoint of the Worker, called by `fetch`, over RPC, or through its handlers.

Source: workerd 1.20261117.1, observed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from durable_engine import JsException, hide_frames
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.javascript.cloning import clone
from pytest_workflows.javascript.collections import JsDate
from pytest_workflows.javascript.objects import (
    JsArray,
    JsPlain,
    JsPromise,
    from_python,
    js_error,
    js_text,
    option,
)
from pytest_workflows.workers.entrypoints import DurableObject, WorkflowEntrypoint

from .crossing import RpcClient, call_python, method_of, no_method, send
from .variables import variable

if TYPE_CHECKING:
    from pytest_workflows.javascript.request import Request
    from pytest_workflows.project.binding_config import BindingConfig

    from .host import Host

hide_frames(__file__)

_OWN_FIELDS: Final = frozenset({"ctx", "env"})


def make(config: BindingConfig, host: Host) -> Fetcher:
    """Make the stand-in of a binding.

    Args:
        config: The binding, of `services`.
        host: The test.

    Raises:
        WorkflowConfigError: If the Worker has no such entrypoint, or the class is none.
    """
    name = config.settings.get("entrypoint")
    if name is not None and host.export(name) is None:
        raise WorkflowConfigError(
            f"{config.path}:{config.line}: the service binding {config.name} names the entrypoint {name!r}, and "
            f"{host.words('the main module')} has no such class. Define it there, or import it."
        )
    if name is not None and issubclass(host.export(name) or object, DurableObject | WorkflowEntrypoint):
        raise WorkflowConfigError(
            f"{config.path}:{config.line}: the service binding {config.name} names the entrypoint {name!r}, and that "
            "class is none. Derive it from WorkerEntrypoint, or name another one."
        )
    props = config.settings.get("props")
    return Fetcher(host, name, None if props is None else variable(props))


class Fetcher(RpcClient):
    """A service binding to an entrypoint of the Worker, or to one that the test gave.

    Args:
        host: The test.
        entrypoint: The class, or its name in the Worker; None for the default entrypoint.
        props: What its `ctx.props` is.
    """

    def __init__(self, host: Host, entrypoint: str | type | None, props: Any = None) -> None:
        self._host = host
        self._entrypoint = entrypoint
        self._props = props
        name = entrypoint.__name__ if isinstance(entrypoint, type) else entrypoint or "the default entrypoint"
        self._name = host.words(name)

    def _made(self) -> Any:
        """The entrypoint, anew for each call."""
        return self._host.make_entrypoint(self._entrypoint, self._props)

    def fetch(self, *args: Any) -> JsPromise:
        """Send a request to the entrypoint's fetch handler."""
        from .fetching import call_fetch, fetch

        host = self._host

        async def answer(request: Request) -> Any:
            return await call_fetch(host, self._made(), request)

        return fetch(host, answer, args, f"The fetch handler of {self._name}")

    def queue(self, name: Any = None, messages: Any = None) -> JsPromise:
        """Give the entrypoint's queue handler a batch; resolves to what it says of the messages."""
        from .queue_batch import Answer, QueueController, QueueMessage

        def delivered(answer: Answer) -> list[QueueMessage]:
            given = messages._items if isinstance(messages, JsArray) else []
            return [_message(one, answer) for one in given]

        try:
            controller = QueueController(js_text(name), delivered, host=self._host)
        except JsException as error:
            return JsPromise.rejected(error)

        async def receive(_: list[Any]) -> Any:
            answer = await self._host.deliver_batch(controller, self._entrypoint)
            return answer.as_js()

        return send(self._host, receive, (), f"The queue handler of {self._name}")

    def scheduled(self, options: Any = None) -> JsPromise:
        """Call the entrypoint's scheduled handler; resolves to its outcome."""
        from .scheduled import ScheduledController

        time, cron = option(options, "scheduledTime"), option(options, "cron")
        at = time.getTime() if isinstance(time, JsDate) else time if isinstance(time, int | float) else None
        controller = ScheduledController(
            "" if cron is None else js_text(cron), self._host.now_ms() if at is None else at
        )

        async def receive(_: list[Any]) -> Any:
            is_there = self._host.has_handler("scheduled", self._entrypoint)
            outcome = await self._host.call_handler("scheduled", controller, self._entrypoint)
            return JsPlain({"outcome": outcome, "noRetry": not is_there or controller._is_final})

        return send(self._host, receive, (), f"The scheduled handler of {self._name}")

    def connect(self, *args: Any) -> Any:
        """Refused: no entrypoint answers connections here."""
        raise no_method("connect")

    def _call(self, name: str, args: tuple[Any, ...]) -> JsPromise:
        async def receive(given: list[Any]) -> Any:
            if name in _OWN_FIELDS:
                raise no_method(name)
            return await call_python(self._host, method_of(self._made(), name), given)

        return send(self._host, receive, args, f"Method {name} of {self._name}")


class LoopbackServiceStub(Fetcher):
    """An entrypoint of the Worker itself, as `ctx.exports` has it; called, it is one with `props`."""

    def __call__(self, *args: Any, **options: Any) -> LoopbackServiceStub:
        """The same with `props`."""
        given = from_python(args[0]) if args else JsPlain({key: from_python(item) for key, item in options.items()})
        return LoopbackServiceStub(self._host, self._entrypoint, clone(option(given, "props")))


def _message(given: Any, answer: Any) -> Any:
    from .queue_batch import QueueMessage

    at, attempts = option(given, "timestamp"), option(given, "attempts")
    if isinstance(attempts, bool) or not isinstance(attempts, int):
        raise js_error("TypeError", "The value cannot be converted because it is not an integer.")
    ms = at.getTime() if isinstance(at, JsDate) else 0
    body = option(given, "body")
    return QueueMessage(js_text(option(given, "id")), ms, lambda: body, attempts, answer)


__all__ = ["Fetcher", "LoopbackServiceStub", "make"]
