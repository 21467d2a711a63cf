"""The HTTP server, without a Worker behind it."""

import asyncio

import httpx
import pytest
import uvicorn
import uvicorn.config

from pytest_workflows.dev.ports import bind
from pytest_workflows.dev.server import serve
from pytest_workflows.session.serving.http_server import HttpServer


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


async def test_it_serves_until_what_runs_beside_it_is_cancelled_with_it():
    with bind("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        is_up = asyncio.Event()

        async def beside():
            is_up.set()
            await asyncio.Event().wait()

        serving = asyncio.create_task(serve(answer, listener, beside))
        await is_up.wait()
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(url)).text == "hi"
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving


async def test_what_fails_beside_it_ends_it():
    async def beside():
        raise OSError("no space left")

    with bind("127.0.0.1", 0) as listener, pytest.raises(OSError, match="no space left"):
        await asyncio.wait_for(serve(answer, listener, beside), 20)


def test_the_server_of_a_test_serves_with_an_older_uvicorn_too(monkeypatch):
    monkeypatch.delitem(uvicorn.config.WS_PROTOCOLS, "websockets-sansio")

    server = HttpServer(answer)
    try:
        assert httpx.get(f"http://127.0.0.1:{server.port}", trust_env=False).text == "hi"
    finally:
        server.close()


def test_a_server_of_a_test_that_cannot_start_says_so(monkeypatch):
    def load(config):
        raise ValueError("no such protocol")

    monkeypatch.setattr(uvicorn.Config, "load", load)

    with pytest.raises(ValueError, match="no such protocol"):
        HttpServer(answer)
