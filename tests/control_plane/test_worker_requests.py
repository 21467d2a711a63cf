"""What is no path of the control plane's goes to the Worker as it came, and comes back as it answered."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from pytest_workflows.control_plane import worker_requests
from pytest_workflows.control_plane.security import Security
from pytest_workflows.javascript.streams import ReadableStream
from pytest_workflows.javascript.web_socket import WebSocketPair
from pytest_workflows.workers import Response
from pytest_workflows.workers import js_module as js

from .conftest import client_of
from .serving import serving


@pytest.fixture(scope="module")
def running():
    with serving() as found:
        yield found


@pytest.fixture
def served(running):
    yield running
    running.shop.answer = running.shop._nothing


def answering(served, answer):
    served.shop.answer = answer


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_every_method_arrives(served, method):
    async def answer(request):
        return Response("body", headers={"x-method": request.js_object.method})

    answering(served, answer)
    got = httpx.request(method, f"{served.url}/any")

    assert (got.status_code, got.headers["x-method"]) == (200, method)
    assert got.text == ("" if method == "HEAD" else "body")
    assert got.headers["content-length"] == "4"


def test_path_query_and_headers_arrive_as_they_were_written(served):
    async def answer(request):
        headers = request.js_object.headers
        return Response(f"{request.url}\n{headers._first('x-one')}\n{headers._first('host')}")

    answering(served, answer)
    got = httpx.get(f"{served.url}/a%2Fb/%C3%A9?q=1%202&q=%26", headers=[("x-one", "1"), ("X-One", "2")])

    host = f"127.0.0.1:{served.port}"
    assert got.text == f"http://{host}/a%2Fb/%C3%A9?q=1%202&q=%26\n1, 2\n{host}"


def test_status_and_headers_come_back_each_cookie_by_itself(served):
    async def answer(request):
        headers = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-latin", "caf\u00e9"), ("connection", "close")]
        return Response("moved", status=307, headers=[*headers, ("location", "/there")])

    answering(served, answer)
    got = httpx.get(f"{served.url}/here")

    assert (got.status_code, got.headers["location"]) == (307, "/there")
    assert got.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert got.headers["x-latin"] == "caf\u00e9"
    assert "connection" not in got.headers  # the connection is the server's


def test_a_large_body_arrives_and_comes_back_whole(served):
    async def answer(request):
        return Response(await request.bytes(), headers={"content-type": "application/octet-stream"})

    answering(served, answer)
    body = bytes(range(256)) * 8000

    assert httpx.post(f"{served.url}/echo", content=body).content == body


def test_a_body_of_unknown_length_is_read_while_it_is_sent(served):
    sizes: list[int] = []
    is_read = threading.Semaphore(0)

    async def answer(request):
        async for chunk in request.body:
            sizes.append(chunk.byteLength)
            is_read.release()
        return Response(str(sum(sizes)))

    def pieces():
        for _ in range(3):
            yield b"x" * 100
            assert is_read.acquire(timeout=10)

    answering(served, answer)

    assert httpx.post(f"{served.url}/upload", content=pieces()).text == "300"
    assert sizes == [100, 100, 100]


def test_a_response_is_read_while_the_worker_writes_it(served):
    gates = []

    async def answer(request):
        pipe = js.TransformStream.new()
        writer = pipe.writable.getWriter()

        async def write():
            for text in (b"one", b"two"):
                gate = asyncio.get_running_loop().create_future()
                gates.append(gate)
                await writer.write(js.Uint8Array.new(list(text)))
                await gate
            await writer.close()

        answer.task = asyncio.ensure_future(write())
        return Response(pipe.readable)

    answering(served, answer)
    with httpx.stream("GET", f"{served.url}/slow") as got:
        pieces = got.iter_raw()
        first = next(pieces)
        served.shop.loop.call_soon_threadsafe(lambda: gates[0].set_result(None))
        second = next(pieces)
        served.shop.loop.call_soon_threadsafe(lambda: gates[1].set_result(None))

        assert (first, second, list(pieces)) == (b"one", b"two", [])
        assert got.headers["transfer-encoding"] == "chunked"


def test_a_client_that_goes_away_ends_the_stream(served):
    cancelled = asyncio.Event()

    async def answer(request):
        def pull():
            stream._put(js.Uint8Array.new([65] * 1000))

        stream = ReadableStream._made(pull, lambda reason: cancelled.set(), is_bytes=True)
        stream._is_started = True
        return Response(stream)

    answering(served, answer)
    with httpx.stream("GET", f"{served.url}/endless") as got:
        next(got.iter_raw())

    served.run(asyncio.wait_for(cancelled.wait(), 10))


def test_a_stream_that_is_asked_for_its_head_alone_is_told_that_nobody_reads_it(served):
    cancelled = asyncio.Event()

    async def answer(request):
        stream = ReadableStream._made(lambda: None, lambda reason: cancelled.set(), is_bytes=True)
        stream._is_started = True
        return Response(stream)

    answering(served, answer)
    assert httpx.head(f"{served.url}/endless").status_code == 200

    served.run(asyncio.wait_for(cancelled.wait(), 10))


def test_what_says_that_it_is_compressed_is_compressed_as_the_platform_does_it(served):
    async def answer(request):
        return Response("squeezed " * 100, headers={"content-encoding": "gzip"})

    async def manual(request):
        made = js.Response.new(js.Uint8Array.new(list(gzip.compress(b"by hand"))), headers=js.Headers.new())
        made._encode = "manual"
        made.headers.set("content-encoding", "gzip")
        return Response(made)

    answering(served, answer)
    assert httpx.get(f"{served.url}/z").text == "squeezed " * 100
    answering(served, manual)
    assert httpx.get(f"{served.url}/z").text == "by hand"


def test_an_exception_of_the_handler_is_shown_with_its_place_and_the_next_request_is_answered(served):
    async def answer(request):
        raise ValueError("the shelf is empty")

    answering(served, answer)
    got = httpx.get(f"{served.url}/broken")
    answering(served, served.shop._nothing)

    assert got.status_code == 500
    assert got.headers["content-type"] == "text/plain; charset=utf-8"
    assert "on the platform the client sees error 1101" in got.text
    assert "test_worker_requests.py" in got.text
    assert got.text.endswith("ValueError: the shelf is empty\n")
    assert httpx.get(f"{served.url}/fine").status_code == 200


def test_a_method_that_javascript_does_not_know_is_no_fault_of_the_server(served):
    with socket.create_connection(("127.0.0.1", served.port)) as raw:
        raw.sendall(b"BREW /pot HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        answer = raw.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 501 ")
    assert b"BREW" in answer


async def test_the_worker_sees_the_host_that_an_option_names(shop):
    async def answer(request):
        return Response(f"{request.url} {request.headers['host']}")

    shop.answer = answer
    async with client_of(shop, Security(worker_host="shop.example.com")) as client:
        assert (await client.get("/x")).text == "http://shop.example.com/x shop.example.com"


@pytest.mark.parametrize("path", ["/__workflowsx", "/client/v3/accounts", "/cdn-cgix", "/docs", "/openapi.json", "//"])
async def test_paths_beside_the_control_plane_s_are_the_worker_s(client, path):
    assert (await client.get(f"http://127.0.0.1:8787{path}")).text == f"GET http://127.0.0.1:8787{path}"


# -- WebSockets --------------------------------------------------------------------------------------------------------


def echoing(protocol=None):
    async def answer(request):
        client, server = WebSocketPair()._ends
        server.accept()
        server.binaryType = "arraybuffer"

        def on_message(event):
            if event.data == "bye":
                server.close(4000, "as you wish")
            else:
                server.send(event.data)

        server.onmessage = on_message
        server.onclose = lambda event: closed.append((event.code, event.reason))
        headers = {} if protocol is None else {"sec-websocket-protocol": protocol}
        return Response(None, status=101, headers=headers, web_socket=client)

    closed: list[tuple[int, str]] = []
    answer.closed = closed
    return answer


def test_frames_go_both_ways_and_the_worker_closes(served):
    answering(served, echoing())
    with connect(f"ws://127.0.0.1:{served.port}/socket") as ws:
        ws.send("hello")
        assert ws.recv(10) == "hello"
        ws.send(b"\x00\x01")
        assert ws.recv(10) == b"\x00\x01"
        ws.send("bye")
        with pytest.raises(Exception, match="4000"):
            ws.recv(10)


def test_a_client_that_closes_is_closed_for_the_worker(served):
    answer = echoing("chat")
    answering(served, answer)
    with connect(f"ws://127.0.0.1:{served.port}/socket", subprotocols=["chat"]) as ws:
        assert ws.subprotocol == "chat"
        ws.close(4001, "enough")

    async def until_closed():
        while not answer.closed:
            await asyncio.sleep(0)
        return answer.closed

    assert served.run(until_closed()) == [(4001, "enough")]


def test_what_no_frame_can_hold_is_sent_as_far_as_one_can(served):
    async def answer(request):
        client, server = WebSocketPair()._ends
        server.accept()
        server.send("half \ud83d, whole \ud83d\ude00")
        server.close(4000, "é" * 100)
        return Response(None, status=101, web_socket=client)

    answering(served, answer)
    with connect(f"ws://127.0.0.1:{served.port}/socket") as ws:
        assert ws.recv(10) == "half \ufffd, whole \U0001f600"
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(10)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000, "é" * 61)


async def test_a_worker_that_closes_is_closed_once(shop):
    sent = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "bye"}]
    answer = shop.answer = echoing()

    async def receive():
        return sent.pop(0) if sent else await asyncio.Event().wait()

    async def send(message):
        pass

    scope = {"type": "websocket", "scheme": "ws", "path": "/socket", "query_string": b"", "headers": [(b"host", b"x")]}
    await worker_requests.WorkerGateway(shop, None)(scope, receive, send)
    for _ in range(10):
        await asyncio.sleep(0)

    assert answer.closed == [(4000, "as you wish")]


@pytest.mark.parametrize("kind", ["websocket.accept", "websocket.send"])
async def test_a_worker_whose_frames_do_not_get_through_learns_that_nobody_listens(shop, kind):
    sent = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}]
    answer = shop.answer = echoing()

    async def receive():
        return sent.pop(0) if sent else await asyncio.Event().wait()

    async def send(message):
        if message["type"] == kind:
            raise OSError("the client has gone")

    scope = {"type": "websocket", "scheme": "ws", "path": "/socket", "query_string": b"", "headers": [(b"host", b"x")]}
    with pytest.raises(OSError, match="has gone"):
        await worker_requests.WorkerGateway(shop, None)(scope, receive, send)
    for _ in range(10):
        await asyncio.sleep(0)

    assert answer.closed == [(1006, "")]


def test_a_socket_for_a_request_that_asks_for_none_is_an_error_in_words(served):
    answering(served, echoing())
    got = httpx.get(f"{served.url}/socket")

    assert got.status_code == 500
    assert "to a request that asks for none" in got.text


def test_a_worker_that_does_not_switch_answers_as_it_does(served):
    async def answer(request):
        return Response("no sockets here", status=426)

    answering(served, answer)
    with pytest.raises(Exception, match="426"):
        connect(f"ws://127.0.0.1:{served.port}/socket").close()


# -- a request that is still read while its answer is sent -------------------------------------------------------------


def test_a_body_that_the_worker_streams_back_comes_back_whole_however_it_was_sent(served):
    async def answer(request):
        return Response(request.body)

    def pieces():
        for number in range(40):
            yield bytes([number]) * 5000

    answering(served, answer)
    body = bytes(range(256)) * 20_000

    assert httpx.post(f"{served.url}/echo", content=pieces()).content == b"".join(pieces())
    assert httpx.post(f"{served.url}/echo", content=body).content == body


async def test_an_exchange_reads_on_when_what_it_keeps_was_taken_and_ends_in_order(shop, monkeypatch):
    monkeypatch.setattr(worker_requests, "_MOST_KEPT", 4)
    sent = [{"type": "http.request", "body": b"abcd", "more_body": True} for _ in range(3)]
    received: list[bytes] = []

    async def receive():
        return sent.pop(0) if sent else await asyncio.Event().wait()

    exchange = worker_requests.Exchange(worker_requests.WorkerGateway(shop, None), {"headers": []}, receive)
    watch = asyncio.ensure_future(exchange._watch())
    for left in (2, 1, 0):
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(sent) == left
        received.append(await exchange._next_piece())
    reading = asyncio.ensure_future(exchange._next_piece())
    for _ in range(20):
        await asyncio.sleep(0)
    await exchange.close()

    assert received == [b"abcd"] * 3
    with pytest.raises(ConnectionError, match="before its request was whole"):
        await reading
    await watch


async def test_the_worker_sees_its_own_cookies_and_not_the_one_of_the_page(shop):
    async def answer(request):
        return Response(repr(request.headers.get("cookie")))

    shop.answer = answer
    async with client_of(shop, Security(token="s3cret")) as client:
        for sent, seen in [
            ("a=1; workflows_token=s3cret; b={odd}", "'a=1; b={odd}'"),
            ("workflows_token=s3cret", "None"),
            ("workflows_token_8787=s3cret; workflows_token_8788=of another server", "None"),
            ("a=1;b=2", "'a=1;b=2'"),
        ]:
            assert (await client.get("/x", headers={"cookie": sent})).text == seen
