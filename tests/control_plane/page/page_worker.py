"""The Worker that the page's tests look at: an order that retries, sleeps, and waits for an event."""

import asyncio
import logging
from typing import Any

from pytest_workflows.workers.entrypoints import WorkflowEntrypoint

log = logging.getLogger("shop")

CARD = {"retries": {"limit": 2, "delay": "10 minutes", "backoff": "constant"}, "timeout": "2 minutes"}
EVIL = "<img src=x onerror=document.title='broken'>"


class Order(WorkflowEntrypoint):
    """Checks, charges, sleeps, waits for an approval, and ships."""

    async def run(self, event: Any, step: Any) -> Any:
        order = event["payload"]

        @step.do("check stock")
        async def check_stock() -> Any:
            print("looking for", order.get("sku"))
            return {"shelf": EVIL}

        await check_stock()

        @step.do("charge card", config=CARD)
        async def charge_card(ctx: Any) -> Any:
            log.warning("charging in attempt %s", ctx.attempt)
            if ctx.attempt <= order.get("declined", 0):
                raise RuntimeError(f"the bank answered 503 {EVIL}")
            return "ch_81"

        await charge_card()
        if order.get("nap", True):
            await step.sleep("cool down", "3 days")
        approval = await step.wait_for_event("approval", "approved", timeout="30 days")

        @step.do("ship")
        async def ship() -> Any:
            return {"tracking": "T-1", "by": approval["payload"].get("by")}

        return await ship()


class Greeting(WorkflowEntrypoint):
    """Greets at once."""

    async def run(self, event: Any, step: Any) -> Any:
        @step.do("greet")
        async def greet() -> Any:
            for number in range(event["payload"].get("lines", 0)):
                print("line", number)
            return f"Hello, {event['payload'].get('name', 'you')}"

        return await greet()


class Naps(WorkflowEntrypoint):
    """Sleeps twice at a time."""

    async def run(self, event: Any, step: Any) -> Any:
        await asyncio.gather(step.sleep("short nap", "1 hour"), step.sleep("long nap", "2 hours"))
