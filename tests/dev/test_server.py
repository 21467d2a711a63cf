"""The HTTP server and the Worker's thread, without a Worker behind them."""

import asyncio
import threading

import httpx
import pytest
import uvicorn
import uvicorn.config

from pytest_workflows.dev import engine_thread
from pytest_workflows.dev.engine_thread import EngineThread
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


# -- the Worker's thread ---------------------------------------------------------------------------------------------


@pytest.fixture
def thread(monkeypatch):
    monkeypatch.setattr(engine_thread, "_STOPPING", 0.1)
    monkeypatch.setattr(engine_thread, "_TURN", 0.5)
    thread = EngineThread()
    thread.start()
    return thread


def test_an_end_that_takes_long_is_waited_for_while_the_loop_turns(thread, monkeypatch):
    turns, written, ended = thread._turns, asyncio.Event(), []

    async def last():
        await written.wait()  # a disk that is slow
        ended.append(True)

    def turned():
        thread._loop.call_soon_threadsafe(written.set)
        return turns()

    monkeypatch.setattr(thread, "_turns", turned)
    assert thread.stop(last())
    assert ended == [True]


def test_an_end_that_never_comes_is_waited_for_so_long_and_no_longer(thread, monkeypatch):
    monkeypatch.setattr(engine_thread, "_WRITING", 0.0)

    assert not thread.stop(asyncio.Event().wait())


def test_code_that_does_not_give_way_is_left(thread):
    held = threading.Event()

    async def last():
        held.wait(20)

    assert not thread.stop(last())
    assert "held.wait(20)" in thread.where(__file__)
    held.set()


def test_what_fails_at_the_end_is_raised_and_the_thread_ends(thread):
    async def last():
        raise TimeoutError("the disk")

    with pytest.raises(TimeoutError, match="the disk"):
        thread.stop(last())
    assert thread.where(__file__) == ""
