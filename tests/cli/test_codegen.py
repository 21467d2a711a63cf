"""`pytest-workflows codegen`: a recording as a ready test."""

import json
import math
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from durable_engine import UnknownValue
from pytest_workflows.cli.generating import generate
from pytest_workflows.recordings import Attempt, Recording, Step, tag
from pytest_workflows.recordings.model import ErrorRecord

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
    assert "E   RuntimeError: the bank answered 503" in ended.lines


def test_a_failing_test_comes_back_as_a_test_that_fails_with_the_same_error(shop):
    shop.write("tests/test_it.py", TESTS)
    first = shop.pytest("tests/test_it.py")

    shop.write("tests/test_generated.py", shop.command("codegen", "latest").out)
    second = shop.pytest("tests/test_generated.py")

    def told(ended):
        return [line for line in ended.lines if "It ended with" in line or "RuntimeError: the bank" in line]

    assert (first.code, second.code) == (1, 1)
    assert "E           It ended with Error: PythonError: Traceback (most recent call last):" in told(second)
    assert "E           RuntimeError: the bank answered 503" in told(first)
    assert "E           RuntimeError: the bank answered 503" in told(second)

    shop.change(
        "await charge_card()\n",
        "try:\n            await charge_card()\n        except Exception:\n            return 0\n",
    )
    assert shop.pytest("tests/test_generated.py").code == 0


def test_a_value_that_is_not_known_fails_where_it_is_needed(shop, cli, dumps):
    shop.write("tests/test_it.py", cli("codegen", dumps / "truncated.json", "--workflow", "ORDERS").out)

    ended = shop.pytest("--tb=line")

    assert ended.code == 1
    assert (
        "Failed: The recording does not have this value: the output of step 'check stock-1' was cut short by the API"
        in ended.out
    )


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
