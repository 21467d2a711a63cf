"""Strategies for JSON values, from a JSON schema. Part of `strategies`: it needs Hypothesis.

Only values are drawn that cross to the platform and come back equal: no nan, no infinity, no whole number that
JavaScript cannot hold.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from durable_engine import InvalidArgumentError

LARGEST = 2**53 - 2
"""The largest whole number that comes back as it is."""

Strategy = st.SearchStrategy[Any]
Schema = Mapping[str, Any]

_ABOUT = frozenset({"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}) | frozenset(
    {"discriminator", "$schema", "$id", "$anchor", "$comment", "$defs", "definitions"}
)
_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_SCALARS = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text()
ANYTHING = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


def values_of(schema: Schema | bool) -> Strategy:
    """The values that a JSON schema describes.

    Raises:
        InvalidArgumentError: If it says something that is not understood, rather than ignore it.
    """
    return _Reader(schema).read(schema)


class _Reader:
    """Reads one schema, and the schemas in it that it refers to.

    Args:
        root: The whole schema.
    """

    def __init__(self, root: Schema | bool) -> None:
        self._root = root
        self._referred: dict[str, Strategy] = {}

    def read(self, schema: Schema | bool) -> Strategy:
        """The values that a part of the schema describes."""
        if isinstance(schema, bool):
            return ANYTHING if schema else st.nothing()
        said = {key: value for key, value in schema.items() if key not in _ABOUT}
        for key, reader in (("$ref", self._refer), ("const", st.just), ("enum", st.sampled_from)):
            if key in said:
                _nothing_beside(said, {key, "type"})
                return reader(said[key])
        for key in ("anyOf", "oneOf", "allOf"):
            if key in said:
                return self._combine(key, said)
        if "type" not in said:
            _nothing_beside(said, set())
            return ANYTHING
        kinds = said.pop("type")
        return st.one_of([self._of_type(kind, said) for kind in ([kinds] if isinstance(kinds, str) else kinds)])

    def _combine(self, key: str, said: dict[str, Any]) -> Strategy:
        _nothing_beside(said, {key, "type"})
        if key == "allOf" and len(said[key]) > 1:
            raise InvalidArgumentError(f"A JSON schema with allOf of several parts is not understood: {said!r}.")
        return st.one_of([self.read(part) for part in said[key]])

    def _refer(self, reference: str) -> Strategy:
        if reference not in self._referred:
            # A schema may refer to itself.
            self._referred[reference] = st.deferred(lambda: self.read(target))
            target = self._find(reference)
            self.read(target)  # a keyword that is not understood is reported at once, not when a value is drawn
        return self._referred[reference]

    def _find(self, reference: str) -> Schema | bool:
        found: Any = self._root
        try:
            if not reference.startswith("#"):
                raise KeyError(reference)
            for part in reference.lstrip("#/").split("/") if reference not in ("#", "#/") else ():
                found = found[part.replace("~1", "/").replace("~0", "~")]
        except (KeyError, TypeError):
            raise InvalidArgumentError(f"The JSON schema refers to {reference!r}, which it does not have.") from None
        return found  # type: ignore[no-any-return]

    def _of_type(self, kind: object, said: dict[str, Any]) -> Strategy:
        readers: dict[object, Callable[[dict[str, Any]], Strategy]] = {
            "null": lambda _: st.none(),
            "boolean": lambda _: st.booleans(),
            "integer": _integers,
            "number": _numbers,
            "string": _strings,
            "array": self._arrays,
            "object": self._objects,
        }
        if kind not in readers:
            raise InvalidArgumentError(f"A JSON schema has no type {kind!r}. It has: {', '.join(map(str, readers))}.")
        return readers[kind](said)

    def _arrays(self, said: dict[str, Any]) -> Strategy:
        _nothing_beside(said, {"items", "prefixItems", "minItems", "maxItems", "uniqueItems"})
        fewest, most = said.get("minItems", 0), said.get("maxItems")
        unique_by = repr if said.get("uniqueItems") else None
        items = said.get("items", True)
        first = [self.read(part) for part in said.get("prefixItems", ())]
        if first and most is not None and most < len(first):
            first = first[:most]
        rest = st.lists(
            st.nothing() if items is False else self.read(items),
            min_size=max(0, fewest - len(first)),
            max_size=0 if items is False else None if most is None else most - len(first),
            unique_by=unique_by,
        )
        return st.tuples(st.tuples(*first).map(list), rest).map(lambda parts: parts[0] + parts[1]) if first else rest

    def _objects(self, said: dict[str, Any]) -> Strategy:
        _nothing_beside(
            said,
            {"properties", "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties"},
        )
        known = {name: self.read(part) for name, part in said.get("properties", {}).items()}
        required = {name: known.pop(name, ANYTHING) for name in said.get("required", ())}
        named = st.fixed_dictionaries(required, optional=known)
        fewest, most = said.get("minProperties", 0), said.get("maxProperties", math.inf)
        others = said.get("additionalProperties", not (required or known))
        # Names that the schema does not mention are drawn only where it is about nothing else.
        if (required or known) and not isinstance(others, Mapping):
            drawn: Strategy = named
        else:
            names = self.read({"type": "string", **said.get("propertyNames", {})})
            limits: dict[str, Any] = {"min_size": max(0, fewest - len(required))}
            if most is not math.inf:
                limits["max_size"] = max(0, most - len(required))
            more = st.dictionaries(names, st.nothing() if others is False else self.read(others), **limits)
            drawn = st.tuples(more, named).map(lambda parts: {**parts[0], **parts[1]})
        return drawn if fewest == 0 and most is math.inf else drawn.filter(lambda value: fewest <= len(value) <= most)


def _integers(said: dict[str, Any]) -> Strategy:
    _nothing_beside(said, _NUMBERS)
    lowest = max(-LARGEST, math.ceil(said.get("minimum", -LARGEST)))
    highest = min(LARGEST, math.floor(said.get("maximum", LARGEST)))
    if "exclusiveMinimum" in said:
        lowest = max(lowest, math.floor(said["exclusiveMinimum"]) + 1)
    if "exclusiveMaximum" in said:
        highest = min(highest, math.ceil(said["exclusiveMaximum"]) - 1)
    step = said.get("multipleOf", 1)
    if step != int(step) or step < 1:
        raise InvalidArgumentError(f"An integer that is a multiple of {step!r} is not understood; give a whole number.")
    return _checked(
        st.integers(math.ceil(lowest / step), math.floor(highest / step)).map(lambda number: number * int(step)), said
    )


def _numbers(said: dict[str, Any]) -> Strategy:
    _nothing_beside(said, _NUMBERS - {"multipleOf"})
    numbers = st.floats(
        said.get("exclusiveMinimum", said.get("minimum")),
        said.get("exclusiveMaximum", said.get("maximum")),
        allow_nan=False,
        allow_infinity=False,
        exclude_min="exclusiveMinimum" in said,
        exclude_max="exclusiveMaximum" in said,
    )
    return _checked(numbers, said)


def _strings(said: dict[str, Any]) -> Strategy:
    _nothing_beside(said, {"minLength", "maxLength", "pattern", "format", "contentEncoding"})
    shortest, longest = said.get("minLength", 0), said.get("maxLength")
    if "contentEncoding" in said:
        return st.binary().map(lambda data: base64.b64encode(data).decode())
    if "pattern" in said:
        texts: Strategy = st.from_regex(said["pattern"])
    elif "format" in said:
        texts = _format(said["format"])
    else:
        return _checked(st.text(min_size=shortest, max_size=longest), said)
    most = math.inf if longest is None else longest
    return texts if shortest == 0 and most is math.inf else texts.filter(lambda text: shortest <= len(text) <= most)


def _format(name: object) -> Strategy:
    formats: dict[object, Callable[[], Strategy]] = {
        "date-time": lambda: st.datetimes(timezones=st.timezones()).map(lambda when: when.isoformat()),
        "date": lambda: st.dates().map(str),
        "time": lambda: st.times().map(lambda time: time.isoformat()),
        "duration": lambda: st.integers(0, 10**6).map(lambda seconds: f"PT{seconds}S"),
        "uuid": lambda: st.uuids().map(str),
        "email": st.emails,
        "uri": lambda: st.from_regex(r"https://[a-z]{1,10}\.example(/[a-z0-9]{0,10}){0,2}", fullmatch=True),
        "ipv4": lambda: st.ip_addresses(v=4).map(str),
        "ipv6": lambda: st.ip_addresses(v=6).map(str),
        "decimal": lambda: st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
    }
    if name not in formats:
        raise InvalidArgumentError(
            f"The format {name!r} of a JSON schema is not understood. Known are: {', '.join(map(str, formats))}. "
            "Another form can be given as a pattern."
        )
    return formats[name]()


def _checked(strategy: Strategy, said: Mapping[str, Any]) -> Strategy:
    """Refuse at once limits that leave nothing to draw, and name their source."""
    try:
        strategy.validate()
    except Exception as error:
        raise InvalidArgumentError(f"No value fits the JSON schema {dict(said)!r}: {error}") from None
    return strategy


def _nothing_beside(said: Mapping[str, Any], understood: set[str] | frozenset[str]) -> None:
    others = sorted(said.keys() - understood - {"type"})
    if others:
        raise InvalidArgumentError(
            f"The JSON schema says {', '.join(map(repr, others))}, which is not understood here: {dict(said)!r}."
        )
