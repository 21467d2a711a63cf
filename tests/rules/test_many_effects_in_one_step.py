"""many-effects-in-one-step: one attempt calls more than one service."""

import pytest
import respx
from rule_services import Service

BAD = {
    "a binding and a request": """
        from workers import fetch

        class Cats(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("get cat")
                async def get_cat():
                    cat = await self.env.KV.get("cat")
                    return (await fetch(f"https://cats.example.com/{cat}")).status  # <-- here

                return await get_cat()
    """,
    "two bindings, in helpers": """
        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("take the money and tell")
                async def both():
                    await self.pay()
                    await self.tell()

                await both()

            async def pay(self):
                await self.env.BANK.charge(5)

            async def tell(self):
                await self.env.QUEUE.send("paid")  # <-- here
    """,
    "two hosts at the same time": """
        import asyncio
        from workers import fetch

        class Rates(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("ask both")
                async def ask():
                    one, two = await asyncio.gather(
                        fetch("https://cats.example.com/1"),
                        fetch("https://dogs.example.com/1"),  # <-- here
                    )
                    return [one.status, two.status]

                return await ask()
    """,
    "a workflow that is started beside a call, in a loop": """
        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                for number in range(0 if event["payload"] else 2):
                    @step.do(f"start {number}")
                    async def start():
                        await self.env.BANK.charge(number)
                        await self.env.WORKFLOW.create({"params": {"child": True}})  # <-- here

                    await start()
    """,
}
GOOD = {
    "a step for each service": """
        from workers import fetch

        class Cats(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("get cat")
                async def get_cat():
                    return await self.env.KV.get("cat")

                cat = await get_cat()

                @step.do("fetch cat")
                async def fetch_cat():
                    return (await fetch(f"https://cats.example.com/{cat}")).status

                return await fetch_cat()
    """,
    "several calls of one service": """
        class Files(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("store")
                async def store():
                    if not await self.env.KV.get("key"):
                        await self.env.KV.put("key", self.env.STAGE)
                    await self.env.DB.prepare("SELECT 1").first() if False else None

                await store()
    """,
    "attempts that call one service each": """
        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge", config={"retries": {"limit": 1, "delay": 1}})
                async def charge(ctx):
                    if ctx.attempt == 1:
                        await self.env.BANK.charge(5)
                        raise OSError("declined")
                    await self.env.QUEUE.send("charge by hand")

                await charge()
    """,
}


def bindings():
    return {"KV": Service(), "QUEUE": Service(), "DB": Service(), "BANK": Service(), "STAGE": "test"}


def mocked():
    router = respx.mock(assert_all_called=False)
    router.get(host__regex=r"(cats|dogs)\.example\.com").respond()
    return router


@pytest.mark.parametrize("name", BAD)
async def test_two_services_in_one_attempt_are_found(bench, name):
    with mocked():
        found = await bench.findings(BAD[name], env=bindings())

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(BAD[name], "many-effects-in-one-step")


@pytest.mark.parametrize("name", GOOD)
async def test_nothing_is_found_in(bench, name):
    with mocked():
        assert await bench.findings(GOOD[name], env=bindings()) == []


async def test_the_finding_names_both_calls(bench):
    with mocked():
        [finding] = await bench.findings(BAD["a binding and a request"], env=bindings())

    assert finding.message == "one attempt of step 'get cat-1' calls KV.get() and GET cats.example.com/None"
    assert finding.step == "get cat-1"
