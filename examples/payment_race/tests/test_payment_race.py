"""Two payments race. Who won stays who won: also when the engine dies, and `run` starts again from the top."""

import asyncio
from datetime import timedelta

import pytest

from pytest_workflows import introspect_workflow_instance


@pytest.fixture
def pay(workflow_worker):
    async def pay(way, amount):
        response = await workflow_worker.fetch(f"/{way}-paid/order-1", method="POST", json={"amount": amount})
        assert response.status == 204

    return pay


@pytest.mark.parametrize(("way", "the_other_has"), [("card", timedelta(days=7)), ("transfer", timedelta(hours=1))])
async def test_the_first_payment_counts(workflow_env, workflow_clock, pay, refunds, way, the_other_has):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.CHECKOUT, "order-1") as instance:
        await workflow_env.CHECKOUT.create({"id": "order-1"})
        await instance.wait_for_status("waiting")

        await pay(way, 20)

        assert await instance.wait_for_step_result("decide which payment counts") == {"way": way, "amount": 20}
        assert await instance.wait_for_step_result("ship the order") == "shipped"  # it does not wait for the other
        assert workflow_clock.now == started
        await instance.wait_for_status("complete")
        assert await instance.get_output() == {"status": "paid", "by": way}
        assert workflow_clock.now - started == the_other_has
        assert refunds() == {}


async def test_the_second_payment_is_given_back(workflow_env, workflow_clock, pay, shipped, refunds):
    async with introspect_workflow_instance(workflow_env.CHECKOUT, "order-1") as instance:
        await workflow_env.CHECKOUT.create({"id": "order-1"})
        await instance.wait_for_status("waiting")

        await pay("transfer", 20)
        await workflow_clock.advance("30 minutes")
        await pay("card", 21)
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": "paid", "by": "transfer", "refunded": "card"}
        assert refunds() == {"order-1-refund": ("card", 21)}
        assert shipped() == {"order-1"}


async def test_a_replay_that_sees_both_payments_at_once_decides_the_same(workflow_env, pay, shipped):
    refund_runs = asyncio.Event()

    async def refund(ctx):
        if ctx.attempt == 1:
            refund_runs.set()
            await asyncio.Event().wait()

    async with introspect_workflow_instance(workflow_env.CHECKOUT, "order-1") as instance:
        async with instance.modify() as m:
            m.mock_step("refund the second payment", refund)
        await workflow_env.CHECKOUT.create({"id": "order-1"})
        await instance.wait_for_status("waiting")
        await pay("transfer", 20)
        await instance.wait_for_step_result("ship the order")
        await pay("card", 21)
        await refund_runs.wait()

        await instance.crash()  # from here on both events are in storage
        await instance.wait_for_status("complete")

        # `for name, task in ways.items()` asks for the card first; had it been asked again, the card would have won.
        assert await instance.get_output() == {"status": "paid", "by": "transfer", "refunded": "card"}
        assert shipped() == {"order-1"}


async def test_nobody_pays(workflow_env, workflow_clock, shipped):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.CHECKOUT, "order-1") as instance:
        await workflow_env.CHECKOUT.create({"id": "order-1"})

        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": "not paid"}
        assert workflow_clock.now - started == timedelta(days=7)
        assert shipped() == set()


async def test_the_card_is_too_late_and_the_transfer_comes_after_days(workflow_env, workflow_clock, pay):
    async with introspect_workflow_instance(workflow_env.CHECKOUT, "order-1") as instance:
        await workflow_env.CHECKOUT.create({"id": "order-1"})
        await instance.wait_for_status("waiting")

        await workflow_clock.advance("3 days")
        await pay("card", 20)  # nobody waits for it any more
        await pay("transfer", 20)
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": "paid", "by": "transfer"}


async def test_a_timeout_can_be_forced_without_any_time_passing(workflow_env, workflow_clock):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.CHECKOUT, "order-1") as instance:
        async with instance.modify() as m:
            m.force_event_timeout("wait for the card")
            m.mock_event("transfer-paid", {"amount": 20})
        await workflow_env.CHECKOUT.create({"id": "order-1"})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": "paid", "by": "transfer"}
        assert workflow_clock.now == started
