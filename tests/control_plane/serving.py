"""A shop behind a control plane on a port: the engine on a loop and thread of its own, the server on another one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import uvicorn

from durable_engine import Engine
from pytest_workflows.control_plane.app import make_app
from pytest_workflows.control_plane.security import Security

from .conftest import START, OrderWorkflow, Shop

T = TypeVar("T")


class Served:
    """What runs.

    Attributes:
        shop: What is served.
        port: Where.
    """

    def __init__(self, shop: Shop, port: int) -> None:
        self.shop = shop
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something on the engine's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.shop.loop).result(30)


@contextlib.contextmanager
def serving(security: Security | None = None, **workflows: type) -> Iterator[Served]:
    with _engine(workflows or {"orders": OrderWorkflow}) as shop, socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(make_app(shop, security), log_config=None, lifespan="on", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        with _thread(server.serve(sockets=[listening])) as thread:
            while not server.started and thread.is_alive():
                threading.Event().wait(0.005)
            try:
                yield Served(shop, listening.getsockname()[1])
            finally:
                server.should_exit = True


@contextlib.contextmanager
def _engine(workflows: dict[str, type]) -> Iterator[Shop]:
    found: list[Shop] = []
    is_ready, end = threading.Event(), asyncio.Event()

    async def run() -> None:
        async with Engine(now=START) as engine:
            found.append(Shop(engine, workflows))
            is_ready.set()
            await end.wait()
            found[0].env.close()

    with _thread(run()):
        is_ready.wait(10)
        try:
            yield found[0]
        finally:
            found[0].loop.call_soon_threadsafe(end.set)


@contextlib.contextmanager
def _thread(coroutine: Coroutine[Any, Any, None]) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=asyncio.run, args=[coroutine])
    thread.start()
    try:
        yield thread
    finally:
        thread.join(10)
