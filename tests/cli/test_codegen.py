"""`pytest-workflows codegen`: a recording as a ready test."""

import json
import math
import subprocess
import sys
import textwrap
from datetime import UTC, datetime

import pytest

from durable_engine import UnknownValue
from pytest_workflows.generating import generate
from pytest_workflows.recordings import Attempt, Recording, Step, tag
from pytest_workflows.recordings.format.model import ErrorRecord
from pytest_workflows.recordings.production import AS_JSON

from .conftest import TESTS, text

NAMES = ["complete", "errored", "sleeping", "waiting", "retrying", "running", "event_timed_out", "terminated"]


def test_the_test_of_an_instance_that_completed(cli, dumps):
    ended = cli("codegen", dumps / "complete.json", "--workflow", "ORDERS", "--id", "order-7")

    assert ended.code == 0
    assert ended.out == text('''
        """Instance order-7 of ORDERS, recorded as complete."""

        import pytest
        from pytest_workflows import introspect_workflow_instance


        @pytest.mark.asyncio
        @pytest.mark.workflow(now="2026-03-02T09:00:00Z")
        async def test_orders_order_7_complete(workflow_env):
            binding = workflow_env.ORDERS
            params = {"sku": "tea", "card": "tok_visa", "amount": 1250}
            async with introspect_workflow_instance(binding, "order-7") as instance:
                async with instance.modify() as m:
                    m.mock_step_result("check stock", {"in_stock": 7})
                    m.mock_step_error(
                        "charge card",
                        RuntimeError("the bank answered 503"),
                        times=2,
                    )
                    m.mock_step_result("charge card", {"charge": "ch_81"})
                    m.mock_step_result("ship-2026", "parcel 55")
                    m.mock_event("approved", {"by": "grace"})
                await binding.create({"id": "order-7", "params": params})

                await instance.wait_for_status("complete")
                assert await instance.get_output() == {
                    "status": "shipped",
                    "parcel": "parcel 55",
                    "approved_by": "grace",
                }
        ''')


def test_the_test_of_an_instance_that_failed_waits_for_what_it_should_have_done(cli, dumps):
    code = cli("codegen", dumps / "errored.json", "--workflow", "ORDERS").out

    assert code.endswith(
        "            # It failed for good. Without its mock the step's own code runs.\n"
        '            m.mock_step_error("charge card", RuntimeError("the bank answered 503"))\n'
        '        await binding.create({"id": "reproduced", "params": params})\n'
        "\n"
        "        # Recorded: RuntimeError: the bank answered 503\n"
        '        await instance.wait_for_status("complete")\n'
    )


@pytest.mark.parametrize("name", [*NAMES, "truncated", "sparse"])
def test_what_is_printed_is_clean(cli, dumps, tmp_path, name):
    (tmp_path / "test_it.py").write_text(cli("codegen", dumps / f"{name}.json", "--workflow", "ORDERS").out)

    for command in (["check", "--select", "E4,E7,E9,F,I,B,UP,PT,RUF,SIM"], ["format", "--check"]):
        ended = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout


def values_of_a_length(length):
    """Values whose texts have a length, in every kind of bracket."""
    long = "x" * length
    yield from (long, long.encode(), {long: 1}, {"a": long, "b": [long]}, [[long, 1]], (long,), {long, "y"})
    yield from (Exception(long), datetime(2026, 1, 2, 3, 4, 5, 678_000), {long: datetime(2026, 1, 2)}, {long: math.nan})
    yield from (UnknownValue(long), {"a": {"b": UnknownValue(long)}}, {long: {}}, 1e300, 'a "quote"', "both ' and \"")
    yield from (f"it's {long}", f'say "{long}"', "\u65e5" * length, [list(range(length))])


def test_whatever_the_length_of_its_values_ruff_leaves_it_alone(tmp_path):
    for length in range(0, 100, 3):
        long, at = "n" * length or "n", datetime(2026, 3, 2, tzinfo=UTC)
        errors = [f"{kind}: {long}" for kind in ("ValueError", "shop.BankError", f"bank.{long}")]
        failed = [ErrorRecord("Error", f"PythonError: Traceback (most recent call last):\n{error}") for error in errors]
        steps = [Step("do", long, attempts=[Attempt(1, error=one), Attempt(2, error=one)]) for one in failed]
        for number, value in enumerate(values_of_a_length(length)):
            recording = Recording(long, "complete", created_at=at, params=tag(value), output=tag(value))
            took = {"payload": tag(value), "type": "go"}
            recording.steps = [
                Step("do", "a", result=tag(value)),
                Step("do", long, count=2, result=1),
                Step("wait_for_event", long, event_type=long, result=took),
                Step("wait_for_event", long, status="errored"),
                *steps,
            ]
            recording.settings.limits = {long: 1}
            (tmp_path / f"test_{length}_{number}.py").write_text(
                generate(recording, f"B{long}" if number % 2 else "a-b")
            )

        for status in ("complete", "errored"):
            recording = Recording(long, "terminated", params=tag(UnknownValue(long)))
            last = Step("do", long, count=len(status), status=status, error=failed[0] if status == "errored" else None)
            recording.steps = [Step("sleep", long, count=2, status="complete"), last]
            (tmp_path / f"test_{length}_{status}.py").write_text(generate(recording, "ORDERS"))

    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--no-cache", "--diff", "."]
    ended = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_the_generated_tests_hold_or_fail_as_recorded(shop, cli, dumps):
    for name in NAMES:
        code = cli("codegen", dumps / f"{name}.json", "--workflow", "ORDERS", "--id", name).out
        shop.write(f"tests/test_{name}.py", code)

    ended = shop.pytest("-rA", "--tb=short")

    outcomes = {line.split("::")[0]: line.split()[0] for line in ended.lines if line.startswith(("PASSED", "FAILED"))}
    assert {path.removeprefix("PASSED ").removeprefix("FAILED "): how for path, how in outcomes.items()} == {
        f"tests/test_{name}.py": "FAILED" if name == "errored" else "PASSED" for name in NAMES
    }
    assert "E   It ended with Error: RuntimeError: the bank answered 503" in ended.lines


def test_a_failing_test_comes_back_as_a_test_that_fails_with_the_same_error(shop):
    shop.write("tests/test_it.py", TESTS)
    first = shop.pytest("tests/test_it.py")

    shop.write("tests/test_generated.py", shop.command("codegen", "latest").out)
    second = shop.pytest("tests/test_generated.py")

    def reported(ended):
        return [line for line in ended.lines if "It ended with" in line or "RuntimeError: the bank" in line]

    assert (first.code, second.code) == (1, 1)
    assert "E           It ended with Error: RuntimeError: the bank answered 503" in reported(first)
    assert "E           It ended with Error: RuntimeError: the bank answered 503" in reported(second)

    shop.change(
        "await charge_card()\n",
        "try:\n            await charge_card()\n        except Exception:\n            return 0\n",
    )
    assert shop.pytest("tests/test_generated.py").code == 0


def test_a_value_that_is_not_known_fails_where_it_is_needed(shop, cli, dumps):
    shop.write("tests/test_it.py", cli("codegen", dumps / "truncated.json", "--workflow", "ORDERS").out)

    ended = shop.pytest("--tb=short")

    assert ended.code == 1
    assert (
        "The workflow looks into it, but this value is not known: the output of step 'check stock-1' was cut short by the "
        "API." in ended.out
    )


def test_a_test_says_that_it_was_guessed_how_outputs_are_read(cli, dumps, tmp_path):
    sparse = [{"type": "step", "name": f"s-{n}", "success": True, "output": '{"a": 1}'} for n in range(1, 20)]
    (tmp_path / "dump.json").write_text(json.dumps({"status": "running", "steps": sparse}))

    guessed = cli("codegen", tmp_path / "dump.json", "--workflow", "ORDERS").out
    said = cli("codegen", tmp_path / "dump.json", "--workflow", "ORDERS", "--text-outputs").out

    assert 'm.mock_step_result("s", {"a": 1})' in guessed
    assert AS_JSON in " ".join(guessed.split())
    assert 'm.mock_step_result("s", \'{"a": 1}\')' in said
    assert "guessed" not in said


RECORD = """
    async def test_it(workflow_env, workflow_engine):
        handle = await workflow_env.ORDERS.create({"id": "order-1", "params": PARAMS})
        await handle.send_event({"type": "paid", "payload": {"error": ValueError("payload")}})
        await workflow_engine.run_until_idle()
        assert 0
"""


def regenerated(shop, body, params="{}"):
    """What the test does that is generated from the recording of a workflow with this body, and its source."""
    head = "from workers import WorkflowEntrypoint\n\n\nclass OrderWorkflow(WorkflowEntrypoint):\n"
    run = "    async def run(self, event, step):\n"
    shop.write("src/entry.py", head + run + textwrap.indent(textwrap.dedent(body), " " * 8))
    shop.write("tests/test_it.py", RECORD.replace("PARAMS", params))
    assert "Run it again" in shop.pytest("tests/test_it.py").out
    code = shop.command("codegen", "latest").out
    shop.write("tests/test_generated.py", code)
    return shop.pytest("tests/test_generated.py"), code


def test_exceptions_that_are_values_are_the_same_in_the_test(shop):
    ended, code = regenerated(
        shop,
        """
        @step.do("check")
        async def check():
            return {"errors": [ValueError("bad sku")]}

        found = await check()
        paid = await step.wait_for_event("payment", "paid", timeout="1 day")
        return [str(error) for error in (found["errors"][0], paid["payload"]["error"], event["payload"]["error"])]
        """,
        params='{"error": KeyError("params")}',
    )

    assert 'm.mock_step_result("check", {"errors": [Exception("bad sku")]})' in code
    assert ended.code == 0, ended.out


def test_what_runs_inside_of_a_mocked_step_is_not_mocked(shop):
    ended, code = regenerated(
        shop,
        """
        @step.do("outer")
        async def outer():
            @step.do("middle")
            async def middle():
                await step.sleep("inner sleep", "1 minute")

                @step.do("inner")
                async def inner():
                    return 2

                return 1 + await inner()

            await step.wait_for_event("inner wait", "paid", timeout="1 day")
            return 1 + await middle()

        await outer()
        """,
    )

    assert "inner" not in code
    assert "middle" not in code
    assert 'm.mock_step_result("outer", 4)' in code
    assert ended.code == 0, ended.out


def test_what_runs_inside_of_a_step_that_has_not_ended_is_mocked(shop):
    shop.write(
        "tests/test_it.py",
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
                await workflow_env.ORDERS.create({"id": "order-1"})
                await instance.wait_for_step_result("inner")
                assert 0
        """,
    )
    shop.write(
        "src/entry.py",
        """
        import asyncio

        from workers import WorkflowEntrypoint


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("outer")
                async def outer():
                    @step.do("inner")
                    async def inner():
                        return 2

                    await inner()
                    await step.sleep("inner sleep", "1 day")

                await outer()
        """,
    )
    shop.pytest("tests/test_it.py")

    code = shop.command("codegen", "latest").out

    assert 'm.mock_step_result("inner", 2)' in code
    assert '# "outer" had not ended: it goes on for real.' in code


STOPPED = """
    from pytest_workflows import introspect_workflow_instance

    async def test_it(workflow_env, workflow_clock):
        async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
            handle = await workflow_env.ORDERS.create({"id": "order-1"})
            await instance.wait_for_status("waiting")
            await handle.send_event({"type": "paid"})
            await workflow_clock.advance("2 hours")
            await handle.terminate()
            await instance.wait_for_status("complete")
"""


@pytest.mark.parametrize(
    ("body", "waits"),
    [
        pytest.param(
            """
            async def one(n):
                @step.do(f"p{n}", config={"retries": {"limit": 2, "delay": 60_000}})
                async def p(ctx):
                    if ctx["attempt"] <= 2 - n:
                        raise RuntimeError("not yet")
                    return n

                return await p()

            await asyncio.gather(*(one(n) for n in range(3)))
            await step.sleep("long", "30 days")
            """,
            ['await instance.wait_for_step_result("p0")', 'await instance.wait_for_status("waiting")'],
            id="a parallel retry ends last",
        ),
        pytest.param(
            """
            @step.do("a")
            async def a():
                return 1

            @step.do("b", config={"retries": {"limit": 1, "delay": 60_000}})
            async def b():
                raise RuntimeError("no")

            await a()
            try:
                await b()
            except Exception:
                pass
            await step.sleep("long", "30 days")
            """,
            [
                "with pytest.raises(StepFailedError):",
                '    await instance.wait_for_step_result("b")',
                'await instance.wait_for_status("waiting")',
            ],
            id="a step that fails ends last",
        ),
        pytest.param(
            """
            @step.do("a")
            async def a():
                return 1

            await a()
            for _ in range(2):
                await step.sleep("short", "1 minute")
            await step.wait_for_event("payment", "paid", timeout="1 day")
            await step.sleep("short", "1 day")
            """,
            ['await instance.wait_for_step_result("a")', 'await instance.wait_for_status("waiting")'],
            id="sleeps and a wait end last",
        ),
    ],
)
def test_an_instance_that_was_terminated_comes_as_far_as_it_was(shop, body, waits):
    head = "import asyncio\n\nfrom workers import WorkflowEntrypoint\n\n\nclass OrderWorkflow(WorkflowEntrypoint):\n"
    run = "    async def run(self, event, step):\n"
    shop.write("src/entry.py", head + run + textwrap.indent(textwrap.dedent(body), " " * 8))
    shop.write("tests/test_it.py", STOPPED)
    shop.pytest("tests/test_it.py")

    code = shop.command("codegen", "latest").out
    shop.write("tests/test_generated.py", code)
    ended = shop.pytest("tests/test_generated.py")

    reported = [line.removeprefix(" " * 8) for line in code.partition('"params": params})\n\n')[2].splitlines()]
    assert reported[: len(waits)] == waits
    assert ended.code == 0, ended.out


def test_an_output_that_is_not_known_is_no_failure_until_it_is_used(shop):
    body = """
        @step.do("login", config={"sensitive": "output"})
        async def login():
            return {"key": "sens_abcdefgh"}

        key = await login()
        paid = await step.wait_for_event("payment", "paid", timeout="1 day")
        return {}["shelf"]
        """
    ended, code = regenerated(shop, body)

    assert 'm.mock_step_result("login", UnknownValue("redacted"))' in code
    assert "KeyError: 'shelf'" in ended.out
    assert "UnknownValueError" not in ended.out

    shop.change('{}["shelf"]', 'key["key"]')
    assert "UnknownValueError: The workflow looks into it, but this value is not known: redacted." in shop.pytest(
        "tests/test_generated.py"
    ).out.replace("durable_engine.errors.", "")


def test_a_restarted_instance_begins_when_its_last_life_did(shop):
    shop.write(
        "tests/test_it.py",
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env, workflow_clock):
            async with introspect_workflow_instance(workflow_env.ORDERS, "order-1") as instance:
                handle = await workflow_env.ORDERS.create({"id": "order-1"})
                await instance.wait_for_status("complete")
                await workflow_clock.advance("3 days")
                await handle.restart()
                await instance.wait_for_status("complete")
        """,
    )
    shop.write(
        "src/entry.py",
        """
        from datetime import datetime

        from workers import WorkflowEntrypoint


        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep_until("until", datetime(2026, 1, 15))
        """,
    )
    shop.write("pytest.ini", f"{(shop.path / 'pytest.ini').read_text()}workflows_now = 2026-01-01T00:00:00Z\n")
    shop.pytest("tests/test_it.py")

    code = shop.command("codegen", "latest").out
    shop.write("tests/test_generated.py", code)

    assert '@pytest.mark.workflow(now="2026-01-18T00:00:00Z")' in code
    assert "You can't sleep until a time in the past" in shop.pytest("tests/test_generated.py").out


def test_an_instance_that_was_queued_for_long_begins_when_it_started(cli, dumps, tmp_path):
    dump = json.loads((dumps / "complete.json").read_text())
    dump["result"]["queued"] = "2026-02-02T09:00:00Z"
    (tmp_path / "dump.json").write_text(json.dumps(dump))

    code = cli("codegen", tmp_path / "dump.json", "--workflow", "ORDERS").out

    assert '@pytest.mark.workflow(now="2026-03-02T09:00:00.120Z")' in code


def test_a_dump_is_of_the_only_workflow_of_the_project(shop, dumps):
    code = shop.command("codegen", str(dumps / "complete.json")).out

    assert code == shop.command("codegen", str(dumps / "complete.json"), "--workflow", "ORDERS").out


def test_a_dump_names_no_workflow_where_there_are_several(shop, dumps):
    shop.add_binding()
    ended = shop.command("codegen", str(dumps / "complete.json"))

    assert ended.code == 2
    assert ended.err == (
        "Error: the file does not say which workflow it is an instance of.\n"
        "Hint: Say it: --workflow BINDING (pytest-workflows list shows the bindings).\n"
    )


def failed(message, name="Error"):
    attempt = {"start": None, "end": None, "success": False, "error": {"name": name, "message": message}}
    return {"type": "step", "name": "pay-1", "success": False, "attempts": [attempt], "config": {}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("PythonError: Traceback (most recent call last):\nValueError: m\n", 'ValueError("m")'),
        ("PythonError: Traceback (most recent call last):\nKeyError: 'sku'\n", 'KeyError("sku")'),
        ('PythonError: Traceback (most recent call last):\n  File "e.py", line 1\nRuntimeError\n', "RuntimeError()"),
        ("PythonError: Traceback (most recent call last):\nValueError: one\ntwo\n", 'ValueError("one\\ntwo")'),
        ("Execution timed out after 60ms", 'm.force_step_timeout("pay")'),
        (
            'Step threw a NonRetryableError with message "NonRetryableError: declined"',
            'NonRetryableError("declined")',
        ),
        ("PythonError: Traceback (most recent call last):\nentry.BankError: no\n", 'BankError("no")'),
        ("something else", 'Exception("something else")'),
    ],
)
def test_a_recorded_error_as_an_exception(cli, tmp_path, message, expected):
    dump = {"status": "errored", "params": {}, "steps": [failed(message)]}
    (tmp_path / "dump.json").write_text(json.dumps(dump))

    code = cli("codegen", tmp_path / "dump.json", "--workflow", "PAY").out

    call = expected if expected.startswith("m.") else f'm.mock_step_error("pay", {expected})'
    assert f"            {call}\n" in code
    if "BankError" in expected:
        assert 'BankError = type("BankError", (Exception,), {"__module__": "entry"})\n' in code
    if "NonRetryable" in expected:
        assert "from workers.workflows import NonRetryableError\n" in code


def test_classes_of_one_name_do_not_stand_for_each_other(cli, tmp_path):
    raised = [
        "bank.APIError: no",
        "ship.APIError: no",
        "bank.APIError: never",
        "ours.ConnectionError: gone",
        "ConnectionError: gone",
        "ours.NonRetryableError: no",
        "ours.m: no",
    ]
    steps = [{**failed(f"PythonError: {one}"), "name": f"pay {n}-1"} for n, one in enumerate(raised)]
    (tmp_path / "dump.json").write_text(json.dumps({"status": "errored", "params": {}, "steps": steps}))

    code = cli("codegen", tmp_path / "dump.json", "--workflow", "PAY").out

    mocks = [line.strip() for line in code.splitlines() if "mock_step_error" in line]
    assert [one.partition(", ")[2] for one in mocks] == [
        'APIError("no"))',
        'APIError_2("no"))',
        'APIError("never"))',
        'ConnectionError_2("gone"))',
        'ConnectionError("gone"))',
        'NonRetryableError_2("no"))',
        'm_2("no"))',
    ]
    namespace = {}
    exec(code.partition("@pytest.mark")[0], namespace)
    assert [f"{one.__module__}.{one.__qualname__}" for one in (namespace["APIError_2"], namespace["m_2"])] == [
        "ship.APIError",
        "ours.m",
    ]


def test_values_that_json_has_no_form_for(cli, tmp_path):
    recording = {
        "format": "pytest-workflows-recording",
        "version": 1,
        "instance_id": "i-1",
        "binding": "odd-name",
        "status": "complete",
        "params": {"when": {"$type": "datetime", "value": "2026-01-02T03:04:05"}},
        "output": {"$type": "bytes", "value": "AAE="},
        "steps": [
            {
                "kind": "do",
                "name": "a",
                "count": 2,
                "result": {"$type": "number", "value": "NaN"},
                "attempts": [{"number": 1}],
            },
            {"kind": "do", "name": "b", "result": {"$type": "bigint", "value": "12345678901234567890"}},
            {"kind": "do", "name": 'say "hi"', "result": ["it's", 'a "quote"', "both ' and \""]},
        ],
    }
    (tmp_path / "recording.json").write_text(json.dumps(recording))

    code = cli("codegen", tmp_path / "recording.json").out

    assert "from datetime import datetime\n\nimport pytest\n" in code
    assert '    binding = getattr(workflow_env, "odd-name")\n' in code
    assert '    params = {"when": datetime(2026, 1, 2, 3, 4, 5)}\n' in code
    assert '            m.mock_step_result(("a", 2), float("nan"))\n' in code
    assert '            m.mock_step_result("b", 12345678901234567890)\n' in code
    assert "            m.mock_step_result('say \"hi\"', [" in code
    assert '        assert await instance.get_output() == b"\\x00\\x01"\n' in code


# -- workflows that are only exported, and scheduled ones -------------------------------------------

EXPORTED = """
    {
      "name": "shop",
      "main": "src/entry.py",
      "compatibility_date": "2026-11-10",
      "exports": {
        "Nightly": {"type": "workflow", "name": "nightly", "schedules": ["0 3 * * *"]}
      }
    }
"""
NIGHTLY = """
    from workers import WorkflowEntrypoint


    class Nightly(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("count")
            async def count():
                return 3

            return [event["schedule"]["cron"], await count()]
"""
SCHEDULED = """
    import pytest


    @pytest.mark.asyncio
    @pytest.mark.workflow(now="2026-03-02T03:00:00Z")
    async def test_it(workflow_worker, workflow_engine):
        await workflow_worker.scheduled(cron="0 3 * * *")
        await workflow_engine.run_until_idle()
"""


def test_the_test_of_a_scheduled_instance_lets_the_cron_start_it_again(shop):
    shop.write("wrangler.jsonc", EXPORTED)
    shop.write("src/entry.py", NIGHTLY)
    shop.write("tests/test_it.py", SCHEDULED)
    shop.pytest("--workflows-record=all")
    (recording,) = shop.path.rglob(".workflows/**/*.json")

    code = shop.command("codegen", str(recording)).out

    assert "async def test_nightly_0_3_1772420400000_complete(workflow_engine, workflow_worker):" in code
    assert 'binding = workflow_engine.bindings["Nightly"]' in code
    assert 'await workflow_worker.scheduled(cron="0 3 * * *", scheduled_time=1772420400000)' in " ".join(code.split())
    shop.write("tests/test_it.py", code)
    assert shop.pytest().code == 0
