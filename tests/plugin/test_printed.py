"""What a failing test prints: the key sentence, the timeline once and short, nothing secret, nothing that steers."""

import json
import re
import sys
import textwrap
from typing import Any
from xml.etree import ElementTree

import pytest

from pytest_workflows.timeline.step_table import error_text

POLLING = """
    from workers import WorkflowEntrypoint

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            for number in range(event["payload"]["times"]):
                if event["payload"].get("sleeps"):
                    await step.sleep(f"s{number}", "1 day")
                    continue

                @step.do("poll status")
                async def poll():
                    return "pending"

                if await poll() == "done":
                    return number
                await step.sleep("wait", "5 minutes")
            raise ValueError("gave up")
"""
POLLS = """
    from pytest_workflows import introspect_workflow_instance

    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
            await workflow_env.ORDERS.create({{"id": "o", "params": {params}}})
            await instance.wait_for_status("complete", timeout=60)
"""
UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def errors_of(result: pytest.RunResult) -> list[str]:
    return [line[1:].strip() for line in result.outlines if line.startswith("E  ")]


# -- long runs ---------------------------------------------------------------------------------------------------------


def test_a_run_of_very_many_steps_is_shown_by_its_ends_once_and_asked_about(worker: Any) -> None:
    worker.write("src/entry.py", POLLING)

    result = worker.run(POLLS.format(params={"times": 150}))

    result.assert_outcomes(failed=1)
    assert errors_of(result)[0].startswith(
        "durable_engine.errors.UnreachableStatusError: The Workflow instance o has reached status 'errored'. This is a "
    )
    assert "step 'poll status' ran 150 times: is an answer missing?" in errors_of(result)
    steps = [line for line in result.outlines if re.match(r"  \+\S+ +(?:\S+ +)?(do|sleep) ", line)]
    names = [re.search(r"(poll status|wait)-(\d+)", line) for line in steps]
    assert [(name[1], name[2]) for name in names if name] == [
        (name, str(number)) for number in (*range(1, 6), *range(146, 151)) for name in ("poll status", "wait")
    ]
    shown = " ".join(result.stdout.str().split())
    assert "... 280 steps left out: step 'poll status' 140 times, sleep 'wait' 140 times" in shown
    assert shown.count("is an answer missing?") == 1
    assert len(result.outlines) < 80


def test_steps_that_differ_in_a_number_are_asked_about_together(worker: Any) -> None:
    worker.write("src/entry.py", POLLING)

    result = worker.run(POLLS.format(params={"times": 150, "sleeps": True}))

    assert "a sleep named like 's0' ran 150 times: is an answer missing?" in errors_of(result)


def test_a_run_that_is_not_too_long_is_shown_whole_and_asks_nothing(worker: Any) -> None:
    worker.write("src/entry.py", POLLING)

    result = worker.run(POLLS.format(params={"times": 12}))

    shown = result.stdout.str()
    assert "left out" not in shown
    assert "is an answer missing" not in shown
    assert "poll status-12" in shown


def test_very_many_attempts_are_shown_by_their_ends(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge", config={"retries": {"limit": 99, "delay": 1000, "backoff": "constant"}})
                async def charge():
                    raise ValueError("no money")

                await charge()
        """,
    )

    result = worker.run(POLLS.format(params={}))

    attempts = re.findall(r"attempt (\d+): ", result.stdout.str())
    assert attempts == [str(number) for number in (*range(1, 11), *range(91, 101))]
    result.stdout.fnmatch_lines("*... 80 attempts left out")


def test_very_many_lives_and_events_are_shown_by_their_ends(worker: Any) -> None:
    result = worker.run("""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
                handle = await workflow_env.ORDERS.create({"id": "o"})
                for number in range(40):
                    await handle.send_event({"type": f"e{number}"})
                    await instance.crash()
                assert False
    """)

    shown = " ".join(result.stdout.str().split())
    assert "... 21 executions left out" in shown
    assert "'e9', ... 20 left out ..., 'e30'" in shown


# -- messages of several lines -----------------------------------------------------------------------------------------

LINES = """
    from workers import WorkflowEntrypoint

    MESSAGE = "no such column\\n  SELECT nope\\n         ^^^^\\nin table orders"

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("query", config={"retries": {"limit": 2, "delay": 1000}})
            async def query():
                raise ValueError(MESSAGE)

            await query()
"""


@pytest.mark.parametrize(
    "last", ['await instance.wait_for_status("complete")', 'await instance.wait_for_status("errored")\n    assert 0']
)
def test_a_message_of_several_lines_is_told_whole_and_once(worker: Any, last: str) -> None:
    worker.write("src/entry.py", LINES)
    test = POLLS.format(params={}).replace('await instance.wait_for_status("complete", timeout=60)', "LAST")

    result = worker.run(textwrap.dedent(test).replace("LAST", last.replace("\n", "\n    ")))

    result.assert_outcomes(failed=1)
    shown = result.stdout.str()
    assert shown.count("no such column") >= 3
    assert shown.count("SELECT nope") == 1
    assert shown.count("in table orders") == 1


# -- secrets and characters --------------------------------------------------------------------------------------------

SECRETS = """
    import logging
    from workers import WorkflowEntrypoint

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            password = event["payload"]["password"]

            @step.do("read")
            async def read():
                print("printed", password)
                logging.warning("logged %s", password)
                return {"token": "TOKENVALUE12345", "deep": [{"Token": 1234567890}], "pin": "Zq7~"}

            got = await read()

            @step.do("hidden", config={"sensitive": "output"})
            async def hidden():
                return "SENSITIVEVALUE"

            await hidden()

            @step.do("esc \\x7f \\x9b31m \\u202e rtl", config={"retries": {"limit": 0, "delay": 0}})
            async def fails():
                raise ValueError(f"{password} {got['token']} \\x1b[31m\\x1b]0;title\\x07 \\u2066 SENSITIVEVALUE")

            await fails()
"""
SECRET_TEST = """
    from pytest_workflows import introspect_workflow_instance

    async def test_it(workflow_env):
        password = "HUNTER2SECRET"
        async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
            await workflow_env.ORDERS.create({"id": "o", "params": {"password": "HUNTER2SECRET", "pin": "Zq7~"}})
            LINE
"""
FAILS = {
    "wait": 'await instance.wait_for_status("complete")',
    "assertion": 'await instance.wait_for_status("errored")\n            assert (await instance.status())["output"] == 1',
    "error": 'await instance.wait_for_status("errored")\n            raise ValueError(str(await instance.get_error()))',
    "step": 'await instance.wait_for_step_result("esc \\x7f \\x9b31m \\u202e rtl")',
}


@pytest.mark.parametrize(
    "arguments", [[], ["--tb=short"], ["--tb=native"], ["-l"], ["--workflows-record=none"]], ids=str
)
@pytest.mark.parametrize("line", FAILS.values(), ids=FAILS)
def test_nothing_secret_and_nothing_that_steers_reaches_the_terminal(
    worker: Any, line: str, arguments: list[str]
) -> None:
    worker.write("src/entry.py", SECRETS)
    worker.set(workflows_redact="password token pin")

    result = worker.run(SECRET_TEST.replace("LINE", line), *arguments, "-rA", "--junit-xml=it.xml")

    result.assert_outcomes(failed=1)
    for shown in (result.stdout.str(), (worker.path / "it.xml").read_text(encoding="utf-8")):
        assert "[REDACTED]" in shown
        for secret in ("HUNTER2SECRET", "TOKENVALUE", "1234567890", "Zq7~", "HUNTER2"):
            assert secret not in shown, shown
        assert not UNSAFE.search(shown)
    assert "esc \\x7f \\x9b31m" in result.stdout.str()


def test_a_sensitive_output_is_not_shown_in_another_steps_error(worker: Any) -> None:
    worker.write("src/entry.py", SECRETS)

    result = worker.run(SECRET_TEST.replace("LINE", FAILS["wait"]))

    result.assert_outcomes(failed=1)
    assert "SENSITIVEVALUE" not in result.stdout.str()


def test_colours_of_an_assertion_stay(worker: Any) -> None:
    result = worker.run(
        """
        async def test_it(workflow_env):
            await workflow_env.ORDERS.create({"id": "o"})
            assert {"a": 1, "b": [1, 2]} == {"a": 2, "b": [1, 3]}
        """,
        "--color=yes",
        "-vv",
    )

    assert "\\x1b" not in result.stdout.str()


def test_findings_durations_and_names_of_runs_steer_no_terminal(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        import random
        from workers import WorkflowEntrypoint

        CALLS = []

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("esc \\x7f\\u202e")
                async def one():
                    CALLS.append(1)
                    return 1

                await one()
                return random.random()
        """,
    )

    result = worker.run(
        """
        from entry import CALLS

        async def test_it(workflow_env, workflow_engine):
            CALLS.clear()
            await workflow_env.ORDERS.create({"id": "o"})
            await workflow_engine.run_until_idle()
            assert len(CALLS) == 1
        """,
        "--workflows-durations=0",
        "--workflows-report",
        "--workflows-crash",
        "-W",
        "default",
    )

    assert "esc \\x7f\\u202e" in result.stdout.str()
    assert not UNSAFE.search(result.stdout.str())


# -- where pytest shows no sections ------------------------------------------------------------------------------------

ASSERTS = """
    from pytest_workflows import introspect_workflow_instance

    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
            await workflow_env.ORDERS.create({"id": "o"})
            assert await instance.wait_for_step_result("charge") == 5
"""


@pytest.mark.parametrize("arguments", [["--show-capture=no"], ["--show-capture=log"]], ids=str)
def test_the_timeline_is_shown_whatever_is_shown_of_captured_output(worker: Any, arguments: list[str]) -> None:
    result = worker.run(ASSERTS, *arguments)

    assert result.stdout.str().count("Instance 'o' of 'ORDERS': ") == 1


def test_a_debuggers_prompt_comes_behind_the_timeline_and_what_is_gone_still_answers(worker: Any) -> None:
    worker.write("tests/test_it.py", ASSERTS)
    worker.monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    typed = ("[step.name for step in instance.steps]", "instance.status()['status']", "instance.history[0].kind", "c")
    plugins = ("-p", "pytest_asyncio.plugin", "-p", "pytest_workflows.plugin")
    result = worker.pytester.run(
        *(sys.executable, "-m", "pytest", *plugins, "--pdb", "tests/test_it.py"),
        stdin="\n".join(typed).encode() + b"\n",
    )

    result.stdout.fnmatch_lines(
        [
            "Instance 'o' of 'ORDERS': *",
            "*entering PDB*",
            "(Pdb) [[]'charge'*",
            "(Pdb) 'running'",
            "(Pdb) 'WORKFLOW_QUEUED'",
        ]
    )
    assert result.stdout.str().count("Instance 'o' of 'ORDERS': ") == 1


# -- JUnit XML ---------------------------------------------------------------------------------------------------------


def outputs_of(path: Any) -> list[ElementTree.Element]:
    return list(ElementTree.parse(path).iter("testcase"))


@pytest.mark.parametrize("logging", ["no", "all"])
@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "xdist"])
def test_junit_xml_has_the_timeline_and_the_path_of_the_recording(
    worker: Any, logging: str, workers: list[str]
) -> None:
    worker.set(junit_logging=logging)

    worker.run(ASSERTS, "--junit-xml=it.xml", *workers, process=bool(workers))

    [case] = outputs_of(worker.path / "it.xml")
    [output] = case.iter("system-out")
    assert output.text is not None
    assert output.text.count("Instance 'o' of 'ORDERS': ") == 1
    [recording] = [one.get("value") for one in case.iter("property") if one.get("name") == "workflows_recording"]
    assert recording is not None
    assert (worker.path / recording).is_file()
    assert [one.tag for one in case][:3] == ["properties", "failure", "system-out"]


def test_junit_xml_has_them_for_each_run_that_fails_of_an_explored_test(worker: Any) -> None:
    worker.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
                await workflow_env.ORDERS.create({"id": "o"})
                await instance.wait_for_status("complete")
                assert all(len(step.attempts) < 2 for step in instance.steps)
        """,
        "--junit-xml=it.xml",
        "--workflows-crash",
    )

    plain, *failed = outputs_of(worker.path / "it.xml")
    assert not list(plain.iter("property"))
    assert failed
    for case in failed:
        assert len(list(case.iter("system-out"))) == 1
        [recording] = [one.get("value") for one in case.iter("property")]
        assert recording is not None
        assert (worker.path / recording).is_file()


# -- what is gone ------------------------------------------------------------------------------------------------------


def test_an_instance_that_was_disposed_of_answers_from_a_snapshot(worker: Any) -> None:
    result = worker.run("""
        import pytest
        from pytest_workflows import InstanceNotFoundError, NotAvailableError, introspect_workflow
        from pytest_workflows import introspect_workflow_instance

        async def test_one(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
                await workflow_env.ORDERS.create({"id": "o"})
                await instance.wait_for_status("complete")
                before = instance.steps, instance.history, await instance.status(), await instance.get_output()
            assert (instance.steps, instance.history, await instance.status(), await instance.get_output()) == before
            assert instance.status() == before[2]
            assert instance.exception is None
            with pytest.raises(NotAvailableError):
                await instance.get_error()

        async def test_all_of_a_workflow(workflow_env):
            async with introspect_workflow(workflow_env.ORDERS) as introspector:
                await workflow_env.ORDERS.create({"id": "o"})
                await introspector.get()[0].wait_for_status("complete")
            [instance] = introspector.get()
            assert [step.name for step in instance.steps] == ["charge", "cool down", "ship"]
            assert (await instance.status())["status"] == "complete"

        async def test_one_that_never_was(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
                pass
            assert (instance.steps, instance.history, instance.exception) == ([], [], None)
            with pytest.raises(InstanceNotFoundError, match="was disposed of, and its instance never existed"):
                await instance.status()

        KEPT = []

        async def test_one_that_is_left_open(workflow_env):
            instance = await introspect_workflow_instance(workflow_env.ORDERS, "o")
            KEPT.append(instance)
            await workflow_env.ORDERS.create({"id": "o"})
            await instance.wait_for_status("complete")

        def test_the_one_that_was_left_open():
            assert [step.name for step in KEPT[0].steps] == ["charge", "cool down", "ship"]
            assert KEPT[0].status()["status"] == "complete"
    """)

    result.assert_outcomes(passed=5)


# -- what was forgotten ------------------------------------------------------------------------------------------------

FORGOTTEN = {
    "workflow_env.ORDERS.create({'id': 'o'})": "ORDERS.create(...)",
    "instance.wait_for_status('complete')": "instance.wait_for_status(...)",
    "instance.wait_for_step_result('charge')": "instance.wait_for_step_result(...)",
    "instance.modify(lambda m: m.disable_sleeps())": "instance.modify(...)",
    "instance.modify()": "instance.modify()",
    "instance.status()": "instance.status()",
    "instance.crash()": "instance.crash(...)",
    "handle.send_event({'type': 'paid'})": "instance.send_event(...)",
}


@pytest.mark.parametrize(("call", "named"), FORGOTTEN.items(), ids=FORGOTTEN.values())
def test_a_call_that_nobody_awaited_fails_the_test_and_says_what_to_write(worker: Any, call: str, named: str) -> None:
    result = worker.run(f"""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            handle = await workflow_env.ORDERS.create({{"id": "a"}})
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                {call}
                await instance.wait_for_status("complete")
    """)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        f"E *MissingAwaitError: *test_it.py:6: {named} was never awaited, so that it did nothing. Write `await` before it."
    )


def test_a_create_that_nobody_awaited_is_named_by_the_wait_for_its_instance(worker: Any) -> None:
    result = worker.run("""
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
                workflow_env.ORDERS.create({"id": "o"})
                await instance.wait_for_status("complete")
    """)

    result.assert_outcomes(failed=1)
    reported = errors_of(result)
    assert reported[0].endswith("NeverHappensError: Waiting for status 'complete' of instance 'o' of 'ORDERS'.")
    assert reported[1] == "Instance 'o' of 'ORDERS' was never created. It has no instances."
    assert reported[2].endswith(
        "test_it.py:5: ORDERS.create(...) was never awaited, so that it did nothing. Write `await` before it."
    )
    assert result.stdout.str().count("was never awaited") == 1


def test_what_is_awaited_later_or_closed_or_cancelled_was_not_forgotten(worker: Any) -> None:
    result = worker.run("""
        import asyncio
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            created = workflow_env.ORDERS.create({"id": "a"})
            async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
                waiting = asyncio.create_task(instance.wait_for_status("complete"))
                cancelled = asyncio.create_task(instance.wait_for_step_result("ship"))
                cancelled.cancel()
                await asyncio.wait_for(created, 5)
                await asyncio.gather(waiting, instance.wait_for_step_result("charge"))
                instance.wait_for_status("complete").close()
                assert repr(later := instance.status()) == "<coroutine of instance.status()>"
                assert (await later)["status"] == "complete"
    """)

    result.assert_outcomes(passed=1)


WITH = {
    "introspect_workflow_instance(workflow_env.ORDERS, 'a')": (
        "Write `async with` for <introspector of instance 'a' of 'ORDERS'>, as in `async with "
        "introspect_workflow_instance(env.ORDERS, 'a') as x:`, not `with`."
    ),
    "introspect_workflow(workflow_env.ORDERS)": (
        "Write `async with` for <introspector of workflow 'ORDERS'>, as in `async with introspect_workflow(env.ORDERS) "
        "as x:`, not `with`."
    ),
    "instance.modify()": "Write `async with instance.modify() as m:`, not `with`.",
    "introspector.modify_all()": "Write `async with introspector.modify_all() as m:`, not `with`.",
}


@pytest.mark.parametrize(("what", "message"), WITH.items(), ids=WITH)
def test_with_in_place_of_async_with_says_what_to_write(worker: Any, what: str, message: str) -> None:
    result = worker.run(f"""
        from pytest_workflows import introspect_workflow, introspect_workflow_instance

        async def test_it(workflow_env):
            instance = await introspect_workflow_instance(workflow_env.ORDERS, "b")
            introspector = await introspect_workflow(workflow_env.ORDERS)
            with {what} as it:
                pass
    """)

    result.assert_outcomes(failed=1)
    assert errors_of(result) == [f"durable_engine.errors.IntrospectionError: {message}"]


PLAIN_INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"


@pytest.mark.parametrize("mode", ["", "asyncio_mode = strict\n"], ids=["unset", "strict"])
def test_an_async_test_that_nothing_runs_says_what_to_write(worker: Any, mode: str) -> None:
    worker.ini(PLAIN_INI + mode)

    result = worker.run("""
        async def test_it(workflow_env):
            pass
    """)

    result.assert_outcomes(failed=1)
    shown = result.stdout.str()
    assert "test_it is an async test, and nothing ran it: pytest-asyncio is in strict mode" in shown
    assert 'Write asyncio_mode = "auto" under [tool.pytest.ini_options]' in shown
    assert "async def functions are not natively supported" not in shown


def test_without_a_plugin_for_async_tests_it_says_which_to_install(worker: Any) -> None:
    worker.ini("[pytest]\n")

    worker.write("tests/test_it.py", "async def test_it(workflow_env):\n    pass\n")
    worker.monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    result = worker.pytester.runpytest_inprocess("-p", "pytest_workflows.plugin")

    result.assert_outcomes(failed=1)
    assert "pip install pytest-asyncio" in result.stdout.str()


# -- recordings --------------------------------------------------------------------------------------------------------


def recording_of(worker: Any) -> Any:
    [path] = (worker.path / ".workflows" / "failures").rglob("*.json")
    return json.loads(path.read_text(encoding="utf-8")), path


def test_a_recording_of_too_many_steps_is_cut_and_says_so(worker: Any) -> None:
    worker.write("src/entry.py", POLLING)
    worker.set(workflows_record_steps="21")

    result = worker.run(POLLS.format(params={"times": 30}))

    recording, path = recording_of(worker)
    note = "39 of 60 steps are left out of the middle. Set ini workflows_record_steps = 0 to record all of them."
    assert (len(recording["steps"]), recording["left_out"], recording["notes"]) == (21, 39, [note])
    assert {line["step"] for line in recording["history"] if line.get("step")} == {
        f"{step['name']}-{step.get('count', 1)}" for step in recording["steps"]
    }
    result.stdout.fnmatch_lines(["*Workflow recordings*", "*ORDERS-o.json", f"It is cut: {note}"])
    result.stdout.no_fnmatch_line("*Run it again*")

    again = worker.run("", f"--workflows-replay={path}")

    assert (
        "It can be read, and not be played: run its test again with `-o workflows_record_steps=0`."
        in again.stdout.str()
    )


@pytest.mark.parametrize("most", ["0", "60"])
def test_a_recording_is_whole_where_the_ini_lets_it(worker: Any, most: str) -> None:
    worker.write("src/entry.py", POLLING)
    worker.set(workflows_record_steps=most)

    result = worker.run(POLLS.format(params={"times": 30}))

    recording, _ = recording_of(worker)
    assert (len(recording["steps"]), recording.get("left_out")) == (60, None)
    result.stdout.fnmatch_lines("Run it again: pytest-workflows reproduce *")


@pytest.mark.parametrize("most", ["-1", "many", "1.5"])
def test_a_number_of_steps_that_is_none_is_refused(worker: Any, most: str) -> None:
    worker.set(workflows_record_steps=most)

    result = worker.run("def test_it(): pass")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"workflows_record_steps takes a number of steps from 0 on (0: all), not '{most}'." in (
        result.stderr.str() + result.stdout.str()
    )


# -- an error in a message ---------------------------------------------------------------------------------------------

HEAD = "Traceback (most recent call last):\n"
RUN = '  File "a.py", line 1, in run\n    await f()\n'
STEP = '  File "a.py", line 9, in f\n    raise it\n'
CROSSED = (
    f"PythonError: {HEAD}{STEP}ValueError: v\n\n\nThe above exception was the direct cause of the following exception:"
    f"\n\n{HEAD}{RUN}ValueError: ValueError: v\n"
)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines", "two\nlines"),
        (f"PythonError: {HEAD}TypeError: x", "TypeError: x"),
        (f"PythonError: {HEAD}{RUN}ValueError: v\n  more\n", f"ValueError: v\n  more\n{RUN}".rstrip()),
        (CROSSED, f"ValueError: v\n{STEP}{RUN}".rstrip()),
        (f"PythonError: {HEAD}{RUN}KeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:"
         f"\n\n{HEAD}{STEP}RuntimeError: other",) * 2,
    ],
)  # fmt: skip
def test_what_was_raised_is_told_once_with_its_places_and_another_exception_whole(message: str, shown: str) -> None:
    assert error_text({"name": "Error", "message": message}) == f"Error: {shown}"
