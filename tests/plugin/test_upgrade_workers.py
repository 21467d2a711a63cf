"""Upgrades of what is not the test's own workflow: other Workers, classes that a test gives, workflows that go."""

import json

from .upgrade_outcomes import red_points

CONFIG = {"name": "shop", "main": "src/entry.py", "compatibility_date": "2026-11-10"}
SHOP = {
    **CONFIG,
    "workflows": [
        {"binding": "ORDERS", "name": "orders", "class_name": "Orders"},
        {"binding": "REFUNDS", "name": "refunds", "class_name": "Refunds", "script_name": "billing"},
    ],
    "services": [{"binding": "BILLING", "service": "billing"}],
}
BILLING = {
    **CONFIG,
    "name": "billing",
    "workflows": [{"binding": "MINE", "name": "refunds", "class_name": "Refunds"}],
}
WORKFLOW = """
    class {name}(WorkflowEntrypoint):
        async def run(self, event, step):
            first = await step.do({step!r})(self.first)()
            await step.sleep("nap", "1 day")
            second = await step.do("second")(self.second)()
            return [first, second]

        async def first(self):
            return "first"

        async def second(self):
            return {second}
"""
HEAD = """
    from workers import DurableObject, Response, WorkerEntrypoint, WorkflowEntrypoint
"""
SERVICE = """
    class Default(WorkerEntrypoint):
        async def version(self):
            return {version!r}

        async def fetch(self, request):
            await self.env.GONE.create({{"id": "gone"}})
            return Response("ok")
"""
TESTS = """
    import entry
    import pytest
    from pytest_workflows import introspect_workflow_instance


    @pytest.mark.parametrize("name", ["ORDERS", "REFUNDS"])
    async def test_it(workflow_env, name):
        binding = getattr(workflow_env, name)
        async with introspect_workflow_instance(binding, "a") as instance:
            await binding.create({"id": "a"})
            await instance.wait_for_status("complete")


    class TestGiven:
        @pytest.fixture
        def workflow_bindings(self):
            return {"GIVEN": entry.Given}

        async def test_given(self, workflow_env):
            async with introspect_workflow_instance(workflow_env.GIVEN, "a") as instance:
                await workflow_env.GIVEN.create({"id": "a"})
                await instance.wait_for_status("complete")
"""


def test_other_workers_and_classes_that_a_test_gives_begin_in_their_older_version_too(worker):
    for old in (True, False):
        folder = "old/" if old else ""
        asks = "await self.env.BILLING.version()" if old else "(await self.env.BILLING.version()).lower()"
        classes = [
            WORKFLOW.format(name="Orders", step="first", second=asks),
            WORKFLOW.format(name="Given", step="given" if old else "first", second="'given'"),
        ]
        worker.write(f"{folder}wrangler.jsonc", json.dumps(SHOP))
        worker.write(f"{folder}src/entry.py", HEAD + "".join(classes))
        worker.write(f"{folder}billing/wrangler.jsonc", json.dumps(BILLING))
        refunds = WORKFLOW.format(name="Refunds", step="refund" if old else "first", second="'refunded'")
        worker.write(
            f"{folder}billing/src/entry.py",
            HEAD + SERVICE.format(version="old" if old else "today") + refunds,
        )

    result = worker.run(TESTS, "--workflows-upgrade-from=old", "-rf", "-W", "ignore")

    found = red_points(result)
    assert sorted(found) == ["REFUNDS", "TestGiven.test_given"]
    assert 'stored result of "refund"' in found["REFUNDS"]
    assert 'stored result of "given"' in found["TestGiven.test_given"]
    assert any("old/billing/src/entry.py:" in line and " (billing/src/entry.py:" in line for line in result.outlines)


def test_an_instance_whose_workflow_today_does_not_have_is_red(worker):
    gone = {"binding": "GONE", "name": "gone", "class_name": "Gone"}
    made = WORKFLOW.format(name="Gone", step="first", second="'second'")
    worker.write("old/wrangler.jsonc", json.dumps({**CONFIG, "workflows": [gone]}))
    worker.write("old/src/entry.py", HEAD + made + SERVICE.format(version="old"))
    kept = {"binding": "KEPT", "name": "kept", "class_name": "Kept"}
    worker.write("wrangler.jsonc", json.dumps({**CONFIG, "workflows": [kept]}))
    today = SERVICE.format(version="today").replace("GONE", "KEPT")
    worker.write("src/entry.py", HEAD + made.replace("Gone", "Kept") + today)
    tests = """
    async def test_it(workflow_worker, workflow_engine):
        await workflow_worker.fetch("/")
        await workflow_engine.run_until_idle()
    """

    result = worker.run(tests, "--workflows-upgrade-from=old", "--workflows-crash=stored:first", "-rf", "-W", "ignore")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "Instance 'gone' of 'GONE' is in flight when today's source takes the place of old, at the point *",
            "  The older source had begun it, in step.do('first') (old/src/entry.py:5). Today's source has no workflow of "
            "the binding 'GONE'.",
        ]
    )


def test_a_run_on_an_older_source_of_which_nothing_can_be_said_is_no_green_one(worker):
    shop = WORKFLOW.format(name="Orders", step="first", second="await self.env.BILLING.version()")
    for folder in ("", "old/"):
        worker.write(f"{folder}wrangler.jsonc", json.dumps(SHOP))
        worker.write(f"{folder}src/entry.py", HEAD + shop)
        worker.write(f"{folder}billing/wrangler.jsonc", json.dumps(BILLING))
        worker.write(f"{folder}billing/src/entry.py", HEAD + SERVICE.format(version="today"))
    worker.write("old/billing/src/entry.py", "raise RuntimeError('of old')")
    tests = """
    from pytest_workflows import introspect_workflow_instance

    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_status("complete")
    """

    result = worker.run(tests, "--workflows-upgrade-from=old", "-W", "ignore")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "1 test, 0 upgrades in *",
            "not judged: tests/test_it.py::test_it (--workflows-upgrade-from=old: the older source "
            "old/billing/src/entry.py cannot be imported: RuntimeError: of old*)",
        ]
    )
