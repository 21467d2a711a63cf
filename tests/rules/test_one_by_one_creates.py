"""one-by-one-creates: one call after another creates an instance."""

import textwrap

import pytest

from pytest_workflows.session.worker import WorkflowWorker

RULE = "one-by-one-creates"
HEAD = """
        import asyncio
        from workers import Response, WorkerEntrypoint

        class Child(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("a moment", 1)

"""


def handler(body: str, kind: str = "fetch(self, request)") -> str:
    lines = textwrap.indent(textwrap.dedent(body).strip(), " " * 16)
    return f"""{HEAD}
        class Default(WorkerEntrypoint):
            async def {kind}:
{lines}
                return Response("ok")

            async def start(self, number):
                return await self.env.WORKFLOW.create({{"id": f"job-{{number}}"}})
"""


BAD = {
    "a loop in a handler": handler("""
        for number in range(3):
            await self.env.WORKFLOW.create({"params": {"number": number}})  # <-- here
    """),
    "all at once": handler("""
        await asyncio.gather(*[self.env.WORKFLOW.create({"id": f"job-{n}"}) for n in range(3)])  # <-- here
    """),
    "three lines": handler("""
        await self.env.WORKFLOW.create({"id": "job-1-of-order"})
        await self.env.WORKFLOW.create(id="job-2-of-order")
        await self.env.WORKFLOW.create({"id": "job-3-of-order"})  # <-- here
    """),
    "a helper that is called in a loop": handler("""
        for number in range(2):
            await self.start(number)
    """).replace('create({"id": f"job-{number}"})', 'create({"id": f"job-{number}"})  # <-- here'),
    "a loop in a callback": """
        class Parent(WorkflowEntrypoint):
            async def run(self, event, step):
                if event["payload"]:
                    return

                @step.do("start them")
                async def start_them():
                    for number in range(3):
                        await self.env.WORKFLOW.create({"params": {"number": number}})  # <-- here

                await start_them()
    """,
}
GOOD = {
    "a batch": handler("""
        await self.env.WORKFLOW.create_batch([{"params": {"number": number}} for number in range(3)])
    """),
    "one create in each call": handler("""
        await self.env.WORKFLOW.create({"params": {"path": request.url}})
    """),
    "two creates for two reasons": handler("""
        await self.env.WORKFLOW.create({"params": {"what": "confirm"}})
        await self.env.WORKFLOW.create({"params": {"what": "ship"}})
    """),
    "an id that is looked for until one is free": handler("""
        for number in range(3):
            try:
                await self.env.WORKFLOW.create({"id": f"one{number or ''}"})
                break
            except Exception as error:
                assert "already_exists" in str(error)
    """),
    "one after another, each watched": handler("""
        for number in range(3):
            instance = await self.env.WORKFLOW.create({"params": {"number": number}})
            await instance.status()
    """),
    "a step for each": """
        class Parent(WorkflowEntrypoint):
            async def run(self, event, step):
                if event["payload"]:
                    return
                for number in range(3):
                    @step.do("start one")
                    async def start_one():
                        await self.env.WORKFLOW.create({"id": f"job-{number}", "params": {"child": True}})

                    await start_one()
    """,
}


def asked(bench):
    async def act(handle):
        worker = WorkflowWorker(bench.running)
        if hasattr(bench.running.project.load_main(), "Default"):
            await worker.fetch("/1")
            await worker.fetch("/2")
        await bench.running.engine.run_until_idle()

    return act


@pytest.mark.parametrize("name", BAD)
async def test_creates_in_a_row_are_found(bench, name):
    source = BAD[name]

    found = await bench.findings(source, act=asked_once(bench))

    assert [(finding.rule, finding.line) for finding in found if finding.rule == RULE] == bench.marked(source, RULE)


def asked_once(bench):
    async def act(handle):
        if hasattr(bench.running.project.load_main(), "Default"):
            await WorkflowWorker(bench.running).fetch("/1")
        await bench.running.engine.run_until_idle()

    return act


@pytest.mark.parametrize("name", GOOD)
async def test_nothing_is_found_in(bench, name):
    assert await bench.findings(GOOD[name], act=asked(bench)) == []


async def test_the_finding_says_in_what(bench):
    [finding] = await bench.findings(BAD["a loop in a handler"], act=asked_once(bench))

    assert finding.message == "instances of 'WORKFLOW' are created one by one in one call of the fetch handler"


async def test_the_finding_names_the_step(bench):
    [finding] = await bench.findings(BAD["a loop in a callback"])

    assert finding.message == "instances of 'WORKFLOW' are created one by one in one attempt of step 'start them-1'"


async def test_a_handler_that_a_test_calls_itself_is_looked_at(bench):
    async def act(handle):
        from pytest_workflows.workers import Request, env

        worker = bench.running.project.load_main().Default(None, env)
        await worker.fetch(Request("https://example.com/"))

    found = await bench.findings(BAD["a loop in a handler"], act=act)

    assert [finding.rule for finding in found] == [RULE]


async def test_what_a_test_creates_is_not_looked_at(bench):
    async def act(handle):
        for _ in range(5):
            await bench.running.env.resolve("WORKFLOW").create({"id": None})

    assert await bench.findings(HEAD, act=act) == []
