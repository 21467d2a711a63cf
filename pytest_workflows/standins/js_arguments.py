"""How the runtime reads the arguments of its own classes: what it takes for a text, a number, a date or an object.

A value that is not of a kind is refused with the runtime's own text. Observed: workerd 1.20261117.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from durable_engine import JsException, JsProxy
from pytest_workflows.javascript.collections import JsDate
from pytest_workflows.javascript.convert import is_missing, is_number, to_number
from pytest_workflows.javascript.objects import JsArray, JsObject, JsPlain, PyProxy, js_error, js_text, option

_INT = (-(2**31), 2**31 - 1)

MISSING: Any = object()
"""An argument that a call does not have, where undefined is a value like any other."""


def is_given(value: Any) -> bool:
    """Whether an optional argument is there: neither undefined nor null."""
    return not is_missing(value)


def is_of_class(value: Any, name: str) -> bool:
    """Whether a value is an object of one of the runtime's classes.

    Args:
        value: The value.
        name: The class: `"Headers"`.
    """
    return getattr(value, "_js_class", None) == name


def not_of_type(method: str, owner: str, position: int, expected: str) -> JsException:
    """The error of an argument that is missing or of another type.

    Args:
        method: The method: `"put"`.
        owner: The class that has it: `"KvNamespace"`.
        position: Which argument, from 1.
        expected: The types that it may have.
    """
    return js_error(
        "TypeError", f"Failed to execute '{method}' on '{owner}': parameter {position} is not of type '{expected}'."
    )


def wrong_field(field: str, owner: str, expected: str) -> JsException:
    """The error of an option of another type.

    Args:
        field: The option.
        owner: The name of the options' type: `"PutOptions"`.
        expected: The types that it may have.
    """
    return js_error(
        "TypeError",
        f"Incorrect type for the '{field}' field on '{owner}': the provided value is not of type '{expected}'.",
    )


def options_of(value: Any, method: str, owner: str, position: int, expected: str) -> Any:
    """An argument that is an object of options, or is left out.

    Returns:
        The object; None where there is none.

    Raises:
        JsException: TypeError, for anything but an object.
    """
    if not is_given(value):
        return None
    if isinstance(value, JsProxy):
        return value
    raise not_of_type(method, owner, position, expected)


def to_int(value: Any) -> int:
    """The runtime's conversion to an integer of 32 bits: what is no number is 0, and fractions are cut off.

    Raises:
        JsException: TypeError, for a number that does not fit.
    """
    number = to_number(value)
    if not math.isfinite(number):
        return 0
    if not _INT[0] <= number <= _INT[1]:
        raise js_error("TypeError", f"Value out of range. Must be between {_INT[0]} and {_INT[1]} (inclusive).")
    return int(number)


def int_option(options: Any, name: str) -> int | None:
    """An option that is an integer; null is 0, as for any number."""
    value = option(options, name)
    return None if value is None else to_int(value)


def text_option(options: Any, name: str, owner: str) -> str | None:
    """An option that is a text and nothing else: null is refused as well.

    Args:
        options: The options.
        name: The option.
        owner: The name of the options' type.

    Raises:
        JsException: TypeError, for any other value.
    """
    value = option(options, name)
    if value is None or isinstance(value, str):
        return value
    raise wrong_field(name, owner, "string")


def date_option(options: Any, name: str, owner: str) -> int | None:
    """An option that is a date, or a number of milliseconds; in milliseconds since 1970.

    Args:
        options: The options.
        name: The option.
        owner: The name of the options' type.

    Raises:
        JsException: TypeError, for any other value.
    """
    value = option(options, name)
    if value is None:
        return None
    if isinstance(value, JsDate):
        value = value._ms
    if not is_number(value) or not math.isfinite(value):
        raise wrong_field(name, owner, "date")
    return int(value)


def entries_of(value: Any) -> Mapping[str, Any] | None:
    """The entries of an object that stands for a dictionary; None for anything that is none."""
    if isinstance(value, JsPlain):
        return value._entries
    if isinstance(value, PyProxy) or (isinstance(value, JsObject) and not isinstance(value, JsArray)):
        return {}
    return None


def texts_of(values: Iterable[Any]) -> list[str]:
    """A list of anything as texts, as JavaScript's `String` makes them."""
    return [js_text(value) for value in values]


def utf8(text: str) -> bytes:
    """A text in UTF-8; half of a surrogate pair becomes U+FFFD, as on the platform."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
