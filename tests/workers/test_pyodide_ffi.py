"""`pyodide.ffi`: conversions and proxies, as they were seen on Pyodide 314 and before."""

from __future__ import annotations

import pytest

from durable_engine import ConversionError, JsException, JsProxy
from pytest_workflows.javascript import runtime
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers import pyodide_ffi as ffi
from pytest_workflows.workers.pyodide_ffi import create_proxy, destroy_proxies, to_js


@pytest.fixture
def older_python():
    runtime.set_runtime(lambda: (3, 13))
    yield
    runtime.set_runtime()


def test_a_dict_without_a_converter_is_a_plain_object_on_3_14():
    made = to_js({"a": 1})

    assert (made.a, made.constructor.name) == (1, "Object")
    with pytest.raises(TypeError):
        made["a"]


@pytest.mark.usefixtures("older_python")
def test_a_dict_without_a_converter_is_a_literal_map_on_3_12_and_3_13():
    made = to_js({"a": 1, "b": {"c": 2}})

    assert (made["a"], made.a, made.get("a"), "a" in made, len(made), list(made)) == (1, 1, 1, True, 2, ["a", "b"])
    assert made.b.c == 2
    assert made.to_py() == {"a": 1, "b": {"c": 2}}
    assert js.JSON.stringify(made) == '{"a":1,"b":{"c":2}}'
    assert js.Response.new("x", made).status == 200
    assert js.Response.new("x", to_js({"status": 201})).status == 201
    assert js.Headers.new(made).get("a") == "1"


@pytest.mark.usefixtures("older_python")
def test_a_dict_converter_decides_on_every_python():
    assert to_js({"a": 1}, dict_converter=js.Object.fromEntries).constructor.name == "Object"


def test_a_value_that_holds_itself_is_converted_once():
    source: list[object] = [1]
    source.append(source)

    made = to_js(source)

    assert made[1] is made


def test_bytes_are_a_typed_array_and_other_objects_stay():
    class Own: ...

    own = Own()

    assert to_js(b"ab").constructor.name == "Uint8Array"
    assert to_js(own) is own
    assert to_js([own])[0] is own
    with pytest.raises(ConversionError, match=r"^No conversion known for <"):
        to_js([own], create_pyproxies=False)


def test_an_eager_converter_is_asked_first():
    made = to_js([1, "a"], eager_converter=lambda value, convert, cache: "text" if value == "a" else convert(value))

    assert list(made) == [1, "text"]


def test_a_proxy_has_what_its_object_has_until_it_is_destroyed():
    proxy = create_proxy({"a": 1})

    assert isinstance(proxy, JsProxy)
    assert list(proxy.keys()) == ["a"]
    assert proxy.unwrap() == {"a": 1}
    destroy_proxies([proxy])
    with pytest.raises(JsException, match=r"^Error: Object has already been destroyed$"):
        proxy.unwrap()


def test_a_proxy_of_bytes_gives_a_typed_array():
    buffer = create_proxy(b"abc").getBuffer()

    assert buffer.data.to_bytes() == b"abc"
    assert buffer.data.slice().constructor.name == "Uint8Array"
    buffer.release()


def test_a_destroyed_callback_is_not_called():
    called = []
    callback = create_proxy(called.append)
    target = js.EventTarget.new()
    target.addEventListener("x", callback)
    target.dispatchEvent(js.Event.new("x"))
    callback.destroy()

    with pytest.raises(JsException, match=r"^Error: Object has already been destroyed$"):
        target.dispatchEvent(js.Event.new("x"))
    assert len(called) == 1


def test_the_properties_of_an_object_can_be_a_mapping():
    made = js.JSON.parse('{"a": {"b": [1, {"c": null}]}}')

    assert dict(made.as_object_map())["a"].b[0] == 1
    assert made.as_object_map(hereditary=True)["a"]["b"][0] == 1
    assert made.as_py_json()["a"]["b"][1]["c"] is ffi.jsnull
    made.as_object_map()["d"] = 5
    assert (made.d, list(made.object_keys())) == (5, ["a", "d"])


def test_the_classes_of_proxies_are_told_apart():
    assert isinstance(to_js([1]), ffi.JsArray)
    assert isinstance(to_js(b"a"), ffi.JsBuffer)
    assert isinstance(js.Map.new(), ffi.JsMap)
    assert isinstance(js.Promise.resolve(1), ffi.JsPromise)
    assert isinstance(js.Response, ffi.JsCallable)
    assert not isinstance(to_js({}), ffi.JsArray)


def test_an_object_can_be_imported_as_a_module():
    ffi.register_js_module("helper_of_js", js.JSON.parse('{"answer": 42}'))
    try:
        from helper_of_js import answer

        assert answer == 42
    finally:
        ffi.unregister_js_module("helper_of_js")
    with pytest.raises(ValueError, match=r"^Cannot unregister 'helper_of_js'"):
        ffi.unregister_js_module("helper_of_js")


def test_functions_of_javascript_can_be_bound():
    assert js.Math.max.bind(None, 1)(5) == 5
    assert js.Math.max.call(None, 1, 2) == 2
    assert js.Math.max.apply(None, [3, 4]) == 4
