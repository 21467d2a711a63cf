"""--workflows-cov: which steps of the workflows the tests reached."""

import json
from typing import Any

import pytest

CONFIG = """
    {
      "name": "shop",
      "main": "src/entry.py",
      "compatibility_date": "2026-11-10",
      "workflows": [
        {"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"},
        {"binding": "REFUNDS", "name": "refunds", "class_name": "RefundWorkflow"}
      ]
    }
"""
ENTRY = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            order = event["payload"]

            @step.do("charge", config={"retries": {"limit": 1, "delay": 0}, "timeout": "1 minute"})
            async def charge():
                if order.get("poor"):
                    raise ValueError("no money")
                return 1

            await charge()
            try:
                await step.wait_for_event("approval", "approved", timeout="1 day")
            except Exception:
                await step.sleep("grace", "1 hour")

            for box in range(order.get("boxes", 0)):

                @step.do(f"ship box {box}")
                async def ship():
                    return box

                await ship()

            if order.get("gift"):

                @step.do("print the card, which nobody ever asked for in a test")
                async def card():
                    return 1

                await card()


    class RefundWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.sleep("think", "1 day")
"""
TESTS = """
    from pytest_workflows import introspect_workflow_instance


    async def test_two_boxes(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            handle = await workflow_env.ORDERS.create({"id": "a", "params": {"boxes": 2}})
            await handle.send_event({"type": "approved"})
            await instance.wait_for_status("complete")


    async def test_nobody_approves(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            async with instance.modify() as m:
                m.force_step_timeout("charge", times=1)
                m.mock_step_result("charge", 1)
            await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_status("complete")


    async def test_no_money(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            await workflow_env.ORDERS.create({"id": "a", "params": {"poor": True}})
            await instance.wait_for_status("errored")


    async def test_a_crash_while_it_waits(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            handle = await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_step_result("charge")
            await instance.crash()
            await handle.send_event({"type": "approved"})
            await instance.wait_for_status("complete")
"""
TABLE = """\
ORDERS  4 of 5 steps reached: 80%  (OrderWorkflow in src/entry.py)
  do     charge                            8  real   4 runs, 1 mocked, 1 failed,
                                                     1 retried to the end,
                                                     1 timed out, 1 crashed
  event  approval                         16  real   3 runs,
                                                     1 waited and timed out
  sleep  grace                            18  real   1 run
  do     ship box {box}                   22  real   2 runs
  do     print the card, which nob...     30  NEVER

REFUNDS  0 of 1 step reached: 0%  (RefundWorkflow in src/entry.py)
  sleep  think                            39  NEVER

TOTAL  4 of 6 steps reached: 66.6%"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("wrangler.jsonc", CONFIG)
    worker.write("src/entry.py", ENTRY)
    return worker


def section_of(result: pytest.RunResult) -> str:
    """What stands under our heading."""
    lines = [line.rstrip() for line in result.outlines]
    start = next(at for at, line in enumerate(lines) if line.strip("=") == " workflow step coverage ")
    end = next(at for at in range(start + 1, len(lines)) if lines[at].startswith("==="))
    return "\n".join(lines[start + 1 : end]).rstrip()


# -- the terminal -----------------------------------------------------------------------------------------------------


def test_each_step_is_shown_with_what_the_tests_did_to_it(shop: Any) -> None:
    result = shop.run(TESTS, "--workflows-cov")

    result.assert_outcomes(passed=4)
    assert section_of(result) == TABLE


def test_a_path_behind_the_option_is_still_a_path(shop: Any) -> None:
    shop.write("tests/test_it.py", TESTS)

    result = shop.run(None, "--workflows-cov", "tests/test_it.py")

    result.assert_outcomes(passed=4)


def test_workers_of_xdist_add_up(shop: Any) -> None:
    result = shop.run(TESTS, "--workflows-cov", "-n", "2")

    result.assert_outcomes(passed=4)
    assert section_of(result) == TABLE


def test_without_the_option_nothing_is_shown(shop: Any) -> None:
    result = shop.run(TESTS)

    result.stdout.no_fnmatch_line("*step coverage*")


def test_a_step_that_only_mocks_answered_is_told_from_one_that_ran(shop: Any) -> None:
    result = shop.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                async with instance.modify() as m:
                    m.mock_step_result("charge", 1)
                    m.mock_event("approved")
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_status("complete")
        """,
        "--workflows-cov",
    )

    result.stdout.fnmatch_lines(
        [
            "  do     charge                            8  mocks  1 run",
            "  event  approval                         16  mocks  1 run",
        ]
    )


def test_a_step_that_the_source_does_not_show_counts_and_says_so(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                for number in (1, 2):
                    await getattr(step, "sleep")(f"hidden {number}", "1 day")

        class RefundWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                pass
        """,
    )
    result = shop.run(
        """
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.ORDERS.create()
            await workflow_engine.run_until_idle()
        """,
        "--workflows-cov",
    )

    assert section_of(result) == (
        "ORDERS  1 of 1 step reached: 100%  (OrderWorkflow in src/entry.py)\n"
        "  sleep  hidden {...}                      -  real   2 runs,\n"
        "                                                     not found in the source\n"
        "\n"
        "REFUNDS  0 of 0 steps reached: 0%  (RefundWorkflow in src/entry.py)\n"
        "\n"
        "TOTAL  1 of 1 step reached: 100%"
    )


def test_a_workflow_of_another_worker_is_none_of_ours(shop: Any) -> None:
    other = '{"binding": "ELSEWHERE", "name": "x", "class_name": "Other", "script_name": "another-worker"}'
    shop.write("wrangler.jsonc", CONFIG.replace('"workflows": [', f'"workflows": [{other},'))

    result = shop.run(TESTS, "--workflows-cov")

    assert section_of(result) == TABLE


def test_a_session_without_workflows_says_so(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile("def test_it(): pass")

    result = pytester.runpytest_inprocess("--workflows-cov", "-p", "no:cacheprovider")

    assert section_of(result) == "No test ran a workflow, and none is configured."


def test_the_runs_of_a_crash_exploration_count(shop: Any) -> None:
    result = shop.run(
        """
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.REFUNDS.create()
            await workflow_engine.run_until_idle()
        """,
        "--workflows-cov",
        "--workflows-crash",
    )

    (line,) = [line for line in result.outlines if "  think  " in line]
    assert "crashed" in line
    assert int(line.split("real")[1].split()[0]) > 1


# -- the threshold ----------------------------------------------------------------------------------------------------


def test_too_little_coverage_fails_the_session(shop: Any) -> None:
    result = shop.run(TESTS, "--workflows-cov-fail-under=66.7")

    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["FAIL workflow step coverage is 66.6%, and --workflows-cov-fail-under wants 66.7%"],
    )


def test_enough_coverage_does_not(shop: Any) -> None:
    result = shop.run(TESTS, "--workflows-cov-fail-under=66.6")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("FAIL *")


def test_too_little_coverage_fails_a_session_of_xdist(shop: Any) -> None:
    result = shop.run(TESTS, "--workflows-cov-fail-under=100", "-n", "2")

    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


# -- JSON -------------------------------------------------------------------------------------------------------------


def test_the_coverage_is_written_as_json(shop: Any) -> None:
    result = shop.run(TESTS, "--workflows-cov-report=json:out/cov.json")

    path = shop.path / "out/cov.json"
    result.stdout.fnmatch_lines([f"Workflow step coverage written to {path}"])
    result.stdout.no_fnmatch_line("*workflow step coverage =*")
    found = json.loads(path.read_text())
    assert (found["format"], found["version"]) == ("pytest-workflows-step-coverage", 1)
    assert (found["percent"], found["reached"], found["steps"]) == (66.6, 4, 6)
    orders = found["workflows"][0]
    assert {key: value for key, value in orders.items() if key != "steps"} == {
        "workflow": "ORDERS",
        "class_name": "OrderWorkflow",
        "file": "src/entry.py",
        "instances": 4,
        "source_found": True,
        "percent": 80.0,
        "reached": 4,
    }
    assert orders["steps"][0] == {
        "kind": "do",
        "name": "charge",
        "line": 8,
        "file": "src/entry.py",
        "real": 3,
        "mocked": 1,
        "failed": 1,
        "timed_out": 1,
        "exhausted": 1,
        "crashed": 1,
        "tests": 4,
        "state": "real",
    }


def test_the_terminal_and_json_can_be_had_together(shop: Any) -> None:
    result = shop.run(TESTS, "--workflows-cov-report=term", "--workflows-cov-report=json:cov.json")

    assert section_of(result).startswith(TABLE)
    assert (shop.path / "cov.json").is_file()


# -- bad options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--workflows-cov-report=html", "--workflows-cov-report takes term or json:PATH, not 'html'."),
        ("--workflows-cov-report=json", "--workflows-cov-report takes term or json:PATH, not 'json'."),
        ("--workflows-cov-report=json:", "--workflows-cov-report takes term or json:PATH, not 'json:'."),
        ("--workflows-cov-fail-under=x", "--workflows-cov-fail-under takes a percentage from 0 to 100, not 'x'."),
        ("--workflows-cov-fail-under=101", "--workflows-cov-fail-under takes a percentage from 0 to 100, not '101'."),
        ("--workflows-cov-fail-under=nan", "--workflows-cov-fail-under takes a percentage from 0 to 100, not 'nan'."),
    ],
)
def test_an_option_that_cannot_be_read_is_a_usage_error(shop: Any, option: str, message: str) -> None:
    result = shop.run("def test_it(): pass", option)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
