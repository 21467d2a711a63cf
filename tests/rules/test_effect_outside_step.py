"""effect-outside-step: `run` calls a service itself."""

import pytest
import respx
from rule_services import Service

BAD = {
    "a binding": """
        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                stock = await self.env.KV.get("stock")  # <-- here

                @step.do("ship")
                async def ship():
                    return stock

                return await ship()
    """,
    "a request, in a helper of `run`": """
        from workers import fetch

        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                return await self.ask()

            async def ask(self):
                response = await fetch("https://api.example.com/rates")  # <-- here
                return response.status
    """,
    "an instance of a workflow": """
        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                if not event["payload"]:
                    options = {"id": f"{event['instanceId']}-child", "params": {"child": True}}
                    await self.env.WORKFLOW.create(options)  # <-- here
    """,
    "a chain, in a task beside steps": """
        import asyncio

        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                async def write():
                    await self.env.DB.prepare("INSERT INTO log VALUES (?)").bind(1).run()  # <-- here

                await asyncio.gather(write(), step.sleep("a moment", 10))
    """,
    "`workers.env`": """
        from workers import env

        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                await env.QUEUE.send({"started": True})  # <-- here
    """,
    "what was taken from `env` before": """
        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                queue = self.env.QUEUE
                send = queue.send
                await send({"started": True})  # <-- here
    """,
}
GOOD = {
    "everything in steps": """
        from workers import fetch

        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("read")
                async def read():
                    return await self.env.KV.get("stock")

                @step.do("ask")
                async def ask():
                    return (await fetch("https://api.example.com/rates")).status

                await step.do("send")(lambda: self.env.QUEUE.send("x"))()
                return [await read(), await ask()]
    """,
    "a statement that is prepared, variables and attributes that are read": """
        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                insert = self.env.DB.prepare("INSERT INTO log VALUES (?)")
                name, limit, queue = self.env.STAGE.upper(), self.env.LIMITS["most"], self.env.QUEUE

                @step.do("write")
                async def write():
                    await insert.bind(limit).run()
                    return [name, queue is self.env.QUEUE]

                return await write()
    """,
    "a helper that a step calls": """
        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("read")
                async def read():
                    return await self.stock()

                return await read()

            async def stock(self):
                return await self.env.KV.get("stock")
    """,
}


def bindings():
    return {
        "KV": Service(),
        "QUEUE": Service(),
        "DB": Service(),
        "STAGE": "test",
        "LIMITS": {"most": 5},
    }


@pytest.mark.parametrize("name", BAD)
async def test_a_call_outside_of_steps_is_found(bench, name):
    with respx.mock(assert_all_called=False):
        respx.get("https://api.example.com/rates").respond()
        found = await bench.findings(BAD[name], env=bindings())

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(BAD[name], "effect-outside-step")


@pytest.mark.parametrize("name", GOOD)
async def test_nothing_is_found_in(bench, name):
    with respx.mock(assert_all_called=False):
        respx.get("https://api.example.com/rates").respond()
        assert await bench.findings(GOOD[name], env=bindings()) == []


async def test_the_finding_names_the_call(bench):
    [finding] = await bench.findings(BAD["a chain, in a task beside steps"], env=bindings())

    assert finding.message == "`run` calls DB.prepare(...).bind(...).run() outside of a step"
    assert finding.workflow == "WORKFLOW"
    assert finding.step is None


async def test_a_call_of_a_fake_is_the_fakes(bench):
    source = """
        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.do("ship")(lambda: self.env.SHOP.ship())()
    """
    queue = Service()

    class Shop:
        async def ship(self):
            await queue.send("shipped")

    assert await bench.findings(source, env={"SHOP": Shop(), "QUEUE": queue}) == []
