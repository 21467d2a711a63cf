"""JavaScript's `Promise`: its constructor, and what joins several of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .convert import as_error, call, items_of, when_settled
from .errors import JsAggregateErrorObject
from .objects import JsArray, JsFunction, JsPlain, JsPromise, PyProxy, from_python, js_error


def _construct(cls: type[JsPromise], executor: Any = None) -> JsPromise:
    if executor is None:
        raise js_error("TypeError", "Promise resolver undefined is not a function")
    made = JsPromise()
    resolve, reject = _settlers(made)
    try:
        call(executor, resolve, reject)
    except Exception as error:
        made._reject(error)
    return made


def _settlers(made: JsPromise) -> tuple[JsFunction, JsFunction]:
    def resolve(value: Any = None) -> None:
        when_settled(as_promise(value), made._resolve, made._reject)

    def reject(reason: Any = None) -> None:
        made._reject(as_error(reason))

    return JsFunction(resolve, "resolve", most=1), JsFunction(reject, "reject", most=1)


def as_promise(value: Any) -> Any:
    """The promise of an awaitable of Python's; any other value as it is."""
    if isinstance(value, PyProxy) and hasattr(type(value._object), "__await__"):

        async def wait() -> Any:
            return from_python(await value._object)

        return JsPromise.running(wait())
    return value


def _resolve(value: Any = None) -> JsPromise:
    value = as_promise(value)
    return value if isinstance(value, JsPromise) else JsPromise.resolved(value)


def _reject(reason: Any = None) -> JsPromise:
    return JsPromise.rejected(as_error(reason))


def _with_resolvers() -> JsPlain:
    made = JsPromise()
    resolve, reject = _settlers(made)
    return JsPlain({"promise": made, "resolve": resolve, "reject": reject})


def _joined(promises: Any, on_value: Callable[..., Any], on_error: Callable[..., Any], empty: Any) -> JsPromise:
    """A promise that is settled as functions of each outcome decide.

    Args:
        promises: An iterable of values of JavaScript.
        on_value: Gets the joined promise, the outcomes so far, the place and the value.
        on_error: The same for an error.
        empty: Gets the joined promise where there are none at all.
    """
    joined = JsPromise()
    found = items_of(promises)
    if found is None:
        return JsPromise.rejected(
            js_error("TypeError", "object is not iterable (cannot read property Symbol(Symbol.iterator))")
        )
    items = [as_promise(item) for item in found]
    outcomes = _Outcomes(len(items))
    if not items:
        empty(joined)
    for index, item in enumerate(items):

        def arrived(value: Any, index: int = index) -> None:
            on_value(joined, outcomes, index, value)

        def failed(error: BaseException, index: int = index) -> None:
            on_error(joined, outcomes, index, error)

        when_settled(item, arrived, failed)
    return joined


class _Outcomes:
    """The outcomes of several promises, in the order of the promises.

    Args:
        count: How many promises there are.

    Attributes:
        items: The outcomes.
    """

    def __init__(self, count: int) -> None:
        self.items: list[Any] = [None] * count
        self._missing = count

    def add(self, index: int, outcome: Any) -> bool:
        """Enter the outcome of a promise; whether it was the last one that was missing."""
        self.items[index] = outcome
        self._missing -= 1
        return not self._missing


def _keep(joined: JsPromise, outcomes: _Outcomes, index: int, value: Any) -> None:
    if outcomes.add(index, value):
        joined._resolve(JsArray(outcomes.items))


def _keep_fulfilled(joined: JsPromise, outcomes: _Outcomes, index: int, value: Any) -> None:
    _keep(joined, outcomes, index, JsPlain({"status": "fulfilled", "value": value}))


def _keep_rejected(joined: JsPromise, outcomes: _Outcomes, index: int, error: BaseException) -> None:
    _keep(joined, outcomes, index, JsPlain({"status": "rejected", "reason": from_python(error)}))


def _fulfil(joined: JsPromise, outcomes: _Outcomes, index: int, value: Any) -> None:
    joined._resolve(value)


def _fail(joined: JsPromise, outcomes: _Outcomes, index: int, error: BaseException) -> None:
    joined._reject(error)


def _count_error(joined: JsPromise, outcomes: _Outcomes, index: int, error: BaseException) -> None:
    if outcomes.add(index, from_python(error)):
        joined._reject(as_error(JsAggregateErrorObject(JsArray(outcomes.items), "All promises were rejected")))


def _empty_list(joined: JsPromise) -> None:
    joined._resolve(JsArray())


def _never(joined: JsPromise) -> None: ...


def _none_of_none(joined: JsPromise) -> None:
    joined._reject(js_error("AggregateError", "All promises were rejected"))


def _all(promises: Any = None) -> JsPromise:
    return _joined(promises, _keep, _fail, _empty_list)


def _all_settled(promises: Any = None) -> JsPromise:
    return _joined(promises, _keep_fulfilled, _keep_rejected, _empty_list)


def _race(promises: Any = None) -> JsPromise:
    return _joined(promises, _fulfil, _fail, _never)


def _any(promises: Any = None) -> JsPromise:
    return _joined(promises, _fulfil, _count_error, _none_of_none)


JsPromise._complete(
    {},
    {
        "resolve": _resolve,
        "reject": _reject,
        "withResolvers": _with_resolvers,
        "all": _all,
        "allSettled": _all_settled,
        "race": _race,
        "any": _any,
    },
    construct=_construct,
)
