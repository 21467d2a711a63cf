"""duration-unit: a unit that the platform reads as milliseconds."""

import warnings
from typing import Any

import pytest

from pytest_workflows import WorkflowDurationWarning

BAD = {
    "a sleep": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("pause", "5 mins")  # <-- here
    """,
    "the timeout of a wait": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    await step.wait_for_event("approval", "approved", timeout="1 DAY")  # <-- here
                except Exception:
                    return "nobody came"
    """,
    "the config of a step": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do(config={"timeout": "30 sec"})  # <-- here
                def send():
                    return 1

                return await send()
    """,
    "a retry delay": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do(config={"retries": {"limit": 1, "delay": "10 Seconds"}})  # <-- here
                def send():
                    return 1

                return await send()
    """,
}
GOOD = {
    "the seven units": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                for text in ("1 second", "2 minutes", "1 hour", "3 days", "1 week", "1 month"):
                    await step.sleep(text, text)
    """,
    "milliseconds as a number": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("pause", 5000)
                await step.sleep("pause", "5000")
    """,
    "a config": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do(config={"timeout": "30 seconds", "retries": {"limit": 1, "delay": "1 minute"}})
                def send():
                    return 1

                return await send()
    """,
}


@pytest.mark.parametrize("source", BAD.values(), ids=BAD)
async def test_a_unit_that_the_platform_does_not_know_is_found_and_warned_of_at_once(bench: Any, source: str) -> None:
    with pytest.warns(WorkflowDurationWarning, match="counts as milliseconds in production"):
        found = await bench.findings(source)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, "duration-unit")


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD)
async def test_what_the_platform_reads_as_it_is_meant_is_not(bench: Any, source: str) -> None:
    assert await bench.findings(source) == []


async def test_where_the_rule_is_ignored_nothing_warns(bench: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        found = await bench.findings(BAD["a sleep"], settings={"ignore_rules": ("duration-unit",)})

    assert (found, caught) == ([], [])
