"""overlapping-attempts: a retry begins while the callback of the attempt that timed out still runs."""

import asyncio
from typing import Any

import pytest

BAD = {
    "a poll that takes longer than the step may": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("poll", config={"timeout": "1 minute", "retries": {"limit": 1, "delay": "1 second"}})  # <-- here
                async def poll(ctx):
                    if ctx.attempt == 1:
                        await step.sleep("until it is ready", "1 hour")
                    return "ready"

                return await poll()
    """,
    "two of three attempts": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do(config={"timeout": "1 minute", "retries": {"limit": 2, "delay": "1 second"}})  # <-- here
                async def poll(ctx):
                    await step.sleep("until it is ready", "2 minutes" if ctx.attempt == 2 else 1)
                    if ctx.attempt == 1:
                        raise OSError("not ready")
                    return "ready"

                return await poll()
    """,
    "a step without retries of its own config": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("poll")  # <-- here
                async def poll(ctx):
                    await step.wait_for_event("ready", "ready", timeout="20 minutes")

                try:
                    await poll()
                except Exception:
                    return "gave up"
    """,
}
GOOD = {
    "a callback that ends before its step's time is over": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("poll", config={"timeout": "1 minute", "retries": {"limit": 1, "delay": "1 second"}})
                async def poll(ctx):
                    await step.sleep("until it is ready", "30 seconds")
                    if ctx.attempt == 1:
                        raise OSError("not ready")
                    return "ready"

                return await poll()
    """,
    "a step that timed out and is not tried again": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("poll", config={"timeout": "1 minute", "retries": {"limit": 0, "delay": "1 second"}})
                async def poll(ctx):
                    await step.sleep("until it is ready", "1 hour")

                try:
                    await poll()
                except Exception:
                    return "gave up"
    """,
    "a retry that begins after the callback has ended": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("poll", config={"timeout": "1 minute", "retries": {"limit": 1, "delay": "1 hour"}})
                async def poll(ctx):
                    if ctx.attempt == 1:
                        await step.sleep("until it is ready", "2 minutes")
                    return "ready"

                return await poll()
    """,
}


@pytest.mark.parametrize("source", BAD.values(), ids=BAD)
async def test_attempts_that_overlap_are_found(bench: Any, source: str) -> None:
    found = await bench.findings(source)

    assert sorted({(finding.rule, finding.line) for finding in found}) == bench.marked(source, "overlapping-attempts")


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD)
async def test_attempts_one_after_the_other_are_not(bench: Any, source: str) -> None:
    assert await bench.findings(source) == []


async def test_the_finding_names_the_step_and_the_attempt(bench: Any) -> None:
    [finding] = await bench.findings(BAD["a poll that takes longer than the step may"])

    assert finding.step == "poll-1"
    assert finding.message == (
        "a retry of step 'poll-1' begins, and the callback of attempt 1, which timed out, still runs"
    )


async def test_a_callback_that_hangs_in_foreign_code_is_found_when_the_test_moves_the_clock(bench: Any) -> None:
    class Api:
        async def ask(self) -> None:
            await asyncio.get_running_loop().create_future()

    async def an_hour_later(_: Any) -> None:
        await bench.running.engine.advance("1 hour")

    source = """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("ask")
                async def ask():
                    await self.env.API.ask()

                await ask()
    """

    found = await bench.findings(source, env={"API": Api()}, act=an_hour_later)

    assert [finding.rule for finding in found] == ["overlapping-attempts"]
