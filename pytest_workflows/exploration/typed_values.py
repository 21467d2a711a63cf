"""Strategies for JSON values from type hints. Part of `strategies`: it needs Hypothesis.

A class becomes the dict that a client would send as JSON: a `datetime` is its ISO text, an `Enum` its value.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from typing import (
    Annotated,
    Any,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import msgspec
from hypothesis import strategies as st

from durable_engine import InvalidArgumentError, cross

from .json_values import ANYTHING, LARGEST, values_of

Strategy = st.SearchStrategy[Any]

_PLAIN: dict[Any, Strategy] = {
    Any: ANYTHING,
    int: st.integers(-LARGEST, LARGEST),
    float: st.floats(allow_nan=False, allow_infinity=False),
}


def values_of_type(hint: Any) -> Strategy:
    """The JSON values of a type.

    Raises:
        InvalidArgumentError: If it is no type hint, or JSON has no form for it.
    """
    try:
        strategy = _Reader().read(hint)
        strategy.validate()
    except InvalidArgumentError:
        raise
    except Exception as error:
        raise InvalidArgumentError(
            "workflow_params takes a class with type hints, another type that JSON has a form for, or a JSON schema "
            f"as a dict, not {hint!r}: {type(error).__name__}: {error}"
        ) from None
    return strategy


class _Reader:
    """Reads a type hint and those in it."""

    def __init__(self) -> None:
        self._classes: dict[Any, Strategy] = {}

    def read(self, hint: Any) -> Strategy:
        """The values of a hint."""
        origin, arguments = get_origin(hint), get_args(hint)
        if hint in _PLAIN:
            return _PLAIN[hint]
        if origin in (Required, NotRequired):
            return self.read(arguments[0])
        if origin in (Union, types.UnionType):
            return st.one_of([self.read(one) for one in arguments])
        if origin in (list, Sequence):
            return st.lists(self.read(arguments[0]))
        if origin in (dict, Mapping) and arguments[0] is str:
            return st.dictionaries(st.text(), self.read(arguments[1]))
        if hasattr(hint, "model_json_schema"):  # pydantic
            return values_of(hint.model_json_schema())
        if is_typeddict(hint) or (isinstance(hint, type) and _is_record(hint)):
            return self._fields_of(hint)
        return _of_type(hint)

    def _fields_of(self, cls: Any) -> Strategy:
        if cls not in self._classes:
            # A class may hold others of its kind.
            self._classes[cls] = st.deferred(lambda: fields)
            fields = self._read_fields(cls)
        return self._classes[cls]

    def _read_fields(self, cls: Any) -> Strategy:
        hints = get_type_hints(cls, include_extras=True)
        required = _required(cls)
        drawn = {name: self.read(hints[name]) for name in (hints if is_typeddict(cls) else _names(cls))}
        return st.fixed_dictionaries(
            {name: values for name, values in drawn.items() if name in required},
            optional={name: values for name, values in drawn.items() if name not in required},
        )


def _is_record(cls: type) -> bool:
    return dataclasses.is_dataclass(cls) or issubclass(cls, msgspec.Struct)


def _names(cls: Any) -> list[str]:
    if issubclass(cls, msgspec.Struct):
        return [one.name for one in msgspec.structs.fields(cls)]
    return [one.name for one in dataclasses.fields(cls) if one.init]


def _required(cls: Any) -> set[str]:
    if is_typeddict(cls):
        return set(cls.__required_keys__)
    if issubclass(cls, msgspec.Struct):
        return {one.name for one in msgspec.structs.fields(cls) if one.required}
    missing = dataclasses.MISSING
    return {one.name for one in dataclasses.fields(cls) if one.default is missing and one.default_factory is missing}


def _of_type(hint: Any) -> Strategy:
    """The strategy for a type, in the form that JSON has for it."""
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if not (isinstance(plain, type) and issubclass(plain, str | int | float)):
        msgspec.json.schema(plain)  # its error names the type that JSON has no form for
    return st.from_type(hint).map(_in_json).filter(_is_unchanged)


def _in_json(value: object) -> object:
    made: object = msgspec.to_builtins(value, str_keys=True, order="deterministic", enc_hook=_others_in_json)
    return made


def _others_in_json(value: object) -> str | int | float:
    for plain in (str, int, float):
        if isinstance(value, plain):
            return plain(value)
    raise TypeError(f"JSON has no form for {value!r}")


def _is_unchanged(value: object) -> bool:
    """Whether a value crosses to the platform and comes back as it is."""
    try:
        return bool(cross(value) == value) and not (isinstance(value, int) and abs(value) > LARGEST)
    except Exception:
        return False
