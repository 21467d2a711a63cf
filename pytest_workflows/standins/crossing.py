"""RPC: what crosses between a Worker, its Durable Objects and other Workers, and how a method of Python's is called.

Source: workerd 1.20261117.1, workers-runtime-sdk 1.9.5, observed on Pyodide 314.0.7.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, Final

from durable_engine import JsException, hide_frames, is_hidden
from pytest_workflows.active_test import RunningWorker, running_worker
from pytest_workflows.errors import WorkflowConfigError
from pytest_workflows.javascript.cloning import Cloner, clone_error
from pytest_workflows.javascript.objects import (
    JsFunction,
    JsObject,
    JsPlain,
    JsPromise,
    PyProxy,
    from_python,
    js_error,
    noted,
    settle,
    to_python,
)
from pytest_workflows.javascript.rpc import python_from_rpc, python_to_rpc
from pytest_workflows.workers.context import background_of_call

from .handler_calls import as_many_as_taken, finish

if TYPE_CHECKING:
    from .host import Host

hide_frames(__file__)

_NO_RECEIVER: Final = (
    "Proxy could not be serialized because it is not a valid RPC receiver type. The Proxy must emulate either a plain "
    "object or an RpcTarget, as indicated by the Proxy's prototype chain."
)
_WHAT_CROSSES: Final = (
    "Of Python's values cross None, bool, int, float, str, bytes, list, dict, set, datetime, exceptions and functions. "
    "Send a dict of what the object holds."
)
_PASSED: Final = frozenset(
    {"Request", "Response", "ReadableStream", "WritableStream", "Blob", "Fetcher", "DurableObject"}
)
"""The classes of the runtime whose objects cross themselves: a body goes with its message."""
_RESERVED: Final = frozenset(
    {"alarm", "webSocketMessage", "webSocketClose", "webSocketError", "constructor", "dup", "connect"}
)
_PYTHONS: Final = frozenset({"then", "_is_coroutine", "_is_coroutine_marker"})
"""What code asks of any object, and no method of a receiver."""
ERRORS_KEPT: Final = "2026-04-21"
"""The compatibility date from which an error keeps its name and its own properties."""

Receiver = Callable[[list[Any]], Awaitable[Any]]
"""What a call arrives at: it is given values of JavaScript, and gives one."""


class Crossing(Cloner):
    """The copy of what crosses in one direction of one call.

    Args:
        host: The test.
    """

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host
        self._stubs: list[RpcStub] = []

    def dispose(self) -> None:
        """Let go of the stubs that crossed: a function that a method was given is usable until the method is over."""
        for stub in self._stubs:
            stub._is_disposed = True

    def _stub(self, value: Any) -> RpcStub:
        return self._kept(value, RpcStub(value, self._host, running_worker.get()))

    def _kept(self, value: Any, stub: RpcStub) -> RpcStub:
        self._keep(value, stub)
        self._stubs.append(stub)
        return stub

    def _proxy(self, value: PyProxy) -> Any:
        if not callable(value._object):
            raise noted(clone_error(_NO_RECEIVER), _WHAT_CROSSES)
        return self._stub(value)

    def _function(self, value: JsFunction) -> Any:
        return self._stub(value)

    def _object(self, value: JsObject) -> Any:
        if isinstance(value, RpcStub):
            value._check()
            return self._kept(value._target, value.dup())
        if value._js_class == "Headers":
            return self._keep(value, type(value)._construct(value))
        if value._js_class == "Response":
            return self._keep(value, value._without_default_reason())
        if value._js_class in _PASSED:
            return value
        if getattr(value, "_is_rpc_target", False):
            return self._stub(value)
        if value._js_class == "AbortSignal":
            raise clone_error("AbortSignal serialization is not enabled.")
        return super()._object(value)


class RpcPromise(JsPromise):
    """The promise of a call over RPC. Where code of the test awaits it, time may move meanwhile, as in any wait.

    Args:
        host: The test.
        what: Names the code that is called, at the start of a sentence.
    """

    def __init__(self, host: Host, what: str) -> None:
        super().__init__()
        self._host, self._what = host, what

    def __await__(self) -> Generator[Any, None, Any]:
        if self._is_settled:
            return super().__await__()
        return self._host.wait(self._outcome(), self._what).__await__()

    async def _outcome(self) -> Any:
        return await _Settling(super().__await__())


class _Settling:
    """Something to await that a generator is.

    Args:
        steps: The generator.
    """

    def __init__(self, steps: Generator[Any, None, Any]) -> None:
        self._steps = steps

    def __await__(self) -> Generator[Any, None, Any]:
        return self._steps


class RpcStub(JsObject):
    """A function that came over RPC: to call it is a call back to where it came from.

    Args:
        target: The function, as JavaScript has it there.
        host: The test.
        worker: The Worker that it came from.
    """

    def __init__(self, target: Any, host: Host, worker: RunningWorker | None) -> None:
        self._target = target
        self._host = host
        self._worker = worker
        self._is_disposed = False

    def _check(self) -> None:
        if self._is_disposed:
            raise js_error("Error", "RPC stub used after being disposed.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function; keywords are one more object."""
        values = [from_python(value) for value in args]
        if kwargs:
            values.append(JsPlain({key: from_python(value) for key, value in kwargs.items()}))
        return self._send(values)

    def _send(self, values: Sequence[Any]) -> JsPromise:
        target = self._target

        async def receive(given: list[Any]) -> Any:
            running_worker.set(self._worker)  # of the call's own task
            if isinstance(target, JsFunction):
                return await settle(target.call_js(given))
            try:
                return await settle(target._object(*map(to_python, given)))
            except Exception as error:
                if self._host.is_tests(error):
                    raise
                raise python_error(error) from None

        try:
            self._check()
        except JsException as error:
            return JsPromise.rejected(error)
        return send(self._host, receive, values, "A function that was sent over RPC")

    def dup(self) -> RpcStub:
        """Another stub of the function, which is disposed by itself."""
        return RpcStub(self._target, self._host, self._worker)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return JsFunction(lambda *args: self._send_to(name, args), name)

    def _send_to(self, name: str, args: Sequence[Any]) -> JsPromise:
        async def receive(given: list[Any]) -> Any:
            method = None if isinstance(self._target, PyProxy) else getattr(self._target, name, None)
            if not isinstance(method, JsFunction):
                raise no_method(name)
            running_worker.set(self._worker)  # of the call's own task
            return await settle(method.call_js(given))

        return send(self._host, receive, args, f"Method {name} of an object that was sent over RPC")

    def _text(self) -> str:
        return "[object JsRpcStub]"


class RpcClient(JsObject):
    """A binding whose calls arrive elsewhere: each name that it has not itself is a method of the receiver."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in _PYTHONS:
            raise AttributeError(name)
        return JsFunction(lambda *args: self._call(name, args), name)

    def _call(self, name: str, args: tuple[Any, ...]) -> JsPromise:
        """Call a method of the receiver.

        Args:
            name: The method.
            args: Its arguments, values of JavaScript.
        """
        raise NotImplementedError


def send(
    host: Host,
    receive: Receiver,
    values: Sequence[Any],
    what: str,
    *,
    explain: Callable[[JsException], None] = lambda _: None,
    is_fetch: bool = False,
) -> JsPromise:
    """Make a call over RPC: its arguments cross now, its result or error when it is over.

    Args:
        host: The test.
        receive: What the call arrives at.
        values: The arguments, values of JavaScript.
        what: Names the code at the start of a sentence.
        explain: Adds to an error what the receiver's kind adds.
        is_fetch: Whether it answers a request: its result is a response that crosses itself.
    """
    crossing = Crossing(host)
    try:
        given = [crossing.clone(value) for value in values]
    except JsException as error:
        return JsPromise.rejected(error)
    promise = RpcPromise(host, what)

    async def call() -> None:
        with background_of_call() as background:
            try:
                result = await receive(given)
                promise._resolve(result if is_fetch else Crossing(host).clone(result))
            except BaseException as error:
                promise._reject(sent_error(error, host, explain))
            finally:
                crossing.dispose()
            if background:
                await finish(background, what[0].lower() + what[1:])

    host.spawn(call(), what)
    return promise


def sent_error(error: BaseException, host: Host, explain: Callable[[JsException], None]) -> BaseException:
    """The error that a caller gets for what a method raised.

    Args:
        error: What was raised.
        host: The test.
        explain: Adds what the receiver's kind adds.
    """
    if host.is_tests(error) or isinstance(error, WorkflowConfigError):
        return error
    if not isinstance(error, JsException):
        if not isinstance(error, Exception | asyncio.CancelledError):
            return error
        error = python_error(error)  # of a constructor
    sent = js_error(error.name, error.message)
    sent.__dict__.update(vars(error))
    if host.is_on("enhanced_error_serialization", ERRORS_KEPT):
        explain(sent)
    elif sent.name not in _STANDARD and sent.name != "DataCloneError":
        sent = js_error("Error", f"{sent.name}: {sent.message}")
    sent.remote = True  # type: ignore[attr-defined]
    return sent


_STANDARD: Final = frozenset(
    {"Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError", "AggregateError"}
)


def python_error(error: BaseException) -> JsException:
    """An exception of Python's as JavaScript has it: a `PythonError` whose message is the traceback.

    Args:
        error: The exception.
    """
    described = _without_own_frames(traceback.TracebackException.from_exception(error))
    described.__notes__ = [one for one in described.__notes__ or () if one != getattr(error, "fact", None)]
    made = js_error("PythonError", "".join(described.format()))
    made.type = type(error).__name__  # type: ignore[attr-defined]
    made.stack = f"PythonError: {made.message}"
    return made


_SDKS_FRAMES: Final = frozenset({"wrapper_func", "python_to_rpc", "_raise_on_disabled_type"})


def _without_own_frames(described: traceback.TracebackException) -> traceback.TracebackException:
    """An exception's text without the frames of the stand-in, but for those that are the SDK's on the platform."""
    kept = [frame for frame in described.stack if not is_hidden(frame.filename) or frame.name in _SDKS_FRAMES]
    described.stack = traceback.StackSummary.from_list(kept)
    for further in (described.__cause__, described.__context__, *(described.exceptions or ())):
        if further is not None:
            _without_own_frames(further)
    return described


def no_method(name: str) -> JsException:
    """The error of a call of a method that a receiver has not."""
    return js_error("TypeError", f'The RPC receiver does not implement the method "{name}".')


async def call_back(host: Host, callback: Any, *args: Any) -> Any:
    """Call a function that a method of the runtime was given, and await what it gives.

    Args:
        host: The test.
        callback: The function.
        *args: Its arguments.

    Returns:
        A value of JavaScript.

    Raises:
        JsException: A `PythonError`, for what a function of Python's raises.
    """
    try:
        return await settle(callback(*args))
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, JsException) or host.is_tests(error):
            raise
        raise python_error(error) from error


async def call_python(host: Host, method: Any, args: Sequence[Any], *, takes_fewer: bool = False) -> Any:
    """Call a method of an entrypoint written in Python.

    Args:
        host: The test.
        method: The method, bound.
        args: Values of JavaScript.
        takes_fewer: Whether it is a handler that gets as many arguments as it takes.

    Returns:
        A value of JavaScript.

    Raises:
        JsException: A `PythonError`, for what the method raises.
    """
    try:
        return await wrapper_func(method, args, takes_fewer)
    except (Exception, asyncio.CancelledError) as error:
        if host.is_tests(error):
            raise
        raise python_error(error) from None


async def wrapper_func(method: Any, args: Sequence[Any], takes_fewer: bool) -> Any:
    # Named, and written, as the platform's own: a caller sees it at the head of the traceback.
    py_args: list[Any] = [python_from_rpc(value) for value in args]
    py_kwargs: dict[str, Any] = {}
    result = (
        relaxed(method, py_args)
        if takes_fewer  # fetch, alarm, webSocketMessage
        else method(*py_args, **py_kwargs)
    )
    if inspect.isawaitable(result):
        return python_to_rpc(await result)
    return python_to_rpc(result)


def method_of(receiver: object, name: str) -> Any:
    """A method that a caller names.

    Args:
        receiver: The entrypoint or object.
        name: The method's name.

    Raises:
        JsException: A `TypeError`, if there is none, or it may not be called.
    """
    if name in _RESERVED:
        raise js_error("TypeError", f"'{name}' is a reserved method and cannot be called over RPC.")
    method = getattr(receiver, name, None)
    if method is None:
        raise js_error("TypeError", f"Method {name} does not exist")
    return method


def relaxed(method: Any, args: Sequence[Any]) -> Any:
    """Call a handler with as many arguments as it takes, as the platform does with `fetch`, `alarm` and `webSocket…`.

    Args:
        method: The handler, bound.
        args: The arguments.
    """
    return method(*as_many_as_taken(method, tuple(args)))


__all__ = [
    "Crossing",
    "Receiver",
    "RpcClient",
    "RpcStub",
    "call_back",
    "call_python",
    "method_of",
    "no_method",
    "python_error",
    "relaxed",
    "send",
    "sent_error",
]
