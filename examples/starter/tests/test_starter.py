"""A morning in October 2024, on virtual time: three hours of waiting pass in milliseconds.

`now=` says where the clock starts. Time passes only while a test awaits something that needs it.
"""

from datetime import UTC, datetime, timedelta

import pytest

from pytest_workflows import introspect_workflow, introspect_workflow_instance

# As in the published sample, one sleep is not awaited, on purpose: src/entry.py says what the platform makes of that.
# The rule missing-await warns of it, and stays a warning where warnings are errors (`pytest -W error`).
pytestmark = pytest.mark.filterwarnings(r"default:\[missing-await\]")

ADA = {"name": "Ada", "email": "ada@example.com", "password": "not for the workflow's log"}


@pytest.mark.workflow(now="2024-10-24T10:00:00Z")
async def test_the_greeting_comes_at_the_launch(workflow_env, workflow_clock):
    async with introspect_workflow_instance(workflow_env.STARTER, "ada") as instance:
        async with instance.modify() as m:
            m.mock_event("go-ahead", {"by": "Grace"})

        await workflow_env.STARTER.create({"id": "ada", "params": ADA})
        await instance.wait_for_status("complete")

        assert await instance.get_output() == {
            "to": "ada@example.com",
            "text": "Hello Ada, it is 13:00 and Grace let you in.",  # datetime.now() followed the virtual clock
        }
        assert workflow_clock.now == datetime(2024, 10, 24, 13, 0, tzinfo=UTC)


@pytest.mark.workflow(now="2024-10-24T10:00:00Z")
async def test_the_first_step_keeps_only_parts_of_the_payload(workflow_env):
    async with introspect_workflow_instance(workflow_env.STARTER, "ada") as instance:
        await workflow_env.STARTER.create({"id": "ada", "params": ADA})

        assert await instance.wait_for_step_result("read the payload") == {"name": "Ada", "email": "ada@example.com"}


@pytest.mark.workflow(now="2024-10-24T10:00:00Z")
async def test_the_event_is_sent_while_the_instance_waits(workflow_env, workflow_clock):
    async with introspect_workflow_instance(workflow_env.STARTER, "ada") as instance:
        handle = await workflow_env.STARTER.create({"id": "ada", "params": ADA})
        await instance.wait_for_status("waiting")

        await workflow_clock.advance("45 minutes")
        await handle.send_event({"type": "go-ahead", "payload": {"by": "Grace"}})
        await instance.wait_for_status("complete")

        wait = next(step for step in instance.steps if step.kind == "wait_for_event")
        assert wait.ended_at == datetime(2024, 10, 24, 10, 45, tzinfo=UTC)


@pytest.mark.workflow(now="2024-10-24T10:00:00Z")
async def test_nobody_waits_for_a_sleep_that_is_not_awaited(workflow_env):
    async with introspect_workflow_instance(workflow_env.STARTER, "ada") as instance:
        async with instance.modify() as m:
            m.mock_event("go-ahead", {"by": "Grace"})
        await workflow_env.STARTER.create({"id": "ada", "params": ADA})
        await instance.wait_for_status("complete")

        steps = {step.name: step for step in instance.steps}
        pause, wait = steps["a pause that nobody waits for"], steps["wait for the go-ahead"]
        assert wait.started_at == pause.started_at  # `run` went on at once,
        assert pause.ended_at - pause.started_at == timedelta(minutes=30)  # and the sleep ended all the same


@pytest.mark.workflow(now="2024-10-24T10:00:00Z")
async def test_nobody_gives_the_go_ahead_within_the_hour(workflow_env, workflow_clock):
    async with introspect_workflow_instance(workflow_env.STARTER, "ada") as instance:
        await workflow_env.STARTER.create({"id": "ada", "params": ADA})

        await instance.wait_for_status("errored")

        assert "Execution timed out after 3600000ms" in (await instance.get_error())["message"]
        assert workflow_clock.now == datetime(2024, 10, 24, 11, 0, tzinfo=UTC)


@pytest.mark.workflow(now="2024-10-24T14:00:00Z")
async def test_a_go_ahead_after_the_launch_is_enough(workflow_env, workflow_clock):
    async with introspect_workflow_instance(workflow_env.STARTER, "ada") as instance:
        async with instance.modify() as m:
            m.mock_event("go-ahead", {"by": "Grace"})
        await workflow_env.STARTER.create({"id": "ada", "params": ADA})

        await instance.wait_for_status("complete")

        # `sleep_until` a date in the past is an error; a sleep of no length is none.
        assert (await instance.get_output())["text"] == "Hello Ada, it is 14:00 and Grace let you in."
        assert workflow_clock.now == datetime(2024, 10, 24, 14, 0, tzinfo=UTC)


@pytest.mark.workflow(now="2024-10-24T10:00:00Z")
async def test_the_worker_starts_an_instance(workflow_env, workflow_worker):
    async with introspect_workflow(workflow_env.STARTER) as introspector:
        response = await workflow_worker.fetch("https://example.com/", method="POST", json=ADA)

        answer = await response.json()
        assert [instance.id for instance in introspector.get()] == [answer["id"]]
        assert answer["details"]["status"] in ("queued", "running")
