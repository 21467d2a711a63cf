"""A shop behind the page: engine and Worker on a loop of their own, the server on another one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from page_worker import Greeting, Naps, Order

from durable_engine import Engine, encode
from pytest_workflows.bindings.env_resolver import EnvResolver
from pytest_workflows.control_plane.app import make_app
from pytest_workflows.control_plane.served import Fired, Version
from pytest_workflows.sources.worker_code import Sources
from pytest_workflows.workers import Request, Response

START_MS = 1_772_442_000_000
T = TypeVar("T")


class Shop:
    """What is served: an engine on a thread of its own.

    Attributes:
        given: The Worker's bindings.
    """

    is_live = False

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.versions = [Version(1, "14707576-2549-4848-82ed-f68f8a1b47c7", START_MS)]
        self.divergences: list[Any] = []
        self.problem: str | None = None
        self.given: dict[str, Any] = {"ORDERS": Order, "GREETINGS": Greeting, "NAPS": Naps}
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()
        self.run(self._open())

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def run(self, coroutine: Coroutine[Any, Any, T], timeout: float = 20) -> T:
        """Run something on the engine's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    async def _open(self) -> None:
        self.engine = Engine(now="2026-03-02T09:00:00Z", root=Path(__file__).parent)
        assert self.engine.loop
        sources = Sources(None)
        self.env = EnvResolver(None, lambda: sources, lambda: self.engine, ask_given=lambda: self.given)
        for name in self.given:
            self.env.resolve(name)

    async def fetch(self, request: Request) -> Response:
        return Response("the Worker")

    async def scheduled(self, cron: str, scheduled_time: float) -> Fired:
        return Fired("ok")

    def create(self, *ids: str, workflow: str = "ORDERS", **params: Any) -> None:
        """Create instances, and let them come as far as they do without time."""

        async def create() -> None:
            binding = self.engine.bindings[workflow]
            for id in ids:
                await binding.create({"id": id, "params": params})
            await self.engine.settle()

        self.run(create())

    def send(self, id: str, type: str, payload: Any, workflow: str = "ORDERS") -> None:
        """Send an event, and let what it sets going come as far as it does without time."""

        async def send() -> None:
            self.engine.send_event(self.engine.bindings[workflow].workflow, id, type, encode(payload))
            await self.engine.settle()

        self.run(send())

    def status(self, id: str, workflow: str = "ORDERS") -> str:
        async def status() -> str:
            return self.engine.require(self.engine.bindings[workflow].workflow, id).status

        return self.run(status())

    def close(self) -> None:
        async def close() -> None:
            self.env.close()
            self.engine.stop()
            self.engine.close()
            self.engine.stopped_tasks.close()

        self.run(close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(20)
        self.loop.close()


class Server:
    """The server of a control plane, in a thread.

    Args:
        shop: What it serves.
        port: Its port; 0 for a free one.

    Attributes:
        port: The port.
    """

    def __init__(self, shop: Shop, port: int = 0) -> None:
        config = uvicorn.Config(
            make_app(shop), host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1, ws="none"
        )
        self._server = uvicorn.Server(config)
        self._socket = config.bind_socket()
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._socket]))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()
