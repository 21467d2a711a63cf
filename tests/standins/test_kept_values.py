"""Values of JavaScript as bytes and back: what a structured clone keeps is the same afterwards."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durable_engine import JsBigInt, JsException, jsnull
from pytest_workflows.javascript.blob import Blob
from pytest_workflows.javascript.buffers import TYPED, JsArrayBuffer, JsDataView, Uint8Array
from pytest_workflows.javascript.collections import JsDate, JsErrorObject, JsMap, JsSet
from pytest_workflows.javascript.errors import JsAggregateErrorObject, JsTypeErrorObject
from pytest_workflows.javascript.language import Boolean, Number, String
from pytest_workflows.javascript.objects import JsArray, JsPlain
from pytest_workflows.javascript.regexp import RegExp
from pytest_workflows.javascript.rpc import python_from_rpc, python_to_rpc
from pytest_workflows.standins.keeping.values import decode, encode

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=PLAIN)
@settings(deadline=None)
def test_every_plain_value_comes_back(value: Any) -> None:
    assert python_from_rpc(decode(encode(python_to_rpc(value)))) == value


@pytest.mark.parametrize("value", [None, True, 0, -1, 1.5, math.inf, "", "ä", "\ud800x", jsnull, JsBigInt(2**80)])
def test_what_is_no_object_comes_back_as_itself(value: Any) -> None:
    back = decode(encode(value))

    assert back == value
    assert type(back) is type(value)


def test_a_number_that_is_none_comes_back() -> None:
    assert math.isnan(decode(encode(math.nan)))
    assert math.isnan(decode(encode(JsDate(math.nan)))._ms)


def test_collections_and_dates_come_back() -> None:
    value = JsMap([(JsPlain({"key": 1}), JsSet(["a", 2])), ("when", JsDate(1_780_000_000_000))])

    (key, items), (name, when) = decode(encode(value))._entries.items()

    assert (key._entries, list(items._entries)) == ({"key": 1}, ["a", 2])
    assert (name, type(when), when._ms) == ("when", JsDate, 1_780_000_000_000)


def test_an_object_that_is_there_twice_is_one_afterwards_and_may_hold_itself() -> None:
    shared = JsArray([1])
    value = JsPlain({"a": shared, "b": shared})
    value._entries["self"] = value

    back = decode(encode(value))

    assert back._entries["a"] is back._entries["b"]
    assert back._entries["self"] is back


def test_views_share_their_buffer() -> None:
    buffer = JsArrayBuffer(bytes(range(16)))
    views = [*(made(buffer, 8, 1) for made in TYPED.values()), JsDataView(buffer, 3, 4), Uint8Array(buffer, 1, 2)]

    back = decode(encode(JsArray([*views, buffer])))._items

    assert [type(one) for one in back[:-1]] == [type(one) for one in views]
    assert [(one._offset, one._length) for one in back[:-1]] == [(one._offset, one._length) for one in views]
    assert all(one._buffer is back[-1] for one in back[:-1])
    assert bytes(back[-1]._data) == bytes(range(16))


def test_errors_come_back_with_what_they_hold() -> None:
    cause = JsErrorObject("the cause", "Mine")
    value = JsAggregateErrorObject(JsArray([JsTypeErrorObject("first")]), "many", JsPlain({"cause": cause}))

    back = decode(encode(value))

    assert (type(back), back.message, back.name) == (JsAggregateErrorObject, "many", "AggregateError")
    assert [(type(one), one.message) for one in back.errors._items] == [(JsTypeErrorObject, "first")]
    assert (type(back.cause), back.cause.name, back.cause.message) == (JsErrorObject, "Mine", "the cause")


def test_expressions_and_boxes_come_back() -> None:
    values = decode(encode(JsArray([RegExp("a+", "gi"), Number(1.5), String("x"), Boolean(True)])))._items

    assert (values[0].source, values[0].flags) == ("a+", "gi")
    assert [(type(one), one._primitive) for one in values[1:]] == [(Number, 1.5), (String, "x"), (Boolean, True)]


def test_what_no_clone_has_is_refused() -> None:
    with pytest.raises(JsException, match='Could not serialize object of type "Blob"'):
        encode(Blob._of(b"x", ""))


def test_a_value_may_be_nested_deeply() -> None:
    value: Any = JsArray([])
    for _ in range(20_000):
        value = JsArray([value])

    back, depth = decode(encode(value)), 0
    while back._items:
        back, depth = back._items[0], depth + 1

    assert depth == 20_000
