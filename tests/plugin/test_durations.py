"""--workflows-durations: the slowest steps in real time and the longest in virtual time."""

from typing import Any

import pytest

ENTRY = """
    import ticks

    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge")
            async def charge():
                ticks.take(0.25)

            await charge()
            await step.sleep("cool down", "1 day")

            @step.do("ship", config={"retries": {"limit": 1, "delay": "90 minutes"}})
            async def ship(ctx):
                ticks.take(1)
                if ctx["attempt"] == 1:
                    raise ValueError("no van")

            await ship()
"""
CONFTEST = """
    import ticks
    from pytest_workflows.session.hooks import durations

    durations.perf_counter = lambda: ticks.now
"""
TICKS = """
    now = 100.0

    def take(seconds):
        global now
        now += seconds
"""
TESTS = """
    async def test_one(workflow_env, workflow_engine):
        await workflow_env.ORDERS.create({"id": "a"})
        await workflow_engine.run_until_idle()

    async def test_two(workflow_env):
        await workflow_env.ORDERS.create({"id": "b"})

    def test_uses_nothing_of_ours():
        pass
"""
TWO = [
    "=================== workflows: slowest 2 steps in real time ====================",
    "2 seconds  do 'ship-1', 'a' of 'ORDERS'  tests/test_it.py::test_one",
    "250.0 ms   do 'charge-1', 'a' of 'ORDERS'  tests/test_it.py::test_one",
    "================== workflows: longest 2 steps in virtual time ==================",
    "1 day              sleep 'cool down-1', 'a' of 'ORDERS'",
    "                   tests/test_it.py::test_one",
    "1 hour 30 minutes  do 'ship-1', 'a' of 'ORDERS'  tests/test_it.py::test_one",
]
ALL = [
    "==================== workflows: slowest steps in real time =====================",
    "2 seconds  do 'ship-1', 'a' of 'ORDERS'  tests/test_it.py::test_one",
    "250.0 ms   do 'charge-1', 'a' of 'ORDERS'  tests/test_it.py::test_one",
    "=================== workflows: longest steps in virtual time ===================",
    "1 day              sleep 'cool down-1', 'a' of 'ORDERS'",
    "                   tests/test_it.py::test_one",
    "1 hour 30 minutes  do 'ship-1', 'a' of 'ORDERS'  tests/test_it.py::test_one",
    "0 ms               do 'charge-1', 'a' of 'ORDERS'  tests/test_it.py::test_one",
]


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("src/entry.py", ENTRY)
    worker.write("src/ticks.py", TICKS)
    worker.write("conftest.py", CONFTEST)
    return worker


def listed(result: pytest.RunResult) -> list[str]:
    """The sections of ours."""
    lines = result.outlines
    first = next(number for number, line in enumerate(lines) if " workflows: " in line)
    last = next(n for n in range(first, len(lines)) if lines[n].startswith("===") and "workflows" not in lines[n])
    return [line for line in lines[first:last] if line]


def test_it_lists_the_slowest_and_the_longest_steps_of_all_tests(shop: Any) -> None:
    result = shop.run(TESTS, "--workflows-durations=2", process=True)

    result.assert_outcomes(passed=3)
    assert listed(result) == TWO


def test_0_lists_all_steps(shop: Any) -> None:
    result = shop.run(TESTS.replace("test_two", "not_a_test"), "--workflows-durations=0", process=True)

    assert listed(result) == ALL


def test_the_workers_of_xdist_send_theirs_to_the_terminal(shop: Any) -> None:
    result = shop.run(TESTS, "--workflows-durations=2", "-n", "1")

    result.assert_outcomes(passed=3)
    assert listed(result) == TWO


def test_a_step_that_is_open_at_the_end_of_its_test_is_listed_as_such(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.wait_for_event("approval", "approved", timeout="3 days")
        """,
    )

    result = worker.run(
        """
        import pytest

        @pytest.mark.workflow(clock="manual")
        async def test_it(workflow_env, workflow_clock):
            await workflow_env.ORDERS.create({"id": "a"})
            await workflow_clock.advance("2 days")
        """,
        "--workflows-durations=5",
    )

    assert listed(result) == [
        "================== workflows: longest 5 steps in virtual time ==================",
        "2 days  wait_for_event 'approval-1', 'a' of 'ORDERS' (not finished)",
        "        tests/test_it.py::test_it",
    ]


def test_a_run_without_steps_says_so(worker: Any) -> None:
    result = worker.run("def test_it(): pass", "--workflows-durations=3")

    result.stdout.fnmatch_lines(["*= workflows: durations of steps =*", "No test ran a step of a workflow."])


@pytest.mark.parametrize("value", ["x", "-1", "1.5", ""])
def test_what_is_no_number_of_steps_is_a_usage_error(worker: Any, value: str) -> None:
    result = worker.run("def test_it(): pass", f"--workflows-durations={value}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "*error: argument --workflows-durations: takes how many steps to list, an int from 0 on (0 lists all), "
            f"not '{value}'."
        ]
    )


def test_without_the_option_nothing_is_measured_and_nothing_shown(shop: Any) -> None:
    shop.write("conftest.py", "from pytest_workflows.session.hooks import durations\n\ndurations.perf_counter = None\n")

    result = shop.run(TESTS, process=True)

    result.assert_outcomes(passed=3)
    assert "workflows:" not in result.stdout.str()
