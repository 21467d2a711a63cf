"""The log of the calls of a test's stand-ins: records for the test, effects for the rules, faults that were injected.

A call acts at once, whether or not it is awaited, as on the platform. The code of an instance that was stopped calls
nothing any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import CoroutineType
from typing import TYPE_CHECKING, Any, NamedTuple

from durable_engine import (
    Effect,
    JsException,
    ReplayEnded,
    acting_scope,
    count_subrequest,
    current_scope,
    delay_answer,
    hide_frames,
    inside_service,
    is_over,
    make_effect,
    notify_effect,
    run_untimed,
    running_call,
    to_datetime,
    untimed,
)
from pytest_workflows.messages.short_repr import shown
from pytest_workflows.standins.made_calls import made_calls
from pytest_workflows.workers.binding_wrappers import BindingWrapper

from .subrequests import is_subrequest

if TYPE_CHECKING:
    from durable_engine import Engine, Scope

hide_frames(__file__)

_BEGINNINGS = frozenset(("prepare", "bind", "withSession", "get", "getByName", "jurisdiction", "resumeMultipartUpload"))
"""Calls that only begin a chain where they return an object at once."""
_AT_ONCE = frozenset(("writeDataPoint", "getBookmark"))
"""Calls that answer at once, and reach the service all the same."""
MOST_LIVE_RECORDS = 1000
"""The calls of one binding that are kept where no test asks for them, the newest ones."""
_JS_ERRORS = frozenset(("EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"))


@dataclass(slots=True, eq=False)
class CallRecord:
    """A call of a binding.

    Attributes:
        method: The method, by the platform's name: `put`; of a statement too: `prepare`, `bind`, `run`.
        args: The positional arguments, as the caller gave them.
        kwargs: The keywords.
        at: The virtual time of the call (aware, UTC).
        instance: The id of the workflow instance whose code called; None for the test's own calls, and for handlers.
        step: The name of the step whose callback called; None for any other code.
        attempt: The attempt of that step.
        result: What the caller got; None before it is there.
        error: What was raised instead, or None.
        effect: The call as the rules see it; None for calls that no workflow's code made.
    """

    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    at: datetime
    instance: str | None = None
    step: str | None = None
    attempt: int | None = None
    result: Any = None
    error: BaseException | None = None
    effect: Effect | None = None

    def __repr__(self) -> str:
        given = [*map(shown, self.args), *(f"{name}={shown(value)}" for name, value in self.kwargs.items())]
        outcome = f" -> {shown(self.result)}" if self.error is None else f" raised {self.error!r}"
        of = "" if self.instance is None else f" of {self.instance!r}"
        return f"<call {self.method}({', '.join(given)}){of}{outcome}>"


_Note = tuple[Any, ...]
"""The arguments of a `CallLog.note`, with the time: to make a record takes as long as a query."""


def _records_of(note: _Note) -> Iterator[CallRecord]:
    method, args, now, answer, convert, error, prepared, bound = note
    at = to_datetime(now)
    if prepared is not None:
        yield CallRecord("prepare", prepared, {}, at)
    if bound is not None:
        yield CallRecord("bind", bound, {}, at)
    if method is not None:
        result = None if error is not None or convert is None else convert(answer, *args)
        yield CallRecord(method, args, {}, at, result=result, error=error)


class InjectedFault:
    """A fault of the next calls of a method.

    Args:
        method: The method.
        error: What they raise; None where they only answer late.
        delay: How late, in milliseconds of virtual time.
        times: How many of them.

    Attributes:
        method: As given.
        delay: As given.
        left: How many there still are.
        is_used: Whether a call met it.
    """

    def __init__(self, method: str, error: Any, delay: int, times: int) -> None:
        self.method = method
        self.delay = delay
        self.left = times
        self.is_used = False
        self._error = error

    @property
    def error(self) -> JsException | None:
        """What a call raises, made anew; None where it only answers late."""
        error = self._error
        if error is None:
            return None
        if isinstance(error, JsException):
            return JsException(error.name, error.message)
        name, text = type(error).__name__, str(error)
        said, colon, rest = text.partition(": ")  # a text that was copied from a log begins with the error's name
        if colon and (said == "Error" or said in _JS_ERRORS):
            return JsException(said, rest)
        return JsException(name if name in _JS_ERRORS else "Error", text)

    def use(self) -> None:
        """A call meets it."""
        self.left -= 1
        self.is_used = True


class _Origin(NamedTuple):
    """The way on which an object was reached: `prepare(...)`, and the call that gave it."""

    path: str
    effect: Effect | None = None


class CallLog:
    """The calls of one binding.

    Args:
        name: The binding's name in `env`.
        engine: The test's engine.
        is_strict: Whether an injected fault that no call meets is an error.

    Attributes:
        name: As given.
        engine: As given.
        is_strict: As given.
        faults: The faults that are injected and not used up.
    """

    def __init__(self, name: str, engine: Engine, *, is_strict: bool) -> None:
        self.name = name
        self.engine = engine
        self.is_strict = is_strict
        self.faults: deque[InjectedFault] = deque()
        # What no test asks for must not gather over weeks.
        self._records: deque[CallRecord | _Note] = deque(maxlen=MOST_LIVE_RECORDS if engine.is_live else None)
        logs_of(engine)[name] = self
        self._clock = engine.clock
        self._made = made_calls(engine)

    @property
    def records(self) -> list[CallRecord]:
        """The calls so far, in order."""
        records: list[CallRecord] = []
        for one in self._records:
            if isinstance(one, CallRecord):
                records.append(one)
            else:
                records.extend(_records_of(one))
        self._records = deque(records, self._records.maxlen)
        return records

    def is_idle(self) -> bool:
        """Whether a call made now is only to be noted: no instance's, and no fault or limit meets it."""
        if self.faults or current_scope.get() is not None:
            return False
        call = running_call()
        return call is None or call.subrequests.has_left("service")

    def note(
        self,
        method: str | None,
        args: tuple[Any, ...],
        answer: Any = None,
        convert: Callable[..., Any] | None = None,
        error: BaseException | None = None,
        prepared: tuple[Any, ...] | None = None,
        bound: tuple[Any, ...] | None = None,
    ) -> None:
        """Keep a record of a call that was made while the log was idle (`workers.binding_wrappers.Calls`)."""
        if method is not None:
            count_subrequest("service")
        self._records.append((method, args, self._clock.now_ms, answer, convert, error, prepared, bound))

    def call(
        self,
        wrapper: BindingWrapper,
        method: str,
        invoke: Callable[[Any], Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Make a call, and keep a record of it (`workers.binding_wrappers.Calls`)."""
        __tracebackhide__ = True
        scope = current_scope.get()
        if scope is not None and is_over():
            return _call_of_stopped(scope, method, invoke)
        record = CallRecord(method, args, kwargs, self.engine.clock.now)
        self._records.append(record)
        if scope is not None:
            record.instance, record.attempt = scope.instance.id, scope.attempt
            record.step = None if scope.step is None else scope.step.name
        fault = self._fault_for(method)
        if fault is not None and fault.error is not None:
            return _fail(record, fault.error)
        refused = count_subrequest("service") if is_subrequest(wrapper, method) else None
        if refused is not None:
            return _fail(record, refused)
        acting = acting_scope()
        path = method if wrapper._origin is None else f"{wrapper._origin.path}.{method}"
        effect = record.effect = None if acting is None else self._effect(acting, wrapper, path, args, kwargs)
        try:
            with inside_service():
                answer = run_untimed(invoke, _Origin(f"{path}(...)", effect))
        except BaseException as error:
            record.error = error
            self._notify(acting, effect)
            raise
        if isinstance(answer, CoroutineType):
            self._notify(acting, effect)
            return self._answer(record, answer, acting, 0 if fault is None else fault.delay)
        record.result = answer
        if not isinstance(answer, BindingWrapper) or method not in _BEGINNINGS:
            self._notify(acting, effect)
        return answer

    def _effect(
        self, scope: Scope, wrapper: BindingWrapper, path: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Effect:
        origin = None if wrapper._origin is None else wrapper._origin.effect
        given = tuple(_origins((args, kwargs)))
        if any(isinstance(value, _HOLDING) for value in (*args, *kwargs.values())):
            args, kwargs = tuple(map(_as_given, args)), {name: _as_given(value) for name, value in kwargs.items()}
        return make_effect(scope, self.name, path, args, kwargs, origin, given)

    def _fault_for(self, method: str) -> InjectedFault | None:
        for fault in self.faults:
            if fault.method == method:
                fault.use()
                if not fault.left:
                    self.faults.remove(fault)
                return fault
        return None

    def _notify(self, scope: Scope | None, effect: Effect | None) -> None:
        if scope is not None and effect is not None:
            self._made.add(scope.instance.row.key, effect)
            notify_effect(scope, effect)

    async def _answer(self, record: CallRecord, answer: Any, scope: Scope | None, delay: int) -> Any:
        __tracebackhide__ = True
        try:
            with inside_service():
                result = await untimed(answer)
        except BaseException as error:
            record.error = error
            raise
        record.result = result
        if delay:
            await self._delay(scope, delay, record.method)
        if scope is not None and scope.step is not None:
            name = f"{self.name}.{record.method}"
            number = scope.calls[name] = scope.calls.get(name, 0) + 1
            if scope.instance.call_done(scope.step, scope.attempt, f"{name}#{number}"):
                await scope.instance.hold()
        return result

    async def _delay(self, scope: Scope | None, ms: int, method: str) -> None:
        what = f"the answer of {self.name}.{method}"
        if scope is not None:
            await delay_answer(scope, ms, what)
        elif running_call() is None:
            await self.engine.advance(ms)
        else:
            answered = self.engine.loop.create_future()
            self.engine.schedule(self.engine.clock.now_ms + ms, lambda: _settle(answered), what=what)
            await answered


def logs_of(engine: Engine) -> dict[str, CallLog]:
    """The logs of the bindings that stand-ins answer, by the bindings' names, in the order in which they were made.

    Args:
        engine: The test's engine.
    """
    logs: dict[str, CallLog] = engine.attached.setdefault(CallLog, {})
    return logs


def is_standin(engine: Engine, name: str) -> bool:
    """Whether a stand-in answers the calls of a binding, and not an object of the test's.

    Args:
        engine: The test's engine.
        name: The binding's name.
    """
    return name in logs_of(engine)


def _settle(answered: Any) -> None:
    if not answered.done():
        answered.set_result(None)


def _origins(value: Any) -> Iterator[Effect]:
    """The calls that gave the objects in a call's arguments, such as the statements of a batch."""
    if isinstance(value, BindingWrapper):
        origin = value._origin
        if origin is not None and origin.effect is not None:
            yield origin.effect
    elif type(value) in (list, tuple, dict):
        for item in value.values() if type(value) is dict else value:
            yield from _origins(item)


_HOLDING = (BindingWrapper, list, tuple, dict)


class Given:
    """An object of a binding as an argument of a call: what it was made by, so that two of one kind are equal.

    Args:
        origin: The way on which it was reached; None for a binding itself.
    """

    def __init__(self, origin: _Origin | None) -> None:
        self._text = "a binding" if origin is None else origin.path
        effect = None if origin is None else origin.effect
        if effect is not None:
            self._text = _made_by(effect)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Given) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return self._text


def _as_given(value: Any) -> Any:
    """An argument as reports and rules get it: without objects of the test."""
    if isinstance(value, BindingWrapper):
        return Given(value._origin)
    if type(value) in (list, tuple):
        return type(value)(map(_as_given, value))
    if type(value) is dict:
        return {name: _as_given(item) for name, item in value.items()}
    return value


def _made_by(effect: Effect) -> str:
    """The calls that made an object: `DB.prepare('INSERT ...').bind('apple')`."""
    before = effect.service if effect.origin is None else _made_by(effect.origin)
    given = [*map(repr, effect.args), *(f"{name}={value!r}" for name, value in effect.kwargs.items())]
    return f"{before}.{effect.method.rpartition('.')[2]}({', '.join(given)})"


def _call_of_stopped(scope: Scope, method: str, invoke: Callable[[Any], Any]) -> Any:
    """Answer code that may do nothing: a replay's, or that of an execution that was stopped."""
    if method in _BEGINNINGS:
        return invoke(None)
    scope.instance.end_replay()
    if method in _AT_ONCE:
        raise ReplayEnded
    return _never(scope)


async def _never(scope: Scope) -> None:
    await scope.instance.hold()


def _fail(record: CallRecord, error: BaseException) -> Coroutine[Any, Any, Any]:
    record.error = error

    async def answer() -> Any:
        raise error

    return answer()
