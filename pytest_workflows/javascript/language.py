"""JavaScript's own globals: `Object`, `Number`, `String`, `Math`, `Reflect`, and the functions beside them."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from durable_engine import JsBigInt, js_number_text

from .arrays import same_value
from .convert import (
    call,
    is_missing,
    is_number,
    is_true,
    items_of,
    read_entries,
    record_of,
    text_to_number,
    to_number,
)
from .objects import MAX_SAFE, JsArray, JsFunction, JsObject, JsPlain, js_error, js_text, number
from .rpc import FROM_RPC

# -- Object ------------------------------------------------------------------------------------------------------------


def own_entries(value: Any) -> dict[str, Any]:
    """The properties that an object itself has; those of a class are its prototype's."""
    if isinstance(value, str):
        return {str(index): letter for index, letter in enumerate(value)}
    if isinstance(value, JsObject):
        return value._properties()
    return {}


def _object_of(value: Any) -> Any:
    if is_missing(value):
        raise js_error("TypeError", "Cannot convert undefined or null to object")
    return value


def _keys(value: Any = None) -> JsArray:
    return JsArray(list(own_entries(_object_of(value))))


def _values(value: Any = None) -> JsArray:
    return JsArray(list(own_entries(_object_of(value)).values()))


def _entries(value: Any = None) -> JsArray:
    return JsArray([JsArray([key, item]) for key, item in own_entries(_object_of(value)).items()])


def _from_entries(pairs: Any = None) -> JsPlain:
    items = items_of(pairs)
    if items is None:
        raise js_error("TypeError", f"{js_text(pairs)} is not iterable")
    return JsPlain({js_text(key): value for key, value in read_entries(items)})


def _assign(target: Any, *sources: Any) -> Any:
    for source in sources:
        for key, value in ({} if is_missing(source) else own_entries(source)).items():
            setattr(target, key, value)
    return target


def _freeze(value: Any = None) -> Any:
    return value


def _create(prototype: Any = None) -> JsPlain:
    return JsPlain()


def _has_own(value: Any = None, name: Any = None) -> bool:
    return js_text(name) in own_entries(_object_of(value))


def _construct_object(cls: type, value: Any = None) -> Any:
    return JsPlain() if is_missing(value) else value


JsPlain._complete(
    {},
    {
        "keys": _keys,
        "values": _values,
        "entries": _entries,
        "fromEntries": _from_entries,
        "assign": _assign,
        "freeze": _freeze,
        "seal": _freeze,
        "is_": same_value,
        "create": _create,
        "hasOwn": _has_own,
        "getOwnPropertyNames": _keys,
    },
    construct=_construct_object,
)
JsPlain._call = JsPlain._construct  # type: ignore[attr-defined]


# -- primitives as objects ---------------------------------------------------------------------------------------------


class _Primitive(JsObject):
    """A primitive value in an object.

    Args:
        value: The value.
    """

    _primitive: Any

    def valueOf(self) -> Any:
        """The value."""
        return self._primitive

    def toString(self) -> str:
        """The value as text."""
        return js_text(self._primitive)

    def _text(self) -> str:
        return js_text(self._primitive)

    def _crossing(self) -> Any:
        return self._primitive


def _to_numeric(*values: Any) -> int | float:
    value = values[0] if values else 0
    return number(float(value)) if isinstance(value, JsBigInt) else to_number(value)


class Number(_Primitive):
    """A number as an object; called without `new`, it makes a number of a value."""

    _static_MAX_SAFE_INTEGER = MAX_SAFE
    _static_MIN_SAFE_INTEGER = -MAX_SAFE
    _static_MAX_VALUE = 1.7976931348623157e308
    _static_EPSILON = 2.0**-52
    _static_NaN = math.nan
    _static_POSITIVE_INFINITY = math.inf
    _static_NEGATIVE_INFINITY = -math.inf

    def __init__(self, *values: Any) -> None:
        self._primitive = _to_numeric(*values)

    @classmethod
    def _call(cls, *values: Any) -> int | float:
        return _to_numeric(*values)

    @staticmethod
    def isInteger(value: Any = None) -> bool:
        """Whether a value is a whole number."""
        return is_number(value) and math.isfinite(value) and float(value).is_integer()

    @staticmethod
    def isSafeInteger(value: Any = None) -> bool:
        """Whether a value is a whole number that is exact."""
        return Number.isInteger(value) and abs(value) <= MAX_SAFE

    @staticmethod
    def isFinite(value: Any = None) -> bool:
        """Whether a value is a number, and a finite one."""
        return is_number(value) and math.isfinite(value)

    @staticmethod
    def isNaN(value: Any = None) -> bool:
        """Whether a value is NaN."""
        return isinstance(value, float) and math.isnan(value)


class String(_Primitive):
    """A text as an object; called without `new`, it makes a text of a value."""

    def __init__(self, value: Any = "") -> None:
        self._primitive = js_text(value)

    @classmethod
    def _call(cls, *values: Any) -> str:
        return js_text(values[0]) if values else ""

    @property
    def length(self) -> int:
        """How many letters."""
        return len(self._primitive.encode("utf-16-le", "surrogatepass")) // 2

    @staticmethod
    def fromCharCode(*codes: Any) -> str:
        """The text of some letters' numbers."""
        data = b"".join((int(to_number(code)) & 0xFFFF).to_bytes(2, "little") for code in codes)
        return data.decode("utf-16-le", "surrogatepass")

    @staticmethod
    def fromCodePoint(*codes: Any) -> str:
        """The text of some letters' numbers."""
        return "".join(chr(int(to_number(code))) for code in codes)


class Boolean(_Primitive):
    """A truth value as an object; called without `new`, it makes one of a value."""

    def __init__(self, value: Any = None) -> None:
        self._primitive = is_true(value)

    @classmethod
    def _call(cls, *values: Any) -> bool:
        return is_true(values[0]) if values else False


class BigInt(JsObject):
    """Makes bigints; there is no `new`."""

    def __init__(self) -> None:
        raise js_error("TypeError", "BigInt is not a constructor")

    @classmethod
    def _call(cls, *values: Any) -> JsBigInt:
        value = values[0] if values else None
        if isinstance(value, int):
            return JsBigInt(value)
        if isinstance(value, float) and value.is_integer():
            return JsBigInt(int(value))
        if isinstance(value, float):
            raise js_error(
                "RangeError",
                f"The number {js_number_text(value)} cannot be converted to a BigInt because it is not an integer",
            )
        try:
            return JsBigInt(int(js_text(value).strip() or "0", 0))
        except ValueError:
            raise js_error("SyntaxError", f"Cannot convert {js_text(value)} to a BigInt") from None


for _kind in ("Number", "String", "Boolean"):
    FROM_RPC[_kind] = lambda value: value._primitive


# -- Math --------------------------------------------------------------------------------------------------------------


def _math(function: Callable[..., float]) -> Callable[..., int | float]:
    def run(*values: Any) -> int | float:
        try:
            return number(float(function(*map(to_number, values))))
        except (ValueError, OverflowError, TypeError):
            return math.nan

    return run


def _round(value: float) -> float:
    return math.floor(value + 0.5) if math.isfinite(value) else value


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: function(value) if math.isfinite(value) else value


def _extreme(function: Callable[..., float], empty: float) -> Callable[..., float]:
    def run(*values: float) -> float:
        if any(value != value for value in values):
            return math.nan
        return function(values) if values else empty

    return run


_MATH: dict[str, Callable[..., float]] = {
    "abs": abs,
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "trunc": _whole(math.trunc),
    "round": _round,
    "max": _extreme(max, -math.inf),
    "min": _extreme(min, math.inf),
    "pow": math.pow,
    "sqrt": math.sqrt,
    "cbrt": lambda value: math.copysign(abs(value) ** (1 / 3), value),
    "hypot": math.hypot,
    "exp": math.exp,
    "log": lambda value: -math.inf if value == 0 else math.log(value),
    "log2": lambda value: -math.inf if value == 0 else math.log2(value),
    "log10": lambda value: -math.inf if value == 0 else math.log10(value),
    "sign": lambda value: (value > 0) - (value < 0) if value == value else value,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "atan": math.atan,
    "atan2": math.atan2,
}


class Math(JsObject):
    """JavaScript's `Math`."""

    PI = math.pi
    E = math.e
    LN2 = math.log(2)
    LN10 = math.log(10)
    SQRT2 = math.sqrt(2)

    def random(self) -> float:
        """A number from 0 to 1, from the generator of the test."""
        return random.random()

    def __getattr__(self, name: str) -> Any:
        function = _MATH.get(name)
        if function is None:
            raise AttributeError(name)
        return JsFunction(_math(function), name)


# -- Reflect -----------------------------------------------------------------------------------------------------------


class Reflect(JsObject):
    """JavaScript's `Reflect`."""

    def get(self, target: Any, name: Any) -> Any:
        """A property of an object; undefined where there is none."""
        return own_entries(target).get(js_text(name), getattr(target, js_text(name), None))

    def set(self, target: Any, name: Any, value: Any) -> bool:
        """Set a property of an object."""
        setattr(target, js_text(name), value)
        return True

    def has(self, target: Any, name: Any) -> bool:
        """Whether an object has a property."""
        return js_text(name) in own_entries(target) or hasattr(target, js_text(name))

    def ownKeys(self, target: Any) -> JsArray:
        """The names of an object's own properties."""
        return _keys(target)

    def deleteProperty(self, target: Any, name: Any) -> bool:
        """Take a property out of an object."""
        record = record_of(target)
        if record is not None and js_text(name) in record:
            delattr(target, js_text(name))
        return True

    def apply(self, function: Any, this: Any, arguments: Any) -> Any:
        """Call a function with the items of an array."""
        return call(function, *(items_of(arguments) or ()))

    def construct(self, constructor: Any, arguments: Any) -> Any:
        """`new`, with the items of an array."""
        return constructor._class._construct(*(items_of(arguments) or ()))


# -- functions ---------------------------------------------------------------------------------------------------------

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def parse_int(text: Any = None, base: Any = None) -> int | float:
    """JavaScript's `parseInt`: the whole number that a text begins with."""
    given = js_text(text).strip().lower()
    sign = -1 if given.startswith("-") else 1
    given = given[1:] if given[:1] in ("+", "-") else given
    radix = 0 if is_missing(base) else int(to_number(base))
    if radix in (0, 16) and given.startswith("0x"):
        given, radix = given[2:], 16
    radix = radix or 10
    count = 0
    while count < len(given) and given[count] in _DIGITS[:radix]:
        count += 1
    return number(float(sign * int(given[:count], radix))) if count else math.nan


def parse_float(text: Any = None) -> int | float:
    """JavaScript's `parseFloat`: the number that a text begins with."""
    given = js_text(text).strip()
    for length in range(len(given), 0, -1):
        if given[length - 1].isdigit() or given[length - 1] in ".y":
            value = text_to_number(given[:length])
            if value == value and given[:length].lower()[:2] not in ("0x", "0o", "0b"):
                return value
    return math.nan


def is_nan(value: Any = None) -> bool:
    """JavaScript's `isNaN`."""
    read = to_number(value)
    return read != read


def is_finite(value: Any = None) -> bool:
    """JavaScript's `isFinite`."""
    return math.isfinite(to_number(value))


def _encoder(safe: str) -> Callable[[Any], str]:
    def encode(text: Any = None) -> str:
        try:
            return quote(js_text(text), safe=safe)
        except UnicodeEncodeError:
            raise js_error("URIError", "URI malformed") from None

    return encode


encode_uri_component = _encoder("-_.!~*'()")
encode_uri = _encoder("-_.!~*'();/?:@&=+$,#")


_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_RESERVED_ESCAPE = re.compile("%(?=2[346BCF]|3[ABDF]|40)", re.IGNORECASE)  # of ;/?:@&=+$,#


def decode_uri_component(text: Any = None) -> str:
    """JavaScript's `decodeURIComponent`."""
    given = js_text(text)
    if _BROKEN_ESCAPE.search(given):
        raise js_error("URIError", "URI malformed")
    try:
        return unquote(given, errors="strict")
    except UnicodeDecodeError:
        raise js_error("URIError", "URI malformed") from None


def decode_uri(text: Any = None) -> str:
    """JavaScript's `decodeURI`: escapes of what has a meaning in a URI stay."""
    return decode_uri_component(_RESERVED_ESCAPE.sub("%25", js_text(text)))
