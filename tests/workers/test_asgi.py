"""`workers.asgi`: an application's lifespan, request, response and WebSocket."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from pytest_workflows.workers import Request, asgi
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers.threadless import no_threads

URL = "https://shop.example.com/a%20b?x=1"
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}


class App:
    """An application without a lifespan, that keeps its scope and answers with what it is given."""

    def __init__(self, *messages, reads=0, error=None):
        self.messages, self.reads, self.error = messages, reads, error
        self.received = []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            raise ValueError("only http here")
        self.scope = scope
        for _ in range(self.reads):
            self.received.append(await receive())
        for message in self.messages:
            await send(message)
        if self.error:
            raise self.error


class WithLifespan(App):
    """The same, with a lifespan."""

    def __init__(self, *messages, failing=None, **options):
        super().__init__(*messages, **options)
        self.events, self.failing = [], failing

    async def __call__(self, scope, receive, send):
        if scope["type"] != "lifespan":
            self.events.append(scope["type"])
            await super().__call__(scope, receive, send)
            return
        scope["state"]["pool"] = "open"
        for phase in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{phase}"
            self.events.append(phase)
            outcome = "failed" if phase == self.failing else "complete"
            await send({"type": f"lifespan.{phase}.{outcome}", "message": f"no {phase}"})


def body(content=b"", more=False):
    return {"type": "http.response.body", "body": content, "more_body": more}


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


# -- the request -------------------------------------------------------------------------------------------------------


async def test_the_scope_is_what_the_request_says():
    app = App(START, body(b"hi"))

    await asgi.fetch(app, Request(URL, method="PUT", headers={"X-A": "ü"}), {"DB": 1})

    scope = app.scope
    assert (scope["type"], scope["method"], scope["scheme"]) == ("http", "PUT", "https")
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == ("/a b", b"/a%20b", b"x=1")
    assert (scope["headers"], scope["env"], scope["state"]) == ([(b"x-a", "ü".encode())], {"DB": 1}, {})


async def test_a_request_of_javascript_has_the_same_scope():
    of_python = asgi.request_to_scope(Request(URL, headers={"X-A": "1"}), {})

    assert asgi.request_to_scope(js.Request.new(URL, headers=js.Headers.new([["X-A", "1"]])), {}) == of_python


async def test_the_body_comes_piece_by_piece_and_then_the_client_is_gone():
    app = App(START, body(b"hi"), reads=2)

    await asgi.fetch(app, Request(URL, method="POST", body=b"abc"), {})

    assert app.received == [
        {"type": "http.request", "body": b"abc", "more_body": True},
        {"type": "http.request", "body": b"", "more_body": False},
    ]


# -- the response ------------------------------------------------------------------------------------------------------


async def test_the_response_is_javascript_s():
    response = await asgi.fetch(
        App({**START, "headers": [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]}, body(b"hi")), Request(URL), {}
    )

    assert (response.constructor.name, response.status) == ("Response", 200)
    assert list(response.headers.getSetCookie()) == ["a=1", "b=2"]
    assert await response.text() == "hi"


@pytest.mark.parametrize("status", [204, 205, 304])
async def test_a_status_without_a_body_drops_it(status):
    response = await asgi.fetch(App({**START, "status": status}, body(b"dropped")), Request(URL), {})

    assert (response.status, await response.text()) == (status, "")


async def test_a_stream_is_read_while_it_is_written():
    written = []

    class Streaming(WithLifespan):
        async def __call__(self, scope, receive, send):
            if scope["type"] == "lifespan":
                await super().__call__(scope, receive, send)
                return
            await send(START)
            for index in range(3):
                await send(body(b"%d" % index, more=True))
                written.append(index)
            await send(body(b"end"))

    app = Streaming()
    response = await asgi.fetch(app, Request(URL), {})
    await turns()

    assert len(written) < 3  # it waits for the reader
    assert await response.text() == "012end"
    await turns()
    assert app.events == ["startup", "shutdown"]


async def test_a_stream_of_an_application_that_fails_ends(caplog):
    response = await asgi.fetch(App(START, body(b"one", more=True), error=RuntimeError("late")), Request(URL), {})

    assert await asyncio.wait_for(response.text(), 5) == "one"
    assert "Exception in ASGI application after response started" in caplog.text


async def test_what_is_raised_before_a_response_is_raised_and_logged(caplog):
    with pytest.raises(ZeroDivisionError):
        await asgi.fetch(App(error=ZeroDivisionError()), Request(URL), {})

    assert "ASGI request failed" in caplog.text


async def test_what_is_raised_after_a_response_is_logged(caplog):
    response = await asgi.fetch(App(START, body(b"hi"), error=RuntimeError("late")), Request(URL), {})

    assert (response.status, "late" in caplog.text) == (200, True)


async def test_an_application_that_says_nothing_is_named():
    with pytest.raises(RuntimeError, match=r"^The application did not generate a response$"):
        await asgi.fetch(App(), Request(URL), {})


# -- the lifespan ------------------------------------------------------------------------------------------------------


async def test_the_lifespan_goes_around_the_request():
    app = WithLifespan(START, body(b"hi"))

    await asgi.fetch(app, Request(URL), {})

    assert app.events == ["startup", "http", "shutdown"]
    assert app.scope["state"] == {"pool": "open"}


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_a_lifespan_that_fails_fails_the_request(phase):
    with pytest.raises(RuntimeError, match=f"^no {phase}$"):
        await asgi.fetch(WithLifespan(START, body(b"hi"), failing=phase), Request(URL), {})


async def test_the_lifespan_ends_where_the_application_raised():
    app = WithLifespan(error=ValueError("no"))

    with pytest.raises(ValueError, match="no"):
        await asgi.fetch(app, Request(URL), {})

    assert app.events == ["startup", "http", "shutdown"]


async def test_an_application_without_a_lifespan_is_served(caplog):
    caplog.set_level(logging.DEBUG, "asgi")

    response = await asyncio.wait_for(asgi.fetch(App(START, body(b"hi")), Request(URL), {}), 5)

    assert await response.text() == "hi"
    assert "lifespan raised before reporting startup" in caplog.text


# -- options and the entrypoint ----------------------------------------------------------------------------------------


async def test_options_reach_the_response():
    options = asgi.Options(encode_body="manual")

    response = await asgi.fetch(App(START, body(b"hi")), Request(URL), {}, options=options)

    assert response.encodeBody == "manual"
    with pytest.raises(ValueError, match=r"^encode_body must be one of \('automatic', 'manual'\), got 'gzip'$"):
        asgi.Options(encode_body="gzip")


async def test_an_entrypoint_answers_requests_with_the_application():
    made = asgi.entrypoint(App(START, body(b"hi")))(None, {"DB": 1})

    response = await made.fetch(Request(URL))

    assert (type(made).__name__, await response.text()) == ("Default", "hi")


# -- threads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["anyio", "the loop"])
async def test_what_an_application_hands_to_a_thread_runs_in_its_place(way):
    from anyio import to_thread

    seen = []

    async def run():
        if way == "anyio":
            return await to_thread.run_sync(threading.current_thread)
        return await asyncio.to_thread(threading.current_thread)

    class Threaded(App):
        async def __call__(self, scope, receive, send):
            if scope["type"] == "http":
                seen.append(await run())
            await super().__call__(scope, receive, send)

    await asgi.fetch(Threaded(START, body(b"hi")), Request(URL), {})

    assert seen == [threading.current_thread()]
    assert await run() != threading.current_thread()


async def test_what_such_a_function_raises_is_raised():
    with no_threads(), pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(lambda: 1 / 0)


# -- WebSockets --------------------------------------------------------------------------------------------------------


class Talk:
    """An application that answers what a client says, until it says stop."""

    def __init__(self):
        self.received = []

    async def __call__(self, scope, receive, send):
        while True:
            message = await receive()
            self.received.append(message)
            match message["type"], message.get("text", message.get("bytes")):
                case "websocket.connect", _:
                    await send({"type": "websocket.accept"})
                case "websocket.disconnect", _:
                    return
                case _, "stop":
                    await send({"type": "websocket.close", "code": 4001, "reason": "enough"})
                    return
                case _, "fail":
                    raise RuntimeError("failed")
                case _, str() as text:
                    await send({"type": "websocket.send", "text": text.upper()})
                case _, data:
                    await send({"type": "websocket.send", "bytes": data[::-1]})


async def connect(app):
    request = Request(URL, headers={"upgrade": "websocket"})
    response = await asgi.entrypoint(app)(None, {}).fetch(request)
    assert response.status == 101
    socket, got = response.webSocket, []
    socket.binaryType = "arraybuffer"
    socket.addEventListener("message", lambda event: got.append(event.data))
    socket.addEventListener("close", lambda event: got.append((event.code, event.reason)))
    socket.accept()
    return socket, got


async def test_texts_and_bytes_go_both_ways():
    app = Talk()
    socket, got = await connect(app)

    socket.send("hi")
    socket.send(js.Uint8Array.new([1, 2]))
    await turns()
    socket.close(1000, "bye")
    await turns()

    assert (got[0], got[1].to_bytes()) == ("HI", b"\x02\x01")
    assert app.received == [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "hi"},
        {"type": "websocket.receive", "bytes": b"\x01\x02"},
        {"type": "websocket.disconnect", "code": 1000, "reason": "bye"},
    ]


async def test_the_application_closes_with_its_own_code():
    socket, got = await connect(Talk())

    socket.send("stop")
    await turns()

    assert got == [(4001, "enough")]


async def test_a_socket_is_closed_where_the_application_fails(caplog):
    socket, got = await connect(Talk())

    socket.send("fail")
    await turns()

    assert [code for code, _ in got] == [1011]
    assert "Unhandled exception in background task" in caplog.text
