"""What the suite's driver does, a Worker of JavaScript: it opens a WebSocket and waits for the object's answer."""

import asyncio

import pytest
from pyodide.ffi import create_proxy


@pytest.mark.asyncio
async def test_the_object_answers_over_the_websocket(workflow_worker):
    response = await workflow_worker.fetch("http://example.com/websocket", headers={"Upgrade": "websocket"})
    socket = response.js_object.webSocket
    socket.accept()
    message = asyncio.get_running_loop().create_future()
    socket.addEventListener("message", create_proxy(lambda event: message.set_result(event.data)))

    socket.send("test")

    assert await asyncio.wait_for(message, 5) == "hello"
    socket.close()
