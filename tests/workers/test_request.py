"""`workers.Request`."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from http import HTTPMethod

import pytest

from durable_engine import JsException, jsnull
from pytest_workflows.workers import Blob, FormData, Request
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers.js_convert import to_js

Object = js.Object

URL = "https://example.com/"


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://example.com", "https://example.com/"),
        ("https://example.com?a=1", "https://example.com/?a=1"),
        ("HTTPS://Example.COM:443/A", "https://example.com/A"),
        (" https://example.com/a/../b ", "https://example.com/b"),
        ("http://localhost:8787/x#top", "http://localhost:8787/x#top"),
    ],
)
def test_the_url_is_normalised_as_javascript_does(given, normal):
    assert Request(given).url == normal


@pytest.mark.parametrize("url", ["orders/1", "", "https://", "/orders"])
def test_a_url_that_is_not_absolute_is_refused(url):
    with pytest.raises(JsException) as caught:
        Request(url)

    assert not isinstance(caught.value, TypeError)
    assert str(caught.value) == f"TypeError: Invalid URL: {url}"


@pytest.mark.parametrize("method", ["post", "POST", HTTPMethod.POST])
def test_the_method_is_an_http_method(method):
    assert Request(URL, method=method).method is HTTPMethod.POST
    assert Request(URL).method is HTTPMethod.GET


def test_an_unknown_method_is_refused():
    with pytest.raises(JsException, match=r"^TypeError: Invalid HTTP method string: FETCH$"):
        Request(URL, method="FETCH")


def test_headers_are_read_without_regard_to_case():
    headers = Request(URL, headers={"X-Token": "abc", "Accept": "text/html"}).headers

    assert headers["x-token"] == headers.get("X-TOKEN") == "abc"
    assert headers["missing"] is None
    assert headers.get("missing", "default") == "default"
    assert "accept" in headers
    assert list(headers.items()) == [("accept", "text/html"), ("x-token", "abc")]
    assert isinstance(headers, http.client.HTTPMessage)
    assert isinstance(headers, Mapping)


def test_repeated_headers_are_joined_except_cookies():
    headers = Request(URL, headers=[("A", "1"), ("a", "2"), ("Set-Cookie", "x=1"), ("Set-Cookie", "y=2")]).headers

    assert headers["a"] == "1, 2"
    assert headers.get_all("set-cookie") == ["x=1", "y=2"]


def test_changing_the_headers_changes_no_request():
    request = Request(URL, headers={"a": "1"})

    request.headers["b"] = "2"

    assert "b" not in request.headers


@pytest.mark.parametrize("headers", [None, (("a", "1"),), "a: 1"])
def test_headers_of_another_type_are_refused(headers):
    with pytest.raises(TypeError, match=r"^Received unexpected type for headers argument$"):
        Request(URL, headers=headers)


async def test_the_body_is_read_as_text_json_or_bytes():
    def request():
        return Request(URL, method="POST", body='{"price": 1.5}')

    assert await request().text() == '{"price": 1.5}'
    assert await request().json() == {"price": 1.5}
    assert await request().json(parse_float=str) == {"price": "1.5"}
    assert await request().bytes() == b'{"price": 1.5}'


async def test_a_buffer_reads_as_on_the_platform():
    buffer = await Request(URL, method="POST", body=b"abc").buffer()

    assert buffer.byteLength == 3
    assert buffer.to_bytes() == b"abc"
    assert buffer.to_string() == "abc"
    assert buffer.to_memoryview().tolist() == [97, 98, 99]


async def test_a_body_is_read_once():
    request = Request(URL, method="POST", body="hello")
    assert request.body_used is False

    await request.text()

    assert request.body_used is True
    for again in (request.text, request.json, request.bytes, request.buffer):
        with pytest.raises(OSError, match=r"^Body already used$"):
            await again()
    with pytest.raises(OSError, match=r"^Body already used$"):
        request.clone()


async def test_no_body_reads_as_empty_any_number_of_times():
    request = Request(URL)

    assert await request.text() == await request.text() == ""
    assert request.body_used is False


async def test_a_clone_has_a_body_of_its_own():
    request = Request(URL, method="POST", body="hello")
    copy = request.clone()

    assert await request.text() == await copy.text() == "hello"


async def test_a_copy_takes_over_method_headers_and_body():
    request = Request(URL, method="PUT", headers={"a": "1"}, body=b"hello")

    copy = Request(request)

    assert (copy.url, copy.method, copy.headers["a"]) == (URL, HTTPMethod.PUT, "1")
    assert await copy.text() == "hello"
    assert request.body_used
    with pytest.raises(JsException, match=r"^TypeError: Cannot reconstruct a Request with a used body\.$"):
        Request(request)


async def test_a_copy_may_differ():
    copy = Request(Request(URL, headers={"a": "1"}), method="POST", headers={"b": "2"}, body="hello")

    assert list(copy.headers.items()) == [("b", "2"), ("content-type", "text/plain;charset=UTF-8")]
    assert await copy.text() == "hello"


def test_text_has_a_content_type_unless_another_is_given():
    def content_type(**options):
        return Request(URL, method="POST", **options).headers["content-type"]

    assert content_type(body="a") == "text/plain;charset=UTF-8"
    assert content_type(body="a", headers={"Content-Type": "text/csv"}) == "text/csv"
    assert content_type(body=b"a") is None


def test_a_get_has_no_body():
    with pytest.raises(JsException, match=r"^TypeError: Request with a GET or HEAD method cannot have a body\.$"):
        Request(URL, body="hello")


@pytest.mark.parametrize(("body", "name"), [({}, "dict"), (1, "int"), (bytearray(b"a"), "bytearray")])
def test_a_body_of_another_type_is_refused(body, name):
    with pytest.raises(TypeError, match=rf"^Unsupported type in Request: {name}$"):
        Request(URL, method="POST", body=body)


def test_it_stands_for_a_request_of_javascript():
    request = Request(URL, method="POST", body="a")

    assert request.js_object.constructor.name == "Request"
    assert Request(request.js_object).js_object is request.js_object
    with pytest.raises(ValueError, match=r"^Expected no options when constructing Request from a js\.Request$"):
        Request(request.js_object, method="PUT")


def test_cf_is_none_unless_the_request_has_it():
    made = js.Request.new(URL, to_js({"cf": {"colo": "DFW"}}, dict_converter=Object.fromEntries))

    assert Request(URL).cf is None
    assert Request(made).cf.colo == "DFW"


def test_the_body_is_a_stream():
    assert Request(URL, method="POST", body="a").body.constructor.name == "ReadableStream"
    assert Request(URL).body is jsnull


def test_what_a_browser_s_request_has_can_be_asked_for():
    request = Request(URL)

    assert (request.redirect, request.keepalive, request.integrity) == ("follow", False, "")
    with pytest.raises(AttributeError, match=r"^'Request' object has no attribute 'path'$"):
        _ = request.path


async def test_a_form_is_read():
    request = Request(URL, method="POST", body=FormData({"name": "Ada", "photo": Blob(b"jpg", "image/jpeg")}))

    form = await request.form_data()

    assert form["name"] == "Ada"
    assert (await form["photo"].bytes(), form["photo"].content_type) == (b"jpg", "image/jpeg")
    with pytest.raises(OSError, match=r"^Body already used$"):
        await request.form_data()


async def test_a_body_that_is_no_form_is_a_python_error():
    with pytest.raises(TypeError):
        await Request(URL, method="POST", body="a").form_data()


async def test_a_blob_has_the_request_s_content_type():
    blob = await Request(URL, method="POST", body="a", headers={"content-type": "text/csv"}).blob()

    assert (await blob.text(), blob.content_type, blob.size) == ("a", "text/csv", 1)


def test_a_request_shows_its_method_and_url():
    assert repr(Request(URL, method="POST")) == "Request(method='POST', url='https://example.com/')"
