"""The execution context (`ctx`) of a Worker, and the work that it leaves running behind a response."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, NoReturn

from pytest_workflows.javascript.objects import JsArray, JsObject, JsPlain
from pytest_workflows.javascript.tasks import cancel_running

# The event loop refers to its tasks weakly: without this set, background work could vanish half-way.
_background: set[asyncio.Future[Any]] = set()
_of_call: ContextVar[list[asyncio.Future[Any]] | None] = ContextVar("pytest_workflows_background", default=None)


def wait_until(awaitable: Awaitable[Any]) -> None:
    """Let `awaitable` run on after the response was returned (`workers.wait_until`).

    Args:
        awaitable: A coroutine, task or future. A coroutine is scheduled as a task at once.

    Raises:
        TypeError: It is not awaitable.

    Example:
        >>> wait_until(write_audit_log(request))  # doctest: +SKIP
    """
    task = run_behind(awaitable)
    of_call = _of_call.get()
    if of_call is not None:
        of_call.append(task)


def run_behind(awaitable: Awaitable[Any]) -> asyncio.Future[Any]:
    """Let work go on that ends with the response's reader, such as a stream or a WebSocket: no call waits for it.

    Args:
        awaitable: A coroutine, task or future.

    Returns:
        The task.
    """
    task = asyncio.ensure_future(awaitable)
    _background.add(task)
    task.add_done_callback(_background.discard)
    return task


@contextlib.contextmanager
def background_of_call() -> Iterator[list[asyncio.Future[Any]]]:
    """A block that calls a handler. For the plugin.

    Returns:
        The list of what the handler gives to `wait_until`, which grows meanwhile.
    """
    background: list[asyncio.Future[Any]] = []
    token = _of_call.set(background)
    try:
        yield background
    finally:
        _of_call.reset(token)


def cancel_background() -> None:
    """Cancel the work that `wait_until` left running: it ends with the test. For the plugin."""
    for task in list(_background):
        if not task.get_loop().is_closed():
            task.cancel()
    _background.clear()
    cancel_running()


_NO_EXPORTS = (
    "ctx has no exports: they are there from compatibility date 2025-11-17 on, or with the compatibility flag "
    "enable_ctx_exports. Write one of them into the wrangler configuration."
)


class Exports(JsObject, js_class="Object"):
    """The exports of the Worker, by the names of the classes: `ctx.exports.OrderWorkflow.create(...)`.

    Args:
        get: Gives the export of a name; raises KeyError with the reason where there is none.
        names: Gives the names.
    """

    def __init__(self, get: Callable[[str], Any], names: Callable[[], Iterable[str]]) -> None:
        self.__get = get
        self.__names = names

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.__get(name)
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def object_keys(self) -> JsArray:
        """JavaScript's `Object.keys`."""
        return JsArray(list(self.__names()))

    def __dir__(self) -> list[str]:
        return sorted(self.__names())


class ExecutionContext:
    """The `ctx` of an entrypoint or a handler.

    Args:
        exports: The Worker's exports, `ctx.exports`; None where the compatibility date has no such thing.
        props: What the caller's binding says of itself, `ctx.props`; nothing by default.

    Example:
        >>> worker = MyWorker(ExecutionContext(), env)  # doctest: +SKIP
    """

    def __init__(self, exports: Exports | None = None, props: JsPlain | None = None) -> None:
        self.props = JsPlain() if props is None else props
        if exports is not None:
            self.exports = exports

    def __getattr__(self, name: str) -> NoReturn:
        if name == "exports":
            raise AttributeError(_NO_EXPORTS)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        """Let `awaitable` run on after the response was returned."""
        wait_until(awaitable)

    waitUntil = wait_until

    def passThroughOnException(self) -> None:
        """Accepted and without effect: a test has no origin server to pass a failed request to."""
