"""Streams as Python code on the platform meets them."""

from __future__ import annotations

import asyncio

import pytest

from durable_engine import JsException
from pytest_workflows.javascript.buffers import Uint8Array as Uint8ArrayClass
from pytest_workflows.javascript.objects import JsPlain, constructor_of
from pytest_workflows.javascript.response import Response as ResponseClass
from pytest_workflows.javascript.streams import ReadableStream as ReadableStreamClass
from pytest_workflows.javascript.writable import WritableStream as WritableStreamClass

ReadableStream, WritableStream = map(constructor_of, (ReadableStreamClass, WritableStreamClass))
Response, Uint8Array = map(constructor_of, (ResponseClass, Uint8ArrayClass))


def numbers(count: int):
    """A stream that pulls, and a list of when it was asked."""
    asked: list[int] = []

    def pull(controller):
        asked.append(len(asked))
        if len(asked) > count:
            controller.close()
        else:
            controller.enqueue(len(asked))

    return ReadableStream.new(pull=pull), asked


async def test_a_stream_pulls_what_is_read():
    stream, _ = numbers(3)

    assert [item async for item in stream] == [1, 2, 3]


async def test_a_stream_asks_for_one_chunk_before_it_is_read():
    _, asked = numbers(3)
    assert asked == []

    await asyncio.sleep(0)

    assert asked == [0]


async def test_a_pull_may_be_a_coroutine_function():
    chunks = iter([b"a", b"b"])

    async def pull(controller):
        await asyncio.sleep(0)
        chunk = next(chunks, None)
        if chunk is None:
            controller.close()
        else:
            controller.enqueue(Uint8Array.new(chunk))

    assert await Response.new(ReadableStream.new(pull=pull)).text() == "ab"


async def test_a_reader_locks_and_says_when_it_is_done():
    stream, _ = numbers(1)
    reader = stream.getReader()

    assert stream.locked
    with pytest.raises(JsException, match=r"^TypeError: This ReadableStream is currently locked to a reader\.$"):
        stream.getReader()
    first, last = await reader.read(), await reader.read()
    assert (first.value, first.done) == (1, False)
    assert (last.value, last.done) == (None, True)
    reader.releaseLock()
    assert not stream.locked


async def test_an_error_of_the_source_reaches_the_reader():
    def pull(controller):
        controller.error("no more")

    with pytest.raises(JsException, match=r"^Error: no more$"):
        await ReadableStream.new(pull=pull).getReader().read()


async def test_cancel_notifies_the_source():
    reasons = []
    stream = ReadableStream.new(cancel=reasons.append)

    await stream.cancel("enough")

    assert reasons == ["enough"]


async def test_what_is_no_bytes_is_no_body():
    def start(controller):
        controller.enqueue("text")
        controller.close()

    with pytest.raises(JsException, match=r"^TypeError: This ReadableStream did not return bytes\.$"):
        await Response.new(ReadableStream.new(start=start)).text()


async def test_both_branches_of_a_tee_give_all():
    stream, asked = numbers(2)
    one, other = stream.tee()

    assert [item async for item in one] == [item async for item in other] == [1, 2]
    assert asked == [0, 1, 2]


async def test_a_writer_hands_one_chunk_after_the_other_to_the_sink():
    written = []

    async def write(chunk, controller):
        written.append(f"begin {chunk}")
        await asyncio.sleep(0)
        written.append(f"end {chunk}")

    writer = WritableStream.new(write=write, close=lambda: written.append("close")).getWriter()
    first = writer.write(1)
    await writer.write(2)
    await first
    await writer.close()

    assert written == ["begin 1", "end 1", "begin 2", "end 2", "close"]


async def test_a_pipe_writes_all_and_closes():
    written = []
    stream, _ = numbers(2)

    await stream.pipeTo(
        WritableStream.new(write=lambda chunk, controller: written.append(chunk), close=lambda: written.append("end"))
    )

    assert written == [1, 2, "end"]


async def test_an_error_of_a_sink_cancels_the_source_of_a_pipe():
    reasons = []
    stream = ReadableStream.new(JsPlain({}), JsPlain({}))
    source = ReadableStream.new(pull=lambda controller: controller.enqueue(1), cancel=reasons.append)

    def write(chunk, controller):
        raise ValueError("full")

    with pytest.raises(ValueError, match=r"^full$"):
        await source.pipeTo(WritableStream.new(write=write))

    assert [str(reason) for reason in reasons] == ["full"]
    assert not stream.locked
