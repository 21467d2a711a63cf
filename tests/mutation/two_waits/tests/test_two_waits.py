"""What no example can show, since each of its waits has a type of its own."""

import pytest

from pytest_workflows import introspect_workflow_instance


@pytest.mark.workflow(crash=False)  # the finding engine-hazard would be right
async def test_each_event_is_taken_once_and_in_order(workflow_env):
    async with introspect_workflow_instance(workflow_env.TWO_WAITS, "two") as instance:
        async with instance.modify() as m:
            m.mock_event("said", 1)
            m.mock_event("said", 2)
        await workflow_env.TWO_WAITS.create({"id": "two"})

        await instance.wait_for_status("complete")

        assert await instance.get_output() == [1, 2]
