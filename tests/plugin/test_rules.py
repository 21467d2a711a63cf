"""The rules in a test run: what a test patches, and workflows that a test defines itself."""

from typing import Any

import pytest

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


STATE = """
    from workers import WorkflowEntrypoint

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            done = []

            @step.do("charge")
            async def charge():
                done.append("charge")

            @step.do("ship")
            async def ship():
                done.append("ship")

            await charge()
            await ship()
"""
RUNS = """
    from pytest_workflows import introspect_workflow_instance

    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_status("complete")
"""


def test_a_broken_rule_is_a_warning_at_its_place(worker: Any) -> None:
    worker.set(filterwarnings="default")
    entry = worker.write("src/entry.py", STATE)

    result = worker.run(RUNS)

    result.assert_outcomes(passed=1, warnings=2)
    result.stdout.fnmatch_lines(
        [
            f"*{entry}:9: WorkflowRuleWarning: ?state-outside-step? {entry}:9: step 'charge-1' changed `done`, a variable "
            "outside of it. In production: *. Instead: *."
        ]
    )


@pytest.mark.parametrize("how", ["option", "ini"])
def test_under_strict_all_of_them_fail_the_test_in_one_message(worker: Any, how: str) -> None:
    worker.set(filterwarnings="default", **({"workflows_strict": "true"} if how == "ini" else {}))
    worker.write("src/entry.py", STATE)

    result = worker.run(RUNS, *(["--workflows-strict"] if how == "option" else []))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *WorkflowRuleError: 2 broken rule(s):",
            "E *?state-outside-step? *src/entry.py:9: step 'charge-1' changed `done`, *",
            "E *?state-outside-step? *src/entry.py:13: step 'ship-1' changed `done`, *",
        ]
    )


@pytest.mark.parametrize("how", ["marker", "ini"])
def test_an_ignored_rule_is_not_looked_at(worker: Any, how: str) -> None:
    worker.set(**({"workflows_ignore_rules": "state-outside-step"} if how == "ini" else {}))
    worker.write("src/entry.py", STATE)
    mark = "    import pytest\n    pytestmark = pytest.mark.workflow(ignore_rules=['state-outside-step'])\n"

    result = worker.run((mark if how == "marker" else "") + RUNS, "--workflows-strict")

    result.assert_outcomes(passed=1)


def test_a_misread_duration_fails_under_strict_as_well(worker: Any) -> None:
    worker.set(filterwarnings="ignore")
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("pause", "5 mins")
        """,
    )

    result = worker.run(RUNS, "--workflows-strict")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *?duration-unit? *src/entry.py:5: '5 mins' counts as milliseconds. *"])


IN_TEST = """
    import uuid

    import pytest

    from pytest_workflows import introspect_workflow_instance
    from workers import WorkflowEntrypoint

    CALLS = []

    def new_id():
        return str(uuid.uuid4())

    class Audit(WorkflowEntrypoint):
        async def run(self, event, step):
            {body}

    @pytest.fixture
    def workflow_bindings():
        return {{"AUDIT": Audit}}

    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.AUDIT, "a") as instance:
            await workflow_env.AUDIT.create({{"id": "a"}})
            await instance.wait_for_status("complete")
"""


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ("random-outside-step", "return str(uuid.uuid4())"),
        ("state-outside-step", "done = []; await step.do('a')(lambda: done.append(1))()"),
        ("state-outside-step", "await step.do('a')(lambda: setattr(self, 'done', [1]) or self.done.append(2))()"),
        ("missing-await", "step.sleep('pause', '1 hour')"),
    ],
)
def test_a_workflow_that_a_test_defines_is_looked_at(worker: Any, rule: str, body: str) -> None:
    result = worker.run(IN_TEST.format(body=body), "--workflows-strict")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E *?{rule}? *tests/test_it.py:15: *"])


@pytest.mark.parametrize(
    "body",
    [
        "CALLS.append(uuid.uuid4) or await step.do('a')(lambda: CALLS.append(1))()",
        "return await step.do('a')(new_id)()",
        "return new_id() and 1",
    ],
    ids=["the test's own list", "a step", "a helper of the test"],
)
def test_the_test_around_it_is_not(worker: Any, body: str) -> None:
    result = worker.run(IN_TEST.format(body=body), "--workflows-strict")

    result.assert_outcomes(passed=1)
