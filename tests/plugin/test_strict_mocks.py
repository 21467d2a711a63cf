"""Strict mocks: a modification that nothing used fails the test."""

from typing import Any

import pytest

ENTRY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge", config={"retries": {"limit": 3, "delay": "1 second"}})
            async def charge():
                return 1

            await charge()
            await step.sleep("cool down", "1 day")
            try:
                await step.wait_for_event("wait", "paid", timeout="1 day")
            except Exception:
                pass
            return "done"
"""
TEST = """
    import pytest
    from pytest_workflows import introspect_workflow, introspect_workflow_instance

    {marker}
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            async with instance.modify() as m:
                m.{call}
            await workflow_env.ORDERS.create({{"id": "a"}})
            await instance.wait_for_status("complete")
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("src/entry.py", ENTRY)
    return worker


UNUSED = {
    "mock_step_result('chrage', 1)": "mock_step_result('chrage')  (did you mean 'charge'?)",
    "mock_step_result(('charge', 2), 1)": "mock_step_result(('charge', 2))",
    "mock_step_error('nothing', ValueError('x'))": "mock_step_error('nothing', ValueError('x'))",
    "mock_step_error('nothing', ValueError('x'), times=2)": "mock_step_error('nothing', ValueError('x'), times=2)",
    "mock_step('nothing', lambda: 1)": "mock_step('nothing')",
    "force_step_timeout('nothing')": "force_step_timeout('nothing')",
    "mock_event('payed')": "mock_event('payed')",
    "force_event_timeout('paid')": "force_event_timeout('paid')  (did you mean 'wait'?)",
    "disable_sleeps('cooldown')": "disable_sleeps('cooldown')  (did you mean 'cool down'?)",
    "disable_retry_delays('charge')": "disable_retry_delays('charge')",
}


@pytest.mark.parametrize("call", UNUSED)
def test_a_modification_that_nothing_used_fails_the_test_and_lists_the_steps_that_ran(shop: Any, call: str) -> None:
    result = shop.run(TEST.format(marker="", call=call))

    result.assert_outcomes(failed=1)
    lines = [line[1:].strip() for line in result.outlines if line.startswith("E ")]
    assert lines == [
        "durable_engine.errors.UnusedModificationError: Nothing used 1 modification(s) of instance 'a' of 'ORDERS':",
        UNUSED[call],
        "Steps that ran: do 'charge-1', sleep 'cool down-1', wait_for_event 'wait-1'.",
        'Remove them, correct them, or relax this with @pytest.mark.workflow(unused_mocks="ignore").',
    ]


@pytest.mark.parametrize("call", UNUSED)
def test_the_marker_relaxes_it(shop: Any, call: str) -> None:
    marker = "@pytest.mark.workflow(unused_mocks='ignore')"

    shop.run(TEST.format(marker=marker, call=call)).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "call",
    [
        "mock_step_result('charge', 1)",
        "mock_step_result({'name': 'charge', 'index': 1}, None)",
        "mock_step_error('charge', ValueError('x'), times=2)",
        "mock_step('charge', [ValueError('x'), 1])",
        "force_step_timeout('charge', times=1)",
        "mock_event('paid')",
        "force_event_timeout('wait')",
        "disable_sleeps('cool down')",
        "disable_sleeps(['cool down'])",
        "disable_sleeps()",
        "disable_retry_delays()",
        "mock_step_error('charge', ValueError('x'), times=1); m.disable_retry_delays('charge')",
        "mock_step_error('charge', ValueError('x'), times=1); m.mock_step_result('charge', 1)",
    ],
)
def test_a_modification_that_was_used_does_not(shop: Any, call: str) -> None:
    shop.run(TEST.format(marker="", call=call)).assert_outcomes(passed=1)


def test_an_error_with_times_that_was_used_once_is_used(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                async with instance.modify() as m:
                    m.mock_step_error("charge", ValueError("x"), times=100)
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_status("errored")
    """)

    result.assert_outcomes(passed=1)


def test_disabling_everything_is_never_unused(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                async with instance.modify() as m:
                    m.disable_sleeps()
                    m.disable_retry_delays()
    """)

    result.assert_outcomes(passed=1)


def test_without_an_instance_no_step_ran(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                async with instance.modify() as m:
                    m.mock_step_result("charge", 1)
                    m.mock_event("paid")
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*UnusedModificationError: Nothing used 2 modification(s) of instance 'a' of 'ORDERS':",
            "E*  mock_step_result('charge')",
            "E*  mock_event('paid')",
            "E*No step ran.",
        ]
    )


def test_a_block_that_raises_shows_its_own_error_alone(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                async with instance.modify() as m:
                    m.mock_step_result("charge", 1)
                raise ZeroDivisionError
    """)

    result.assert_outcomes(failed=1)
    assert "ZeroDivisionError" in result.stdout.str()
    assert "UnusedModificationError" not in result.stdout.str()


# -- dispose(), and forgetting it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dispose", ["await instance.dispose()", ""])
@pytest.mark.parametrize("env", ["workflow_env", ""])
def test_without_a_block_the_test_fails_at_the_end_of_its_call_if_it_passed(shop: Any, dispose: str, env: str) -> None:
    result = shop.run(f"""
        from pytest_workflows import introspect_workflow_instance
        from workers import env

        async def test_it({env}):
            instance = await introspect_workflow_instance(env.ORDERS, "a")
            async with instance.modify() as m:
                m.mock_step_result("nothing", 1)
            await env.ORDERS.create({{"id": "a"}})
            await instance.wait_for_step_result("charge")
            {dispose}
            print("LAST LINE")
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*UnusedModificationError: Nothing used 1 modification(s) of instance 'a' *"])
    result.stdout.fnmatch_lines(["LAST LINE"])


def test_without_a_block_a_test_that_failed_shows_its_own_error_alone(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            instance = await introspect_workflow_instance(workflow_env.ORDERS, "a")
            async with instance.modify() as m:
                m.mock_step_result("nothing", 1)
            await instance.dispose()
            assert False
    """)

    result.assert_outcomes(failed=1)
    assert "UnusedModificationError" not in result.stdout.str()


# -- modify_all -------------------------------------------------------------------------------------------------------


def test_one_instance_that_used_it_is_enough_for_modify_all(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow

        async def test_it(workflow_env, workflow_engine):
            async with introspect_workflow(workflow_env.ORDERS) as introspector:
                async with introspector.modify_all() as m:
                    m.mock_step_result("charge", 1)
                await workflow_env.ORDERS.create_batch([{"id": "a"}, {"id": "b"}])
                await introspector.get()[0].wait_for_step_result("charge")
    """)

    result.assert_outcomes(passed=1)


def test_modify_all_that_no_instance_used_fails_the_test(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow

        async def test_it(workflow_env, workflow_engine):
            async with introspect_workflow(workflow_env.ORDERS) as introspector:
                async with introspector.modify_all() as m:
                    m.mock_step_result("chrage", 1)
                await workflow_env.ORDERS.create_batch([{"id": "a"}, {"id": "b"}])
                await workflow_engine.run_until_idle()
    """)

    result.assert_outcomes(failed=1)
    lines = [line[1:].strip() for line in result.outlines if line.startswith("E ")]
    assert lines == [
        "durable_engine.errors.UnusedModificationError: Nothing used 1 modification(s) of the instances of 'ORDERS':",
        "mock_step_result('chrage')  (did you mean 'charge'?)",
        "Steps that ran: do 'charge-1', sleep 'cool down-1', wait_for_event 'wait-1'.",
        'Remove them, correct them, or relax this with @pytest.mark.workflow(unused_mocks="ignore").',
    ]


def test_modify_all_is_not_asked_for_when_no_instance_was_made(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow

        async def test_it(workflow_env):
            async with introspect_workflow(workflow_env.ORDERS) as introspector:
                async with introspector.modify_all() as m:
                    m.mock_step_result("charge", 1)
    """)

    result.assert_outcomes(passed=1)


def test_what_one_covered_instance_was_modified_by_must_be_used_too(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow

        async def test_it(workflow_env, workflow_engine):
            async with introspect_workflow(workflow_env.ORDERS) as introspector:
                await workflow_env.ORDERS.create({"id": "a"})
                async with introspector.get()[0].modify() as m:
                    m.mock_step_result("nothing", 1)
                await workflow_engine.run_until_idle()
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*mock_step_result('nothing')"])


def test_an_iterable_of_outcomes_that_runs_out_says_so(shop: Any) -> None:
    result = shop.run("""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                async with instance.modify() as m:
                    m.mock_step("charge", [ValueError("x")])
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_status("complete")
    """)

    result.assert_outcomes(failed=1)
    assert (
        "ModificationError: mock_step('charge') has 1 outcome(s), and attempt 2 of step 'charge-1' asked for one more. "
        "Give an outcome for each attempt, or a callable." in result.stdout.str()
    )
