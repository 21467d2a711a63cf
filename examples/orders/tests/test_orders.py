"""What an order goes through, when all is well and when it is not. Remote APIs are played by respx."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest
import respx

from pytest_workflows import introspect_workflow_instance

ORDER = {"sku": "tea", "quantity": 2, "amount": 1250, "card": "tok_visa", "email": "ada@example.com"}


@pytest.fixture
def remote():
    with respx.mock(assert_all_called=False) as router:
        router.post("https://pay.example.com/charges", name="charge").respond(json={"id": "ch_1"})
        router.post("https://pay.example.com/charges/ch_1/refund", name="refund").respond(json={})
        router.post("https://mail.example.com/send", name="mail").respond(json={})
        yield router


def mails(remote):
    # As the mail service does, which knows a second call for the first by its key.
    sent = {call.request.headers["idempotency-key"]: call.request.content for call in remote["mail"].calls}
    return [json.loads(content)["text"] for content in sent.values()]


async def test_an_order_is_paid_confirmed_and_booked(workflow_env, workflow_worker, remote):
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
        response = await workflow_worker.fetch("/", method="POST", json={"number": "order-1", **ORDER})
        await instance.wait_for_status("complete")

        assert response.status == 202
        assert await instance.get_output() == {"status": "confirmed", "charge": "ch_1"}
        assert mails(remote) == ["Thank you for order order-1."]
        booked = await workflow_env.DB.prepare("SELECT * FROM orders").all()
        assert booked.results == [{"number": "order-1", "sku": "tea", "quantity": 2}]


async def test_what_is_out_of_stock_is_not_paid_for(workflow_env, remote):
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
        await workflow_env.ORDERS.create({"id": "order-1", "params": {**ORDER, "quantity": 11}})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": "out of stock"}
        assert [step.name for step in instance.steps] == ["check inventory"]
        assert not remote["charge"].called


# -- the payment -------------------------------------------------------------------------------------------------------


@pytest.mark.workflow(crash=False)  # it scripts the answers one by one, and a lost attempt asks for one more
async def test_the_payment_recovers(workflow_env, workflow_clock, remote):
    remote["charge"].side_effect = [httpx.Response(503), httpx.Response(503), httpx.Response(200, json={"id": "ch_1"})]
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
        await workflow_env.ORDERS.create({"id": "order-1", "params": ORDER})
        await instance.wait_for_status("complete")

        assert (await instance.get_output())["status"] == "confirmed"
        assert workflow_clock.now - started == timedelta(seconds=30 + 60)  # virtual time; the test takes milliseconds
        keys = {call.request.headers["idempotency-key"] for call in remote["charge"].calls}
        assert keys == {"order-1-charge"}


async def test_the_payment_fails_for_good(workflow_env, remote):
    remote["charge"].respond(503)
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
        await workflow_env.ORDERS.create({"id": "order-1", "params": ORDER})
        await instance.wait_for_status("complete")  # the workflow caught the error: it is complete, not errored

        assert await instance.get_output() == {"status": "payment failed"}
        payment = instance.steps[1]
        assert payment.status == "errored"
        assert [attempt.retry_delay for attempt in payment.attempts] == [
            timedelta(seconds=30),
            timedelta(seconds=60),
            timedelta(seconds=120),
            None,
        ]
        assert mails(remote) == ["We could not take the payment for order order-1."]


@pytest.mark.workflow(crash=False)  # a failure that is not retried is not remembered: after a crash it is tried again
async def test_a_declined_card_is_not_tried_again(workflow_env, remote):
    remote["charge"].respond(402, text="insufficient funds")
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
        await workflow_env.ORDERS.create({"id": "order-1", "params": ORDER})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": "payment failed"}
        assert remote["charge"].call_count == 1


@pytest.mark.workflow(crash=False)  # it counts attempts, and a lost one is one more
async def test_the_payment_times_out_once(workflow_env, remote):
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
        async with instance.modify() as m:
            m.force_step_timeout("take payment", times=1)
        await workflow_env.ORDERS.create({"id": "order-1", "params": ORDER})
        await instance.wait_for_status("complete")

        assert (await instance.get_output())["status"] == "confirmed"
        first, second = instance.steps[1].attempts
        assert "Execution timed out after 120000ms" in first.error["message"]
        assert second.error is None


async def test_the_payment_always_times_out(workflow_env, remote):
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
        async with instance.modify() as m:
            m.force_step_timeout("take payment")
            m.disable_retry_delays()
        await workflow_env.ORDERS.create({"id": "order-1", "params": ORDER})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": "payment failed"}
        assert len(instance.steps[1].attempts) == 4  # the first, and three retries


# -- compensation ------------------------------------------------------------------------------------------------------


async def test_an_order_that_cannot_be_booked_is_refunded(workflow_env, remote):
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
        async with instance.modify() as m:
            m.disable_retry_delays()
            m.mock_step_error("update the database", RuntimeError("the database is gone"))
        await workflow_env.ORDERS.create({"id": "order-1", "params": ORDER})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": "refunded"}
        assert {call.request.headers["idempotency-key"] for call in remote["refund"].calls} == {"order-1-refund"}
        assert mails(remote)[-1] == "We are sorry: order order-1 could not be booked."


@pytest.mark.workflow(crash=False)  # it counts calls, and a lost attempt is one more
async def test_a_crash_between_two_compensations_repeats_neither(workflow_env, remote):
    async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
        async with instance.modify() as m:
            m.disable_retry_delays()
            m.mock_step_error("update the database", RuntimeError("the database is gone"))
        await workflow_env.ORDERS.create({"id": "order-1", "params": ORDER})
        await instance.wait_for_step_result("refund the payment")

        await instance.crash()  # as when the Worker is deployed, or its machine restarts
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": "refunded"}
        assert remote["charge"].call_count == 1
        assert remote["refund"].call_count == 1
        assert mails(remote) == ["Thank you for order order-1.", "We are sorry: order order-1 could not be booked."]
        steps = {step.name: step for step in instance.steps}
        assert len(steps["update the database"].attempts) == 6  # its failure was remembered, not tried anew


@pytest.mark.workflow(crash=False)  # it counts attempts, and a lost one is one more
async def test_a_crash_in_the_middle_of_a_refund_repeats_only_the_refund(workflow_env, remote):
    refund_runs = asyncio.Event()
    attempts = []

    async def refund(ctx):
        attempts.append(ctx.attempt)
        if ctx.attempt == 1:
            refund_runs.set()
            await asyncio.Event().wait()  # the bank takes its time, and the engine dies meanwhile

    async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
        async with instance.modify() as m:
            m.disable_retry_delays()
            m.mock_step_error("update the database", RuntimeError("the database is gone"))
            m.mock_step("refund the payment", refund)
        await workflow_env.ORDERS.create({"id": "order-1", "params": ORDER})
        await refund_runs.wait()

        await instance.crash()
        await instance.wait_for_status("complete")

        # A step that was interrupted runs again: that is why the refund carries an idempotency key.
        assert attempts == [1, 2]
        assert await instance.get_output() == {"status": "refunded"}
        assert remote["charge"].call_count == 1
