"""Concurrent steps that use the Worker's databases have one history, whatever else the machine has to do."""

CONFIG = """
    {
      "name": "shop",
      "main": "src/entry.py",
      "compatibility_date": "2026-11-10",
      "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}],
      "d1_databases": [{"binding": "DB", "database_id": "1"}],
      "durable_objects": {"bindings": [{"name": "TILLS", "class_name": "Till"}]},
      "migrations": [{"tag": "v1", "new_sqlite_classes": ["Till"]}]
    }
"""
SCHEMA = "CREATE TABLE log (step TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP, drawn INTEGER DEFAULT (random()));"
ENTRY = """
    import asyncio, random
    from workers import DurableObject, WorkflowEntrypoint

    class Till(DurableObject):
        async def note(self, text):
            sql = self.ctx.storage.sql
            sql.exec("CREATE TABLE IF NOT EXISTS notes (text)")
            sql.exec("INSERT INTO notes VALUES (?)", text)
            await asyncio.sleep(0)
            return [row["text"] for row in sql.exec("SELECT text FROM notes").toArray()]

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            def of(name):
                @step.do(name)
                async def work():
                    seen = []
                    for _ in range(random.randrange(2, 4)):
                        await self.env.DB.prepare("INSERT INTO log (step) VALUES (?)").bind(name).run()
                        await asyncio.sleep(0)
                        seen.append(await self.env.DB.prepare("SELECT step, drawn FROM log").raw())
                    return [seen, await self.env.TILLS.getByName("one").note(name)]

                return work()

            return await asyncio.gather(of("charge"), of("ship"))
"""
TEST = """
    import asyncio, sys, threading
    import pytest
    from pytest_workflows import introspect_workflow_instance

    HISTORIES = set()

    @pytest.fixture(scope="module")
    def load():
        def spin():
            while not over.wait(0.0002):
                sum(range(1000))

        over, interval = threading.Event(), sys.getswitchinterval()
        sys.setswitchinterval(0.0001)
        thread = threading.Thread(target=spin)
        thread.start()
        yield
        over.set()
        thread.join()
        sys.setswitchinterval(interval)

    @pytest.mark.workflow(now="2026-01-01T00:00:00Z", seed=1, ignore_rules=["many-effects-in-one-step"])
    @pytest.mark.parametrize("number", range(200))
    async def test_it(number, load, workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "one") as order:
            await workflow_env.ORDERS.create({"id": "one"})
            await order.wait_for_status("complete")
            HISTORIES.add(f"{order.history} {await order.get_output()}")
        [history] = HISTORIES
        assert "charge" in history and "ship" in history
"""


def test_two_steps_with_a_database_and_an_object_have_one_history_in_200_runs_under_load(worker):
    worker.write("wrangler.jsonc", CONFIG)
    worker.write("migrations/0001_log.sql", SCHEMA)
    worker.write("src/entry.py", ENTRY)

    result = worker.run(TEST)

    result.assert_outcomes(passed=200)
