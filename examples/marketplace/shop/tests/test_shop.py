"""The shop, with the billing that it talks to."""

from datetime import timedelta

import pytest

from pytest_workflows import introspect_workflow, introspect_workflow_instance


@pytest.fixture
def order(workflow_worker):
    async def order(name, cents):
        assert (await workflow_worker.fetch(f"/orders/{name}", method="POST", json={"cents": cents})).status == 202

    return order


async def test_an_order_is_shelved_once_billing_says_that_it_is_paid(
    workflow_env, workflow_clock, workflow_worker, order
):
    start = workflow_clock.now
    async with introspect_workflow(workflow_env.PAYMENTS) as payments:
        async with introspect_workflow_instance(workflow_env.ORDERS, "o1") as instance:
            await order("o1", 500)
            await instance.wait_for_status("complete")
            assert await instance.get_output() == {"order": "o1", "paid": 500}
        assert [payment.id for payment in payments.get()] == ["o1"]

    assert workflow_clock.now - start == timedelta(hours=12)
    assert await workflow_env.SHELF.get("o1") == "ready to ship"
    assert await (await workflow_worker.fetch("/orders/o1")).json() == {"order": "o1", "paid": 500}


async def test_a_payment_that_does_not_come_in_a_week_fails_the_order(workflow_env, order):
    async with introspect_workflow(workflow_env.PAYMENTS) as payments:
        async with payments.modify_all() as m:
            m.mock_step_error("enter it", RuntimeError("the ledger is closed"))
        async with introspect_workflow_instance(workflow_env.ORDERS, "o2") as instance:
            await order("o2", 500)
            await instance.wait_for_status("errored")

    assert await workflow_env.SHELF.get("o2") is None
