"""Billing by itself, and what it sends to the shop."""

from pytest_workflows import introspect_workflow_instance


async def test_a_receipt_reaches_the_shop_through_the_queue(workflow_worker, workflow_workers, workflow_engine):
    await workflow_worker.rpc.receipt("o1", 500)
    await workflow_engine.run_until_idle()

    assert await workflow_workers["shop"].env.SHELF.get("receipt of o1") == "500 cents"


async def test_a_payment_tells_the_order_that_waits_for_it(workflow_env, workflow_workers):
    async with introspect_workflow_instance(workflow_env.ORDERS, "o1") as order:
        await workflow_env.ORDERS.create({"id": "o1", "params": {"cents": 700}})
        await order.wait_for_status("complete")

    assert await workflow_workers["billing"].rpc.paid("o1") == 700
