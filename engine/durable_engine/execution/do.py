"""The operation of a `do`: its attempts, its retry delays, its timeouts."""

from __future__ import annotations

import contextvars
import inspect
from collections.abc import Callable, Coroutine, Mapping
from types import FunctionType
from typing import Any, NamedTuple, assert_never

from durable_engine.context.processor_time import Stopwatch, Timed
from durable_engine.context.scope import Scope, context_for
from durable_engine.errors import (
    DELAY_INVALID,
    EXECUTION_TIMED_OUT,
    OUTPUT_TOO_LARGE,
    STEP_NOT_SERIALISABLE,
    STORAGE_FULL,
    ModificationError,
)
from durable_engine.history import (
    ATTEMPT_FAILURE,
    ATTEMPT_START,
    ATTEMPT_SUCCESS,
    NEW,
    STEP_FAILURE,
    STEP_START,
    STEP_SUCCESS,
)
from durable_engine.limits import in_bytes
from durable_engine.model import CallbackRun, Place
from durable_engine.rows import FORGOTTEN, MOCKED, SENSITIVE, StepRow
from durable_engine.testing.changes import (
    ForceStepTimeout,
    MockStep,
    MockStepError,
    MockStepOutcomes,
    MockStepRaising,
    MockStepResult,
)
from durable_engine.testing.modifications import Answer, call_with_named, exception_in
from durable_engine.values.boundary import (
    NotSerialisable,
    cross,
    decode,
    encode,
    is_coroutine,
    is_stream,
    with_stream_read,
)
from durable_engine.values.failures import ErrorInfo, describe, end_of_unserialisable, rebuild
from durable_engine.values.js_values import JsDict, JsProxy, PyValue
from durable_engine.values.unknown_value import REDACTED, REDACTED_REASON, UnknownValue

from .execution import Execution
from .operation import DurableOperation
from .step_config import DELAY_FUNCTION_LIMIT, DELAY_FUNCTION_PATIENCE, StepConfig, read_delay, scaled

_SECRET = UnknownValue(REDACTED_REASON)


class StepCallback(NamedTuple):
    """A step's callback and its arguments.

    Attributes:
        function: The user's function.
        parameters: Its parameters' names, in order; `ctx` is filled in for each attempt.
        inputs: The values of the others, the dependencies, by name.
        sensitive: The names of those that are secret.
    """

    function: Callable[..., Any]
    parameters: tuple[str, ...]
    inputs: Mapping[str, Any]
    sensitive: frozenset[str] = frozenset()

    def call(self, ctx: JsDict | None) -> PyValue:
        """Run the user's function."""
        return self.function(*[ctx if name == "ctx" else self.inputs[name] for name in self.parameters])

    @property
    def is_plainly_async(self) -> bool:
        """Whether calling the function makes a coroutine and runs nothing of it."""
        function = self.function
        return type(function) is FunctionType and bool(function.__code__.co_flags & inspect.CO_COROUTINE)

    @property
    def wants_ctx(self) -> bool:
        """Whether the user's function takes the attempt's context."""
        return "ctx" in self.parameters

    def stored_inputs(self) -> bytes | None:
        """The dependencies' values as storage keeps them, for inspection; without the secret ones."""
        if not self.inputs:
            return None
        return encode({name: _SECRET if name in self.sensitive else value for name, value in self.inputs.items()})


class DoOperation(DurableOperation):
    """A `do` under way: its attempts, its retry delays, its timeouts."""

    __slots__ = ("_callback", "_child", "_config", "_ledger", "_observers", "_place", "_running", "_settled", "_used")

    def __init__(
        self, instance: Execution, scope: Scope, row: StepRow, config: StepConfig, callback: StepCallback, place: Place
    ) -> None:
        super().__init__(instance, scope, row)
        self._place = place
        self._running: list[CallbackRun] = []
        self._used: Answer | None = None
        self._config = config
        self._callback = callback
        self._child: Scope | None = None
        self._settled = 0
        self._ledger = instance.ledger
        self._observers = instance.engine.observers

    def begin(self) -> None:
        """Start the operation, or go on where an earlier execution left off."""
        row = self.row
        if row.status == NEW:
            row.begin(self._callback.stored_inputs(), SENSITIVE if self._config.sensitive else 0)
            self.record((STEP_START, {"config": self._config.merged}, None))
            self.instance.step_started(row.key)
        if row.due is not None and row.due > self.instance.now_ms:
            self._wait_for_retry(row.due)
        else:
            self._start_attempt()

    # -- an attempt --------------------------------------------------------------------------------------------------

    def _start_attempt(self) -> None:
        self.unless_withheld(self._attempt_now)

    def _attempt_now(self) -> None:
        row = self.row
        if row.due is not None:
            self._faults.note_length("retry", row.key, row.attempts, self.began)
        if self._faults.reach("before", row.key, row.attempts + 1):
            return
        for run in self._running:
            self._observers.attempt_overlapped(self.instance, run)
        row.begin_attempt()
        self.set_busy(True)
        self.record((ATTEMPT_START, {"attempt": row.attempts}, None))
        number = row.attempts
        self.timer = self.engine.schedule(
            self.instance.now_ms + self._config.timeout,
            lambda: self._time_out(number),
            what=f"the timeout of attempt {number} of step {row.key.label!r}",
            # A step that is at work is never raced by its own timeout.
            held=lambda: self._busy,
        )
        self._run_in_child(self._attempt(number), number)

    def _run_in_child(self, coroutine: Coroutine[Any, Any, None], number: int, *, is_virtual: bool = False) -> None:
        child = Scope(self.instance, self._child_changed, self.key, number, is_virtual=is_virtual)
        self._child = child
        if self.timer is not None and not is_virtual:
            self.timer.scope = child
        self.instance.callback_started()
        context = context_for(child)

        def start() -> None:
            self.instance.start_task(coroutine, context)

        self.instance.take_turn(start, dropped=coroutine.close)

    def close(self) -> None:
        """The operation is over, and what its callback has left running is at work for itself."""
        super().close()
        self._child = None

    def _child_changed(self, child: Scope) -> None:
        if child is self._child:
            self.set_busy(not child.parked)
            if child.parked and self.timer is not None:
                self.engine.release(self.timer)

    async def _attempt(self, number: int) -> None:
        try:
            try:
                data = await self._produce(number)
            except self.engine.passthrough as exc:
                self.instance.abort(exc)
            except ModificationError as exc:
                self.instance.abort(exc)
            except _ForcedTimeout:
                self._time_out(number)
            except BaseException as exc:
                if self._is_current(number):
                    self._fail(exc)
            else:
                if self._is_current(number) and not self._faults.reach("lost", self.key, number):
                    self._succeed(data)
        finally:
            self.instance.callback_ended()

    def _is_current(self, number: int) -> bool:
        """Whether this attempt still counts: the callback of one that timed out goes on, and is ignored."""
        return self.row.attempts == number and self._settled < number and not self.instance.closed

    async def _produce(self, number: int) -> bytes:
        answer = self._used = self._modifications.for_attempt(self.key)
        if answer is None:
            return await self._call_back(number)
        self.row.mark(MOCKED)
        return await self._stand_in(answer)

    async def _call_back(self, number: int) -> bytes:
        instance, observers, callback = self.instance, self._observers, self._callback
        function, is_plain = callback.function, callback.is_plainly_async
        run = CallbackRun(
            self.key,
            number,
            function,
            callback.inputs,
            self._place,
            is_async=is_plain or inspect.iscoroutinefunction(function),
        )
        self._running.append(run)
        watch = Stopwatch()
        observers.callback_started(instance, run)
        try:
            ctx = self._ctx() if callback.wants_ctx else None
            value: Any = callback.call(ctx) if is_plain else watch.run(callback.call, ctx)
            if is_plain or is_coroutine(value):
                value = await Timed(value, watch)
            data = encode(await with_stream_read(value) if isinstance(value, JsProxy) else value)
            if not instance.killed:
                observers.callback_returned(instance, run, value, data)
            return data
        finally:
            self._running.remove(run)
            instance.usage.note_cpu(self.key, watch.ns)
            if not instance.killed:
                observers.callback_ended(instance, run)

    def give_back(self) -> None:
        """Take back what a modification answered: the attempt that runs is lost, and the next one gets the same."""
        if self._used is not None and self._settled < self.row.attempts:
            self._modifications.give_back(self._used)

    async def _stand_in(self, answer: Answer) -> bytes:
        outcome: object
        match answer.stand_in:
            case MockStepResult(result=data):
                return data
            case ForceStepTimeout():
                raise _ForcedTimeout
            case MockStep(function=function):
                values = {**self._callback.inputs, "ctx": self._ctx()}
                result = call_with_named(function, values, self._callback.parameters)
                return encode(await with_stream_read(await result if inspect.isawaitable(result) else result))
            case MockStepError(error=outcome) | MockStepRaising(error=outcome):
                pass
            case MockStepOutcomes() as outcomes:
                outcome = answer.next_outcome(outcomes, self.key)
            case unknown:
                assert_never(unknown)
        error = exception_in(outcome)
        if error is not None:
            raise error
        return encode(outcome)

    def _ctx(self) -> JsDict:
        key = self.key
        return _fresh(
            {
                "step": {"name": key.name, "count": key.count},
                "attempt": self.row.attempts,
                "config": self._config.merged,
            }
        )

    # -- its outcome -------------------------------------------------------------------------------------------------

    def _succeed(self, data: bytes) -> None:
        row = self.row
        too_large = self._too_large(data)
        if too_large is not None:
            self._fail_attempt(ErrorInfo("WorkflowInternalError", too_large), None)
            return
        self._ledger.add_result(data)
        self._settled = row.attempts
        self.end("complete", result=data)
        shown = encode(REDACTED) if self._config.sensitive else data
        self.record((ATTEMPT_SUCCESS, {"attempt": row.attempts}, None), (STEP_SUCCESS, None, shown))
        self.instance.step_finished(row.key)
        if not self._faults.reach("stored", row.key):
            self.deliver(decode(data))

    def _too_large(self, data: bytes) -> str | None:
        limits, size = self.engine.limits, len(data)
        if size > limits.step_output and not is_stream(data):
            return OUTPUT_TOO_LARGE.format(step=self.key.label, limit=in_bytes(limits.step_output), size=size)
        total = self._ledger.size + size
        if total > limits.storage:
            return STORAGE_FULL.format(step=self.key.label, limit=in_bytes(limits.storage), size=total)
        return None

    def _fail(self, exc: BaseException) -> None:
        if isinstance(exc, NotSerialisable):
            self._end_instance()
        else:
            workflow = self.instance.workflow
            self._fail_attempt(describe(exc, self.engine.root, preserve=workflow.preserves_non_retryable), exc)

    def _time_out(self, number: int) -> None:
        if self._is_current(number):
            info = ErrorInfo("WorkflowTimeoutError", EXECUTION_TIMED_OUT.format(ms=self._config.timeout))
            self._fail_attempt(info, None)

    def _fail_attempt(self, info: ErrorInfo, original: BaseException | None) -> None:
        self.cancel_timer()
        self._child = None  # a callback that timed out may run on: the step is at work no longer for that
        self._settled = self.row.attempts
        self.row.note_failure()
        is_final = self.instance.comes_of_unprovided(original) or not info.retryable
        if is_final or self.row.failures > self._config.limit:
            self._fail_step(info, original)
        elif callable(self._config.delay):
            self._ask_for_delay(info)
        elif self._config.delay < 0:
            self._delay_failed(self.row.attempts, DELAY_INVALID.format(value=f"{self._config.delay}ms"), None, info)
        else:
            self._retry_in(self._config.delay, info)

    def _retry_in(self, base: int, info: ErrorInfo) -> None:
        now, row = self.instance.now_ms, self.row
        delay = scaled(base, self._config.backoff, row.failures)
        due = now if self._modifications.disables_retry_delay(row.key) else now + delay
        row.wait_until(due)
        detail = {"attempt": row.attempts, "error": info.public(), "retryDelayMs": delay}
        self.record((ATTEMPT_FAILURE, detail, None))
        self.began = now
        if due <= now and not self.instance.withholds(self.scope):
            if not self._faults.reach("retry", row.key, row.attempts):
                self._start_attempt()
        else:
            self._wait_for_retry(due)

    def _wait_for_retry(self, due: int) -> None:
        self.wait_until(due, self._start_attempt, f"the next attempt of step {self.key.label!r}")
        self._faults.reach_inside("retry", self.key, self.row.attempts)

    def _fail_step(
        self, info: ErrorInfo, original: BaseException | None, attempt_error: ErrorInfo | None = None
    ) -> None:
        """End the step with this error, which is that of its last attempt where no other one is given."""
        row = self.row
        self.end("errored", error=info.dump(), flags=0 if info.retryable else FORGOTTEN)
        self.record(
            (ATTEMPT_FAILURE, {"attempt": row.attempts, "error": (attempt_error or info).public()}, None),
            (STEP_FAILURE, {"error": info.public()}, None),
        )
        self.instance.step_finished(row.key)
        if not self._faults.reach("stored", row.key):
            self.deliver(error=rebuild(info, original))

    def _end_instance(self) -> None:
        name = self.key.name
        self._settled = self.row.attempts
        info = ErrorInfo("WorkflowFatalError", STEP_NOT_SERIALISABLE.format(name=name), retryable=False)
        self.end("errored", error=info.dump())
        self.record(
            (ATTEMPT_FAILURE, {"attempt": self.row.attempts, "error": info.public()}, None),
            (STEP_FAILURE, {"error": info.public()}, None),
        )
        self.instance.step_finished(self.key)
        self.instance.end_at_once(end_of_unserialisable(name))

    # -- a delay that is a function ----------------------------------------------------------------------------------

    def _ask_for_delay(self, info: ErrorInfo) -> None:
        number, engine = self.row.attempts, self.engine
        self.set_busy(True)
        seconds = DELAY_FUNCTION_LIMIT // 1000
        self.timer = engine.schedule(
            self.instance.now_ms + DELAY_FUNCTION_LIMIT,
            lambda: self._delay_failed(number, f"did not return within {seconds} seconds", None, info),
            what=f"the limit of the delay function of step {self.key.label!r}",
            held=lambda: self._busy,
        )
        # In a context of its own: in the running one it would count as a timer of the step's code.
        engine.loop.call_later(DELAY_FUNCTION_PATIENCE, self._stop_holding_time, number, context=contextvars.Context())
        self._run_in_child(self._ask(number, info), number, is_virtual=True)

    def _stop_holding_time(self, number: int) -> None:
        """Let time move again: the delay function waits for something that may never come."""
        if self._awaits_delay(number) and self.timer is not None:
            self.set_busy(False)
            self.engine.release(self.timer)

    async def _ask(self, number: int, info: ErrorInfo) -> None:
        assert callable(self._config.delay)
        try:
            argument = _fresh({"ctx": self._ctx(), "error": info.public()})
            value = self._config.delay(argument)
            if inspect.isawaitable(value):
                value = await value
        except self.engine.passthrough as exc:
            self.instance.abort(exc)
        except BaseException as exc:
            self._delay_failed(number, f"threw an error: {exc}", exc, info)
        else:
            read = read_delay(value)
            if read is None:
                self._delay_failed(number, DELAY_INVALID.format(value=repr(value)), None, info)
            elif self._awaits_delay(number):
                self.cancel_timer()
                self._retry_in(read.ms, info)
        finally:
            self.instance.callback_ended()

    def _awaits_delay(self, number: int) -> bool:
        return self.row.attempts == number and self.row.status == "running" and not self.instance.closed

    def _delay_failed(self, number: int, why: str, original: BaseException | None, attempt: ErrorInfo) -> None:
        if not self._awaits_delay(number):
            return
        message = f'The delay function for step "{self.key.label}" {why}'
        self.cancel_timer()
        self._fail_step(ErrorInfo("NonRetryableDelayError", message), original, attempt)


class _ForcedTimeout(Exception):
    """The error of an attempt that a test lets time out at once."""


def _fresh(value: dict[str, Any]) -> JsDict:
    crossed = cross(value)
    assert isinstance(crossed, JsDict)
    return crossed
