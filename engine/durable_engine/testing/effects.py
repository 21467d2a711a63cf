"""Effects: the calls that code of an instance makes on the outside, of which observers are notified.

Code of a fake runs in the scope of the workflow that called it; what that code calls in turn is the fake's doing.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from durable_engine.context.asyncio_internals import WAKE
from durable_engine.context.frames import place_of_user
from durable_engine.context.processor_time import run_untimed
from durable_engine.context.scope import Operation, Scope, current_scope, in_service, running_call
from durable_engine.errors import TOO_MANY_FETCHES, TOO_MANY_SERVICE_CALLS, JsException, with_fact
from durable_engine.model import Effect
from durable_engine.usage import SubrequestKind

F = TypeVar("F", bound=Callable[..., Any])


@contextmanager
def inside_service() -> Iterator[None]:
    """A block in which a fake's or a service's own code runs: observers are not notified of its calls."""
    token = in_service.set(True)
    try:
        yield
    finally:
        in_service.reset(token)


def acting_scope() -> Scope | None:
    """The scope of the workflow's code that runs now; None for code of a test, a handler, or a fake."""
    scope = current_scope.get()
    return None if scope is None or in_service.get() or scope.instance.killed else scope


class _LateAnswer(asyncio.Future[None]):
    """The answer of a service that comes late.

    Attributes:
        settled_by_code: True, since a timer of virtual time settles it, and nothing of the test.
    """

    settled_by_code = True


async def delay_answer(scope: Scope, ms: int, what: str) -> None:
    """Let code of an instance wait, in virtual time, for the answer of a service.

    Args:
        scope: The code's scope.
        ms: For how long.
        what: What it waits for, for reports.
    """
    operation, instance = Operation(scope), scope.instance
    answered = _LateAnswer(loop=asyncio.get_running_loop())

    def answer() -> None:
        operation.set_busy(True)
        WAKE(answered, None)

    operation.set_busy(False)
    timer = instance.engine.schedule(instance.now_ms + ms, answer, what=what)
    try:
        await answered
    finally:
        timer.cancel()
        operation.close()


def is_over() -> bool:
    """Whether the running code belongs to an execution that was stopped, or to a replay: it may do nothing."""
    scope = current_scope.get()
    return scope is not None and (scope.instance.killed or scope.instance.replaying)


def count_subrequest(kind: SubrequestKind) -> JsException | None:
    """Count a subrequest that the running code is about to make, if it is a Worker's.

    Args:
        kind: What it goes to.

    Returns:
        The platform's error where there may be no more; the caller raises it, and makes no request.
    """
    scope, call = current_scope.get(), running_call()
    if in_service.get() or is_over():
        return None
    if scope is not None:
        subrequests, whose = scope.instance.usage.subrequests, "This execution of the instance"
    elif call is not None:
        subrequests, whose = call.subrequests, call.what
    else:
        return None
    if subrequests.take(kind):
        return None
    if scope is not None:
        scope.instance.usage.refused.setdefault((scope.step, scope.attempt), (kind, place_of_user()))
    made = f"{whose} has made {subrequests.made[kind]:,}"
    if kind == "fetch":
        return with_fact(TOO_MANY_FETCHES, f"{made} requests, and may make no more.")
    return with_fact(TOO_MANY_SERVICE_CALLS, f"{made} calls of bindings, and may make no more.")


def make_effect(
    scope: Scope,
    service: str,
    method: str,
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    origin: Effect | None = None,
    given: tuple[Effect, ...] = (),
) -> Effect:
    """Make the effect of a call that the running code makes."""
    return Effect(service, method, args, kwargs or {}, place_of_user(), scope.step, scope.attempt, origin, given)


def notify_effect(scope: Scope, effect: Effect) -> None:
    """Notify every observer of an effect. What they do is not the work of the code that has it."""
    run_untimed(scope.instance.note_effect, effect)


def as_coroutine_function(function: F) -> F:
    """Mark a plain function that returns a coroutine, so that `inspect` and `unittest.mock` take it for async."""
    if hasattr(inspect, "markcoroutinefunction"):  # pragma: no branch
        return inspect.markcoroutinefunction(function)  # type: ignore[no-any-return]  # Python 3.12 and later
    # Python 3.11 alone; coverage is measured on a later one.
    function._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]  # pragma: no cover
    return function  # pragma: no cover


def notify_call(service: str, method: str, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> None:
    """Notify every observer of a call that the running code makes, if it is a workflow's; a replay makes none."""
    scope = acting_scope()
    if scope is not None and not scope.instance.replaying:
        notify_effect(scope, make_effect(scope, service, method, args, kwargs))
