"""reused-id: an instance id that says for whom the instance is, not which one it is."""

import textwrap

import pytest

from pytest_workflows.session.worker import WorkflowWorker

RULE = "reused-id"
PARAMS = {
    "user_id": "u1",
    "user": {"id": "u1", "name": "ada"},
    "email": "ada_example_com",
    "tenant": "t1",
    "day": "2026-01-02",
    "order": {"number": "o1", "user_id": "u1"},
    "folder": "docs",
    "userId": "u1",
    "name": "ada",
}


def handler(body: str, kind: str = "fetch(self, request)") -> str:
    lines = textwrap.indent(textwrap.dedent(body).strip(), " " * 16)
    return f"""
        import hashlib, secrets, time, uuid
        from datetime import date, datetime, UTC
        from workers import Response, WorkerEntrypoint

        class Child(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("a moment", 1)

        class Default(WorkerEntrypoint):
            async def {kind}:
{lines}
                return Response("ok")
"""


def fetch(expression: str, before: str = "pass") -> str:
    return handler(
        "\n".join(
            [
                "payload = await request.json()",
                *textwrap.dedent(before).strip().splitlines(),
                f'await self.env.WORKFLOW.create({{"id": {expression}}})  # <-- here',
            ]
        )
    )


BAD = {
    "a user's id": fetch('payload["user_id"]'),
    "a user's id in camel case": fetch('payload["userId"]'),
    "an attribute of a user": fetch('payload["user"]["id"]'),
    "a user's id with a word before it": fetch("f\"welcome-{payload['user']['id']}\""),
    "a variable": fetch("user_id", 'user_id = request.url.split("/")[3]'),
    "a variable whose value says it": fetch("key", 'key = "mail-" + payload["email"]'),
    "a person's name": fetch('payload["name"]'),
    "an email's hash": fetch('hashlib.sha256(payload["email"].lower().encode()).hexdigest()'),
    "a tenant and a user": fetch("f\"{payload['tenant']}-{payload.get('user_id')}\""),
    "a header": fetch('request.headers.get("x-user-id") or "nobody"'),
    "today": fetch("date.today().isoformat()"),
    "the day of a time": fetch('datetime.now(UTC).strftime("%Y-%m-%d")'),
    "a day in a format": fetch('f"export-{datetime.now(UTC):%Y%m%d}"'),
    "a constant": fetch('"the-one-and-only"'),
    "options from before": handler("""
        payload = await request.json()
        options = {"id": payload["user_id"], "params": payload}
        await self.env.WORKFLOW.create(options)  # <-- here
    """),
    "a keyword": handler("""
        payload = await request.json()
        await self.env.WORKFLOW.create(id=payload["user_id"])  # <-- here
    """),
    "a batch": handler("""
        users = [{"id": "u1"}, {"id": "u2"}]
        await self.env.WORKFLOW.create_batch([{"id": user["id"]} for user in users])  # <-- here
    """),
    "a batch that is an object": handler("""
        users = [{"id": "u1"}, {"id": "u2"}]
        await self.env.WORKFLOW.createBatch({"instances": [{"id": user["id"]} for user in users]})  # <-- here
    """),
    "a step": """
        class Parent(WorkflowEntrypoint):
            async def run(self, event, step):
                if event["payload"]["user_id"] == "done":
                    return

                @step.do("start it")
                async def start_it():
                    customer = event["payload"]["user_id"]
                    await self.env.WORKFLOW.create({"id": customer, "params": {"user_id": "done"}})  # <-- here

                await start_it()
    """,
}
GOOD = {
    "no id": handler("await self.env.WORKFLOW.create()"),
    "an order": fetch('payload["order"]["number"]'),
    "a user's order": fetch("f\"{payload['user_id']}-{payload['order']['number']}\""),
    "a uuid": fetch("str(uuid.uuid4())"),
    "a user with a uuid": fetch("f\"{payload['user_id']}-{uuid.uuid4()}\""),
    "a user with a random text": fetch("f\"{payload['user_id']}-{suffix}\"", "suffix = secrets.token_hex(4)"),
    "a user with the time": fetch("f\"{payload['user_id']}-{int(time.time())}\""),
    "a user with a time in a format": fetch("f\"{payload['user_id']}-{datetime.now(UTC):%Y%m%d-%H%M%S}\""),
    "a user on a day": fetch("f\"{payload['user_id']}-{payload['day']}\""),
    "a user in a campaign": fetch("f\"{payload['user_id']}-{campaign}\"", "campaign = request.url[-1:]"),
    "something that nobody knows": fetch('payload["folder"]'),
    "a part of the path": fetch("what", 'what = request.url.split("/")[3]'),
    "a name that is no person's": fetch("file_name", 'file_name = payload["name"]'),
    "a taken id that is expected": handler("""
        payload = await request.json()
        try:
            await self.env.WORKFLOW.create({"id": payload["user_id"]})
        except Exception as error:
            assert "already_exists" in str(error)
    """),
    "get or create": handler("""
        payload = await request.json()
        try:
            instance = await self.env.WORKFLOW.get(payload["user_id"])
        except Exception:
            instance = await self.env.WORKFLOW.create({"id": payload["user_id"]})
        return Response(instance.id)
    """),
    "a taken id that the caller expects": handler("""
        payload = await request.json()
        try:
            await self.start(payload["user_id"])
        except Exception as error:
            assert "already_exists" in str(error)
    """)
    + """
            async def start(self, user_id):
                await self.env.WORKFLOW.create({"id": user_id})
    """,
}


def asked(bench):
    async def act(handle):
        if hasattr(bench.running.project.load_main(), "Default"):
            request = {"method": "POST", "json": PARAMS, "headers": {"x-user-id": "u1"}}
            await WorkflowWorker(bench.running).fetch("/17", **request)
        await bench.running.engine.run_until_idle()

    return act


@pytest.mark.parametrize("name", BAD)
async def test_an_id_that_may_come_again_is_found(bench, name):
    found = await bench.findings(BAD[name], PARAMS, act=asked(bench))

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(BAD[name], RULE)


@pytest.mark.parametrize("name", GOOD)
async def test_nothing_is_found_in(bench, name):
    assert await bench.findings(GOOD[name], PARAMS, act=asked(bench)) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a user's id", "the id of 'WORKFLOW' is `payload['user_id']`, which may come again"),
        ("a constant", "every instance of 'WORKFLOW' gets the id 'the-one-and-only'"),
    ],
)
async def test_the_finding_says_what_the_id_is(bench, name, message):
    [finding] = await bench.findings(BAD[name], PARAMS, act=asked(bench))

    assert finding.message == message


TWICE = fetch('payload["folder"]')


async def test_an_id_that_did_come_again_is_found(bench):
    async def act(handle):
        worker = WorkflowWorker(bench.running)
        await worker.fetch("/", method="POST", json=PARAMS)
        with pytest.raises(Exception, match="already_exists"):
            await worker.fetch("/", method="POST", json=PARAMS)

    [finding] = await bench.findings(TWICE, act=act)

    assert [(finding.rule, finding.line)] == bench.marked(TWICE, RULE)
    assert finding.message == "the id 'docs' of 'WORKFLOW' came again, and was taken"


async def test_the_date_of_a_cron_trigger_comes_once(bench):
    source = handler(
        'await self.env.WORKFLOW.create({"id": datetime.now(UTC).strftime("%Y-%m-%d")})',
        "scheduled(self, controller, env, ctx)",
    )

    async def act(handle):
        await WorkflowWorker(bench.running).scheduled(cron="0 3 * * *")

    assert await bench.findings(source, act=act) == []


async def test_what_a_test_creates_is_not_looked_at(bench):
    user_id = "u1"

    async def act(handle):
        binding = bench.running.env.resolve("WORKFLOW")
        await binding.create({"id": user_id})
        with pytest.raises(Exception, match="already_exists"):
            await binding.create({"id": user_id})

    assert await bench.findings(TWICE, act=act) == []
