"""engine-hazard as a user meets it: in a plain test, in a strict one, at a crash point, and left out."""

import pytest

LAUNCH = """
    from datetime import UTC, datetime

    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.sleep_until("launch", datetime(2027, 1, 1, tzinfo=UTC))
            return "launched"
"""
APPROVALS = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            return [(await step.wait_for_event(name, "approved"))["payload"] for name in ("first", "second")]
"""
TEST = """
    import pytest


    @pytest.mark.workflow(now="2026-12-31T00:00:00Z")
    async def test_order(workflow_env, workflow_engine):
        order = await workflow_env.ORDERS.create({"id": "order-1"})
        for number in (1, 2):
            await order.send_event({"type": "approved", "payload": number})
        await workflow_engine.run_until_idle()
        assert (await order.status())["output"] in ("launched", [1, 2])
"""


@pytest.fixture
def launch(worker):
    worker.write("src/entry.py", LAUNCH)
    return worker


def test_a_plain_test_warns_of_it(launch):
    launch.set(filterwarnings="default")

    result = launch.run(TEST)

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["*src/entry.py:8: WorkflowRuleWarning: [[]engine-hazard[]] *time-traveler*#sleep-until).*"]
    )


def test_a_strict_test_fails_with_it(launch):
    result = launch.run(TEST, "--workflows-strict")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *WorkflowRuleError: 1 broken rule(s):", "E *[[]engine-hazard[]] *"])


def test_it_can_be_left_out_and_so_can_the_replay_that_finds_it(launch):
    ignored = launch.run(TEST.replace('now="', 'ignore_rules=["engine-hazard"], now="'), "--workflows-strict")
    not_replayed = launch.run(TEST.replace('now="', 'replay=False, now="'), "--workflows-strict")

    ignored.assert_outcomes(passed=1)
    not_replayed.assert_outcomes(passed=1)


def test_crash_exploration_finds_an_event_that_would_come_twice(worker):
    worker.write("src/entry.py", APPROVALS)

    plain = worker.run(TEST, "--workflows-strict")
    explored = worker.run(TEST, "--workflows-strict", "--workflows-crash")

    plain.assert_outcomes(passed=1)
    found = [line for line in explored.stdout.lines if line.startswith("E ") and "[engine-hazard]" in line]
    assert found
    assert all("#event-twice)" in line for line in found)


def test_two_hazards_of_one_line_are_both_warned_of(worker):
    worker.set(filterwarnings="default")
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                for name in ("first", "second"):
                    try:
                        await step.wait_for_event(name, "approved")
                    except Exception:
                        return "nobody came"
        """,
    )

    result = worker.run("""
        async def test_order(workflow_env, workflow_engine):
            order = await workflow_env.ORDERS.create({"id": "order-1"})
            await workflow_engine.advance("1 minute")
            await order.send_event({"type": "approved"})
            await workflow_engine.advance("1 minute")
            await order.pause()
            await order.resume()
            await workflow_engine.advance("1 minute")
    """)

    text = result.stdout.str()
    assert ("#pause-rejects)" in text, "#event-twice)" in text) == (True, True), text
