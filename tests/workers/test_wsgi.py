"""`workers.wsgi`: an application's environ, its response, and the body that it reads as a file."""

from __future__ import annotations

import asyncio

import pytest

from pytest_workflows.workers import Request, wsgi
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers.pyodide_ffi import run_sync

URL = "https://shop.example.com:8443/caf%C3%A9?x=1"


class Pieces:
    """An iterable of pieces that can be closed."""

    def __init__(self, *pieces):
        self.pieces, self.closed = pieces, 0

    def __iter__(self):
        return iter(self.pieces)

    def close(self):
        self.closed += 1


def answering(*pieces, status="200 OK", headers=()):
    made = Pieces(*pieces)

    def app(environ, start_response):
        app.environ = environ
        start_response(status, [("Content-Type", "text/plain"), *headers])
        return made

    app.made = made
    return app


async def test_the_environ_is_what_the_request_says():
    app = answering(b"hi")

    await wsgi.fetch(app, Request(URL, method="PUT", headers={"X-A": "1", "Content-Type": "a/b"}), {"DB": 1})

    environ = app.environ
    assert (environ["REQUEST_METHOD"], environ["QUERY_STRING"], environ["wsgi.url_scheme"]) == ("PUT", "x=1", "https")
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/café"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("shop.example.com", "8443")
    assert (environ["HTTP_X_A"], environ["CONTENT_TYPE"], environ["workers.env"]) == ("1", "a/b", {"DB": 1})
    assert not environ["wsgi.multithread"]


@pytest.mark.parametrize(("url", "port"), [("http://a.example", "80"), ("https://a.example", "443")])
def test_the_port_is_the_scheme_s_own_unless_given(url, port):
    assert wsgi.build_environ(Request(url), {}, b"")["SERVER_PORT"] == port


def test_a_request_of_javascript_has_the_same_environ():
    made = js.Request.new(URL, headers=js.Headers.new([["X-A", "1"]]))

    assert wsgi.build_environ(made, {}, b"abc")["HTTP_X_A"] == "1"
    assert wsgi.build_environ(made, {}, b"abc")["CONTENT_LENGTH"] == "3"


async def test_the_body_is_read_as_a_file():
    def app(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(2), b"|", environ["wsgi.input"].read()]

    response = await wsgi.fetch(app, Request(URL, method="POST", body=b"abcdef"), {})

    assert await response.text() == "ab|cdef"


async def test_a_body_that_comes_in_time_is_waited_for():
    async def pieces():
        for piece in (b"a\n", b"b\nc"):
            await asyncio.sleep(0)
            yield js.Uint8Array.new(list(piece))

    def app(environ, start_response):
        start_response("200 OK", [])
        return [b",".join(line.strip() for line in environ["wsgi.input"])]

    stream = js.ReadableStream.from_(pieces())
    response = await wsgi.fetch(app, Request(URL, method="POST", body=stream), {})

    assert await response.text() == "a,b,c"


async def test_no_body_reads_as_empty():
    def app(environ, start_response):
        start_response("200 OK", [])
        return [repr(environ["wsgi.input"].read()).encode()]

    assert await (await wsgi.fetch(app, Request(URL), {})).text() == "b''"


async def test_the_response_is_javascript_s():
    app = answering(b"a", b"", b"b", status="418 Teapot", headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])

    response = await wsgi.fetch(app, Request(URL), {})

    assert (response.status, response.statusText) == (418, "Teapot")
    assert list(response.headers.getSetCookie()) == ["a=1", "b=2"]
    assert await response.text() == "ab"
    assert app.made.closed == 1


async def test_pieces_are_made_while_they_are_read():
    made = []

    def app(environ, start_response):
        start_response("200 OK", [])
        for index in range(3):
            run_sync(asyncio.sleep(0))
            made.append(index)
            yield b"%d" % index

    response = await wsgi.fetch(app, Request(URL), {})
    reader = response.body.getReader()
    first = await reader.read()

    assert (first.value.to_bytes(), made != [0, 1, 2]) == (b"0", True)
    rest = b""
    while not (result := await reader.read()).done:
        rest += result.value.to_bytes()
    assert rest == b"12"


async def test_a_reader_that_goes_away_closes_the_application():
    app = answering(b"a", b"b", b"c")
    response = await wsgi.fetch(app, Request(URL), {})

    await response.body.cancel()

    assert app.made.closed == 1


async def test_what_is_raised_amid_a_stream_ends_it(caplog):
    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        raise RuntimeError("late")

    response = await wsgi.fetch(app, Request(URL), {})

    with pytest.raises(Exception, match="late"):
        await response.text()
    assert "Exception while streaming WSGI response body" in caplog.text


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_a_status_without_a_body_drops_it(status):
    app = answering(b"dropped", status=status)

    response = await wsgi.fetch(app, Request(URL), {})

    assert (await response.text(), app.made.closed) == ("", 1)


async def test_what_write_is_given_comes_first():
    def app(environ, start_response):
        start_response("200 OK", [])(b"first,")
        return [b"then"]

    assert await (await wsgi.fetch(app, Request(URL), {})).text() == "first,then"


async def test_a_failure_before_the_response_is_raised_and_logged(caplog):
    def app(environ, start_response):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await wsgi.fetch(app, Request(URL), {})
    assert "WSGI request failed" in caplog.text


async def test_an_application_that_says_nothing_is_named():
    with pytest.raises(RuntimeError, match=r"^The WSGI application did not call start_response\(\)$"):
        await wsgi.fetch(lambda environ, start_response: [], Request(URL), {})


async def test_start_response_is_called_once():
    def app(environ, start_response):
        start_response("200 OK", [])
        start_response("500 No", [])

    with pytest.raises(AssertionError, match="more than once"):
        await wsgi.fetch(app, Request(URL), {})


async def test_an_entrypoint_answers_requests_with_the_application():
    made = wsgi.entrypoint(answering(b"hi"), options=wsgi.Options(encode_body="manual"))(None, {})

    response = await made.fetch(Request(URL))

    assert (type(made).__name__, await response.text(), response.encodeBody) == ("Default", "hi", "manual")
