"""Lines that public Workers have, as they write them."""

from __future__ import annotations

import json

import pytest
import respx

from durable_engine import jsnull
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers.pyodide_ffi import create_proxy, to_js


def options(value):
    return to_js(value, dict_converter=js.Object.fromEntries)


async def test_a_response_with_headers_of_a_dicts_items():
    headers = js.Headers.new({"content-type": "text/html;charset=UTF-8"}.items())
    response = js.Response.new("<p>hi</p>", headers=headers, status=404)

    assert (response.status, response.headers.get("Content-Type")) == (404, "text/html;charset=UTF-8")


async def test_a_response_with_options_that_were_converted_by_hand():
    response = js.Response.new(json.dumps({"a": 1}), options({"headers": {"x-a": "1"}, "status": 201}))

    assert (response.status, response.headers.get("x-a"), (await response.json()).a) == (201, "1", 1)


async def test_a_request_to_an_api():
    with respx.mock:
        route = respx.post("https://api.example.com/v1").respond(json={"ok": True, "items": [1, None]})

        response = await js.fetch(
            "https://api.example.com/v1",
            options({"method": "POST", "headers": {"Authorization": "Bearer x"}, "body": json.dumps({"q": 1})}),
        )
        data = (await response.json()).to_py()

    assert data == {"ok": True, "items": [1, jsnull]}
    assert route.calls[0].request.headers["authorization"] == "Bearer x"
    assert json.loads(route.calls[0].request.content) == {"q": 1}


async def test_a_request_with_keywords():
    with respx.mock:
        respx.put("https://api.example.com/v1").respond(text="done")

        response = await js.fetch("https://api.example.com/v1", method="PUT", body="x", headers=options({"a": "b"}))

    assert (response.ok, await response.text(), response.url) == (True, "done", "https://api.example.com/v1")


async def test_a_hash_of_a_text():
    digest = await js.crypto.subtle.digest("SHA-256", js.TextEncoder.new().encode("abc"))

    assert bytes(js.Uint8Array.new(digest)).hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_buffer_that_is_filled_from_python():
    array = js.Uint8Array.new(3)
    array.assign(b"abc")

    assert js.Uint8Array.new(array.buffer).to_py().tobytes() == b"abc"
    assert js.Response.new(array.buffer).body is not jsnull


def test_a_query_and_a_path():
    url = js.URL.new("https://example.com/items/5?page=2&tag=a&tag=b")

    assert url.pathname.split("/")[-1] == "5"
    assert dict(url.searchParams) == {"page": "2", "tag": "a"}
    assert url.searchParams.get("none") is jsnull


async def test_a_timer_with_a_proxy():
    done = []
    callback = create_proxy(lambda: done.append(1))
    js.setTimeout(callback, 0)

    await js.scheduler.wait(5)

    callback.destroy()
    assert done == [1]


def test_a_name_that_is_a_keyword_of_python_goes_by_getattr():
    assert list(getattr(js.Array, "from")(to_js([1]))) == list(js.Array.from_(to_js([1]))) == [1]


def test_what_is_no_function_of_javascript_is_refused():
    with pytest.raises(AttributeError):
        _ = js.JSON.load
    with pytest.raises(AttributeError):
        _ = js.Headers.new().missing
