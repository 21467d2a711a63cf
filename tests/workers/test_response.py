"""`workers.Response`."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

import pytest

from durable_engine import JsDict, JsException
from pytest_workflows.javascript.objects import JsPlain
from pytest_workflows.workers import FetchResponse, FormData, Response
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers.js_convert import to_js

Object = js.Object

RANGE = "Responses may only be constructed with status codes in the range 200 to 599, inclusive."
NULL_BODY = "Response with null body status (101, 204, 205, or 304) cannot have a body."


async def test_a_response_says_what_it_was_made_with():
    response = Response("hello", status=HTTPStatus.CREATED, status_text="Made", headers={"X-A": "1"})

    assert (response.status, response.status_text, response.ok, response.url) == (201, "Made", True, "")
    assert response.headers["x-a"] == "1"
    assert await response.text() == "hello"
    assert isinstance(response, FetchResponse)


def test_left_out_it_is_200_with_its_reason():
    assert (Response().status, Response().status_text) == (200, "OK")
    assert Response(status=404).status_text == "Not Found"


@pytest.mark.parametrize(("status", "ok"), [(200, True), (299, True), (300, False), (404, False), (500, False)])
def test_ok_is_the_range_of_200(status, ok):
    assert Response(None, status=status).ok is ok


def test_text_has_a_content_type_unless_another_is_given():
    assert Response("a").headers["content-type"] == "text/plain;charset=UTF-8"
    assert Response("a", headers={"Content-Type": "text/html"}).headers["content-type"] == "text/html"
    assert "content-type" not in Response(b"a").headers
    assert "content-type" not in Response().headers


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "dict"),
        ([], "list"),
        (1, "int"),
        (bytearray(), "bytearray"),
        (Response(), "Response"),
        (JsPlain(), "Object"),
    ],
)
def test_a_body_of_another_type_is_refused(body, name):
    with pytest.raises(TypeError, match=rf"^Unsupported type in Response: {name}$"):
        Response(body)


def test_headers_of_another_type_are_refused():
    with pytest.raises(TypeError, match=r"^Received unexpected type for headers argument$"):
        Response("a", headers="content-type: text/html")


@pytest.mark.parametrize("status", [99, 101, 199, 600, 700])
def test_a_status_out_of_range_is_refused(status):
    with pytest.raises(JsException, match=r"range 200 to 599") as caught:
        Response("a", status=status)

    assert not isinstance(caught.value, ValueError)
    assert (caught.value.name, caught.value.message) == ("RangeError", RANGE)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is asserted below
        Response.json({}, status=status)
    assert type(caught.value) is ValueError
    assert str(caught.value) == RANGE


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_status_without_a_body_takes_none(status):
    assert Response(None, status=status).status == status
    with pytest.raises(JsException) as caught:
        Response("a", status=status)
    assert (caught.value.name, caught.value.message) == ("TypeError", NULL_BODY)


async def test_the_body_is_read_once():
    response = Response('{"a": 1}')
    assert not response.body_used

    assert await response.json() == {"a": 1}

    assert response.body_used
    for again in (response.text, response.json, response.bytes, response.buffer):
        with pytest.raises(OSError, match=r"^Response body is already used$") as caught:
            await again()
        assert type(caught.value).__name__ == "BodyUsedError"


async def test_a_clone_has_a_body_of_its_own():
    response = Response("hello", status=201)
    copy = response.clone()

    assert await response.bytes() == await copy.bytes() == b"hello"
    assert (copy.status, type(copy).__name__) == (201, "FetchResponse")


@pytest.mark.parametrize("make", [Response.json, Response.from_json])
async def test_json_is_made_as_python_makes_it(make):
    response = make({"a": [1, None]}, status=201, headers={"x-a": "1"})

    assert (response.status, response.headers["content-type"]) == (201, "application/json")
    assert response.headers["x-a"] == "1"
    assert await response.text() == '{"a": [1, null]}'


def test_json_may_have_another_content_type():
    response = Response.json({}, headers={"Content-Type": "application/ld+json"})

    assert response.headers["content-type"] == "application/ld+json"


async def test_a_status_of_an_instance_becomes_json():
    assert await Response.json(JsDict(status="complete", output=JsDict(a=1))).json() == {
        "status": "complete",
        "output": {"a": 1},
    }


def test_a_datetime_has_no_json_form():
    # Python 3.14 adds a note of where it is.
    with pytest.raises(TypeError, match=r"^Object of type datetime is not JSON serializable(\nwhen .*)?$"):
        Response.json({"at": datetime(2026, 1, 1)})


async def test_a_javascript_value_becomes_json_as_javascript_makes_it():
    value = {"a": [1.0, float("nan")], "none": None, "text": "é"}

    response = Response.json(to_js(value, dict_converter=Object.fromEntries))

    assert await response.text() == '{"a":[1,null],"text":"é"}'
    with pytest.raises(TypeError, match=r"^Do not know how to serialize a BigInt$"):
        Response.json(to_js({"a": 2**70}, dict_converter=Object.fromEntries))


def test_a_redirect_names_its_target():
    response = Response.redirect("https://example.com")

    assert response.constructor.name == "Response"
    assert (response.status, response.headers.get("location")) == (302, "https://example.com/")
    assert Response.redirect("https://example.com", HTTPStatus.MOVED_PERMANENTLY).status == 301


def test_a_redirect_is_checked():
    with pytest.raises(ValueError, match=r"^200 is not a redirect status code\.$"):
        Response.redirect("https://example.com", 200)
    with pytest.raises(TypeError, match=r"^Invalid URL: /login$"):
        Response.redirect("/login")


async def test_a_body_can_be_replaced():
    response = Response("old", status=201, status_text="Made", headers={"x-a": "1", "content-type": "text/html"})

    replaced = response.replace_body("new")

    assert (replaced.status, replaced.status_text) == (201, "Made")
    assert list(replaced.headers.items()) == [("content-type", "text/html"), ("x-a", "1")]
    assert await replaced.text() == "new"


def test_a_failed_status_can_be_raised():
    Response("fine").raise_for_status()
    with pytest.raises(OSError, match=r"^404 Client Error: Not Found for url: $"):
        Response("", status=404, status_text="Not Found").raise_for_status()
    with pytest.raises(OSError, match=r"^503 Server Error: Service Unavailable for url: $"):
        Response("", status=503).raise_for_status()


def test_a_response_shows_what_matters():
    assert repr(Response()) == "Response(status=200, status_text='OK')"
    assert repr(Response("a", status=404, status_text="Gone")) == (
        "Response(status=404, status_text='Gone', content_type='text/plain;charset=UTF-8')"
    )


@pytest.mark.parametrize(
    ("value", "shown"), [(True, "true"), (1.0, "1"), (123, "123"), (None, "undefined"), ("ü", "ü"), (" a ", "a")]
)
def test_a_header_s_value_is_put_into_words_as_javascript_does(value, shown):
    assert Response("x", headers={"a": value}).headers["a"] == shown


def test_a_header_s_name_has_no_space():
    with pytest.raises(JsException) as caught:
        Response("x", headers={"a b": "c"})
    assert caught.value.name == "TypeError"


async def test_a_response_of_javascript_is_taken_whole():
    made = js.Response.new("hello", status=201)

    response = Response(made)

    assert response.js_object is made
    assert (response.status, await response.text()) == (201, "hello")
    with pytest.raises(ValueError, match=r"^Expected no options when constructing Response from a js\.Response$"):
        Response(js.Response.new("a"), status=200)


async def test_the_body_of_one_response_is_given_to_another():
    response = Response(Response("hello").body, status=201)

    assert await response.text() == "hello"
    assert Response(None, status=204).body is None


@pytest.mark.parametrize("body", [b"\x00\xff", to_js(b"\x00\xff"), to_js(b"\x00\xff").buffer])
async def test_bytes_stay_bytes(body):
    assert await Response(body).bytes() == b"\x00\xff"


async def test_a_form_is_sent_and_read():
    response = Response(FormData({"name": "Ada"}))

    assert response.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert (await response.formData())["name"] == "Ada"
