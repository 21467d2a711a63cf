"""`js` and `pyodide.ffi`, for sources that still convert by hand."""

from __future__ import annotations

import time

import pytest

from durable_engine import ConversionError, JsDict, JsException, JsProxy, cross, jsnull
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers import python_from_rpc, python_to_rpc
from pytest_workflows.workers.pyodide_ffi import create_once_callable, create_proxy, to_js

OPTIONS = {"id": "x", "params": {"items": [1, {"a": None}], "tags": {"b"}}}


def test_options_converted_by_hand_cross_as_they_are():
    converted = to_js(OPTIONS, dict_converter=js.Object.fromEntries)

    assert isinstance(converted, JsProxy)
    assert converted.id == "x"
    assert cross(converted) == OPTIONS
    assert isinstance(cross(converted), JsDict)


def test_without_a_dict_converter_they_cross_too():
    assert cross(to_js(OPTIONS)) == OPTIONS


def test_a_converted_part_may_stand_inside_a_plain_dict():
    assert cross({"id": "x", "params": to_js({"a": 1})}) == {"id": "x", "params": {"a": 1}}
    assert cross(to_js({"params": to_js({"a": 1})})) == {"params": {"a": 1}}


def test_a_tuple_becomes_an_array():
    assert to_js({"a": (1, 2)}).to_py() == {"a": [1, 2]}


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "a"])
def test_a_plain_value_stays_as_it_is(value):
    assert to_js(value) is value


def test_a_converted_copy_shares_nothing():
    source = {"a": [1]}

    to_js(source).to_py()["a"].append(2)

    assert source == {"a": [1]}


def test_the_depth_is_kept_to():
    inner = (1, 2)

    assert to_js([inner], depth=1).to_py()[0] is inner


def test_another_object_goes_through_the_default_converter():
    def convert(value, further, cache):
        return further({"text": str(value)})

    assert to_js([1j], default_converter=convert).to_py() == [{"text": "1j"}]
    assert to_js(1j) == 1j
    with pytest.raises(ConversionError, match=r"^No conversion known for 1j\.$"):
        to_js(1j, create_pyproxies=False)


def test_a_key_that_javascript_cannot_have_is_refused():
    with pytest.raises(ConversionError, match=r"^Cannot use \(1, 2\) as a key for a Javascript Map$"):
        to_js({(1, 2): 3})


def test_a_proxy_stands_for_its_function_until_destroyed():
    proxy = create_proxy(lambda a, b: a + b)
    assert proxy(1, b=2) == 3

    proxy.destroy()

    with pytest.raises(JsException, match=r"^Error: Object has already been destroyed$"):
        proxy(1, 2)


def test_a_once_callable_is_called_once():
    once = create_once_callable(lambda: "called")
    assert once() == "called"

    with pytest.raises(JsException, match=r"^Error: OnceProxy can only be called once$"):
        once()


def test_date_now_is_the_clock_of_time(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1767225600.1234)

    assert js.Date.now() == 1767225600123


def test_json_goes_both_ways():
    assert js.JSON.stringify(to_js({"a": [1.0, None]})) == '{"a":[1,null]}'
    assert js.JSON.parse('{"a": {"b": 1}}').a.b == 1
    assert js.JSON.parse("[1]").to_py() == [1]
    assert js.JSON.parse("1") == 1


def test_the_console_prints(capsys):
    js.console.log("order", 1, to_js({"a": 1}), jsnull)
    js.console.warn("careful")

    assert capsys.readouterr() == ('order 1 {"a":1} null\n', "careful\n")


def test_a_global_that_is_not_provided_says_what_there_is():
    with pytest.raises(AttributeError) as caught:
        _ = js.HTMLRewriter

    assert str(caught.value).startswith(
        "pytest-workflows does not provide js.HTMLRewriter yet. js provides here: Abort"
    )


def test_a_global_that_a_worker_does_not_have_is_no_promise():
    with pytest.raises(AttributeError) as caught:
        _ = js.document

    assert str(caught.value).startswith("module 'js' has no attribute 'document'. It provides: AbortController, ")


def test_every_global_that_is_provided_is_there():
    assert [name for name in js.__all__ if not hasattr(js, name)] == []
    assert js.globalThis.Object is js.Object


def test_rpc_conversions_go_both_ways():
    sent = python_to_rpc({"a": [1.0, None]})

    assert isinstance(sent, JsProxy)
    assert python_from_rpc(sent) == {"a": [1, None]}
    assert isinstance(python_from_rpc(sent), JsDict)
    assert python_to_rpc(None) is jsnull
    assert python_from_rpc(jsnull) is None
    assert python_to_rpc("a") == python_from_rpc("a") == "a"
    with pytest.raises(TypeError, match=r"^<class 'tuple'> cannot be sent over RPC\.$"):
        python_to_rpc((1, 2))
