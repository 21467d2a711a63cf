"""Crash exploration compares what its runs leave in the stores: a difference fails the run, and names the line."""

from typing import Any

import pytest

CONFIG = """
    {
      "name": "shop",
      "main": "src/entry.py",
      "compatibility_date": "2026-11-10",
      "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}],
      "d1_databases": [{"binding": "DB", "database_id": "1"}],
      "kv_namespaces": [{"binding": "CACHE", "id": "2"}],
      "r2_buckets": [{"binding": "FILES", "bucket_name": "files"}]
    }
"""
SCHEMA = """
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP, code INTEGER DEFAULT (random())
    );
    CREATE TABLE items (id TEXT PRIMARY KEY, order_id INTEGER REFERENCES orders (id), sku TEXT);
    CREATE TABLE audit_log (at TEXT, what TEXT);
    INSERT INTO audit_log VALUES ('long ago', 'begin');
"""
ENTRY = """
    import datetime, random, uuid
    from workers import WorkflowEntrypoint

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("save")
            async def save():
                {body}

            await save()
            await step.sleep("rest", "1 day")
"""
TEST = """
    import pytest
    from pytest_workflows import introspect_workflow_instance

    {marker}
    async def test_order(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "one") as order:
            await workflow_env.ORDERS.create({{"id": "one"}})
            await order.wait_for_status("complete")
"""
CORRECT = {
    "a row under a key that a step made": """
                id = str(uuid.uuid4())
                await self.env.DB.prepare("INSERT OR IGNORE INTO items (id, sku) VALUES (?, ?)").bind(id, "A").run()""",
    "times and chance of SQL": """
                if await self.env.DB.prepare("SELECT id FROM orders").first() is None:
                    await self.env.DB.prepare("INSERT INTO orders (name) VALUES ('apple')").run()""",
    "a row that is replaced, and one that refers to its id": """
                await self.env.DB.batch([
                    self.env.DB.prepare("DELETE FROM items"),
                    self.env.DB.prepare("DELETE FROM orders"),
                    self.env.DB.prepare("INSERT INTO orders (name) VALUES ('apple')"),
                ])
                insert = "INSERT INTO items SELECT 'a', max(id), 'A' FROM orders"
                await self.env.DB.prepare(insert).run()""",
    "a key, with metadata and an expiration": """
                await self.env.CACHE.put("one", datetime.datetime.now().isoformat(), expirationTtl=60 * 60 * 24 * 9)""",
    "times that a repeated attempt shifts": """
                import asyncio, json, time
                await asyncio.sleep(2)
                now = datetime.datetime.now(datetime.UTC)
                await self.env.DB.prepare("INSERT OR IGNORE INTO audit_log (at, what) SELECT CURRENT_TIMESTAMP, 'saved' "
                    "WHERE NOT EXISTS (SELECT 1 FROM audit_log WHERE what = 'saved')").run()
                await self.env.DB.prepare("UPDATE audit_log SET at = unixepoch() WHERE what = 'saved'").run()
                await self.env.CACHE.put("one", json.dumps({"at": now.isoformat(), "ms": int(time.time() * 1000)}))
                await self.env.FILES.put("one.txt", now.strftime("%Y-%m-%d %H:%M"))""",
    "an object": """
                await self.env.FILES.put("one.txt", str(random.random()), customMetadata={"by": "me"})""",
}
WRONG = {
    "DB.audit_log has the row (at='*', what='saved') once": """
                import asyncio
                await asyncio.sleep(2)
                insert = "INSERT INTO audit_log (at, what) VALUES (CURRENT_TIMESTAMP, 'saved')"
                await self.env.DB.prepare(insert).run()  # here""",
    "CACHE has the key 'due' with '2031-01-02T*', and with '2031-01-01T*' without the crash": """
                due = await self.env.CACHE.get("due") or "2030-12-31T00:00:00"
                due = datetime.datetime.fromisoformat(due) + datetime.timedelta(days=1)
                await self.env.CACHE.put("due", due.isoformat())  # here""",
    "DB.orders has the row (name='apple', *) 2 times, and once without the crash": """
                insert = "INSERT INTO orders (name, code) VALUES ('apple', 1)"
                await self.env.DB.prepare(insert).run()  # here
                await self.env.DB.prepare("SELECT 1").run()""",
    "CACHE has the key 'n' with '2', and with '1' without the crash": """
                n = int(await self.env.CACHE.get("n") or 0)
                await self.env.CACHE.put("n", str(n + 1))  # here""",
    "FILES has the key 'b.txt', and has it not without the crash": """
                seen = await self.env.FILES.head("a.txt")
                await self.env.FILES.put("b.txt" if seen else "a.txt", "x")  # here""",
}


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("wrangler.jsonc", CONFIG)
    worker.write("migrations/0001_init.sql", SCHEMA)
    worker.set(filterwarnings="default")
    return worker


def explore(shop: Any, body: str, *arguments: str, marker: str = "") -> Any:
    shop.write("src/entry.py", ENTRY.format(body=body.strip()))
    return shop.run(TEST.format(marker=marker), *(arguments or ("--workflows-crash",)))


@pytest.mark.parametrize("body", CORRECT.values(), ids=CORRECT)
def test_a_worker_that_writes_the_same_again_is_silent(shop, body):
    result = explore(shop, body)

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines("1 test, * crash points in *: none failed, * finding*")


@pytest.mark.parametrize(("text", "body"), WRONG.items(), ids=WRONG)
def test_what_a_lost_attempt_has_written_twice_fails_the_run_and_the_line_is_named(shop, text, body):
    result = explore(shop, body)

    source = (shop.path / "src/entry.py").read_text().splitlines()
    line = next(number for number, one in enumerate(source, start=1) if "# here" in one)
    result.stdout.fnmatch_lines(
        [
            '*_ test_order[[]crash: lost result of "save"[]] _*',
            f"E *[[]different-state[]] *src/entry.py:{line}: "
            f'after a crash (lost result of "save") {text.replace("*", "*")}*. In production: *',
            "pytest 'tests/test_it.py::test_order' --workflows-crash='lost:save#1'",
        ]
    )
    assert result.parseoutcomes()["passed"] == 1


WITHOUT_KEY = """
                await self.env.DB.prepare("INSERT INTO orders (name) VALUES ('apple')").run()"""


def test_of_two_steps_that_write_to_one_table_the_one_that_crashed_is_named(shop):
    shop.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("first")
                async def first():
                    await self.env.DB.prepare("INSERT INTO orders (name) VALUES ('apple')").run()  # first

                @step.do("second")
                async def second():
                    await self.env.DB.prepare("INSERT INTO orders (name) VALUES ('pear')").run()  # second

                await first()
                await second()
        """,
    )
    result = shop.run(TEST.format(marker=""), "--workflows-crash")

    source = (shop.path / "src/entry.py").read_text().splitlines()
    for step, fruit in (("first", "apple"), ("second", "pear")):
        line = next(number for number, one in enumerate(source, start=1) if f"# {step}" in one)
        result.stdout.fnmatch_lines(
            [
                f'E *[[]different-state[]] */src/entry.py:{line}: after a crash (lost result of "{step}") DB.orders has the '
                f"row (*name='{fruit}'*) *. In production: *"
            ]
        )


def test_each_call_of_a_method_in_a_step_is_a_crash_point_of_its_own(shop):
    result = explore(
        shop,
        """
                n = int(await self.env.CACHE.get("n") or 0)
                await self.env.CACHE.put("n", str(n + 1))
                await self.env.CACHE.put("m", "x")""",
        "--workflows-crash",
    )

    for call in ("after CACHE.put", "after CACHE.put (2)"):
        result.stdout.fnmatch_lines([f'*_ test_order[[]crash: {call} in "save"[]] _*'])


def test_a_run_that_does_not_get_to_its_crash_point_is_not_compared(shop):
    shop.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                name = event.payload["name"]

                @step.do(name)
                async def save():
                    await self.env.CACHE.put(name, "x")

                await save()
        """,
    )
    test = TEST.format(marker="").replace('{"id": "one"}', '{"id": "one", "params": {"name": next(NAMES)}}')
    result = shop.run(
        f"{test}\n    import itertools\n\n    NAMES = itertools.chain(['first'], itertools.repeat('later'))\n",
        "--workflows-crash",
    )

    result.stdout.fnmatch_lines("*not reached again: lost:first#1*")
    assert '(lost result of "first")' not in result.stdout.str()


def test_the_line_that_runs_it_again_compares_too(shop):
    result = explore(shop, WITHOUT_KEY, "--workflows-crash=lost:save#1")

    result.assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize("ignored", ['["DB"]', '["DB.orders"]', '["CACHE", "DB.orders"]'])
def test_what_is_ignored_may_differ(shop, ignored):
    result = explore(shop, WITHOUT_KEY, marker=f"@pytest.mark.workflow(ignore_state={ignored})")

    result.assert_outcomes(passed=1)


def test_another_table_may_not(shop):
    marker = '@pytest.mark.workflow(ignore_state=["CACHE", "DB.audit_log"])'
    result = explore(shop, WITHOUT_KEY, "--workflows-crash=lost:save#1", marker=marker)

    result.assert_outcomes(passed=1, failed=1)


def test_the_rule_can_be_left_out(shop):
    result = explore(shop, WITHOUT_KEY, marker='@pytest.mark.workflow(ignore_rules=["different-state"])')

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("value", ['"DB"', "[1]", "[None]", "True"])
def test_what_cannot_be_ignored_is_a_usage_error(shop, value):
    result = explore(shop, WITHOUT_KEY, marker=f"@pytest.mark.workflow(ignore_state={value})")

    result.stderr.fnmatch_lines("*workflow(ignore_state=...) takes a list of bindings, or of their tables*")


def test_orders_are_not_compared(shop):
    shop.write(
        "src/entry.py",
        """
        import asyncio
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                def put(value):
                    @step.do(f"put {value}")
                    async def put_it():
                        await self.env.CACHE.put("last", value)
                    return put_it()

                await asyncio.gather(put("a"), put("b"))
        """,
    )

    result = shop.run(TEST.format(marker=""), "--workflows-seeds=5")

    result.assert_outcomes(passed=1)
    assert "schedule" in result.stdout.str()


def test_a_test_that_draws_itself_and_reads_the_time_is_compared_all_the_same(shop):
    shop.write("src/entry.py", ENTRY.format(body="""await self.env.CACHE.put("id", event.payload.id)"""))

    result = shop.run(
        """
        import datetime, random, time, uuid
        from pytest_workflows import introspect_workflow_instance

        async def test_order(workflow_env):
            time.sleep(0.3)
            order_id = f"{uuid.uuid4()} {random.random()} {datetime.datetime.now()}"
            async with introspect_workflow_instance(workflow_env.ORDERS, "one") as order:
                await workflow_env.ORDERS.create({"id": "one", "params": {"id": order_id}})
                await order.wait_for_status("complete")
        """,
        "--workflows-crash",
    )

    result.assert_outcomes(passed=1)


def test_a_store_that_only_one_run_has_asked_for_is_no_difference(shop):
    result = explore(
        shop,
        """
                if ctx_attempts():
                    await self.env.DB.prepare("SELECT * FROM audit_log").all()
                    await self.env.CACHE.get("x")""".replace("ctx_attempts()", "True"),
    )

    result.assert_outcomes(passed=1)


OBJECTS = """
    {
      "name": "shop", "main": "src/entry.py", "compatibility_date": "2026-11-10",
      "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}],
      "durable_objects": {"bindings": [{"name": "COUNTER", "class_name": "Counter"}]},
      "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}]
    }
"""
COUNTER = """
    import uuid
    from workers import DurableObject, WorkflowEntrypoint

    class Counter(DurableObject):
        def __init__(self, ctx, env):
            super().__init__(ctx, env)
            ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS visits (id INTEGER PRIMARY KEY, who TEXT, at TEXT, tag TEXT)")

        async def count(self):
            await self.ctx.storage.put("n", (await self.ctx.storage.get("n") or 0) + 1)

        async def visit(self, who):
            self.ctx.storage.sql.exec(
                "INSERT INTO visits (who, at, tag) VALUES (?, CURRENT_TIMESTAMP, ?)", who, str(uuid.uuid4())
            )

        async def note(self, who):
            self.ctx.storage.sql.exec("DELETE FROM visits WHERE who = ?", who)
            await self.visit(who)

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("count")
            async def count():
                await self.env.COUNTER.getByName("one").{call}  # here

            await count()
"""


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("count()", "COUNTER has the key ('one', 'n') with 2, and with 1 without the crash"),
        ("visit('ada')", "COUNTER.visits has the row ((object)='one', who='ada', * 2 times, and once without"),
        ("note('ada')", None),
    ],
)
def test_what_durable_objects_store_is_compared(shop, call, text):
    shop.write("wrangler.jsonc", OBJECTS)
    shop.write("src/entry.py", COUNTER.replace("{call}", call))

    result = shop.run(TEST.format(marker=""), "--workflows-crash=lost:count#1")

    if text is None:
        result.assert_outcomes(passed=1)
    else:
        result.assert_outcomes(passed=1, failed=1)
        source = (shop.path / "src/entry.py").read_text().splitlines()
        line = next(number for number, one in enumerate(source, start=1) if "# here" in one)
        result.stdout.fnmatch_lines(f"E *[[]different-state[]] *src/entry.py:{line}: *{text}*")


def test_a_message_that_a_queue_may_hold_twice_is_no_difference(shop):
    shop.write(
        "wrangler.jsonc",
        CONFIG.replace(
            '"d1_databases"', '"queues": {"producers": [{"binding": "QUEUE", "queue": "jobs"}]}, "d1_databases"'
        ),
    )

    result = explore(shop, """await self.env.QUEUE.send({"order": event.instanceId})""")

    result.assert_outcomes(passed=1)


def test_a_run_that_was_left_amid_its_steps_elsewhere_is_not_compared(shop):
    shop.write(
        "src/entry.py",
        """
        import asyncio
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                for number in range(5):
                    @step.do("save")
                    async def save():
                        await self.env.CACHE.put(str(number), "x")

                    await save()
        """,
    )
    test = """
        import asyncio

        async def test_it(workflow_env):
            await workflow_env.ORDERS.create({"id": "one"})
            for _ in range(12):
                await asyncio.sleep(0)
    """

    result = shop.run(test, "--workflows-crash")

    assert "crash point" in result.stdout.str()
    assert "different-state" not in result.stdout.str()
