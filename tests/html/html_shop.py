"""A worker project whose tests leave something of everything that the page shows."""

CONFIG = """\
{
  "name": "shop",
  "main": "src/entry.py",
  "compatibility_date": "2026-11-10",
  "workflows": [
    {"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"},
    {"binding": "REFUNDS", "name": "refunds", "class_name": "RefundWorkflow"}
  ]
}
"""

INI = """\
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""

ENTRY = """\
import logging

from workers import WorkflowEntrypoint
from workers.workflows import NonRetryableError

log = logging.getLogger("shop")


class OrderWorkflow(WorkflowEntrypoint):
    async def run(self, event, step):
        order = event["payload"]

        @step.do("check_stock", config={"retries": {"limit": 3, "delay": "30 seconds", "backoff": "exponential"}})
        async def check_stock(ctx):
            print("looking for", order["sku"], "in attempt", ctx.attempt)
            if ctx.attempt < 3 and order.get("flaky"):
                raise ConnectionError("the warehouse does not answer")
            return {"sku": order["sku"], "shelf": "</script><img src=x onerror=document.title='broken'>"}

        @step.do()
        async def price():
            return {"amount": 42, "currency": "EUR"}

        @step.do("take payment", config={"retries": {"limit": 2, "delay": "1 minute", "backoff": "constant"}})
        async def take_payment(check_stock, price):
            log.warning("taking %s %s", price["amount"], price["currency"])
            answer = await self.env.BANK.charge(order["card"], price["amount"])
            if answer == "declined":
                raise ValueError(f"card {order['card']} was declined")
            return {"charge": answer}

        payment = await take_payment()
        await step.sleep("let the customer cancel", "1 hour")
        try:
            decision = await step.wait_for_event("wait for the packer", "packed", timeout="2 days")
        except Exception:

            @step.do("apologise")
            async def apologise():
                return await self.env.MAIL.send(order["email"], subject="It takes longer")

            await apologise()
            return {"status": "late"}

        for box in range(decision["payload"]["boxes"]):

            @step.do(f"ship box {box + 1}")
            async def ship():
                return {"tracking": f"T-{box}"}

            await ship()

        if order.get("gift"):

            @step.do("print the card")
            async def gift():
                return "printed"

            await gift()
        return {"status": "shipped", "payment": payment}


class RefundWorkflow(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("find the payment")
        async def find():
            return "p-1"

        await find()

        @step.do("give it back")
        async def back():
            raise NonRetryableError("the bank is closed")

        await back()
"""

CONFTEST = """\
import pytest


class Bank:
    def __init__(self):
        self.answer = "ch_1"

    async def charge(self, card, amount):
        return self.answer


class Mail:
    async def send(self, to, *, subject):
        return "sent"


@pytest.fixture
def bank():
    return Bank()


@pytest.fixture
def workflow_bindings(bank):
    return {"BANK": bank, "MAIL": Mail()}
"""

TESTS = """\
import pytest

from pytest_workflows import introspect_workflow_instance

pytestmark = pytest.mark.workflow(now="2026-01-01T00:00:00Z")
ORDER = {"sku": "A-17", "card": "4242", "email": "a@example.com"}


async def start(env, id, **more):
    return await env.ORDERS.create({"id": id, "params": {**ORDER, **more}})


@pytest.mark.parametrize("boxes", [1, 2, 3])
async def test_an_order_is_shipped(workflow_env, boxes):
    async with introspect_workflow_instance(workflow_env.ORDERS, f"order-{boxes}") as instance:
        handle = await start(workflow_env, instance.id, flaky=boxes > 1)
        await handle.send_event({"type": "packed", "payload": {"boxes": boxes, "by": "Ada"}})
        await instance.wait_for_status("complete")


async def test_a_crash_after_the_payment(workflow_env):
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-crash") as instance:
        handle = await start(workflow_env, instance.id)
        await instance.wait_for_step_result("take payment")
        await instance.crash()
        await handle.send_event({"type": "packed", "payload": {"boxes": 1}})
        await instance.wait_for_status("complete")


async def test_nobody_packs(workflow_env):
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-late") as instance:
        async with instance.modify() as m:
            m.mock_step_result("price", {"amount": 1, "currency": "EUR"})
        await start(workflow_env, instance.id)
        await instance.wait_for_status("complete")
        assert await instance.get_output() == {"status": "late"}


async def test_a_declined_card_still_ships(workflow_env, bank):
    bank.answer = "declined"
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-declined") as instance:
        await start(workflow_env, instance.id, flaky=True)
        await instance.wait_for_status("complete")


async def test_a_refund(workflow_env):
    async with introspect_workflow_instance(workflow_env.REFUNDS, "refund-1") as instance:
        await workflow_env.REFUNDS.create({"id": "refund-1"})
        await instance.wait_for_status("errored")
"""

FILES = {
    "wrangler.jsonc": CONFIG,
    "pytest.ini": INI,
    "src/entry.py": ENTRY,
    "tests/conftest.py": CONFTEST,
    "tests/test_orders.py": TESTS,
}
