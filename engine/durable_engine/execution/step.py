"""The argument `step` of `run`: `do` as a decorator, `sleep`, `sleep_until`, `wait_for_event`."""

from __future__ import annotations

import asyncio
import math
import re
import sys
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Generic, NoReturn, TypeVar

from durable_engine.errors import (
    INVALID_CONFIG,
    INVALID_STEP_NAME,
    PAST_SLEEP,
    SLEEP_TOO_LONG,
    STEP_LIMIT,
    JsException,
    with_fact,
)
from durable_engine.limits import Limits
from durable_engine.model import Place, StepKey
from durable_engine.values.boundary import encode
from durable_engine.values.datetimes import to_ms
from durable_engine.values.durations import DAY, parse_duration
from durable_engine.values.failures import js_error
from durable_engine.values.js_values import JsProxy, JsValue

from . import dependencies
from .do import DoOperation, StepCallback
from .execution import Execution
from .sleep import SleepOperation
from .step_config import InvalidStepConfigError, read_config
from .wait_for_event import EventOperation

T = TypeVar("T")

DEFAULT_EVENT_TIMEOUT = DAY
_CONTROL = re.compile(r"[\x00-\x1f]")


class DeferredCall(Coroutine[Any, Any, T], Generic[T]):
    """A coroutine that does not exist until somebody awaits it, so that Python does not complain of its own.

    An un-awaited `do` or `wait_for_event` never starts on the platform; the engine reports it in its own words.
    """

    __slots__ = ("__name__", "__qualname__", "_coroutine", "_make", "_place", "_step")

    def __init__(self, step: Step, make: Callable[[], Coroutine[Any, Any, T]], name: str, place: Place) -> None:
        self.__name__ = self.__qualname__ = name  # asyncio shows the name where a task fails and nobody retrieves it
        self._step = step
        self._make = make
        self._place = place
        self._coroutine: Coroutine[Any, Any, T] | None = None

    def _started(self) -> Coroutine[Any, Any, T]:
        if self._coroutine is None:
            self._coroutine = self._make()
        return self._coroutine

    def __await__(self) -> Generator[Any, Any, T]:
        return self._started().__await__()

    def send(self, value: Any) -> object:
        """Go on, as `Coroutine.send`."""
        return self._started().send(value)

    def throw(self, *args: Any) -> object:
        """Raise inside, as `Coroutine.throw`."""
        return self._started().throw(*args)

    def close(self) -> None:
        """End it, as `Coroutine.close`."""
        self._started().close()

    def __del__(self) -> None:
        if self._coroutine is None:
            self._step._forgotten(self.__name__, self._place)


class _Declared:
    """A callback that `step.do` has decorated.

    Args:
        function: The callback.
        name: The step's name.
        dependencies_of: The steps that it depends on, by the names of its parameters.
        concurrent: Whether these run at the same time.
        config: The step's configuration.
        place: Where it is declared.

    Attributes:
        identity: The `id` of what the decorator has made of it.
        in_flight: The outcome of the step, while that is under way.
        results: The last result, once there is one.
        is_secret: Whether the result is secret.
    """

    __slots__ = (
        "concurrent",
        "config",
        "dependencies_of",
        "function",
        "identity",
        "in_flight",
        "is_secret",
        "name",
        "place",
        "results",
    )

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        dependencies_of: Callable[[Callable[..., Any]], dict[str, Any]],
        concurrent: bool,
        config: object,
        place: Place,
    ) -> None:
        self.function = function
        self.name = name
        self.dependencies_of = dependencies_of
        self.concurrent = concurrent
        self.config = config
        self.place = place
        self.identity = 0
        self.in_flight: asyncio.Future[Any] | None = None
        self.results: tuple[Any, ...] = ()
        self.is_secret = False


class Step:
    """The durable steps of one execution of an instance.

    Args:
        instance: The execution.
    """

    def __init__(self, instance: Execution) -> None:
        self._instance = instance
        self._ledger = instance.ledger
        self._findings = instance.engine.step_findings
        self._steps_run = 0
        self._declared: dict[str, Callable[[], DeferredCall[Any]]] = {}

    def forget(self) -> None:
        """The execution is over: no callback's parameter asks for a step any more, and no step keeps another one."""
        self._declared.clear()

    # -- do ----------------------------------------------------------------------------------------------------------

    @property
    def do(self) -> Callable[..., Any]:
        """The decorator that makes a step of a callback."""
        return self._do_implicit if self._instance.workflow.implicit_dependencies else self._do_legacy

    def _do_implicit(
        self, name: str | None = None, *, concurrent: bool = False, config: object = None, **unexpected: object
    ) -> Callable[[Callable[..., Any]], Callable[[], DeferredCall[Any]]]:
        if "depends" in unexpected:
            raise TypeError(
                "step.do() got an unexpected keyword argument 'depends': from compatibility date 2026-02-25 on, "
                "dependencies are found by their names. Name the callback's parameters after the steps, or add "
                '"no_python_workflows_implicit_dependencies" to compatibility_flags in the wrangler configuration.'
            )
        if unexpected:
            raise TypeError(f"step.do() got an unexpected keyword argument {next(iter(unexpected))!r}")
        return self._decorator(
            name, lambda function: dependencies.implicit(function, self._declared), concurrent, config
        )

    def _do_legacy(
        self, name: str, depends: Sequence[Any] | None = None, concurrent: bool = False, config: object = None
    ) -> Callable[[Callable[..., Any]], Callable[[], DeferredCall[Any]]]:
        return self._decorator(name, lambda function: dependencies.explicit(function, depends), concurrent, config)

    # What Python says of wrong arguments names the method that the user called.
    _do_implicit.__qualname__ = _do_legacy.__qualname__ = "Step.do"

    def _decorator(
        self,
        name: str | None,
        dependencies_of: Callable[[Callable[..., Any]], dict[str, Any]],
        concurrent: bool,
        config: object,
    ) -> Callable[[Callable[..., Any]], Callable[[], DeferredCall[Any]]]:
        if callable(name):
            raise TypeError("step.do is a decorator with arguments: write @step.do() or @step.do('name').")
        place = _place(3)

        def decorate(function: Callable[..., Any]) -> Callable[[], DeferredCall[Any]]:
            step_name: str = function.__name__ if name is None else name
            declared = _Declared(function, step_name, dependencies_of, concurrent, config, place)

            def decorated() -> DeferredCall[Any]:
                return DeferredCall(self, partial(self._call, declared), f"step.do({step_name!r})", place)

            decorated._step_name = step_name  # type: ignore[attr-defined]
            decorated._declared = declared  # type: ignore[attr-defined]
            decorated.__name__ = decorated.__qualname__ = getattr(function, "__name__", step_name)
            declared.identity = id(decorated)
            self._declared[step_name] = decorated
            return decorated

        return decorate

    async def _call(self, declared: _Declared) -> JsValue:
        """Run a decorated callback as a step, once what it depends on is there."""
        instance = self._instance
        if instance.closed:
            await instance.hold()
        inputs: dict[str, Any] = {}
        wanted = declared.dependencies_of(declared.function)
        if wanted:
            inputs = await self._resolve(wanted, declared.concurrent)
            if instance.closed:
                await instance.hold()  # what it depends on may have taken until after the end
        # Dependents share what is remembered as they share what runs: asked for again, it would be another step.
        outcome = declared.in_flight = self._outcome(declared, wanted, inputs)
        try:
            result = await outcome
        finally:
            declared.in_flight = None
        declared.results = (result,)
        return result

    def _is_secret(self, step: Callable[[], Any]) -> bool:
        declared = self._declaration(step)
        return declared is not None and declared.is_secret

    def _declaration(self, step: Callable[[], Any]) -> _Declared | None:
        """What is known of a decorated callback; None for anything else that can be awaited like one."""
        declared: _Declared | None = getattr(step, "_declared", None)
        # `functools.wraps` gives a wrapper the attributes of what it wraps, and another instance's are not these.
        return declared if declared is not None and declared.identity == id(step) else None

    async def _resolve(self, wanted: Mapping[str, Any], concurrent: bool) -> dict[str, Any]:
        if concurrent:
            values = await asyncio.gather(*[self._value_of(step) for step in wanted.values()])
            return dict(zip(wanted, values, strict=True))
        return {name: await self._value_of(step) for name, step in wanted.items()}

    async def _value_of(self, step: Callable[[], Any]) -> JsValue:
        declared = self._declaration(step)
        if declared is None:
            return await step()
        if declared.results:
            return declared.results[0]
        return await (step() if declared.in_flight is None else declared.in_flight)

    def _callback(
        self, function: Callable[..., Any], wanted: Mapping[str, Any], inputs: dict[str, Any]
    ) -> StepCallback:
        parameters = [name for name in dependencies.parameters_of(function) if name in wanted or name == "ctx"]
        secret = [name for name, step in wanted.items() if self._is_secret(step)]
        return StepCallback(function, tuple(parameters), inputs, frozenset(secret))

    def _outcome(self, declared: _Declared, wanted: Mapping[str, Any], inputs: dict[str, Any]) -> asyncio.Future[Any]:
        """Ask for the step, and begin it unless its outcome is remembered."""
        instance, name = self._instance, declared.name
        self._check_name(name)
        config = declared.config
        try:
            read = read_config(config.to_py() if isinstance(config, JsProxy) else config)
        except InvalidStepConfigError:
            raise JsException("Error", "WorkflowFatalError: " + INVALID_CONFIG.format(name=name)) from None
        for text in read.misread:
            self._findings.misread_duration(text, declared.place)
        if read.sensitive:
            declared.is_secret = True
        limit = instance.workflow.step_limit
        if self._steps_run >= limit:
            fact = f'Step "{name}" would be number {self._steps_run + 1}.'
            raise with_fact(STEP_LIMIT.format(limit=limit), fact)
        self._steps_run += 1
        key = self._ledger.count("do", name)
        self._ask(key, declared.place)
        known = instance.remembered(key)
        if known is not None:
            return instance.answer(known)
        if instance.replaying:
            return instance.hold()
        callback = self._callback(declared.function, wanted, inputs)
        operation = DoOperation(instance, instance.scope, instance.open_row(key), read, callback, declared.place)
        operation.begin()
        return operation.future

    # -- sleep -------------------------------------------------------------------------------------------------------

    def sleep(self, name: str, duration: object) -> asyncio.Future[None]:
        """Sleep durably; it starts at once, awaited or not.

        Args:
            name: The step's name.
            duration: Milliseconds, or a text such as `"3 days"`.

        Raises:
            JsException: From the returned future, if the platform cannot read the duration or it is longer than
                365 days.
        """
        read = parse_duration(duration)
        place = _place(2)
        if read is None:
            return self._failed(_unreadable(duration, f"the duration of sleep {name!r}"), name, place)
        if read.misread:
            self._findings.misread_duration(str(duration), place)
        return self._sleep(name, read.ms, place)

    def sleep_until(self, name: str, when: object) -> asyncio.Future[None]:
        """Sleep durably until a point in time; it starts at once, awaited or not.

        Args:
            name: The step's name.
            when: A `datetime` (a naive one is UTC), or epoch milliseconds.

        Raises:
            JsException: From the returned future, if that is in the past or more than 365 days ahead.
        """
        now = self._instance.now_ms
        place = _place(2)
        if isinstance(when, datetime):
            due = to_ms(when)
        elif isinstance(when, int | float) and not isinstance(when, bool) and math.isfinite(when):
            due = int(when)
        else:
            return self._failed(_unreadable(when, f"the time of sleep {name!r}"), name, place)
        return self._sleep(name, due - now, place, until=due)

    def _sleep(self, name: str, duration: int, place: Place, *, until: int | None = None) -> asyncio.Future[None]:
        instance = self._instance
        if instance.closed:
            return instance.hold()
        _check_type(name)
        longest = self._limits.sleep
        if duration > longest:
            too_long = SLEEP_TOO_LONG.format(name=name, ms=duration, limit=longest)
            return self._failed(JsException("Error", too_long), name, place)
        # A sleep that an earlier execution began or finished was not in the past then.
        if until is not None and duration < 0 and not self._ledger.has_slept_until(name, until):
            return self._failed(JsException("Error", PAST_SLEEP), name, place)
        duration = max(duration, -longest)  # such a sleep is over at once as well, and can be stored
        key = self._ledger.count_sleep(name, duration, until)
        if until is not None:
            instance.sleeps_until(key, until, place)
        self._ask(key, place)
        remembered = instance.remembered(key)
        if remembered is not None:
            return instance.answer_sleep(remembered, place)
        if instance.replaying:
            return instance.hold()
        operation = SleepOperation(instance, instance.scope, instance.open_row(key), place)
        operation.begin(duration)
        return operation.future

    # -- wait_for_event ----------------------------------------------------------------------------------------------

    def wait_for_event(self, name: str, event_type: str, /, timeout: object = "24 hours") -> DeferredCall[Any]:
        """Wait for an event of that type; one that was sent before is kept and delivered.

        Args:
            name: The step's name.
            event_type: The event's type.
            timeout: Milliseconds, or a text such as `"3 days"`.

        Returns:
            A dict of `payload`, `type` and `timestamp` (naive UTC), which reads attributes as well.

        Raises:
            JsException: If no event came in time.
        """
        place = _place(2)

        async def call() -> JsValue:
            instance = self._instance
            if instance.closed:
                await instance.hold()
            _check_type(name)
            read = parse_duration(timeout)
            if read is None:
                raise _unreadable(timeout, f"the timeout of wait {name!r}")
            if read.misread:
                self._findings.misread_duration(str(timeout), place)
            key = self._ledger.count("wait_for_event", name)
            self._ask(key, place)
            known = instance.remembered(key)
            if known is not None:
                return await instance.answer(known)
            if instance.replaying:
                await instance.hold()
            operation = EventOperation(instance, instance.scope, instance.open_row(key), place)
            operation.begin(event_type, read.ms if timeout else DEFAULT_EVENT_TIMEOUT)
            return await operation.future

        return DeferredCall(self, call, f"step.wait_for_event({name!r})", place)

    # -- helpers -----------------------------------------------------------------------------------------------------

    @property
    def _limits(self) -> Limits:
        return self._instance.engine.limits

    def _ask(self, key: StepKey, place: Place) -> None:
        if self._instance.scope is self._instance.root:
            self._instance.ask(key, place)

    def _check_name(self, name: str) -> None:
        _check_type(name)
        longest = self._limits.step_name
        length = _js_length(name)
        if length > longest or _CONTROL.search(name):
            wrong = f"has {length} characters" if length > longest else f"has a control character: {name!r}"
            raise with_fact(INVALID_STEP_NAME.format(name=name, limit=longest), f"The name {wrong}.")

    def __getattr__(self, name: str) -> NoReturn:
        if name == "with_rollback":
            raise AttributeError(
                "step has no 'with_rollback', here as in production: the Python SDK has no way to register a rollback. "
                "Compensate in an `except` block, with steps of its own."
            )
        raise AttributeError(f"step has no {name!r}. It has: do, sleep, sleep_until, wait_for_event.")

    def _failed(self, error: Exception, name: str, place: Place) -> asyncio.Future[None]:
        future = self._instance.new_sleep(name, place)
        future.fail(error)
        return future

    def _forgotten(self, what: str, place: Place) -> None:
        """Keep a finding: a step was never awaited."""
        if not self._instance.killed:
            self._findings.missing_await(what, place, self._instance.workflow)


def _unreadable(value: object, what: str) -> JsException:
    encode(value)  # a timedelta does not even cross
    return js_error(
        "Error", f"{what} is {value!r}, which cannot be read. Write a number and a unit, as in '30 seconds'."
    )


def _check_type(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"A step's name is a str, not {type(name).__name__}: {name!r}")


def _js_length(text: str) -> int:
    """The length of a text in JavaScript, which counts a character outside the basic plane as two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _place(depth: int) -> Place:
    frame = sys._getframe(depth)
    return _shared_place(frame.f_code.co_filename, frame.f_lineno)


@lru_cache(maxsize=1024)
def _shared_place(file: str, line: int) -> Place:
    """The same object for the same place: a step in a loop asks from one place thousands of times."""
    return file, line
