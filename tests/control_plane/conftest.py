"""A shop's Worker behind a control plane, as an ASGI application on the loop of its engine, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from durable_engine import Engine
from pytest_workflows.bindings.env_resolver import EnvResolver
from pytest_workflows.control_plane.app import make_app
from pytest_workflows.control_plane.security import Security
from pytest_workflows.control_plane.served import Fired, Version
from pytest_workflows.sources.worker_code import Sources
from pytest_workflows.workers import Request, Response
from pytest_workflows.workers.entrypoints import WorkflowEntrypoint

START = "2026-03-02T09:00:00Z"
START_MS = 1_772_442_000_000
CARD = {"retries": {"limit": 2, "delay": "10 seconds"}, "timeout": "2 minutes"}
BASE = "/client/v4/accounts/acc/workflows"


class OrderWorkflow(WorkflowEntrypoint):
    """Checks, charges, waits for an approval, and ships."""

    async def run(self, event: Any, step: Any) -> Any:
        order = event["payload"]
        declined = [] if order.get("card") == "declined" else None

        @step.do("check stock")
        async def check_stock() -> Any:
            return {"in_stock": 7}

        await check_stock()

        @step.do("charge card", config=CARD)
        async def charge_card() -> Any:
            if declined is not None:
                declined.append(1)
                raise RuntimeError("the bank answered 503")
            return "ch_81"

        await charge_card()
        await step.sleep("cool down", "3 days")
        approval = await step.wait_for_event("approval", "approved", timeout="1 day")
        return {"approved_by": approval["payload"]["by"]}


class Shop:
    """What is served.

    Attributes:
        answer: The Worker's fetch handler.
        fired: The crons that were fired.
    """

    is_live = False

    def __init__(self, engine: Engine, classes: dict[str, type]) -> None:
        self.engine = engine
        self.loop = asyncio.get_running_loop()
        sources = Sources(None)
        self.env = EnvResolver(None, lambda: sources, lambda: engine, ask_given=lambda: classes)
        self.versions = [Version(1, "14707576-2549-4848-82ed-f68f8a1b47c7", START_MS - 1000)]
        self.answer: Callable[[Request], Awaitable[Response]] = self._nothing
        self.fired: list[tuple[str, float]] = []
        self.outcome = "ok"

    @staticmethod
    async def _nothing(request: Request) -> Response:
        return Response(f"{request.method} {request.url}")

    async def fetch(self, request: Request) -> Response:
        return await self.answer(request)

    async def scheduled(self, cron: str, scheduled_time: float) -> Fired:
        self.fired.append((cron, scheduled_time))
        return Fired(self.outcome, no_retry=self.outcome != "ok")


@pytest.fixture
async def shop():
    async with Engine(now=START) as engine:
        found = Shop(engine, {"orders": OrderWorkflow})
        yield found
        found.env.close()


@pytest.fixture
async def client(shop):
    """A client that asks without a socket."""
    async with client_of(shop) as found:
        yield found


def client_of(shop: Shop, security: Security | None = None, **options: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=make_app(shop, security), raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787", **options)
