"""The plugin's own hooks, called in order, from a conftest."""

import re
from pathlib import Path
from typing import Any

import pytest

CONFTEST = """
    CALLS = []

    def pytest_workflows_instance_created(instance):
        CALLS.append(f"created {instance.workflow.name} {instance.id} {instance.status}")

    def pytest_workflows_instance_finished(instance):
        CALLS.append(f"finished {instance.id} {instance.status}")

    def pytest_workflows_step_started(instance, step):
        CALLS.append(f"started {instance.id} {step.kind} {step.name} {step.count}")

    def pytest_workflows_step_finished(instance, step):
        CALLS.append(f"done {instance.id} {step.kind} {step.name} {step.count} {instance.find_step(step).status}")

    def pytest_runtest_logfinish(nodeid):
        print()
        for call in CALLS:
            print("HOOK", call)
        CALLS.clear()
"""


def calls_of(result: pytest.RunResult) -> list[str]:
    return [line.removeprefix("HOOK ") for line in result.outlines if line.startswith("HOOK ")]


def test_the_four_hooks_are_called_in_order(worker: Any) -> None:
    worker.write("conftest.py", CONFTEST)

    result = worker.run(
        """
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.ORDERS.create({"id": "a"})
            await workflow_engine.run_until_idle()
    """,
        "-s",
    )

    result.assert_outcomes(passed=1)
    assert calls_of(result) == [
        "created ORDERS a queued",
        "started a do charge 1",
        "done a do charge 1 complete",
        "started a sleep cool down 1",
        "done a sleep cool down 1 complete",
        "started a do ship 1",
        "done a do ship 1 complete",
        "finished a complete",
    ]


def test_a_retried_step_starts_once_and_a_failed_one_is_finished_too(worker: Any) -> None:
    worker.write("conftest.py", CONFTEST)
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge", config={"retries": {"limit": 2, "delay": "1 second"}})
                async def charge():
                    raise ValueError("no money")

                for _ in range(2):
                    try:
                        await charge()
                    except Exception:
                        pass
                await step.wait_for_event("wait", "paid", timeout="1 hour")
        """,
    )

    result = worker.run(
        """
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.ORDERS.create({"id": "a"})
            await workflow_engine.run_until_idle()
    """,
        "-s",
    )

    result.assert_outcomes(passed=1)
    assert calls_of(result) == [
        "created ORDERS a queued",
        "started a do charge 1",
        "done a do charge 1 errored",
        "started a do charge 2",
        "done a do charge 2 errored",
        "started a wait_for_event wait 1",
        "done a wait_for_event wait 1 errored",
        "finished a errored",
    ]


def test_a_crash_starts_no_instance_and_no_step_anew(worker: Any) -> None:
    worker.write("conftest.py", CONFTEST)

    result = worker.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                await workflow_env.ORDERS.create({"id": "a"})
                await instance.wait_for_step_result("charge")
                await instance.crash()
                await instance.wait_for_status("complete")
    """,
        "-s",
    )

    result.assert_outcomes(passed=1)
    calls = calls_of(result)
    assert calls.count("created ORDERS a queued") == 1
    assert calls.count("started a do charge 1") == calls.count("done a do charge 1 complete") == 1
    assert calls.count("finished a complete") == 1


def test_a_terminated_instance_is_finished_and_one_that_was_disposed_of_is_not(worker: Any) -> None:
    worker.write("conftest.py", CONFTEST)

    result = worker.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            handle = await workflow_env.ORDERS.create({"id": "a"})
            await handle.terminate()
            async with introspect_workflow_instance(workflow_env.ORDERS, "b"):
                await workflow_env.ORDERS.create({"id": "b"})
    """,
        "-s",
    )

    calls = [call for call in calls_of(result) if call.startswith(("created", "finished"))]
    assert calls == ["created ORDERS a queued", "finished a terminated", "created ORDERS b queued"]


def test_hooks_of_a_conftest_below_hear_of_the_tests_beside_it_alone(worker: Any) -> None:
    worker.write("tests/one/conftest.py", CONFTEST)
    for folder in ("one", "two"):
        worker.write(
            f"tests/{folder}/test_{folder}.py",
            f"""
            async def test_it(workflow_env, workflow_engine):
                await workflow_env.ORDERS.create({{"id": "{folder}"}})
                await workflow_engine.run_until_idle()
            """,
        )

    result = worker.run(None, "-s")

    result.assert_outcomes(passed=2)
    assert "created ORDERS one queued" in calls_of(result)
    assert "two" not in " ".join(calls_of(result))


FINDING = """
    from workers import WorkflowEntrypoint

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            step.wait_for_event("nap", "woken")
            await step.sleep("cool down", "1 second")

            @step.do("charge", config={"retries": {"limit": 1, "delay": "1 second"}})
            async def charge():
                raise ValueError("no money")

            await charge()
"""
REPORT = """
    def pytest_workflows_finding(finding):
        print()
        print(f"HOOK found {finding.rule} in {finding.workflow}, line {finding.line}")

    def pytest_workflows_report(config, runs, findings):
        print()
        for nodeid, mine in runs.items():
            for run in mine:
                steps = [f"{step.key.label} {step.status} {len(step.attempts)}" for step in run.step_records]
                print(f"HOOK {nodeid}: {run.workflow} {run.id} {run.status} {run.now:%X} {', '.join(steps)}")
                print("HOOK", run.history_events[-1].kind, run.error and run.error["message"].splitlines()[-1])
        for nodeid, mine in findings.items():
            print(f"HOOK {nodeid}: {[finding.rule for finding in mine]}")
        print(f"HOOK {config.rootpath.name}: {len(runs)} test(s) with instances")
"""
TOLD = """
    import pytest
    from pytest_workflows import introspect_workflow_instance

    pytestmark = [
        pytest.mark.workflow(now="2026-01-01T12:00:00Z"),
        pytest.mark.filterwarnings("ignore"),
    ]

    async def test_one(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_status("errored")

    def test_without_instances():
        pass
"""


def test_a_finding_is_told_when_it_is_noticed(worker: Any) -> None:
    worker.write("conftest.py", REPORT.partition("def pytest_workflows_report")[0])
    worker.write("src/entry.py", FINDING)

    result = worker.run(TOLD, "-s")

    result.assert_outcomes(passed=2)
    assert calls_of(result) == ["found missing-await in ORDERS, line 5"]


@pytest.mark.parametrize("arguments", [("-s",), ("-n", "2")], ids=["alone", "xdist"])
def test_at_the_end_of_the_session_all_runs_and_findings_are_told_once(worker: Any, arguments: tuple[str, ...]) -> None:
    worker.write("conftest.py", REPORT)
    worker.write("src/entry.py", FINDING)

    result = worker.run(TOLD, *arguments)

    result.assert_outcomes(passed=2)
    assert [call for call in calls_of(result) if not call.startswith("found")] == [
        "tests/test_it.py::test_one: ORDERS a errored 12:00:02 cool down-1 complete 0, charge-1 errored 2",
        "WORKFLOW_FAILURE ValueError: ValueError: no money",
        "tests/test_it.py::test_one: ['missing-await']",
        f"{worker.path.name}: 1 test(s) with instances",
    ]


def test_the_end_of_the_session_is_told_of_every_instance_and_in_order(worker: Any) -> None:
    worker.write(
        "conftest.py",
        """
        def pytest_workflows_report(config, runs, findings):
            print()
            for nodeid, mine in runs.items():
                print("HOOK", nodeid, [run.id for run in mine] == [f"i{n}" for n in range(60)], findings)
        """,
    )

    result = worker.run(
        """
        from pytest_workflows import introspect_workflow

        async def test_it(workflow_env):
            async with introspect_workflow(workflow_env.ORDERS):
                await workflow_env.ORDERS.create_batch([{"id": f"i{n}"} for n in range(30)])
            await workflow_env.ORDERS.create_batch([{"id": f"i{n}"} for n in range(30, 60)])
        """,
        "-s",
    )

    result.assert_outcomes(passed=1)
    assert calls_of(result) == ["tests/test_it.py::test_it True {}"]


def test_the_example_of_the_docs_counts_the_steps_that_were_retried(worker: Any) -> None:
    page = (Path(__file__).parents[2] / "docs/reference/hooks.md").read_text(encoding="utf-8")
    example = re.search(r'```python title="conftest.py"\n(.*?)```', page, re.DOTALL)
    assert example is not None
    worker.write("conftest.py", example[1])
    worker.write("src/entry.py", FINDING)

    worker.run(TOLD)

    assert (worker.path / "retried.json").read_text() == '{"ORDERS: charge": 1}'


def test_a_session_without_instances_is_told_of_too(worker: Any) -> None:
    worker.write("conftest.py", REPORT)

    result = worker.run("def test_it(): pass", "-s")

    assert calls_of(result) == [f"{worker.path.name}: 0 test(s) with instances"]


def test_nothing_is_kept_of_a_test_where_nobody_asks_for_it(worker: Any) -> None:
    worker.write(
        "conftest.py",
        """
        def pytest_runtest_logreport(report):
            print("HOOK", sorted(name for name in vars(report) if "workflows" in name))
        """,
    )

    result = worker.run(TOLD.replace('"errored"', '"complete"'), "-s")

    assert set(calls_of(result)) == {"[]"}


def test_a_hook_with_an_unknown_name_is_an_error_of_pluggy(worker: Any) -> None:
    worker.write("conftest.py", "def pytest_workflows_instance_made(instance): pass\n")

    result = worker.run("""
        def test_it():
            pass
    """)

    assert "unknown hook 'pytest_workflows_instance_made'" in result.stdout.str() + result.stderr.str()


# -- hooks that raise --------------------------------------------------------------------------------------------------

OTHER = """
    TOLD = []

    class Other:
        def pytest_workflows_step_finished(self, instance, step):
            TOLD.append(step.name)

    def pytest_configure(config):
        config.pluginmanager.register(Other(), "other")

    def pytest_unconfigure(config):
        print("TOLD", TOLD)

"""
TWO_TESTS = """
    import pytest

    @pytest.mark.parametrize("number", [1, 2])
    async def test_it(workflow_env, workflow_engine, number):
        made = await workflow_env.ORDERS.create({"id": "a"})
        await workflow_engine.run_until_idle()
        assert (await made.status())["status"] == "complete"
"""


@pytest.mark.parametrize("arguments", [[], ["-W", "error"]], ids=["plain", "warnings as errors"])
@pytest.mark.parametrize(
    "hook",
    [
        "instance_created(instance)",
        "instance_finished(instance)",
        "step_started(instance, step)",
        "step_finished(instance, step)",
    ],
)
def test_a_hook_that_raises_is_reported_once_and_hurts_neither_the_test_nor_other_plugins(
    worker: Any, hook: str, arguments: list[str]
) -> None:
    worker.write("conftest.py", OTHER + f"    def pytest_workflows_{hook}:\n        raise RuntimeError('a bug')\n")

    result = worker.run(TWO_TESTS, *arguments, "-s")

    result.assert_outcomes(passed=2, warnings=1)
    reported = hook.partition("(")[0]
    result.stdout.fnmatch_lines(
        [
            f"*WorkflowObserverWarning: plugin 'conftest.py' raised in {reported}: RuntimeError: a bug (conftest.py:*, in "
            f"pytest_workflows_{reported}). It is switched off for the rest of the session; the workflow and its test are "
            "not touched. Mend it there.",
            "TOLD *'charge', 'cool down', 'ship', 'charge', 'cool down', 'ship'*",
        ]
    )


def test_a_hook_for_findings_that_raises_leaves_the_finding(worker: Any) -> None:
    worker.write("conftest.py", "def pytest_workflows_finding(finding):\n    raise RuntimeError('a bug')\n")
    worker.write(
        "src/entry.py",
        """
        import random
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                return random.random()
        """,
    )

    result = worker.run(TWO_TESTS, "--workflows-strict")

    result.assert_outcomes(failed=2, warnings=1)
    result.stdout.fnmatch_lines("*raised in found: RuntimeError: a bug*")
    result.stdout.fnmatch_lines("*[[]random-outside-step] *")


def test_a_hook_for_the_end_of_the_session_that_raises_ends_nothing(worker: Any) -> None:
    worker.write(
        "conftest.py",
        """
        class Other:
            def pytest_workflows_report(self, runs):
                print("OTHER", len(runs))

        def pytest_configure(config):
            config.pluginmanager.register(Other(), "other")

        def pytest_workflows_report(runs):
            raise RuntimeError("a bug")
        """,
    )

    result = worker.run(TWO_TESTS, "-s")

    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines_random(
        ["*OTHER 2*", "*plugin 'conftest.py' raised in pytest_workflows_report: RuntimeError: a bug*"]
    )


@pytest.mark.parametrize("said", ["fail", "skip", "xfail", "exit"])
@pytest.mark.parametrize(
    "hook",
    ["instance_created(instance)", "instance_finished(instance)", "step_started(step)", "step_finished(step)"],
)
def test_what_a_hook_says_with_pytests_own_words_reaches_the_test(worker: Any, hook: str, said: str) -> None:
    worker.write("conftest.py", f"import pytest\n\ndef pytest_workflows_{hook}:\n    pytest.{said}('as said')\n")

    result = worker.run(TWO_TESTS)

    if said == "exit":
        result.stdout.fnmatch_lines(["*Exit: as said*"])
    else:
        result.assert_outcomes(**{"fail": {"failed": 2}, "skip": {"skipped": 2}, "xfail": {"xfailed": 2}}[said])
    result.stdout.no_fnmatch_line("*WaitTimeoutError*")
    if said == "fail":
        result.stdout.fnmatch_lines(["*Failed: as said"])


def test_a_keyboard_interrupt_in_a_hook_ends_the_session(worker: Any) -> None:
    worker.write("conftest.py", "def pytest_workflows_step_finished(instance, step):\n    raise KeyboardInterrupt\n")

    result = worker.run(TWO_TESTS, process=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_wrappers_and_hooks_of_another_name_are_called_once_each(worker: Any) -> None:
    worker.write(
        "conftest.py",
        """
        import pytest

        class Plugin:
            @pytest.hookimpl(wrapper=True)
            def pytest_workflows_step_started(self, step):
                print("\\nHOOK new wrapper begins", step.name)
                yield
                print("HOOK new wrapper ends", step.name)

            @pytest.hookimpl(hookwrapper=True)
            def pytest_workflows_step_finished(self, step):
                outcome = yield
                print("HOOK old wrapper", step.name, outcome.get_result())

        class Other:
            @pytest.hookimpl(specname="pytest_workflows_step_started")
            def pytest_by_another_name(self, step):
                print("HOOK other", step.name)

        def pytest_configure(config):
            config.pluginmanager.register(Plugin(), "plugin")
            config.pluginmanager.register(Other(), "other")
        """,
    )

    result = worker.run(TWO_TESTS.replace("[1, 2]", "[1]"), "-s")

    result.assert_outcomes(passed=1)
    assert [call for call in calls_of(result) if "charge" in call] == [
        "new wrapper begins charge",
        "new wrapper ends charge",
        "other charge",
        "old wrapper charge []",
    ]
