import pytest

from pytest_workflows import introspect_workflow_instance


@pytest.mark.parametrize("number", range(100))
async def test_three_steps_and_a_mock(workflow_env, number):
    async with introspect_workflow_instance(workflow_env.THREE, "x") as instance:
        async with instance.modify() as m:
            m.mock_step_result("two", "mocked")
        await workflow_env.THREE.create({"id": "x"})
        await instance.wait_for_status("complete")
