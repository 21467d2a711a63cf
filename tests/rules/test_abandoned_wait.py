"""abandoned-wait: a wait whose task was cancelled stays, and swallows the next event."""

from typing import Any

import pytest

BAD = {
    "given up for a sleep": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                approval = asyncio.create_task(step.wait_for_event("approval", "approved", timeout="2 days"))  # <-- here
                await step.sleep("an hour", "1 hour")
                approval.cancel()
                return "nobody came"
    """,
    "a timeout of asyncio": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    await asyncio.wait_for(step.wait_for_event("approval", "approved"), 60)  # <-- here
                except TimeoutError:
                    pass
                await step.sleep("an hour", "1 hour")
    """,
    "the loser of a race": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                yes = asyncio.create_task(step.wait_for_event("yes", "yes", timeout="1 hour"))
                no = asyncio.create_task(step.wait_for_event("no", "no", timeout="2 hours"))  # <-- here
                _, pending = await asyncio.wait([yes, no], return_when=asyncio.FIRST_COMPLETED)
                for task in pending:
                    task.cancel()
    """,
    "cancelled by a group whose failure is caught": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                async def fail():
                    raise ValueError("no")

                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(step.wait_for_event("approval", "approved"))  # <-- here
                        group.create_task(fail())
                except* ValueError:
                    pass
                await step.sleep("an hour", "1 hour")
    """,
}
GOOD = {
    "a wait that times out": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    await step.wait_for_event("approval", "approved", timeout="1 hour")
                except Exception:
                    return "nobody came"
    """,
    "a race whose loser goes on": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                wait = asyncio.create_task(step.wait_for_event("approval", "approved", timeout="1 day"))
                nap = step.sleep("an hour", "1 hour")
                await asyncio.wait([wait, nap], return_when=asyncio.FIRST_COMPLETED)
                return "first"
    """,
    "cancelled when it was over": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                wait = asyncio.create_task(step.wait_for_event("approval", "approved", timeout="1 minute"))
                await step.sleep("an hour", "1 hour")
                wait.cancel()
    """,
    "cancelled before it began": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                wait = asyncio.create_task(step.wait_for_event("approval", "approved"))
                wait.cancel()
                await step.sleep("an hour", "1 hour")
    """,
    "cancelled by a failure that ends the instance": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                async def fail():
                    await step.sleep("a moment", "1 minute")
                    raise ValueError("no")

                async with asyncio.TaskGroup() as group:
                    group.create_task(step.wait_for_event("approval", "approved"))
                    group.create_task(fail())
    """,
}


@pytest.mark.parametrize("source", BAD.values(), ids=BAD)
async def test_a_wait_that_was_cancelled_is_found_before_any_event_comes(bench: Any, source: str) -> None:
    found = await bench.findings(source)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, "abandoned-wait")


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD)
async def test_a_wait_that_ends_by_itself_is_not(bench: Any, source: str) -> None:
    assert await bench.findings(source) == []


async def test_the_finding_names_the_wait_and_the_event(bench: Any) -> None:
    [finding] = await bench.findings(BAD["a timeout of asyncio"])

    assert finding.message == "the wait 'approval-1' for the event 'approved' was cancelled while it waited"
    assert finding.step == "approval-1"


async def test_it_is_found_while_the_instance_still_runs(bench: Any) -> None:
    source = """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                kept = asyncio.create_task(step.wait_for_event("kept", "other"))
                wait = asyncio.create_task(step.wait_for_event("approval", "approved"))  # <-- here
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                wait.cancel()
                await kept
    """

    async def look(_: Any) -> None:
        await bench.running.engine.settle()

    found = await bench.findings(source, act=look)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, "abandoned-wait")
