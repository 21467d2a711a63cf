"""The sources that are measured: an empty test, a test with bindings alone, and one of a workflow with three steps."""

PLAIN = "import pytest\n@pytest.mark.parametrize('i', range({n}))\ndef test_nothing(i): pass\n"
EMPTY = "import pytest\n@pytest.mark.parametrize('i', range({n}))\nasync def test_nothing(i): pass\n"
ENV = "import pytest\n@pytest.mark.parametrize('i', range({n}))\nasync def test_nothing(i, workflow_env): pass\n"
WORKFLOW = """
import pytest
from pytest_workflows import introspect_workflow_instance
from workers import WorkflowEntrypoint

class Three(WorkflowEntrypoint):
    async def run(self, event, step):
        for name in ("one", "two", "three"):
            @step.do(name)
            async def work():
                return name
            await work()

@pytest.fixture
def workflow_bindings():
    return {{"THREE": Three}}

@pytest.mark.parametrize("i", range({n}))
async def test_three_steps(i, workflow_env):
    async with introspect_workflow_instance(workflow_env.THREE, "x") as instance:
        async with instance.modify() as m:
            m.mock_step_result("two", "mocked")
        await workflow_env.THREE.create({{"id": "x"}})
        await instance.wait_for_status("complete")
"""
