"""What a moderated comment goes through. Sleeps of hours and days take no time here."""

import httpx
import pytest
import respx

from pytest_workflows import StepFailedError, introspect_workflow, introspect_workflow_instance


async def test_a_clean_comment_is_published(workflow_env):
    async with introspect_workflow_instance(workflow_env.MODERATOR, "comment-1") as instance:
        async with instance.modify() as m:
            m.disable_sleeps()
            m.mock_step_result("AI content scan", {"violationScore": 0})
            m.mock_step_result("publish comment", {"published": True})

        await workflow_env.MODERATOR.create({"id": "comment-1"})

        assert await instance.wait_for_step_result("auto approve content") == {"status": "auto_approved"}
        await instance.wait_for_status("complete")
        assert await instance.get_output() == {"status": "auto_approved"}


async def test_an_offensive_comment_is_rejected_and_never_published(workflow_env):
    async with introspect_workflow_instance(workflow_env.MODERATOR, "comment-1") as instance:
        async with instance.modify() as m:
            m.mock_step_result("AI content scan", {"violationScore": 99})

        await workflow_env.MODERATOR.create({"id": "comment-1"})

        await instance.wait_for_status("complete")
        assert await instance.get_output() == {"status": "auto_rejected"}
        assert [step.name for step in instance.steps] == [
            "let the author edit",
            "AI content scan",
            "auto reject content",
        ]


async def test_a_person_approves_through_the_webhook(workflow_env, workflow_worker):
    async with introspect_workflow_instance(workflow_env.MODERATOR, "comment-1") as instance:
        async with instance.modify() as m:
            m.mock_step_result("AI content scan", {"violationScore": 50})
            m.mock_step_result("publish comment", {"published": True})
        await workflow_env.MODERATOR.create({"id": "comment-1"})
        await instance.wait_for_status("waiting")
        await instance.wait_for_step_result("AI content scan")

        response = await workflow_worker.fetch(
            "https://example.com/decide/comment-1", method="POST", json={"approved": True}
        )

        assert response.status == 200
        await instance.wait_for_status("complete")
        assert await instance.get_output() == {"status": "approved"}


@pytest.mark.workflow(crash=False)  # it counts attempts, and a lost one is one more
async def test_the_scan_fails_twice_and_then_works(workflow_env):
    async with introspect_workflow_instance(workflow_env.MODERATOR, "comment-1") as instance:
        async with instance.modify() as m:
            m.mock_step_error("AI content scan", RuntimeError("the model is overloaded"), times=2)
            m.mock_step_result("AI content scan", {"violationScore": 99})
        await workflow_env.MODERATOR.create({"id": "comment-1"})

        await instance.wait_for_status("complete")

        scan = instance.steps[1]
        assert [attempt.error is None for attempt in scan.attempts] == [False, False, True]
        assert [attempt.retry_delay and attempt.retry_delay.total_seconds() for attempt in scan.attempts] == [
            1,
            2,
            None,
        ]


async def test_a_scan_that_always_fails_ends_the_instance_without_delay(workflow_env, workflow_clock):
    started = workflow_clock.now
    async with introspect_workflow_instance(workflow_env.MODERATOR, "comment-1") as instance:
        async with instance.modify() as m:
            m.disable_sleeps()
            m.disable_retry_delays()
            m.mock_step_error("AI content scan", RuntimeError("the model is gone"))
        await workflow_env.MODERATOR.create({"id": "comment-1"})

        with pytest.raises(StepFailedError, match="the model is gone"):
            await instance.wait_for_step_result("AI content scan")

        await instance.wait_for_status("errored")
        assert workflow_clock.now == started
        assert "the model is gone" in str(instance.exception)


async def test_nobody_reviews_within_a_day(workflow_env):
    async with introspect_workflow_instance(workflow_env.MODERATOR, "comment-1") as instance:
        async with instance.modify() as m:
            m.mock_step_result("AI content scan", {"violationScore": 50})
        await workflow_env.MODERATOR.create({"id": "comment-1"})

        await instance.wait_for_status("errored")

        error = await instance.get_error()
        assert "Execution timed out after 86400000ms" in error["message"]


async def test_every_comment_of_a_batch_is_published(workflow_env, workflow_worker):
    async with introspect_workflow(workflow_env.MODERATOR) as introspector:
        async with introspector.modify_all() as m:
            m.disable_sleeps()
            m.mock_step_result("AI content scan", {"violationScore": 0})
            m.mock_step_result("publish comment", {"published": True})

        response = await workflow_worker.fetch("https://example.com/moderate-batch")  # ids are made at run time

        assert (await response.json())["ids"] == [instance.id for instance in introspector.get()]
        for instance in introspector.get():
            await instance.wait_for_status("complete")
            assert await instance.get_output() == {"status": "auto_approved"}


@pytest.mark.workflow(crash=False)  # it scripts the answers one by one, and a lost attempt asks for one more
async def test_the_publish_step_calls_the_blog(workflow_env):
    async with introspect_workflow_instance(workflow_env.MODERATOR, "comment-1") as instance:
        async with instance.modify() as m:
            m.mock_step_result("AI content scan", {"violationScore": 0})

        with respx.mock:
            blog = respx.post("https://blog.example.com/comments/comment-1/publish")
            blog.mock(side_effect=[httpx.Response(503), httpx.Response(200, json={"published": True})])
            await workflow_env.MODERATOR.create({"id": "comment-1", "params": {"text": "Nice post!"}})
            await instance.wait_for_status("complete")

        assert blog.call_count == 2
        assert await instance.wait_for_step_result("publish comment") == {"published": True}


async def test_the_status_of_a_comment_is_told(workflow_env, workflow_worker):
    async with introspect_workflow_instance(workflow_env.MODERATOR, "comment-1") as instance:
        await workflow_env.MODERATOR.create({"id": "comment-1"})
        await instance.wait_for_status("waiting")

        response = await workflow_worker.fetch("https://example.com/status/comment-1")

        assert (await response.json())["status"] == "waiting"
