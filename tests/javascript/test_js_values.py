"""What expressions with values of JavaScript give, as seen with SDK 1.9.5 on Pyodide 314 (Python 3.14)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from durable_engine import JsException, jsnull
from pytest_workflows.javascript.objects import JsArray, JsPlain
from pytest_workflows.javascript.rpc import python_from_rpc, python_to_rpc
from pytest_workflows.workers import Response
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers.pyodide_ffi import to_js

JSON = js.JSON


def obj(value):
    return to_js(value, dict_converter=js.Object.fromEntries)


@pytest.mark.parametrize(
    "use",
    [lambda o: o["a"], lambda o: "a" in o, len, list],
    ids=["subscript", "in", "len", "iteration"],
)
def test_a_plain_object_is_no_mapping(use):
    with pytest.raises(TypeError):
        use(obj({"a": 1}))


def test_a_plain_object_is_itself_alone_and_true():
    assert bool(obj({})) is True
    assert obj({"a": 1}) != obj({"a": 1})
    assert obj({"a": 1}).a == 1
    assert obj({"a": [1, {"b": 2}]}).to_py() == {"a": [1, {"b": 2}]}


def test_every_object_is_of_one_class_in_python():
    assert type(obj({})).__name__ == type(js.Headers).__name__ == type(js.Headers.new()).__name__ == "JsProxy"
    assert js.Headers.new().constructor.name == "Headers"
    assert repr(js.Headers.new()) == "[object Headers]"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (obj({"a": 1, "b": None}), '{"a":1}'),
        (obj({"a": [None, float("nan")]}), '{"a":[null,null]}'),
        (None, None),
        (jsnull, "null"),
        (1e-7, "1e-7"),
        (1.0, "1"),
        (obj({"b": 2, 0: 3}), '{"0":3,"b":2}'),
        ("ü\n\ud800", '"ü\\n\\ud800"'),
    ],
)
def test_stringify_writes_as_javascript_does(value, text):
    assert JSON.stringify(value) == text


def test_stringify_takes_a_replacer_and_a_space():
    value = obj({"a": 1, "b": [2, {}]})

    assert JSON.stringify(value, None, 2) == '{\n  "a": 1,\n  "b": [\n    2,\n    {}\n  ]\n}'
    assert JSON.stringify(value, to_js(["a"])) == '{"a":1}'
    assert JSON.stringify(value, lambda key, item: 5 if key == "a" else item) == '{"a":5,"b":[2,{}]}'


def test_parse_gives_values_of_javascript():
    assert JSON.parse("null") is jsnull
    assert JSON.parse("null") is not None
    assert JSON.parse('{"a":null}').a is jsnull
    assert JSON.parse('{"a": 1}', lambda key, value: 2 if key == "a" else value).a == 2
    assert (JSON.parse("1.0"), type(JSON.parse("1.0"))) == (1, int)
    assert JSON.parse("12345678901234567890") == 1.2345678901234567e19


@pytest.mark.parametrize("text", ["NaN", "{", "", "{'a': 1}"])
def test_what_is_no_json_is_a_syntax_error(text):
    with pytest.raises(JsException) as caught:
        JSON.parse(text)

    assert caught.value.name == "SyntaxError"


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (1.0, "1"), (None, "undefined")])
def test_a_header_is_written_as_javascript_writes_its_value(value, text):
    assert Response("x", headers={"a": value}).headers["a"] == text


def test_a_header_name_with_a_space_is_refused_and_a_latin_value_accepted():
    with pytest.raises(JsException, match=r"^TypeError: Invalid header name\.$"):
        Response("x", headers={"a b": "c"})

    assert Response("x", headers={"a": "ü"}).headers["a"] == "ü"


def test_a_redirect_is_a_raw_response_and_a_clone_a_fetch_response():
    assert type(Response.redirect("https://a.example")).__name__ == "JsProxy"
    assert type(Response("x").clone()).__name__ == "FetchResponse"
    assert Response("x").status_text == "OK"


async def test_json_of_an_object_leaves_out_what_is_undefined():
    assert await Response.json(obj({"a": None})).text() == "{}"
    with pytest.raises(TypeError, match=r"^Do not know how to serialize a BigInt$"):
        Response.json(obj({"a": 2**70}))


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("(to_js([1]) + [2]).includes(2)", "True"),
        ("to_js({1}).constructor.new([1, 2]).size", "2"),
        ("JsDate(0).getUTCFullYear()", "1970"),
        ("JsPlain({'a': 1}).constructor.keys(JsPlain({'a': 1}))", "a"),
    ],
)
def test_an_object_has_its_methods_though_nobody_named_its_class_before(value, seen):
    source = f"""
from pytest_workflows.javascript.collections import JsDate
from pytest_workflows.javascript.objects import JsPlain
from pytest_workflows.workers.pyodide_ffi import to_js
print({value})
"""
    found = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout.strip()
    assert found == seen


def test_a_date_that_is_none_says_so_in_every_text():
    date = js.Date.new(float("nan"))
    names = ("toString", "toUTCString", "toDateString", "toLocaleDateString", "toLocaleTimeString", "toLocaleString")
    assert {getattr(date, name)() for name in names} == {"Invalid Date"}
    assert js.Date.new(0).toLocaleString() == "1/1/1970, 12:00:00 AM"


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (lambda: to_js([1, 2, 3]).slice(0, float("inf")), [1, 2, 3]),
        (lambda: to_js([1, 2, 3]).splice(1, float("inf")), [2, 3]),
        (lambda: to_js([1, 2, 3]).slice(-float("inf"), 1), [1]),
        (lambda: js.Uint8Array.of(1, 2, 3).slice(1, float("inf")), [2, 3]),
        (lambda: getattr(js.Uint8Array, "from")(to_js(["0x10", " 7 ", "", "1_0", None])), [16, 7, 0, 0, 0]),
        (lambda: js.Uint8ClampedArray.of(float("inf"), -1, 1.5, float("nan"), "300"), [255, 0, 2, 0, 255]),
        (lambda: js.Uint8Array.new(float("nan")), []),
        (lambda: js.Uint8Array.new("2"), [0, 0]),
    ],
)
def test_numbers_are_read_as_javascript_reads_them(value, seen):
    assert list(value()) == seen


def test_a_bigint_is_no_number_of_a_clamped_array():
    with pytest.raises(JsException, match="Cannot convert a BigInt value to a number"):
        js.Uint8ClampedArray.of(js.BigInt(1))


def at_depth(frames, call):
    return at_depth(frames - 1, call) if frames else call()


@pytest.mark.parametrize("frames", range(12))
def test_a_value_that_contains_itself_is_refused_in_the_same_words_from_however_deep_a_caller(frames):
    listed, kept = [], {}
    listed.append(listed)
    kept["me"] = kept
    plain, array = JsPlain({}), JsArray([])
    plain._entries["me"] = plain
    array._items.append(array)

    for convert, value in (
        (python_to_rpc, listed),
        (python_to_rpc, kept),
        (python_from_rpc, plain),
        (python_from_rpc, array),
    ):
        with pytest.raises(RecursionError, match=r"^maximum recursion depth exceeded$"):
            at_depth(frames, lambda convert=convert, value=value: convert(value))
