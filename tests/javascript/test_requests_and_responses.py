"""`Request`, `Response`, `FormData` and `Blob` as Python code on the platform meets them."""

from __future__ import annotations

import pytest

from durable_engine import JsException, jsnull
from pytest_workflows.javascript.blob import Blob as BlobClass
from pytest_workflows.javascript.blob import File as FileClass
from pytest_workflows.javascript.buffers import Uint8Array as Uint8ArrayClass
from pytest_workflows.javascript.form_data import FormData as FormDataClass
from pytest_workflows.javascript.objects import JsPlain, constructor_of
from pytest_workflows.javascript.request import Request as RequestClass
from pytest_workflows.javascript.response import Response as ResponseClass

Request, Response, FormData = map(constructor_of, (RequestClass, ResponseClass, FormDataClass))
Blob, File, Uint8Array = map(constructor_of, (BlobClass, FileClass, Uint8ArrayClass))
USED = "TypeError: Body has already been used. It can only be used once. Use tee() first if you need to read it twice."


async def test_a_body_is_read_once():
    response = Response.new("hi", status=201)

    assert await response.text() == "hi"
    assert (response.status, response.statusText, response.ok, response.bodyUsed) == (201, "Created", True, True)
    with pytest.raises(JsException) as caught:
        await response.text()
    assert str(caught.value) == USED


async def test_a_clone_has_a_body_of_its_own():
    response = Response.new("hi")
    copy = response.clone()

    assert await copy.text() == await response.text() == "hi"


async def test_a_clone_of_a_streamed_body_has_one_too():
    response = Response.new(Response.new("hi").body)
    copy = response.clone()

    assert await copy.text() == await response.text() == "hi"


async def test_a_body_is_a_stream_of_chunks():
    response = Response.new(Uint8Array.new(b"x" * 5000))

    assert [len(chunk.to_bytes()) async for chunk in response.body] == [4096, 904]
    assert response.bodyUsed


def test_no_body_is_null():
    assert Response.new().body is jsnull
    assert Request.new("https://a.b").body is jsnull


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("text", "text/plain;charset=UTF-8"),
        (12, "text/plain;charset=UTF-8"),
        (Uint8Array.new(b"x"), jsnull),
        (Blob.new(["x"], type="Text/CSS"), "text/css"),
        (Blob.new(["x"]), jsnull),
    ],
)
def test_a_body_says_what_type_it_is(body, kind):
    assert Response.new(body).headers.get("content-type") == kind


async def test_bytes_of_python_are_no_buffer_of_javascript():
    assert await Response.new(b"x").text() == "b'x'"


@pytest.mark.parametrize("status", [101, 199, 600])
def test_a_status_out_of_range_is_a_range_error(status):
    with pytest.raises(
        JsException, match=r"^RangeError: Responses may only be constructed with status codes in the range 200 to 599"
    ):
        Response.new(None, status=status)


def test_a_status_without_a_body_takes_none():
    assert Response.new(None, status=204).status == 204
    with pytest.raises(JsException, match=r"^TypeError: Response with null body status"):
        Response.new("x", status=204)


async def test_response_json_writes_as_javascript_does():
    response = Response.json(JsPlain({"a": 1.0, "b": None}), status=404)

    assert (response.status, response.headers.get("content-type")) == (404, "application/json")
    assert await response.text() == '{"a":1}'


async def test_what_json_says_is_an_object():
    body = await Response.new('{"a": {"b": [1.0, null]}}').json()

    assert body.a.b[0] == 1
    assert body.a.b[1] is jsnull


def test_a_redirect_needs_a_status_for_it_and_a_url():
    assert Response.redirect("https://a.example", 301).headers.get("location") == "https://a.example/"
    with pytest.raises(JsException, match=r"^RangeError: 502 is not a redirect status code\.$"):
        Response.redirect("https://a.example", 502)
    with pytest.raises(JsException, match=r"^TypeError: Invalid URL: $"):
        Response.redirect("")


async def test_a_request_made_of_another_takes_over_its_body():
    first = Request.new("https://a.b", method="post", body="x", headers=JsPlain({"X-A": "1"}))
    second = Request.new(first)

    assert (second.method, second.url, second.headers.get("x-a"), await second.text()) == (
        "POST",
        "https://a.b/",
        "1",
        "x",
    )
    assert first.bodyUsed
    with pytest.raises(JsException, match=r"^TypeError: Cannot reconstruct a Request with a used body\.$"):
        Request.new(first)


@pytest.mark.parametrize(
    ("url", "options", "text"),
    [
        ("nowhere", {}, "Invalid URL: nowhere"),
        ("https://a.b", {"method": "BREW"}, "Invalid HTTP method string: BREW"),
        ("https://a.b", {"body": "x"}, "Request with a GET or HEAD method cannot have a body."),
    ],
)
def test_a_request_that_is_none_is_a_type_error(url, options, text):
    with pytest.raises(JsException) as caught:
        Request.new(url, **options)

    assert str(caught.value) == f"TypeError: {text}"


async def test_a_form_goes_through_a_body():
    form = FormData.new()
    form.append("number", 123)
    form.append('na"me\n', "ü")
    form.append("file", Blob.new(["print(42)"], type="text/python"), "a.py")
    form.append("blob", Blob.new(["x"]))

    read = await Response.new(form).formData()

    assert read.get("number") == "123"
    assert read.get('na"me\n') == "ü"
    file = read.get("file")
    assert (file.name, file.type, await file.text()) == ("a.py", "text/python", "print(42)")
    assert (read.get("blob").name, read.get("blob").constructor.name) == ("blob", "File")
    assert list(read.keys()) == ["number", 'na"me\n', "file", "blob"]


async def test_the_same_form_has_the_same_body():
    def made():
        form = FormData.new()
        form.append("a", "1")
        return Response.new(form)

    assert await made().text() == await made().text()


async def test_a_form_of_a_query_is_read_too():
    request = Request.new(
        "https://a.b",
        method="POST",
        body="a=1&b=x+y",
        headers=JsPlain({"content-type": "application/x-www-form-urlencoded"}),
    )

    assert [list(pair) for pair in await request.formData()] == [["a", "1"], ["b", "x y"]]


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        (
            {},
            "Unrecognized Content-Type header value. FormData can only parse the following MIME types: multipart/form-data, application/x-www-form-urlencoded.",
        ),
        ({"content-type": "multipart/form-data"}, "No boundary string in Content-Type header."),
        (
            {"content-type": "multipart/form-data; boundary=zz"},
            "No initial boundary string (or you have a truncated message).",
        ),
    ],
)
async def test_a_body_that_is_no_form_is_a_type_error(headers, text):
    response = Response.new("x", headers=JsPlain(headers))

    with pytest.raises(JsException) as caught:
        await response.formData()

    assert caught.value.name == "TypeError"
    assert caught.value.message.startswith(text)


async def test_a_blob_joins_its_parts_and_gives_slices():
    blob = Blob.new(["ab", Uint8Array.new(b"cd"), Blob.new(["e"])], type="x/y")

    assert (blob.size, blob.type, await blob.text()) == (5, "x/y", "abcde")
    assert await blob.slice(1, 3).text() == "bc"
    assert await blob.slice(-2).text() == "de"
    assert File.new(["x"], "a.txt", lastModified=5).lastModified == 5
