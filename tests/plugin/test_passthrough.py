"""What is meant for the test reaches the test: pytest.fail and pytest.skip inside of user code end it as such."""

from typing import Any

import pytest

ENTRY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            if event["payload"].get("outside"):
                await self.env.BANK.charge()

            @step.do("charge", config={"retries": {"limit": 5, "delay": "1 second"}})
            async def charge():
                try:
                    return await self.env.BANK.charge()
                except Exception:
                    return "swallowed"

            return await charge()
"""
TEST = """
    import pytest
    from pytest_workflows import introspect_workflow_instance

    CALLS = []

    class Bank:
        async def charge(self):
            CALLS.append(1)
            {act}

    @pytest.fixture
    def workflow_bindings():
        return {{"BANK": Bank()}}

    async def test_it(workflow_env, workflow_engine):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            await workflow_env.ORDERS.create({{"id": "a", "params": {params}}})
            {wait}
            print("NEVER REACHED")

    def test_it_was_asked_once():
        assert CALLS == [1]
"""
WAITS = {
    "status": "await instance.wait_for_status('complete')",
    "step": "await instance.wait_for_step_result('charge')",
    "idle": "await workflow_engine.run_until_idle()",
}


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("src/entry.py", ENTRY)
    return worker


@pytest.mark.parametrize("params", ["{}", "{'outside': True}"])
@pytest.mark.parametrize("wait", WAITS)
def test_fail_in_a_fake_fails_the_test_at_its_wait(shop: Any, wait: str, params: str) -> None:
    result = shop.run(TEST.format(act="pytest.fail('charged twice')", wait=WAITS[wait], params=params))

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["E*Failed: charged twice"])
    assert "\nNEVER REACHED" not in result.stdout.str()


@pytest.mark.parametrize("wait", WAITS)
def test_skip_in_a_fake_skips_the_test(shop: Any, wait: str) -> None:
    result = shop.run(TEST.format(act="pytest.skip('no bank today')", wait=WAITS[wait], params="{}"), "-rs")

    result.assert_outcomes(skipped=1, passed=1)
    result.stdout.fnmatch_lines(["SKIPPED*no bank today"])


def test_xfail_in_a_fake_is_an_expected_failure(shop: Any) -> None:
    result = shop.run(TEST.format(act="pytest.xfail('known')", wait=WAITS["status"], params="{}"))

    result.assert_outcomes(xfailed=1, passed=1)


def test_exit_in_a_fake_ends_the_run(shop: Any) -> None:
    # It is an Exception: only code that lets it through, as everybody's must, ends the run.
    act, params = "pytest.exit('enough', returncode=7)", "{'outside': True}"

    result = shop.run(TEST.format(act=act, wait=WAITS["status"], params=params), process=True)

    assert result.ret == 7
    result.stdout.fnmatch_lines(["*_pytest.outcomes.Exit: enough*"])


def test_an_assertion_in_a_fake_is_an_error_of_the_step_as_in_production(shop: Any) -> None:
    result = shop.run("""
        import pytest
        from pytest_workflows import introspect_workflow_instance

        class Bank:
            async def charge(self):
                assert False, "an ordinary exception"

        @pytest.fixture
        def workflow_bindings():
            return {"BANK": Bank()}

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                assert await instance.wait_for_step_result("charge") == "swallowed"
    """)

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("act", "outcome"), [("pytest.fail('no')", {"failed": 1}), ("pytest.skip('no')", {"skipped": 1})]
)
def test_a_test_that_waits_for_nothing_hears_of_it_at_its_end(shop: Any, act: str, outcome: dict[str, int]) -> None:
    tests = TEST.format(act=act, params="{}", wait="for _ in range(50): await __import__('asyncio').sleep(0)")

    shop.run(tests).assert_outcomes(passed=1, **outcome)


@pytest.mark.parametrize("form", ["mock_step('charge', stand_in)", "mock_step_result('charge', 1)"])
def test_fail_in_a_stand_in_of_a_step_fails_the_test(shop: Any, form: str) -> None:
    result = shop.run(f"""
        import pytest
        from pytest_workflows import introspect_workflow_instance

        async def stand_in():
            pytest.fail("the step ran")

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                async with instance.modify() as m:
                    m.{form}
                await workflow_env.ORDERS.create({{"id": "a"}})
                await instance.wait_for_status("complete")
    """)

    if "stand_in" in form:
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["E*Failed: the step ran"])
    else:
        result.assert_outcomes(passed=1)


def test_the_next_test_knows_nothing_of_it(shop: Any) -> None:
    tests = TEST.format(act="pytest.fail('once') if len(CALLS) == 1 else None", wait=WAITS["status"], params="{}")

    result = shop.run(
        tests.replace("test_it_was_asked_once", "unused")
        + """
    async def test_next(workflow_env, workflow_engine):
        handle = await workflow_env.ORDERS.create({"id": "a"})
        await workflow_engine.run_until_idle()
        assert (await handle.status())["status"] == "complete"
"""
    )

    result.assert_outcomes(failed=1, passed=1)


@pytest.mark.parametrize(
    ("wait", "outcome"),
    [
        ("with pytest.raises(pytest.fail.Exception, match='charged twice'): await waits()", {"passed": 2}),
        (
            "task = asyncio.create_task(waits())\n"
            "with pytest.raises(pytest.fail.Exception, match='charged twice'): await task",
            {"passed": 2},
        ),
        ("await asyncio.wait([asyncio.create_task(waits())])", {"passed": 1, "failed": 1}),
    ],
    ids=["caught", "caught from a task", "lost in a task"],
)
def test_what_the_test_caught_it_has_got(shop: Any, wait: str, outcome: dict[str, int]) -> None:
    tests = TEST.format(act="pytest.fail('charged twice')", params="{}", wait="WAIT")
    wait = f"import asyncio\nasync def waits(): {WAITS['status']}\n{wait}"
    tests = tests.replace("WAIT", wait.replace("\n", "\n" + " " * 12))

    shop.run(tests).assert_outcomes(**outcome)
