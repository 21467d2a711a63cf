"""mock_event(after=...): an event that lets the workflow wait."""

import pytest

ENTRY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.sleep("a while", "1 day")
            took = []
            for _ in range(event["payload"].get("waits", 1)):
                try:
                    await step.wait_for_event("approval", "approved", timeout="2 hours")
                except Exception:
                    took.append("timeout")
                else:
                    took.append("event")
            return took
"""
TEST = """
    from datetime import timedelta

    import pytest

    from pytest_workflows import introspect_workflow_instance


    async def test_it(workflow_env, workflow_engine, workflow_clock):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as order:
            handle = None
            {body}
"""


@pytest.fixture
def shop(worker):
    worker.write("src/entry.py", ENTRY)
    return worker


def run(shop, *lines):
    return shop.run(TEST.format(body="\n            ".join(lines)))


APPLY = "async with order.modify() as m:"
CREATE = "handle = await workflow_env.ORDERS.create({'id': 'a', 'params': {'waits': %d}})"
DONE = "await order.wait_for_status('complete')"


def test_it_comes_so_long_after_the_wait_began_and_not_after_the_start(shop):
    result = run(
        shop,
        APPLY,
        "    m.mock_event('approved', 1, after='30 minutes')",
        CREATE % 1,
        DONE,
        "wait = order.steps[-1]",
        "assert wait.ended_at - wait.started_at == timedelta(minutes=30)",
        "assert wait.result['payload'] == 1",
    )

    result.assert_outcomes(passed=1)


def test_one_that_comes_after_the_timeout_is_there_for_the_next_wait(shop):
    result = run(
        shop,
        APPLY,
        "    m.mock_event('approved', after='3 hours')",
        CREATE % 2,
        DONE,
        "assert await order.get_output() == ['timeout', 'event']",
    )

    result.assert_outcomes(passed=1)


def test_it_comes_once_whatever_crashes_meanwhile(shop):
    result = run(
        shop,
        APPLY,
        "    m.mock_event('approved', after='30 minutes')",
        "    m.crash('wait:approval')",
        "    m.crash('event:approval')",
        CREATE % 2,
        DONE,
        "assert await order.get_output() == ['event', 'timeout']",
    )

    result.assert_outcomes(passed=1)


def test_it_may_be_mocked_when_the_wait_has_begun(shop):
    result = run(
        shop,
        CREATE % 1,
        "await workflow_clock.advance('25 hours')",
        APPLY,
        "    m.mock_event('approved', after='30 minutes')",
        DONE,
        "assert order.steps[-1].ended_at - order.steps[-1].started_at == timedelta(minutes=90)",
    )

    result.assert_outcomes(passed=1)


def test_after_a_restart_it_comes_again(shop):
    result = run(
        shop,
        APPLY,
        "    m.mock_event('approved', after='30 minutes')",
        CREATE % 1,
        DONE,
        "await handle.restart()",
        DONE,
        "assert await order.get_output() == ['event']",
    )

    result.assert_outcomes(passed=1)


def test_one_that_nobody_waits_for_any_more_moves_no_clock_and_is_unused(shop):
    result = run(
        shop,
        APPLY,
        "    m.mock_event('approved', after='30 days')",
        CREATE % 1,
        DONE,
        "await workflow_engine.run_until_idle()",
        "assert workflow_clock.now == order.steps[-1].ended_at",
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Nothing used 1 modification(s)*", "*  mock_event('approved', after='30 days')*"])


def test_a_duration_that_cannot_be_read_is_told_at_once(shop):
    result = run(
        shop,
        APPLY,
        "    with pytest.raises(ValueError, match=\"'soon', which is not a duration\"):",
        "        m.mock_event('approved', after='soon')",
    )

    result.assert_outcomes(passed=1)


def test_a_plans_errors_come_before_results_that_are_mocked_in_the_block(shop):
    shop.write(
        "src/entry.py", ENTRY.replace('await step.sleep("a while", "1 day")', 'await step.do("first")(lambda: 1)()')
    )
    result = run(
        shop,
        "from pytest_workflows import FaultPlan, ModificationError",
        APPLY,
        "    m.mock_step_result('first', 2)",
        "    m.apply(FaultPlan(attempts={'first': [OSError('down'), 'timeout']}, events=[('approved', None)]))",
        CREATE % 1,
        "assert await order.wait_for_step_result('first') == 2",
        "assert [attempt.error is None for attempt in order.steps[0].attempts] == [False, False, True]",
        "with pytest.raises(ModificationError, match='after mocking its result'):",
        "    await order.modify(lambda m: m.apply(FaultPlan(attempts={'first': ['timeout']})))",
        "with pytest.raises(ValueError, match=r'apply takes a FaultPlan such as FaultPlan\\(crashes'):",
        "    await order.modify(lambda m: m.apply({'first': ['timeout']}))",
    )

    result.assert_outcomes(passed=1)
