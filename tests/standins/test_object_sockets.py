"""The WebSockets that a Durable Object has accepted."""

import asyncio

import js
import pytest
from pyodide.ffi import create_proxy, to_js

from durable_engine import JsException
from pytest_workflows.standins.object_access import evict_durable_object, run_in_durable_object
from pytest_workflows.workers.entrypoints import DurableObject


class Room(DurableObject):
    async def webSocketMessage(self, ws, message):
        text = message if isinstance(message, str) else bytes(message).decode() + " in bytes"
        ws.send(f"{text} of {len(self.ctx.getWebSockets())}")

    async def webSocketClose(self, ws, code, reason, was_clean):
        await self.ctx.storage.put("end", [code, reason, was_clean])


@pytest.fixture
def room(objects):
    return objects.namespace(Room).getByName("a")


async def turns():
    for _ in range(20):
        await asyncio.sleep(0)


async def open_socket(room, *tags):
    """The client's end of a socket that the object has accepted, and what it receives."""
    client, server = js.WebSocketPair.new()
    await run_in_durable_object(room, lambda _, ctx: ctx.acceptWebSocket(server, js.Array.of(*tags)))
    received = []
    client.accept()
    client.addEventListener("message", create_proxy(lambda event: received.append(event.data)))
    return client, received


async def test_a_message_calls_the_handler_also_when_the_object_was_dropped_from_memory(room):
    client, received = await open_socket(room)

    client.send("hello")
    await turns()
    await evict_durable_object(room)
    client.send("again")
    await turns()

    assert received == ["hello of 1", "again of 1"]


async def test_a_handler_gets_as_many_arguments_as_it_takes(objects):
    seen = []

    class Short(DurableObject):
        async def webSocketMessage(self, ws):
            seen.append("message")

        async def webSocketClose(self, ws, code):
            seen.append(code)

    client, _ = await open_socket(objects.namespace(Short).getByName("a"))
    client.send("hello")
    await turns()
    client.close(4000, "enough")
    await turns()

    assert seen == ["message", 4000]


async def test_bytes_arrive_as_a_memoryview(room):
    client, received = await open_socket(room)

    client.send(to_js(b"ab"))
    await turns()

    assert received == ["ab in bytes of 1"]


async def test_the_end_calls_the_handler(room):
    client, _ = await open_socket(room)

    client.close(4000, "enough")
    await turns()

    assert await run_in_durable_object(room, lambda _, ctx: ctx.storage.get("end")) == [4000, "enough", True]
    assert await run_in_durable_object(room, lambda _, ctx: len(ctx.getWebSockets())) == 0


async def test_sockets_are_found_by_their_tags(room):
    await open_socket(room, "red", "red")
    await open_socket(room, "blue")

    def look(_, ctx):
        tags = [list(ctx.getTags(socket)) for socket in ctx.getWebSockets()]
        return [tags, len(ctx.getWebSockets("red")), len(ctx.getWebSockets("green"))]

    assert await run_in_durable_object(room, look) == [[["blue"], ["red"]], 1, 0]


async def test_an_automatic_answer_does_not_call_the_object(room):
    client, received = await open_socket(room)
    pair = js.WebSocketRequestResponsePair.new("ping", "pong")
    await run_in_durable_object(room, lambda _, ctx: ctx.setWebSocketAutoResponse(pair))
    await evict_durable_object(room)

    client.send("ping")
    await turns()

    assert received == ["pong"]
    assert await evict_durable_object(room) is False


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([str(n) for n in range(11)], "a Hibernatable WebSocket cannot have more than 10 tags"),
        (["x" * 257], "is longer than the max tag length (256 characters)."),
    ],
)
async def test_tags_have_limits(room, tags, message):
    with pytest.raises(JsException) as caught:
        await open_socket(room, *tags)

    assert message in str(caught.value)


async def test_a_socket_that_was_accepted_is_refused(room):
    _, server = js.WebSocketPair.new()
    server.accept()

    with pytest.raises(JsException, match="already accepted via"):
        await run_in_durable_object(room, lambda _, ctx: ctx.acceptWebSocket(server))


async def test_a_socket_whose_other_end_was_accepted_is_refused(room):
    client, server = js.WebSocketPair.new()
    client.accept()

    with pytest.raises(JsException, match="its pair has already been accepted or used in a Response"):
        await run_in_durable_object(room, lambda _, ctx: ctx.acceptWebSocket(server))
