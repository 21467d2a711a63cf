"""A person in the loop: who approves, who rejects, who is reminded, and who never answers."""

import json
from datetime import timedelta

import httpx
import pytest

from pytest_workflows import calls_of, introspect_workflow_instance


@pytest.fixture
def opened(workflow_worker):
    async def opened():
        await workflow_worker.fetch("/opened/17", method="POST")

    return opened


@pytest.fixture
def decided(workflow_worker):
    async def decided(approved):
        await workflow_worker.fetch("/decided/17", method="POST", json={"approved": approved, "by": "grace"})

    return decided


async def test_the_model_reads_the_change_and_the_policy(workflow_env, git, opened):
    async with introspect_workflow_instance(workflow_env.REVIEWS, "17") as instance:
        await opened()
        await instance.wait_for_step_result("comment")

        review = next(step for step in instance.steps if step.name == "review")
        assert review.inputs == {"diff": {"text": "+ x = 1"}, "policy": {"text": "Names speak."}}
        asked = calls_of(workflow_env.AI)[-1]
        assert asked.args == ("@cf/qwen/qwen2.5-coder", {"diff": "+ x = 1", "policy": "Names speak."})
        assert len(json.loads(git["comments"].calls.last.request.content)["findings"]) == 2


@pytest.mark.parametrize(("approved", "route", "status"), [(True, "merge", "merged"), (False, "close", "closed")])
async def test_a_person_decides(workflow_env, git, opened, decided, approved, route, status):
    async with introspect_workflow_instance(workflow_env.REVIEWS, "17") as instance:
        await opened()
        await instance.wait_for_step_result("comment")

        await decided(approved)
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": status, "findings": 2}
        assert git[route].called


async def test_who_does_not_answer_is_reminded_once(workflow_env, workflow_clock, git, opened, decided):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.REVIEWS, "17") as instance:
        await opened()
        await instance.wait_for_step_result("remind the reviewer")
        assert workflow_clock.now - started == timedelta(days=2)

        await decided(True)
        await instance.wait_for_status("complete")

        assert (await instance.get_output())["status"] == "merged"


async def test_who_never_answers_ends_it(workflow_env, workflow_clock, git, opened):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.REVIEWS, "17") as instance:
        await opened()
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": "abandoned", "findings": 2}
        assert workflow_clock.now - started == timedelta(days=7)
        assert [(step.name, step.count) for step in instance.steps if step.kind == "wait_for_event"] == [
            ("decision", 1),
            ("decision", 2),
        ]


async def test_only_the_first_wait_times_out(workflow_env, git, opened):
    async with introspect_workflow_instance(workflow_env.REVIEWS, "17") as instance:
        async with instance.modify() as m:
            m.force_event_timeout(("decision", 1))
            m.mock_event("review-decision", {"approved": False, "by": "grace"})
        await opened()
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"status": "closed", "findings": 2}


async def test_a_decision_that_came_early_is_kept(workflow_env, git, opened, decided):
    async with introspect_workflow_instance(workflow_env.REVIEWS, "17") as instance:
        await opened()
        await decided(True)  # before the model has said anything

        await instance.wait_for_status("complete")

        assert (await instance.get_output())["status"] == "merged"


@pytest.mark.workflow(crash=False)  # it counts calls, and a lost attempt is one more
async def test_a_deploy_while_a_person_thinks(workflow_env, workflow_clock, git, opened, decided):
    async with introspect_workflow_instance(workflow_env.REVIEWS, "17") as instance:
        await opened()
        await instance.wait_for_step_result("comment")
        await workflow_clock.advance("1 day")

        await instance.crash()
        await decided(True)
        await instance.wait_for_status("complete")

        assert len(calls_of(workflow_env.AI)) == 1
        assert git["comments"].call_count == 1
        assert (await instance.get_output())["status"] == "merged"


@pytest.mark.workflow(crash=False)  # it scripts the answers one by one, and a lost attempt asks for one more
async def test_the_git_server_is_down_when_it_comes_to_merging(workflow_env, git, opened, decided):
    git["merge"].side_effect = [httpx.Response(502), httpx.Response(502), httpx.Response(200, json={})]
    async with introspect_workflow_instance(workflow_env.REVIEWS, "17") as instance:
        await opened()
        await decided(True)
        await instance.wait_for_status("complete")

        assert len(instance.steps[-1].attempts) == 3
