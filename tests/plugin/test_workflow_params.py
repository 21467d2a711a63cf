"""workflow_params: JSON values from type hints or from a JSON schema, which cross to the platform unchanged."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Literal, NotRequired, TypedDict

import msgspec
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from durable_engine import InvalidArgumentError, cross
from pytest_workflows.strategies import workflow_params

few = settings(
    max_examples=50, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


class Size(Enum):
    SMALL = "S"
    LARGE = "L"


@dataclass
class Line:
    sku: str
    quantity: int
    price: float


@dataclass
class Order:
    customer: str
    lines: list[Line]
    size: Size
    placed: datetime
    total: Decimal
    way: Literal["card", "transfer"]
    note: str | None = None
    tags: dict[str, int] = field(default_factory=dict)


class Person(TypedDict):
    name: str
    friends: "list[Person]"
    age: NotRequired[int]


class Point(msgspec.Struct):
    x: int
    y: int = 0


SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "amount": {"type": "integer", "minimum": 1, "exclusiveMaximum": 10},
        "even": {"type": "integer", "multipleOf": 2},
        "rate": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "sku": {"type": "string", "pattern": "^[A-Z]{2}[0-9]$"},
        "word": {"type": "string", "minLength": 2, "maxLength": 3},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "minItems": 1, "maxItems": 2},
        "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
        "kind": {"enum": ["a", "b"]},
        "version": {"const": 2},
        "either": {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
        "both": {"type": ["null", "integer"]},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 2},
        "tree": {"$ref": "#/$defs/tree"},
    },
    "required": ["id", "amount", "lines"],
    "additionalProperties": False,
    "$defs": {
        "line": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]},
        "tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
    },
}


@given(workflow_params(Order))
@few
def test_a_dataclass_becomes_what_a_client_sends_as_json(params):
    assert json.loads(json.dumps(params, allow_nan=False)) == params == cross(params)
    order = msgspec.convert(params, Order)
    assert order.size in Size
    assert params["size"] in ("S", "L")


@given(workflow_params(Person))
@settings(few, max_examples=8)  # each of them is dozens of persons
def test_a_typed_dict_may_hold_its_own_kind(params):
    assert {"name", "friends"} <= params.keys() <= {"name", "friends", "age"}
    assert all(isinstance(friend["name"], str) for friend in params["friends"])
    assert cross(params) == params


@given(workflow_params(Point))
@few
def test_a_struct_of_msgspec_leaves_out_what_has_a_default(params):
    assert msgspec.convert(params, Point).x == params["x"]


def test_optional_fields_are_there_and_not():
    assert "y" not in find(workflow_params(Point), lambda params: "y" not in params)
    assert "y" in find(workflow_params(Point), lambda params: "y" in params)


@given(workflow_params(int) | workflow_params(float) | workflow_params(list[int | None]))
@few
def test_no_value_is_drawn_that_comes_back_as_another(value):
    assert cross(value) == value
    assert not isinstance(value, int) or abs(value) < 2**53 - 1


def test_a_strategy_that_hypothesis_has_for_a_type_is_used():
    class Sku(str):
        pass

    st.register_type_strategy(Sku, st.just(Sku("A1")))

    @dataclass
    class Item:
        sku: "Sku"

    Item.__annotations__["sku"] = Sku
    assert find(workflow_params(Item), lambda _: True) == {"sku": "A1"}


@given(workflow_params(SCHEMA))
@few
def test_a_json_schema_is_kept(params):
    assert {"id", "amount", "lines"} <= params.keys() <= SCHEMA["properties"].keys()
    assert 1 <= params["amount"] < 10
    assert 1 <= len(params["lines"]) <= 2
    assert all(line.keys() == {"sku"} for line in params["lines"])
    assert params.get("even", 2) % 2 == 0
    assert 0 < params.get("rate", 1) <= 1
    assert 2 <= len(params.get("word", "ab")) <= 3
    assert params.get("kind", "a") in ("a", "b")
    assert params.get("version", 2) == 2
    assert params.get("either") in (None, True, False)
    assert len(params.get("counts", {})) <= 2
    assert [type(part) for part in params.get("pair", [1, ""])] == [int, str]
    assert cross(params) == params


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (object(), "workflow_params takes a class with type hints, another type that JSON has a form for"),
        (complex, "not <class 'complex'>: TypeError"),
        (set[object], "workflow_params takes a class with type hints"),
        ({"type": "thing"}, "A JSON schema has no type 'thing'. It has: null, boolean, integer"),
        ({"type": "string", "format": "iban"}, "The format 'iban' of a JSON schema is not understood. Known are: date"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "No value fits the JSON schema"),
        ({"type": "object", "if": {}, "then": {}}, "The JSON schema says 'if', 'then', which is not understood here"),
        ({"$ref": "#/$defs/nothing"}, "The JSON schema refers to '#/$defs/nothing', which it does not have."),
        ({"allOf": [{}, {}]}, "allOf of several parts is not understood"),
    ],
)
def test_what_cannot_be_drawn_is_told_at_once(source, message):
    with pytest.raises(InvalidArgumentError) as caught:
        workflow_params(source)

    assert message in str(caught.value)
