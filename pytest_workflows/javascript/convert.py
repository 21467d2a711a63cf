"""What the arguments of the web classes are read as: texts, bytes, numbers, sequences, records, callbacks."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from durable_engine import JsBigInt, JsProxy, jsnull

from .collections import JsMap
from .objects import (
    MAX_SAFE,
    JsArray,
    JsFunction,
    JsObject,
    JsPlain,
    JsPromise,
    PyProxy,
    from_python,
    js_error,
    js_text,
    number,
    to_python,
)


def is_missing(value: Any) -> bool:
    """Whether a value is undefined or null."""
    return value is None or value is jsnull


def is_number(value: Any) -> bool:
    """Whether a value is a number: no boolean, and no bigint."""
    return isinstance(value, int | float) and not isinstance(value, bool | JsBigInt)


def typeof(value: Any) -> str:
    """JavaScript's `typeof value`."""
    if value is None:
        return "undefined"
    if value is jsnull:
        return "object"
    for kind, name in ((str, "string"), (bool, "boolean"), (JsBigInt, "bigint"), (int | float, "number")):
        if isinstance(value, kind):
            return name
    return str(value.typeof)


def to_number(value: Any) -> int | float:
    """JavaScript's `Number(value)`.

    Args:
        value: A value of JavaScript.

    Raises:
        JsException: A TypeError, for a bigint.
    """
    if isinstance(value, JsBigInt):
        raise js_error("TypeError", "Cannot convert a BigInt value to a number")
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if value is None:
        return math.nan
    if value is jsnull:
        return 0
    if isinstance(value, JsObject) and (ms := getattr(value, "_ms", None)) is not None:
        return ms  # type: ignore[no-any-return]
    return text_to_number(js_text(value))


def text_to_number(text: str) -> int | float:
    """The number that a text says, as JavaScript reads it; NaN where it says none."""
    text = text.strip()
    if not text:
        return 0
    lower = text.lower()
    for prefix, base in (("0x", 16), ("0o", 8), ("0b", 2)):
        if lower.startswith(prefix):
            try:
                return number(float(int(text[2:], base)))
            except ValueError:
                return math.nan
    unsigned = text.lstrip("+-")
    if unsigned == "Infinity":
        return -math.inf if text[0] == "-" else math.inf
    if "_" in text or not unsigned or not (unsigned[0].isdigit() or unsigned[0] == "."):
        return math.nan
    try:
        return number(float(text))
    except ValueError:
        return math.nan


def to_integer(value: Any) -> int:
    """A number without what is behind its point, infinity being the largest that is exact; 0 where there is none."""
    read = to_number(value)
    if math.isinf(read):
        return MAX_SAFE if read > 0 else -MAX_SAFE
    return 0 if math.isnan(read) else int(read)


def is_true(value: Any) -> bool:
    """JavaScript's `Boolean(value)`."""
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    return True if isinstance(value, JsProxy) else bool(value)


def items_of(value: Any) -> Iterator[Any] | None:
    """The items of what JavaScript can iterate over; None for any other value."""
    if isinstance(value, JsArray):
        return iter(value._items)
    if isinstance(value, JsMap):
        return iter(JsArray([key, item]) for key, item in value._entries.items())
    if isinstance(value, PyProxy):
        if isinstance(value._object, str | bytes):
            return None
        try:
            return map(from_python, iter(value._object))
        except TypeError:
            return None
    if isinstance(value, JsObject) and hasattr(type(value), "__iter__"):
        return map(from_python, iter(value))
    return None


def read_entries(items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Key and value of each of some entries, as `Map` and `Object.fromEntries` read them.

    Args:
        items: The entries, values of JavaScript.

    Raises:
        JsException: A TypeError: one of them is nothing that has items.
    """
    for item in items:
        parts = items_of(item)
        if parts is None:
            raise js_error("TypeError", f"Iterator value {js_text(item)} is not an entry object")
        yield next(parts, None), next(parts, None)


def record_of(value: Any) -> Mapping[str, Any] | None:
    """The keys and values of an object; None for a value that is none."""
    if isinstance(value, JsPlain):
        return value._entries
    if isinstance(value, JsMap):
        return {js_text(key): item for key, item in value._entries.items()}
    return None


def pairs_of(value: Any, what: str) -> list[tuple[str, str]]:
    """The pairs that `Headers`, `URLSearchParams` and the like are made of, as texts.

    Args:
        value: An iterable of pairs, or an object; undefined and null are none.
        what: The class that is made, for the message.

    Raises:
        JsException: A TypeError: it is neither.
    """
    if is_missing(value):
        return []
    items = None if isinstance(value, str) else items_of(value)
    if items is None:
        record = record_of(value)
        if record is None:
            raise js_error(
                "TypeError",
                f"Failed to construct '{what}': constructor parameter 1 is not of type "
                "'a sequence of pairs or an object'.",
            )
        return [(key, js_text(item)) for key, item in record.items()]
    pairs = []
    for item in items:
        pair = None if isinstance(item, str) else items_of(item)
        texts = None if pair is None else [js_text(part) for part in pair]
        if texts is None or len(texts) != 2:
            note = ""
            if isinstance(value, PyProxy) and isinstance(value._object, dict):
                note = " (A Python dict is iterated over by its keys: pass its .items(), or to_js it to an object.)"
            raise js_error(
                "TypeError", f"Failed to construct '{what}': a sequence of pairs must hold two items each.{note}"
            )
        pairs.append((texts[0], texts[1]))
    return pairs


def is_callable(value: Any) -> bool:
    """Whether JavaScript can call a value."""
    if isinstance(value, PyProxy):
        return callable(value._object)
    return isinstance(value, JsFunction) or (isinstance(value, JsObject) and callable(value))


def call(function: Any, *values: Any) -> Any:
    """Call a function that user code gave, from JavaScript.

    Args:
        function: A `PyProxy` of a Python function, a proxy of one, or a `JsFunction`.
        *values: The arguments, values of JavaScript.

    Returns:
        A value of JavaScript; for a Python coroutine, a promise of its result: it runs as a task.
    """
    if isinstance(function, JsFunction):
        return function.call_js(list(values))
    target = function._object if type(function) is PyProxy else function
    result = target(*map(to_python, values))
    if inspect.iscoroutine(result):
        return JsPromise.running(result)
    return from_python(result)


def when_settled(value: Any, fulfilled: Callable[[Any], None], rejected: Callable[[BaseException], None]) -> None:
    """Go on once a value is there: at once, unless it is a promise that is not settled.

    Args:
        value: A value of JavaScript.
        fulfilled: Gets the value in the end.
        rejected: Gets the error.
    """
    if not isinstance(value, JsPromise):
        fulfilled(value)
    elif not value._is_settled:
        value._waiters.append(lambda: when_settled(value, fulfilled, rejected))
    elif value._error is not None:
        rejected(value._error)
    else:
        fulfilled(value._value)


def as_error(reason: Any) -> BaseException:
    """The exception that Python code gets where JavaScript throws a value.

    Args:
        reason: Any value of JavaScript; usually an error.
    """
    if isinstance(reason, BaseException):
        return reason
    if isinstance(reason, PyProxy) and isinstance(reason._object, BaseException):
        return reason._object
    name = getattr(reason, "name", None) if isinstance(reason, JsObject) else None
    if isinstance(name, str):
        return js_error(name, js_text(getattr(reason, "message", "")))
    return js_error("Error", js_text(reason))
