"""Dependencies that are found by their names: what the platform does from compatibility date 2026-02-25 on."""

import asyncio

import pytest

from pytest_workflows import introspect_workflow_instance


async def test_the_third_step_gets_the_results_of_both(workflow_env):
    async with introspect_workflow_instance(workflow_env.DAG, "dag-1") as instance:
        await workflow_env.DAG.create({"id": "dag-1", "params": {"a": 1, "b": 2}})

        await instance.wait_for_status("complete")

        assert (await instance.get_output())["sum"] == 3
        assert instance.steps[-1].name == "final step"
        assert instance.steps[-1].inputs == {"dependency_a": 1, "dependency_b": 2}  # `ctx` is no dependency


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
            m.mock_step("dependency_a", a)
            m.mock_step("dependency_b", b)
        await workflow_env.DAG.create({"id": "dag-1"})

        assert (await instance.wait_for_step_result("final step"))["sum"] == 30


async def test_a_stand_in_takes_the_arguments_that_it_names(workflow_env):
    async with introspect_workflow_instance(workflow_env.DAG, "dag-1") as instance:
        async with instance.modify() as m:
            m.mock_step("final step", lambda dependency_a: {"only": dependency_a})
        await workflow_env.DAG.create({"id": "dag-1", "params": {"a": 1, "b": 2}})

        assert await instance.wait_for_step_result("final step") == {"only": 1}


@pytest.mark.workflow(crash=False)  # it counts attempts, and a lost one is one more
async def test_dependencies_that_are_done_do_not_run_again_when_the_third_step_fails(workflow_env):
    async with introspect_workflow_instance(workflow_env.DAG, "dag-1") as instance:
        async with instance.modify() as m:
            m.mock_step_error("final step", RuntimeError("not yet"), times=2)
        await workflow_env.DAG.create({"id": "dag-1", "params": {"a": 1, "b": 2}})

        await instance.wait_for_status("complete")

        assert await instance.get_output() == {"sum": 3, "attempt": 3}
        assert {step.name: len(step.attempts) for step in instance.steps} == {
            "dependency_a": 1,
            "dependency_b": 1,
            "final step": 3,
        }


async def test_after_a_crash_dependencies_that_are_done_answer_from_storage(workflow_env):
    async with introspect_workflow_instance(workflow_env.DAG, "dag-1") as instance:
        await workflow_env.DAG.create({"id": "dag-1", "params": {"a": 1, "b": 2}})
        await instance.wait_for_step_result("dependency_a")
        await instance.wait_for_step_result("dependency_b")

        await instance.crash()
        await instance.wait_for_status("complete")

        assert [(step.name, step.count) for step in instance.steps] == [
            ("dependency_b", 1),
            ("dependency_a", 1),
            ("final step", 1),
        ]
