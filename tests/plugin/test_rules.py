"""The rules in a test run: what a test patches, and workflows that a test defines itself."""

from typing import Any

PATCHED = """
    import os, random, uuid

    import pytest

    ORIGINALS = (random.random, uuid.uuid4, os.urandom)

    @pytest.fixture
    def before(monkeypatch):
        monkeypatch.setattr(random, "random", lambda: 0.5)

    async def output(binding):
        from pytest_workflows import introspect_workflow
        async with introspect_workflow(binding) as orders:
            await binding.create()
            [order] = orders.get()
            await order.wait_for_status("complete")
            return await order.get_output()

    @pytest.mark.workflow(replay=False)
    async def test_a_patch_of_a_test_holds(workflow_env, monkeypatch):
        monkeypatch.setattr(random, "random", lambda: 0.5)
        monkeypatch.setattr(os, "urandom", lambda size: bytes(size))
        assert await output(workflow_env.ORDERS) == [0.5, uuid.UUID(bytes=bytes(16), version=4).hex]

    @pytest.mark.workflow(replay=False)
    async def test_one_from_before_the_engine_holds_as_well(before):
        from workers import env
        assert (await output(env.ORDERS))[0] == 0.5

    @pytest.mark.workflow(replay=False)
    async def test_one_that_outlives_the_engine(monkeypatch):
        from workers import env
        await output(env.ORDERS)
        monkeypatch.setattr(random, "random", lambda: 0.5)

    def test_afterwards_they_are_the_originals():
        assert (random.random, uuid.uuid4, os.urandom) == ORIGINALS
        assert random.random is ORIGINALS[0]
"""


def test_a_tests_own_patches_work_and_leave_nothing_behind(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        import random, uuid
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                return [random.random(), uuid.uuid4().hex]
        """,
    )

    result = worker.run(PATCHED, "-W", "ignore::pytest_workflows.WorkflowRuleWarning")

    result.assert_outcomes(passed=4)
