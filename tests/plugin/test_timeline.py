"""The timeline as it stands in the terminal: within 80 columns, in colour where there is some, in ASCII where it must."""

import re
from pathlib import Path
from typing import Any

import pytest

ENTRY = """
    import asyncio

    from workers import WorkflowEntrypoint


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("reserve stock", config={"retries": {"limit": 3, "delay": "10 seconds"}})
            async def reserve(ctx):
                if ctx["attempt"] < 3:
                    raise ValueError("no stock")
                return {"tags": {"b", "a", "c"}, "picture": b"png"}

            @step.do("ask the customer's bank for its agreement")
            async def ask():
                return "yes"

            await asyncio.gather(
                reserve(), ask(), step.sleep("nap", "25 seconds"), step.wait_for_event("coupon", "coupon", timeout=15000),
                return_exceptions=True,
            )
            for number in range(2):
                @step.do(f"ship {number}")
                async def ship():
                    return number

                await ship()
            await step.sleep("cool down", "30 days")

            @step.do("notify", config={"retries": {"limit": 1, "delay": "1 hour", "backoff": "constant"}})
            async def notify():
                raise KeyError("there is no address for this customer, neither here nor with the bank")

            await notify()
"""
TEST = """
    import pytest
    from pytest_workflows import introspect_workflow_instance

    @pytest.mark.workflow(now="2026-01-01T00:00:00Z")
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "a") as instance:
            await workflow_env.ORDERS.create({"id": "a"})
            await instance.wait_for_status("errored")
"""
TIMELINE = """\
Instance 'a' of 'ORDERS': errored at 2026-01-31 01:00:30 UTC
  virtual time, 30 days 1 hour after its start
  +0        sleep  nap-1                 complete         ░░░░░
                   25 seconds
  +0        do     reserve stock-1       complete         ✗·✗···█
                   result: {'tags': {'a', 'b', 'c'}, 'picture':
                   memoryview(b'png')}
  +0               attempt 1: Error: ValueError: no stock, retried after 10
                   seconds
  +10s             attempt 2: Error: ValueError: no stock, retried after 20
                   seconds
  +30s             attempt 3: complete
  +0        do     ask the customer's    complete: 'yes'  █
                   bank for its
                   agreement-1
  +0        wait   coupon-1              timed out        ▒▒▒▒
                   event 'coupon'
  +30s      do     ship 0-1              complete: 0             █
  +30s      do     ship 1-1              complete: 1              █
  +30s      sleep  cool down-1           complete                  ░░░░░░░░
                   30 days
  +30d 30s  do     notify-1              failed                            ✗·✗
  +30d 30s         attempt 1: Error: KeyError: 'there is no address for this
                   customer, neither here nor with the bank', retried after 1
                   hour
  +30d 1h          attempt 2: Error: KeyError: 'there is no address for this
                   customer, neither here nor with the bank'
  ended with Error: KeyError: 'there is no address for this customer, neither
    here nor with the bank'"""
ASCII = str.maketrans("█✗·░▒", "#x.-~")
_CODES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("src/entry.py", ENTRY)
    return worker


def reported(result: pytest.RunResult) -> str:
    """What --workflows-report shows of the test."""
    lines = result.outlines
    plain = [_CODES.sub("", line) for line in lines]
    first = plain.index("tests/test_it.py::test_it")
    last = next(number for number in range(first, len(lines)) if plain[number].startswith("===="))
    return "\n".join(line.removeprefix("  ") for line in lines[first + 1 : last]).rstrip()


def test_it_shows_parallel_steps_retries_and_waits_within_80_columns(shop: Any) -> None:
    result = shop.run(TEST, "--workflows-report")

    assert reported(result) == TIMELINE
    assert max(map(len, reported(result).splitlines())) <= 78


def test_the_docs_show_this_timeline() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "timeline.md"

    assert f"```text\n{TIMELINE}\n```" in page.read_text(encoding="utf-8")


def test_colours_add_nothing_but_colours(shop: Any) -> None:
    result = shop.run(TEST, "--workflows-report", "--color=yes")

    assert _CODES.sub("", reported(result)) == TIMELINE
    assert "  \x1b[2m+30s\x1b[0m      do     \x1b[1mship 0-1\x1b[0m" in reported(result)
    assert "\x1b[31m✗\x1b[0m\x1b[33m·\x1b[0m\x1b[31m✗\x1b[0m\x1b[33m···\x1b[0m\x1b[32m█\x1b[0m" in reported(result)
    assert "\x1b[34m░░░░░\x1b[0m" in reported(result)
    assert "\x1b[35m▒▒▒▒\x1b[0m" in reported(result)


def test_the_report_of_a_failure_has_colours_too_and_its_section_stays_plain(shop: Any) -> None:
    shop.write(
        "conftest.py",
        """
        def pytest_unconfigure(config):
            for report in config.pluginmanager.get_plugin("terminalreporter").stats["failed"]:
                print(f"SECTION {dict(report.sections)['Workflows'].splitlines()[0]!r}")
        """,
    )

    result = shop.run(TEST.replace('"errored"', '"complete"'), "--color=yes", "-s")

    output = result.stdout.str()
    assert "\n\x1b[1mInstance 'a' of 'ORDERS': \x1b[0m\x1b[31merrored\x1b[0m at 2026-01-31 01:00:30 UTC\n" in output
    assert "SECTION \"Instance 'a' of 'ORDERS': errored at 2026-01-31 01:00:30 UTC\"" in output


def test_a_terminal_that_takes_ascii_only_gets_ascii(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    result = shop.run(TEST, "--workflows-report", process=True)

    assert reported(result) == TIMELINE.translate(ASCII)


@pytest.mark.parametrize(("colour", "coding"), [("yes", "ascii"), ("no", "utf-8")])
def test_under_xdist_the_terminal_of_the_controller_counts(
    shop: Any, monkeypatch: pytest.MonkeyPatch, colour: str, coding: str
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", coding)

    result = shop.run(TEST, "--workflows-report", f"--color={colour}", "-n", "1", process=True)

    expected = TIMELINE.translate(ASCII) if coding == "ascii" else TIMELINE
    assert _CODES.sub("", reported(result)) == expected
    assert ("\x1b[31m" in reported(result)) is (colour == "yes")


def test_an_instance_with_very_long_names_stays_within_80_columns(worker: Any) -> None:
    worker.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("日本語のとても長いステップの名前です", 5)

                @step.do("x" * 200)
                async def charge():
                    return "y" * 200

                @step.do("日本語のとても長いステップ")
                async def ship():
                    raise ValueError("z" * 200)

                await charge()
                await step.wait_for_event("wait", "e" * 90, timeout="1 day")
                await ship()
        """,
    )

    result = worker.run(
        """
        async def test_it(workflow_env, workflow_engine):
            for name in ("a" * 100, "b"):
                handle = await workflow_env.ORDERS.create({"id": name})
                await handle.send_event({"type": "w" * 90})
            await workflow_engine.run_until_idle()
        """,
        "--workflows-report",
    )

    result.assert_outcomes(passed=1)
    assert "Instance 'b' of 'ORDERS': " in reported(result)
    wide = [line for line in reported(result).splitlines() if len(line) + len(re.findall(r"[　-鿿]", line)) > 78]
    assert wide == []
