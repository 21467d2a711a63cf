"""`workers.Response`."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

import pytest

from durable_engine import JsBigInt, JsDict, JsException, JsProxy
from pytest_workflows.workers import FetchResponse, Response

RANGE = "Responses may only be constructed with status codes in the range 200 to 599, inclusive."
NULL_BODY = "Response with null body status (101, 204, 205, or 304) cannot have a body."


async def test_a_response_says_what_it_was_made_with():
    response = Response("hello", status=HTTPStatus.CREATED, status_text="Made", headers={"X-A": "1"})

    assert (response.status, response.status_text, response.ok, response.url) == (201, "Made", True, "")
    assert response.headers["x-a"] == "1"
    assert await response.text() == "hello"
    assert isinstance(response, FetchResponse)


def test_left_out_it_is_200_without_a_reason():
    assert (Response().status, Response().status_text) == (200, "")


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
        (JsProxy({}), "Object"),
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
    with pytest.raises(ValueError, match=r"range 200 to 599") as caught:
        Response("a", status=status)

    assert isinstance(caught.value, JsException)
    assert (caught.value.name, caught.value.message) == ("RangeError", RANGE)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is asserted below
        Response.json({}, status=status)
    assert type(caught.value) is ValueError
    assert str(caught.value) == RANGE


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_status_without_a_body_takes_none(status):
    assert Response(None, status=status).status == status
    with pytest.raises(TypeError) as caught:
        Response("a", status=status)
    assert isinstance(caught.value, JsException)
    assert caught.value.message == NULL_BODY


async def test_the_body_is_read_once():
    response = Response('{"a": 1}')
    assert not response.body_used

    assert await response.json() == {"a": 1}

    assert response.body_used
    for again in (response.text, response.json, response.bytes, response.buffer):
        with pytest.raises(OSError, match=r"^Body already used$"):
            await again()


async def test_a_clone_has_a_body_of_its_own():
    response = Response("hello", status=201)
    copy = response.clone()

    assert await response.bytes() == await copy.bytes() == b"hello"
    assert copy.status == 201


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
    value = {"a": [1.0, float("nan")], "at": datetime(2026, 1, 2, 3, 4, 5, 678000), "set": {1}, "text": "é"}

    response = Response.json(JsProxy(value))

    assert await response.text() == '{"a":[1,null],"at":"2026-01-02T03:04:05.678Z","set":{},"text":"é"}'
    with pytest.raises(TypeError, match=r"^Do not know how to serialize a BigInt$"):
        Response.json(JsProxy({"a": JsBigInt(1)}))


def test_a_redirect_names_its_target():
    response = Response.redirect("https://example.com")

    assert (response.status, response.headers["location"]) == (302, "https://example.com/")
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
    with pytest.raises(OSError, match=r"^503 Server Error:  for url: $"):
        Response("", status=503).raise_for_status()


def test_a_response_shows_what_matters():
    assert repr(Response()) == "Response(status=200)"
    assert repr(Response("a", status=404, status_text="Gone")) == (
        "Response(status=404, status_text='Gone', content_type='text/plain;charset=UTF-8')"
    )
