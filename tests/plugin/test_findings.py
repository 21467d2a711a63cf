"""Broken rules: warnings once a place, errors where a test is strict, ignored where it says so."""

import pytest

FORGETFUL = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            step.do("charge card")(lambda: 1)()
            step.do("ship")(lambda: 1)()
            return "done"
"""
TEST = """
    import pytest
    from pytest_workflows import introspect_workflow_instance


    async def test_order(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as order:
            await workflow_env.ORDERS.create({"id": "order-1"})
            await order.wait_for_status("complete")
            assert await order.get_output() == "done"
"""


@pytest.fixture
def forgetful(worker):
    worker.write("src/entry.py", FORGETFUL)
    return worker


def text(worker, line, step):
    return (
        f"[missing-await] {worker.path}/src/entry.py:{line}: step.do('{step}') was never awaited. "
        "In production: it never runs, or nobody waits for it. Instead: write `await` before it."
    )


def test_a_finding_is_a_warning_that_says_the_rule_the_place_what_happens_and_what_to_write(forgetful):
    forgetful.set(filterwarnings="default")

    result = forgetful.run(TEST)

    result.assert_outcomes(passed=1, warnings=2)
    assert f"WorkflowRuleWarning: {text(forgetful, 6, 'charge card')}" in result.stdout.str()
    assert f"WorkflowRuleWarning: {text(forgetful, 7, 'ship')}" in result.stdout.str()


def test_a_place_is_warned_of_once_in_a_session(forgetful):
    forgetful.set(filterwarnings="default")

    result = forgetful.run(TEST + TEST.replace("test_order", "test_another").replace("    import pytest\n", ""))

    result.assert_outcomes(passed=2, warnings=2)


def test_with_warnings_as_errors_the_test_fails_at_its_end_with_all_of_them(forgetful):
    result = forgetful.run(TEST)

    result.assert_outcomes(failed=1)
    assert text(forgetful, 6, "charge card") in result.stdout.str()
    assert text(forgetful, 7, "ship") in result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            "E   *Warnings are errors in this session: by -W error, or by filterwarnings in the configuration.*"
            "pytest_workflows.WorkflowRuleWarning*ignore_rules=[[]'missing-await']*workflows_ignore_rules.",
        ]
    )


def test_a_misread_duration_that_is_an_error_says_which_filter_made_it_one_and_its_rule(worker):
    worker.write(
        "src/entry.py", FORGETFUL.split("            step.do")[0] + '            await step.sleep("s", "1 sec")'
    )

    result = worker.run(TEST.replace('== "done"', "is None"))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E   *'1 sec' counts as milliseconds*", "E   *by -W error*ignore_rules=[[]'duration-unit']*"]
    )


@pytest.mark.parametrize("how", ["option", "ini"])
def test_a_strict_test_fails_with_all_of_them_in_one_message(forgetful, how):
    forgetful.set(filterwarnings="default", **({"workflows_strict": "true"} if how == "ini" else {}))

    result = forgetful.run(TEST, *(["--workflows-strict"] if how == "option" else []))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E   *WorkflowRuleError: 2 broken rule(s):"])
    assert text(forgetful, 6, "charge card") in result.stdout.str()
    assert text(forgetful, 7, "ship") in result.stdout.str()


@pytest.mark.parametrize("how", ["marker", "ini"])
def test_a_rule_that_is_ignored_is_not_looked_at(forgetful, how):
    marker = "@pytest.mark.workflow(ignore_rules=['missing-await'])\n    async def"
    if how == "ini":
        forgetful.set(workflows_ignore_rules="missing-await")

    result = forgetful.run(TEST.replace("async def", marker, 1) if how == "marker" else TEST, "--workflows-strict")

    result.assert_outcomes(passed=1)


def test_a_rule_that_does_not_exist_cannot_be_ignored(forgetful):
    forgetful.set(workflows_ignore_rules="mising-await")

    result = forgetful.run(TEST)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "ini option workflows_ignore_rules takes a list of rules' names" in result.stderr.str()


def test_a_failing_test_shows_the_broken_rules_beside_its_timeline(forgetful):
    forgetful.set(filterwarnings="default")

    result = forgetful.run(TEST.replace('"done"', '"shipped"'))

    result.assert_outcomes(failed=1, warnings=2)
    result.stdout.fnmatch_lines(
        ["*- Workflows -*", "Broken rules:", f"  {text(forgetful, 6, 'charge card').replace('[', '[[]', 1)}"]
    )


def test_an_introspector_that_a_fixture_closes_replays_nothing(worker):
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        lives = []


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                lives.append(1)
                await step.sleep("nap", "1 hour")
        """,
    )

    result = worker.run(
        """
        import entry
        import pytest
        import pytest_asyncio
        from pytest_workflows import introspect_workflow_instance


        @pytest_asyncio.fixture
        async def order(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as order:
                yield order
            assert entry.lives == [1]


        @pytest.mark.workflow(replay=False)
        async def test_order(order, workflow_env):
            await workflow_env.ORDERS.create({"id": "order-1"})
            await order.wait_for_status("complete")


        def test_the_replay_of_a_test_runs_run_once_more(workflow_env): ...
        """
    )

    result.assert_outcomes(passed=2)


MISREAD = """
    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            await step.sleep("nap", "10 mins")
"""
TWICE = """
    import pytest

    @pytest.mark.parametrize("number", [1, 2])
    async def test_it(workflow_env, workflow_engine, number):
        await workflow_env.ORDERS.create()
        await workflow_engine.run_until_idle()
"""


def test_a_misread_duration_is_warned_of_once_however_many_tests_and_runs_come_past_it(worker):
    worker.set(filterwarnings="default")
    worker.write("src/entry.py", MISREAD)

    result = worker.run(TWICE, "--workflows-crash")

    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(["*entry.py:6: WorkflowDurationWarning: '10 mins' counts as milliseconds*"])


def test_where_warnings_are_errors_every_test_that_misreads_a_duration_fails(worker):
    worker.write("src/entry.py", MISREAD)

    result = worker.run(TWICE)

    result.assert_outcomes(failed=2)
