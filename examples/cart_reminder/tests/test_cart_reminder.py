"""Three days of waiting, and what happens to the cart meanwhile."""

import json
from datetime import timedelta

import httpx
import pytest
import respx

from pytest_workflows import introspect_workflow_instance


@pytest.fixture
def mail():
    with respx.mock(assert_all_called=False) as router:
        yield router.post("https://mail.example.com/send").respond(json={})


async def test_who_left_a_cart_is_reminded_after_three_days(workflow_env, workflow_clock, mail):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.CART_REMINDER, "cart-1") as instance:
        await workflow_env.CART_REMINDER.create({"id": "cart-1", "params": {"cart": "cart-1"}})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"reminded": True}
        assert workflow_clock.now - started == timedelta(days=3)
        assert json.loads(mail.calls.last.request.content) == {
            "to": "ada@example.com",
            "text": "2 things are waiting in your cart.",
        }


async def test_who_checks_out_on_the_second_day_is_left_alone(workflow_env, workflow_clock, mail):
    async with introspect_workflow_instance(workflow_env.CART_REMINDER, "cart-1") as instance:
        await workflow_env.CART_REMINDER.create({"id": "cart-1", "params": {"cart": "cart-1"}})
        await workflow_clock.advance("2 days")
        assert (await instance.status())["status"] == "waiting"

        await workflow_env.DB.prepare("UPDATE carts SET checked_out = 1").run()
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"reminded": False}
        assert not mail.called


async def test_a_cart_that_is_gone_is_no_error(workflow_env, mail):
    await workflow_env.DB.prepare("DELETE FROM carts").run()
    async with introspect_workflow_instance(workflow_env.CART_REMINDER, "cart-1") as instance:
        async with instance.modify() as m:
            m.disable_sleeps()
        await workflow_env.CART_REMINDER.create({"id": "cart-1", "params": {"cart": "cart-1"}})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"reminded": False}


@pytest.mark.workflow(crash=False)  # it counts mails, and a lost attempt sends one more
async def test_a_crash_during_the_sleep_does_not_make_it_longer(workflow_env, workflow_clock, mail):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.CART_REMINDER, "cart-1") as instance:
        await workflow_env.CART_REMINDER.create({"id": "cart-1", "params": {"cart": "cart-1"}})
        await workflow_clock.advance("2 days")

        await instance.crash()
        await instance.wait_for_status("complete")

        assert workflow_clock.now - started == timedelta(days=3)
        assert mail.call_count == 1


@pytest.mark.workflow(crash=False)  # it scripts the answers one by one, and a lost attempt asks for one more
async def test_the_mail_service_is_down_for_a_moment(workflow_env, mail):
    mail.side_effect = [httpx.Response(500), httpx.Response(200)]
    async with introspect_workflow_instance(workflow_env.CART_REMINDER, "cart-1") as instance:
        await workflow_env.CART_REMINDER.create({"id": "cart-1", "params": {"cart": "cart-1"}})
        await instance.wait_for_status("complete")

        assert [len(step.attempts) for step in instance.steps if step.kind == "do"] == [1, 2]
