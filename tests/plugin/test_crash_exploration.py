"""Crash exploration: every test that uses workflows, once for each place where the engine may die."""

import shlex
import textwrap

import pytest

DURABLE = """
    async def test_order(workflow_env):
        from pytest_workflows import introspect_workflow_instance

        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as order:
            await workflow_env.ORDERS.create({"id": "order-1", "params": {"sku": "A1"}})
            await order.wait_for_status("complete")
            assert await order.get_output() == [{"sku": "A1"}, "shipped"]
"""
FORGETFUL = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            receipt = {}

            @step.do("charge card")
            async def charge():
                receipt["id"] = "ch_1"

            await charge()
            await step.sleep("cool down", "1 day")
            return receipt.get("id")
"""
CHARGED = """
    from pytest_workflows import introspect_workflow_instance


    async def test_order(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as order:
            await workflow_env.ORDERS.create({"id": "order-1"})
            await order.wait_for_status("complete")
            assert await order.get_output() == "ch_1"
"""


def summary(result):
    lines = result.outlines
    start = next(index for index, line in enumerate(lines) if "workflow exploration" in line)
    return lines[start + 1].split(" in ")[0] + lines[start + 1].partition(" s")[2]


def test_a_durable_workflow_passes_at_every_point(worker):
    result = worker.run(DURABLE, "--workflows-crash")

    result.assert_outcomes(passed=1)
    assert summary(result) == "1 test, 8 crash points: none failed, 0 findings"


def test_a_workflow_that_keeps_state_in_a_variable_fails_after_a_restart_and_the_point_is_named(worker):
    worker.write("src/entry.py", FORGETFUL)

    result = worker.run(CHARGED, "--workflows-crash", "-W", "ignore::pytest_workflows.WorkflowRuleWarning")

    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(
        [
            '*_ test_order[[]crash: stored result of "charge card"] _*',
            "*assert None == 'ch_1'*",
            "  execution 1 asked for charge card-1; its memory was lost at +0: stored",
            '    result of "charge card"',
            "  execution 2 asked for charge card-1, cool down-1",
            "*- Run it again -*",
            "pytest 'tests/test_it.py::test_order' --workflows-crash='stored:charge card#1'",
        ]
    )
    assert summary(result) == "1 test, 5 crash points: 3 failed, 1 finding"
    result.stdout.fnmatch_lines(["tests/test_it.py .FFF *[[]100%]"])


def test_the_line_that_runs_it_again_does(worker):
    worker.write("src/entry.py", FORGETFUL)

    worker.set(workflows_ignore_rules="state-outside-step")

    result = worker.run(CHARGED, "--workflows-crash=sleep:cool down#1")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(['FAILED tests/test_it.py::test_order[[]crash: in sleep "cool down"]*'])


FLAKY = """
    from workers import WorkflowEntrypoint

    calls = []


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("charge", config={"retries": {"limit": 1, "delay": 1}})
            async def charge(ctx):
                calls.append(event["instanceId"])
                if ctx["attempt"] == 1:
                    raise ValueError("busy")

            await charge()
"""
CALLED = """
    import pytest
    import entry


    @pytest.fixture(autouse=True)
    def no_calls():
        entry.calls.clear()


    async def test_orders(workflow_env, workflow_engine):
        await workflow_env.ORDERS.create({"id": "a"})
        await workflow_env.ORDERS.create({"id": "b"})
        await workflow_engine.run_until_idle()
        assert len(entry.calls) == 4
"""


def test_each_failing_run_has_a_name_and_a_line_of_its_own(worker):
    worker.write("src/entry.py", FLAKY)

    result = worker.run(CALLED, "--workflows-crash")

    failed = [line.split(" - ")[0] for line in result.outlines if line.startswith("FAILED")]
    assert failed == [
        'FAILED tests/test_it.py::test_orders[crash: lost result of "charge" attempt 2 in ORDERS/a]',
        'FAILED tests/test_it.py::test_orders[crash: lost result of "charge" attempt 2 in ORDERS/b]',
    ]
    lines = [line for line in result.outlines if line.startswith("pytest 'tests/test_it.py")]
    assert len(lines) == len(set(lines)) == 2
    for line, name in zip(lines, failed, strict=True):
        _, node, option = shlex.split(line)
        again = worker.run(None, node, option)
        again.assert_outcomes(passed=1, failed=1)
        assert name in again.stdout.str()


def test_a_crash_in_a_sleep_comes_in_its_middle(worker):
    worker.write("src/entry.py", FORGETFUL)

    worker.set(workflows_ignore_rules="state-outside-step")

    result = worker.run(CHARGED, "--workflows-crash=sleep:cool down#1")

    result.stdout.fnmatch_lines(["*; its memory was lost at", '    +12h: in sleep "cool down"'])


def test_the_option_does_not_swallow_the_path(worker):
    worker.write("tests/test_it.py", DURABLE)
    worker.write("elsewhere/test_other.py", "def test_other(): raise AssertionError")

    result = worker.run(None, "--workflows-crash", "tests")

    result.assert_outcomes(passed=1)
    assert summary(result) == "1 test, 8 crash points: none failed, 0 findings"


def test_the_option_without_a_value_loads_no_conftest_above_the_project(worker, monkeypatch):
    for file in [path for path in worker.path.iterdir() if path.name != "inner"]:
        (worker.path / "inner").mkdir(exist_ok=True)
        file.rename(worker.path / "inner" / file.name)
    worker.write("conftest.py", "raise RuntimeError('this belongs to another project')\n")
    worker.write("inner/tests/test_it.py", DURABLE)
    monkeypatch.chdir(worker.path / "inner")

    worker.run(None, "--workflows-crash").assert_outcomes(passed=1)


def test_a_number_draws_points_by_seed(worker):
    first, second = (worker.run(DURABLE, "--workflows-crash=3") for _ in range(2))

    assert summary(first) == summary(second) == "1 test, 3 crash points: none failed, 0 findings"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("tests/", "'tests/' is no fault point."),
        ("lost", "'lost' is no fault point."),
        ("0", "--workflows-crash=N draws N crash points for each test, from 1 on."),
    ],
)
def test_anything_else_is_a_usage_error_that_shows_the_form(worker, value, message):
    result = worker.run(DURABLE, f"--workflows-crash={value}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
    if "fault" in message:
        assert "--workflows-crash='lost:charge card#1'" in result.stderr.str()


def test_a_point_that_no_test_has_is_said_and_fails_the_run(worker):
    result = worker.run(DURABLE, "--workflows-crash=lost:chrge#1")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["No test reached the crash point 'lost:chrge#1'.*"])


def test_the_marker_takes_a_test_out_and_another_one_in(worker):
    tests = DURABLE.replace("async def", "import pytest\n\n    @pytest.mark.workflow(crash=False)\n    async def", 1)

    assert "workflow exploration" not in worker.run(tests, "--workflows-crash").stdout.str()
    assert summary(worker.run(tests.replace("False", "True"))) == "1 test, 8 crash points: none failed, 0 findings"


def test_a_point_that_the_run_does_not_reach_again_is_reported(worker):
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        runs = []


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                runs.append(1)
                name = "only once" if len(runs) == 1 else "ever after"
                return await step.do(name)(lambda: 1)()
        """,
    )

    result = worker.run(
        CHARGED.replace('== "ch_1"', "== 1"), "--workflows-crash", "-W", "ignore::pytest_workflows.WorkflowRuleWarning"
    )

    result.stdout.fnmatch_lines(
        ["not reached again: lost:only once#1 in ORDERS/order-1 in tests/test_it.py::test_order *"]
    )


def test_function_scoped_fixtures_are_set_up_anew_and_wider_ones_live_on(worker):
    tests = """
        import pytest

        seen = {"function": 0, "module": 0}

        @pytest.fixture(scope="module")
        def wide():
            seen["module"] += 1
            yield
            assert seen == {"function": 9, "module": 1}

        @pytest.fixture
        def narrow(wide):
            seen["function"] += 1
            yield []
    """

    order = textwrap.dedent(DURABLE.replace("(workflow_env)", "(workflow_env, narrow)"))

    result = worker.run(textwrap.dedent(tests) + order, "--workflows-crash")

    result.assert_outcomes(passed=1)


def test_a_test_that_fails_as_it_is_is_not_explored(worker):
    result = worker.run(DURABLE.replace('"shipped"', '"lost"'), "--workflows-crash")

    result.assert_outcomes(failed=1)
    assert "workflow exploration" not in result.stdout.str()


def test_tests_without_workflows_run_once(worker):
    result = worker.run("def test_plain(): pass", "--workflows-crash")

    result.assert_outcomes(passed=1)
    assert "workflow exploration" not in result.stdout.str()


def test_it_works_under_xdist(worker):
    worker.write("src/entry.py", FORGETFUL)

    result = worker.run(CHARGED, "--workflows-crash", "-n", "2", "-W", "ignore::pytest_workflows.WorkflowRuleWarning")

    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(['FAILED tests/test_it.py::test_order[[]crash: in sleep "cool down"]*'])
    assert summary(result) == "1 test, 5 crash points: 3 failed, 1 finding"


def test_the_engine_dies_where_a_modification_says(worker):
    result = worker.run(
        """
        from pytest_workflows import introspect_workflow_instance


        async def test_order(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as order:
                async with order.modify() as m:
                    m.crash("lost:charge#1", times=2)
                await workflow_env.ORDERS.create({"id": "order-1"})
                await order.wait_for_status("complete")
                assert [attempt.number for attempt in order.steps[0].attempts] == [1, 2, 3]
        """
    )

    result.assert_outcomes(passed=1)


def test_a_crash_that_never_came_is_an_unused_modification(worker):
    result = worker.run(
        """
        from pytest_workflows import introspect_workflow_instance


        async def test_order(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as order:
                async with order.modify() as m:
                    m.crash("lost:chrge")
                await workflow_env.ORDERS.create({"id": "order-1"})
                await order.wait_for_status("complete")
        """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*  crash('lost:chrge')*"])
