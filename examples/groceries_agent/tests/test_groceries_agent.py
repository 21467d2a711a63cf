"""Weeks of a conversation between an agent and a person, in milliseconds."""

from datetime import timedelta

import pytest

from pytest_workflows import introspect_workflow_instance


async def test_the_list_is_approved_and_ordered(workflow_env, workflow_clock, shop, say):
    async with introspect_workflow_instance(workflow_env.GROCERIES, "home") as instance:
        await workflow_env.GROCERIES.create({"id": "home", "params": {"weeks": 1}})
        await say("wishes-1", text="breakfast")
        assert await instance.wait_for_step_result("write the list") == ["milk", "bread"]
        await instance.wait_for_status("waiting")

        await workflow_clock.advance("5 hours")  # the person takes a while
        await say("answer-1-1", approved=True)
        await instance.wait_for_status("complete")

        assert await instance.get_output() == ["home-1"]
        assert {call.request.headers["idempotency-key"] for call in shop.calls} == {"home-1"}


async def test_what_the_person_did_not_like_goes_into_the_next_list(workflow_env, shop, say, prompts):
    async with introspect_workflow_instance(workflow_env.GROCERIES, "home") as instance:
        async with instance.modify() as m:
            m.mock_event("wishes-1", {"text": "breakfast"})
            m.mock_event("answer-1-1", {"approved": False, "comment": "no meat"})
            m.mock_event("answer-1-2", {"approved": True})
        await workflow_env.GROCERIES.create({"id": "home", "params": {"weeks": 1}})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == ["home-1"]
        assert "no meat" in prompts()[-1]


async def test_a_second_rejection_ends_the_week(workflow_env, shop):
    async with introspect_workflow_instance(workflow_env.GROCERIES, "home") as instance:
        async with instance.modify() as m:
            m.mock_event("wishes-1", {"text": "breakfast"})
            m.mock_event("answer-1-1", {"approved": False, "comment": "no meat"})
            m.mock_event("answer-1-2", {"approved": False, "comment": "no fish"})
        await workflow_env.GROCERIES.create({"id": "home", "params": {"weeks": 1}})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == ["rejected"]
        assert not shop.called


async def test_nobody_answers(workflow_env, workflow_clock, shop, say):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.GROCERIES, "home") as instance:
        await workflow_env.GROCERIES.create({"id": "home", "params": {"weeks": 2}})
        await say("wishes-1", text="breakfast")
        await instance.wait_for_status("complete")

        assert await instance.get_output() == ["no answer", "nothing said"]
        assert workflow_clock.now - started == timedelta(days=1 + 7 + 2 + 7)
        assert not shop.called


async def test_each_week_is_a_new_conversation(workflow_env, shop):
    async with introspect_workflow_instance(workflow_env.GROCERIES, "home") as instance:
        async with instance.modify() as m:
            m.mock_event("wishes-1", {"text": "breakfast"})
            m.mock_event("wishes-2", {"text": "a party"})
            m.mock_event("answer-1-1", {"approved": True})
            m.mock_event("answer-2-1", {"approved": True})
            # The second occurrence of a step is selected by a tuple.
            m.mock_step_result(("order the groceries", 2), "party-order")
        await workflow_env.GROCERIES.create({"id": "home", "params": {"weeks": 2}})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == ["home-1", "party-order"]
        orders = [step for step in instance.steps if step.name == "order the groceries"]
        assert [(step.count, step.mocked) for step in orders] == [(1, False), (2, True)]
        assert orders[1].started_at - orders[0].started_at == timedelta(weeks=1)


@pytest.mark.workflow(crash=False)  # it counts the lists, and a lost attempt is one more
async def test_a_deploy_in_the_middle_of_the_conversation(workflow_env, shop, say, prompts):
    async with introspect_workflow_instance(workflow_env.GROCERIES, "home") as instance:
        await workflow_env.GROCERIES.create({"id": "home", "params": {"weeks": 1}})
        await say("wishes-1", text="breakfast")
        await instance.wait_for_step_result("write the list")

        await instance.crash()
        await say("answer-1-1", approved=True)
        await instance.wait_for_status("complete")

        assert len(prompts()) == 1  # the person agreed to this list: no other one was written since
