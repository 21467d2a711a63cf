"""missing-await: a `do`, `sleep` or `wait_for_event` that nobody awaited."""

from typing import Any

import pytest

BAD = {
    "a step": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()  # <-- here
                async def send():
                    return 1

                send()
    """,
    "a wait": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                step.wait_for_event("wait", "ready")  # <-- here
    """,
    "a sleep": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                step.sleep("pause", "1 hour")  # <-- here

                @step.do()
                async def send():
                    return 1

                return await send()
    """,
    "a sleep until a time": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                step.sleep_until("pause", 4102444800000)  # <-- here
    """,
    "a sleep that fails, and nobody learns of it": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                step.sleep("pause", "1h")  # <-- here
    """,
    "a sleep that is kept in a variable": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                pause = step.sleep("pause", "1 minute")  # <-- here
                await step.sleep("longer", "1 hour")
    """,
    "a sleep in a callback": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def send():
                    step.sleep("pause", "1 minute")  # <-- here

                await send()
    """,
}
GOOD = {
    "all of them awaited": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do()
                async def send():
                    return 1

                await step.sleep("pause", "1 hour")
                await step.sleep_until("pause until", 4102444800000)
                try:
                    await step.wait_for_event("wait", "ready", timeout="1 minute")
                except Exception:
                    return await send()
    """,
    "awaited later": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                pause = step.sleep("pause", "1 hour")

                @step.do()
                async def send():
                    return 1

                await send()
                await pause
    """,
    "gathered, waited for, shielded": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                await asyncio.gather(step.sleep("a", "1 hour"), step.sleep("b", "2 hours"))
                await asyncio.wait([step.sleep("c", 0), step.sleep("d", "1 hour")])
                await asyncio.shield(step.sleep("e", 1))
                await asyncio.wait_for(step.sleep("f", 1), 3600)
                for sleep in asyncio.as_completed([step.sleep("g", 1)]):
                    await sleep
    """,
    "the loser of a race": """
        import asyncio

        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                short, long = step.sleep("short", "1 minute"), step.sleep("long", "1 hour")
                await asyncio.wait([short, long], return_when=asyncio.FIRST_COMPLETED)
    """,
    "asked how it ended": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                pause = step.sleep("pause", "1 minute")
                await step.sleep("longer", "1 hour")
                pause.result()
    """,
    "run failed before it could await": """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                pause = step.sleep("pause", "1 minute")
                raise ValueError("no customer")
                await pause
    """,
}


@pytest.mark.parametrize("source", BAD.values(), ids=BAD)
async def test_what_nobody_awaits_is_found(bench: Any, source: str) -> None:
    found = await bench.findings(source)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, "missing-await")


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD)
async def test_what_is_awaited_in_whatever_way_is_not(bench: Any, source: str) -> None:
    assert await bench.findings(source) == []


async def test_the_finding_says_what_was_not_awaited(bench: Any) -> None:
    [finding] = await bench.findings(BAD["a sleep"])

    assert finding.message == "step.sleep('pause') was never awaited"


async def test_an_instance_that_is_stopped_in_the_middle_awaits_nothing_any_more(bench: Any) -> None:
    async def crash(_: Any) -> None:
        engine = bench.running.engine
        [instance] = engine.instances
        await engine.settle()
        engine.crash(instance.workflow, instance.id)
        await engine.run_until_idle()

    found = await bench.findings(
        """
        class Report(WorkflowEntrypoint):
            async def run(self, event, step):
                pause = step.sleep("pause", "1 hour")
                await step.sleep("longer", "2 hours")
                await pause
        """,
        act=crash,
    )

    assert found == []
