"""Transform streams and WebSockets as Python code on the platform meets them."""

from __future__ import annotations

import asyncio

import pytest

from durable_engine import JsException
from pytest_workflows.workers import js_module as js
from pytest_workflows.workers.pyodide_ffi import to_js


async def test_what_is_written_waits_for_a_reader():
    stream = js.TransformStream.new()
    writer = stream.writable.getWriter()
    order = []

    async def write():
        await writer.write(to_js(b"a"))
        order.append("a was taken")
        await writer.write(to_js(b"b"))
        await writer.close()

    task = asyncio.ensure_future(write())
    await asyncio.sleep(0)
    assert order == []

    assert await js.Response.new(stream.readable).text() == "ab"
    await task
    assert order == ["a was taken"]


async def test_a_transformer_changes_chunks_and_may_add_one_at_the_end():
    stream = js.TransformStream.new(
        transform=lambda chunk, controller: controller.enqueue(chunk * 2),
        flush=lambda controller: controller.enqueue("end"),
    )
    piped = js.ReadableStream.from_([1, 2]).pipeThrough(stream)

    assert [item async for item in piped] == [2, 4, "end"]


async def test_an_error_of_a_transformer_reaches_both_sides():
    def transform(chunk, controller):
        raise ValueError("no")

    stream = js.TransformStream.new(transform=transform)
    writing = stream.writable.getWriter().write(1)

    with pytest.raises(ValueError, match=r"^no$"):
        await stream.readable.getReader().read()
    with pytest.raises(ValueError, match=r"^no$"):
        await writing


async def test_text_and_compression_go_through():
    source = js.Response.new("größe" * 100).body
    packed = source.pipeThrough(js.CompressionStream.new("gzip"))
    text = packed.pipeThrough(js.DecompressionStream.new("gzip")).pipeThrough(js.TextDecoderStream.new())

    assert "".join([part async for part in text]) == "größe" * 100


async def test_a_stream_of_a_fixed_length_takes_no_more():
    stream = js.FixedLengthStream.new(1)
    writing = stream.writable.getWriter().write(to_js(b"ab"))

    with pytest.raises(
        JsException, match=r"^TypeError: Attempt to write too many bytes through a FixedLengthStream\.$"
    ):
        await asyncio.gather(stream.readable.getReader().read(), writing)


async def test_each_end_of_a_pair_gets_what_the_other_one_sends():
    client, server = js.WebSocketPair.new().object_values()
    got = []
    client.accept()
    server.accept()
    server.binaryType = "arraybuffer"
    server.addEventListener("message", lambda event: got.append(event.data))
    client.onclose = lambda event: got.append((event.code, event.reason))

    client.send("text")
    client.send(to_js(b"bytes"))
    await asyncio.sleep(0.01)
    server.close(4001, "enough")
    await asyncio.sleep(0.01)

    assert got[0] == "text"
    assert got[1].to_bytes() == b"bytes"
    assert got[2] == (4001, "enough")
    assert (client.readyState, server.readyState) == (3, 3)


async def test_what_arrives_before_accept_waits():
    client, server = js.WebSocketPair.new()
    got = []
    client.accept()
    client.send("early")
    await asyncio.sleep(0)

    server.onmessage = lambda event: got.append(event.data)
    server.accept()
    await asyncio.sleep(0.01)

    assert got == ["early"]


def test_a_socket_is_accepted_before_it_is_used():
    client, _ = js.WebSocketPair.new()

    with pytest.raises(JsException, match=r"^TypeError: You must call one of accept\(\)"):
        client.send("x")


def test_a_response_hands_a_socket_over():
    client, _ = js.WebSocketPair.new()

    response = js.Response.new(None, status=101, webSocket=client)

    assert (response.status, response.webSocket is client) == (101, True)


async def test_a_socket_to_elsewhere_ends_with_an_error():
    socket = js.WebSocket.new("wss://example.com/ignore")
    got = []
    socket.onerror = lambda event: got.append(event.message)
    socket.onclose = lambda event: got.append(event.code)
    assert (socket.readyState, socket.url) == (0, "wss://example.com/ignore")

    await asyncio.sleep(0)

    assert got[0].startswith("pytest-workflows opens no WebSocket to wss://example.com/ignore")
    assert (got[1], socket.readyState) == (1006, 3)
