"""`JSON` of JavaScript: values, and V8's texts."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_engine import JsBigInt, JsException, jsnull
from pytest_workflows.javascript.buffers import Uint8Array
from pytest_workflows.javascript.collections import JsDate, JsMap
from pytest_workflows.javascript.json_text import parse, stringify
from pytest_workflows.javascript.objects import JsArray, JsFunction, JsPlain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "Unexpected token 'o', \"not json\" is not valid JSON"),
        ("", "Unexpected end of JSON input"),
        (" ", "Unexpected end of JSON input"),
        ("[1,", "Unexpected end of JSON input"),
        ('{"a":', "Unexpected end of JSON input"),
        ("nul", "Unexpected end of JSON input"),
        ("﻿x", "Unexpected token '﻿', \"﻿x\" is not valid JSON"),
        ("NaN", '"NaN" is not valid JSON'),
        ("[NaN]", "Unexpected token 'N', \"[NaN]\" is not valid JSON"),
        ("{bad", "Expected property name or '}' in JSON at position 1 (line 1 column 2)"),
        ('{"a" 1}', "Expected ':' after property name in JSON at position 5 (line 1 column 6)"),
        ('{"a":1', "Expected ',' or '}' after property value in JSON at position 6 (line 1 column 7)"),
        ('{"a":1,}', "Expected double-quoted property name in JSON at position 7 (line 1 column 8)"),
        ("[1 2]", "Expected ',' or ']' after array element in JSON at position 3 (line 1 column 4)"),
        ("[1,]", "Unexpected token ']', \"[1,]\" is not valid JSON"),
        ('"ab', "Unterminated string in JSON at position 3 (line 1 column 4)"),
        ('"a\\', "Unterminated string in JSON at position 3 (line 1 column 4)"),
        ('"a\nb"', "Bad control character in string literal in JSON at position 2 (line 1 column 3)"),
        ('"\\x"', "Bad escaped character in JSON at position 2 (line 1 column 3)"),
        ('"\\u12x4"', "Bad Unicode escape in JSON at position 5 (line 1 column 6)"),
        ("-", "No number after minus sign in JSON at position 1 (line 1 column 2)"),
        ("1.", "Unterminated fractional number in JSON at position 2 (line 1 column 3)"),
        ("1e+", "Exponent part is missing a number in JSON at position 3 (line 1 column 4)"),
        ("01", "Unexpected number in JSON at position 1 (line 1 column 2)"),
        ("1\n2", "Unexpected non-whitespace character after JSON at position 2 (line 2 column 1)"),
        ("<html><body>no json at all</body>", "Unexpected token '<', \"<html><bod\"... is not valid JSON"),
        ('["0123456789", x, "0123456789"]', 'Unexpected token \'x\', ..."3456789", x, "012345"... is not valid JSON'),
        ('["0123456789012345", x]', 'Unexpected token \'x\', ..."9012345", x]" is not valid JSON'),
    ],
)
def test_what_is_no_json_is_the_syntax_error_of_v8(text: str, message: str) -> None:
    with pytest.raises(JsException) as caught:
        parse(text)

    assert (caught.value.name, caught.value.message) == ("SyntaxError", message)


def test_whole_numbers_are_ints_and_large_ones_lose_precision() -> None:
    assert repr(parse("[1.0, 1.5, -0, 9007199254740993, 1e400]").to_py()) == "[1, 1.5, 0, 9007199254740992.0, inf]"


def test_null_is_jsnull_at_any_depth() -> None:
    assert parse("null") is jsnull
    assert parse('{"a": [null]}').a[0] is jsnull


def test_keys_that_look_like_integers_come_first() -> None:
    assert stringify(parse('{"b": 1, "10": 2, "2": 3}')) == '{"2":3,"10":2,"b":1}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (JsFunction(len), None),
        (jsnull, "null"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (math.nan, "null"),
        (True, "true"),
        ("a\ud800\n", '"a\\ud800\\n"'),
        (JsPlain({"a": None, "b": JsFunction(len), "c": jsnull}), '{"c":null}'),
        (JsArray([None, JsFunction(len), 1]), "[null,null,1]"),
        (JsDate(0), '"1970-01-01T00:00:00.000Z"'),
        (JsMap({"a": 1}), "{}"),
        (Uint8Array(b"\x01\x02"), '{"0":1,"1":2}'),
    ],
)
def test_values_are_written_as_javascript_writes_them(value: Any, text: str | None) -> None:
    assert stringify(value) == text


def test_a_bigint_and_a_circle_have_no_json() -> None:
    circle = JsArray([])
    circle._items.append(circle)

    with pytest.raises(JsException, match="TypeError: Do not know how to serialize a BigInt"):
        stringify(JsBigInt(1))
    with pytest.raises(JsException, match="TypeError: Converting circular structure to JSON"):
        stringify(circle)


def test_a_replacer_and_an_indentation_are_honoured() -> None:
    value = parse('{"a": [1, {}], "b": 2}')

    assert stringify(value, indent="  ") == '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": 2\n}'
    assert stringify(value, JsArray(["b"])) == '{"b":2}'
    assert stringify(value, lambda key, item: None if key == "a" else item) == '{"b":2}'


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_what_is_written_reads_back(value: Any) -> None:
    text = stringify(parse(json.dumps(value)))

    assert text is not None
    assert json.loads(text) == value


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn \\u\n'))
def test_a_text_is_refused_where_json_has_another_grammar_than_python_alone(text: str) -> None:
    try:
        json.loads(text, parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError):
        with pytest.raises(JsException, match=r"^SyntaxError: "):
            parse(text)
    else:
        parse(text)
