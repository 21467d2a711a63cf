"""not-idempotent: a lost attempt and the next one had the same effect."""

import pytest
import respx
from rule_services import Service

RULE = "not-idempotent"


def step(*body: str, before: str = "") -> str:
    """A workflow with one step, whose callback has these lines."""
    lines = "\n".join(f"{' ' * 16}{line}" for line in body)
    return f"""
{before}
class Orders(WorkflowEntrypoint):
    async def run(self, event, step):
        number = event["instanceId"]

        @step.do("do it")
        async def do_it():
{lines.replace(" " * 16, " " * 12)}

        await do_it()
"""


BAD = {
    "a charge": (step("await self.env.X.charge(5)  # <-- here"), "charge", ""),
    "a mail that names the order in its text alone": (
        step('await self.env.X.send({"to": "ada@example.com", "text": f"Order {number} is on its way"})  # <-- here'),
        "send",
        "",
    ),
    "a message to a queue": (step('await self.env.X.send({"sku": "tea"})  # <-- here'), "send", ""),
    "a row": (step('await self.env.X.prepare("INSERT INTO log VALUES (?)").bind(1).run()  # <-- here'), "run", ""),
    "a batch of rows": (
        step(
            'row = self.env.X.prepare("INSERT INTO log VALUES (1)")', "await self.env.X.batch([row, row])  # <-- here"
        ),
        "batch",
        "",
    ),
    "a counter": (
        step('await self.env.X.prepare("UPDATE stock SET left = left - ? WHERE sku = 1").bind(1).run()  # <-- here'),
        "run",
        "",
    ),
    "a key that is another one each time": (
        step(
            "await self.env.X.charge(5, idempotency_key=str(uuid.uuid4()))  # <-- here",
            before="import uuid",
        ),
        "charge",
        " with another key (",
    ),
    "a payload that is another one each time": (
        step('await self.env.X.charge({"nr": str(uuid.uuid4())})  # <-- here', before="import uuid"),
        "charge",
        "",
    ),
    "a verb that nobody knows": (
        step("await self.env.X.frobnicate(5)  # <-- here"),
        "frobnicate",
        "; unless it knows the second call for the first, it may happen twice",
    ),
    "a reference that the service may know": (
        step('await self.env.X.charge(5, order_id="o-17")  # <-- here'),
        "charge",
        "; unless it knows the second call for the first, it may happen twice",
    ),
    "a function as a binding": (
        step("await self.env.NOTIFY(5)  # <-- here"),
        None,
        "",
    ),
}
GOOD = {
    "a read": (step('await self.env.X.get("key")'), "get"),
    "a question to a model": (step('await self.env.X.run("@cf/meta/llama", {"prompt": "x"})'), "run"),
    "a computation": (step('await self.env.X.classify("text")'), "classify"),
    "a value that is put": (step('await self.env.X.put("key", "value")'), "put"),
    "a row that is deleted": (step('await self.env.X.deleteObject("key")'), "deleteObject"),
    "a key": (step('await self.env.X.charge(5, idempotency_key=f"{number}-charge")'), "charge"),
    "a key in a dict": (step('await self.env.X.charge({"amount": 5, "requestId": "r-1"})'), "charge"),
    "a reference made of the instance's id": (step('await self.env.X.send({"id": f"{number}-mail"})'), "send"),
    "the instance's id as an argument": (step("await self.env.X.ship(number)"), "ship"),
    "a query": (step('await self.env.X.prepare("SELECT * FROM a WHERE id = ?").bind(1).run()'), "run"),
    "a row that may be there": (step('await self.env.X.prepare("INSERT OR IGNORE INTO a VALUES (1)").run()'), "run"),
    "an upsert": (
        step('await self.env.X.prepare("INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING").bind(1).run()'),
        "run",
    ),
    "a value that is set": (step('await self.env.X.prepare("UPDATE a SET b = ? WHERE c = 1").bind(1).run()'), "run"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_happens_twice_is_found(bench, name):
    source, hangs, reported = BAD[name]
    service = Service(hangs or "notify")

    found = await bench.findings(source, env={"X": service, "NOTIFY": service.notify}, act=service.dies_after_first)

    assert [(finding.rule, finding.line) for finding in found] == bench.marked(source, RULE)
    assert found[0].message.startswith("the result of attempt 1 of step 'do it-1', which called ")
    assert f"was lost, and attempt 2 calls it again{reported}" in found[0].message


@pytest.mark.parametrize("name", GOOD)
async def test_nothing_is_found_of(bench, name):
    source, hangs = GOOD[name]
    service = Service(hangs)

    assert await bench.findings(source, env={"X": service}, act=service.dies_after_first) == []
    assert len(service.calls) == 2


LOOKS_FIRST = step(
    'if not await self.env.X.find("order"):',
    "    await self.env.X.charge(5)",
)


async def test_whoever_looks_first_is_not_found(bench):
    service = Service("charge", find=lambda service: len(service.calls) > 1)

    assert await bench.findings(LOOKS_FIRST, env={"X": service}, act=service.dies_after_first) == []
    assert [name for name, *_ in service.calls] == ["find", "charge", "find"]


async def test_whoever_looks_what_is_left_to_do_is_not_found(bench):
    source = step(
        "for sku in await self.env.X.list():",
        "    await self.env.X.ship(sku)",
    )
    service = Service("ship", list=lambda service: ["b"] if len(service.calls) > 1 else ["a", "b"])

    assert await bench.findings(source, env={"X": service}, act=service.dies_after_first) == []
    assert [args for name, args, _ in service.calls if name == "ship"] == [("a",), ("b",)]


async def test_an_ordinary_retry_is_not_looked_at(bench):
    source = """
        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("charge", config={"retries": {"limit": 1, "delay": 1}})
                async def charge(ctx):
                    await self.env.X.charge(5)
                    if ctx.attempt == 1:
                        raise OSError("no answer")

                await charge()
    """
    service = Service()

    assert await bench.findings(source, env={"X": service}) == []
    assert len(service.calls) == 2


async def test_a_restart_is_no_lost_attempt(bench):
    service = Service("charge")

    async def act(handle):
        await service.reached.wait()
        await handle.restart()
        await handle._binding.engine.run_until_idle()

    assert await bench.findings(BAD["a charge"][0], env={"X": service}, act=act) == []
    assert len(service.calls) == 2


REQUEST = """
        from workers import fetch, Request
        import json

        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                number = event["instanceId"]

                @step.do("do it")
                async def do_it():
                    await CALL
                    await self.env.X.peek()

                await do_it()
"""
URL = '"https://pay.example.com/charges"'


@pytest.mark.parametrize(
    ("call", "is_found"),
    [
        (f"fetch({URL}, method='POST', body='5')", True),
        (f"fetch(Request({URL}, method='POST', body='5'))", True),
        (f"fetch({URL}, method='POST', headers={{'idempotency-key': number}})", False),
        (f"fetch({URL}, method='POST', headers=[('Idempotency-Key', number)])", False),
        (f"fetch(Request({URL}, method='POST', headers={{'x-request-id': number}}))", False),
        (f"fetch({URL}, method='POST', body=json.dumps({{'client_token': number}}))", False),
        (f"fetch({URL}, method='PUT', body='5')", False),
        (f"fetch({URL}, method='DELETE')", False),
        (f"fetch({URL})", False),
        ("fetch('https://pay.example.com/charges/search', method='POST', body='{}')", False),
    ],
)
async def test_requests_are_told_apart_by_method_and_key(bench, call, is_found):
    source = REQUEST.replace("CALL", call)
    service = Service("peek")
    settings = {"ignore_rules": ("many-effects-in-one-step",)}
    with respx.mock(assert_all_called=False) as router:
        router.route(host="pay.example.com").respond()
        found = await bench.findings(source, env={"X": service}, act=service.dies_after_first, settings=settings)
        assert len(router.calls) == 2

    assert [finding.rule for finding in found] == ([RULE] if is_found else [])


@pytest.mark.parametrize(
    ("call", "is_found"),
    [
        ('create({"params": {"child": True}})', True),
        ('create({"id": f"{number}-child", "params": {"child": True}})', False),
        ('create_batch([{"id": "order-1", "params": {"child": True}}])', False),
        ('createBatch({"instances": [{"id": "order-1", "params": {"child": True}}]})', False),
        ('createBatch({"count": 1, "params": {"child": True}})', True),
    ],
)
async def test_an_instance_without_an_id_is_created_twice(bench, call, is_found):
    source = f"""
        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                number = event["instanceId"]
                if event["payload"]:
                    return

                @step.do("start it")
                async def start_it():
                    try:
                        await self.env.WORKFLOW.{call}
                    except Exception as error:
                        assert "already_exists" in str(error)
                    await self.env.X.peek()

                await start_it()
    """
    service = Service("peek")
    settings = {"ignore_rules": ("many-effects-in-one-step",)}

    found = await bench.findings(source, env={"X": service}, act=service.dies_after_first, settings=settings)

    assert [finding.rule for finding in found] == ([RULE] if is_found else [])
