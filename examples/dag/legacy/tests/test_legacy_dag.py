"""Dependencies that are listed: `depends=[...]`, with a compatibility date before 2026-02-25."""

import asyncio

import pytest

from pytest_workflows import introspect_workflow_instance


async def test_the_third_step_gets_the_results_of_both(workflow_env):
    async with introspect_workflow_instance(workflow_env.DAG, "dag-1") as instance:
        await workflow_env.DAG.create({"id": "dag-1", "params": {"a": 1, "b": 2}})

        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"sum": 3}
        assert instance.steps[-1].name == "final step"
        assert instance.steps[-1].inputs == {"left": 1, "right": 2}  # by the names of the parameters


async def test_both_dependencies_run_at_the_same_time(workflow_env):
    a_runs, b_runs = asyncio.Event(), asyncio.Event()

    async def a():
        a_runs.set()
        await b_runs.wait()  # one after the other would wait for ever
        return 10

    async def b():
        b_runs.set()
        await a_runs.wait()
        return 20

    async with introspect_workflow_instance(workflow_env.DAG, "dag-1") as instance:
        async with instance.modify() as m:
            m.mock_step("dependency a", a)
            m.mock_step("dependency b", b)
        await workflow_env.DAG.create({"id": "dag-1"})

        assert await instance.wait_for_step_result("final step") == {"sum": 30}


@pytest.mark.workflow(crash=False)  # it counts attempts, and a lost one is one more
async def test_only_the_dependency_that_failed_is_tried_again(workflow_env):
    async with introspect_workflow_instance(workflow_env.DAG, "dag-1") as instance:
        async with instance.modify() as m:
            m.mock_step_error("dependency b", RuntimeError("not yet"), times=2)
        await workflow_env.DAG.create({"id": "dag-1", "params": {"a": 1, "b": 2}})

        await instance.wait_for_status("complete")

        assert {step.name: len(step.attempts) for step in instance.steps} == {
            "dependency a": 1,
            "dependency b": 3,
            "final step": 1,
        }
