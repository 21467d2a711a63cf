"""`workflow_seed`: what every test starts from, filled once a process and copied for each test."""

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
      "r2_buckets": [{"binding": "FILES", "bucket_name": "files"}],
      "queues": {"producers": [{"binding": "QUEUE", "queue": "jobs"}]}
    }
"""
SEED = """
    import pathlib, pytest

    async def fill(env):
        with open("runs", "a") as file:
            print("run", file=file)
        await env.DB.prepare("INSERT INTO orders (name) VALUES ('apple'), ('pear')").run()
        await env.CACHE.put("a", "1")
        await env.FILES.put("one.txt", "text")

    @pytest.fixture{scope}
    def workflow_seed():
        return fill
"""
TEST = """
    import pytest
    from workers import env

    async def state(env):
        names = [row.name for row in (await env.DB.prepare("SELECT name FROM orders").all()).results]
        keys = [key.name for key in (await env.CACHE.list())["keys"]]
        objects = [one.key for one in (await env.FILES.list()).objects]
        return names, keys, objects

    async def change(env):
        await env.DB.prepare("DELETE FROM orders WHERE name = 'apple'").run()
        await env.CACHE.put("b", "2")
        await env.FILES.delete("one.txt")
        return await state(env)

    SEEDED = (["apple", "pear"], ["a"], ["one.txt"])
    CHANGED = (["pear"], ["a", "b"], [])
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("wrangler.jsonc", CONFIG)
    worker.write("migrations/0001_init.sql", "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT);")
    return worker


def seeded(shop: Any, tests: str, *arguments: str, seed: str = SEED, scope: str = "") -> Any:
    shop.write("tests/conftest.py", seed.replace("{scope}", scope))
    return shop.run(TEST + tests, *arguments)


def runs(shop: Any) -> int:
    return len((shop.path / "runs").read_text().splitlines())


@pytest.mark.parametrize("scope", ["", "(scope='session')", "(scope='module')"])
def test_every_test_starts_from_a_copy_of_what_the_seed_left_and_it_runs_once(shop, scope):
    result = seeded(
        shop,
        """
    @pytest.mark.parametrize("again", range(3))
    async def test_with_the_fixture(workflow_env, again):
        assert await state(workflow_env) == SEEDED
        assert await change(workflow_env) == CHANGED

    async def test_with_workers_env_alone():
        assert await state(env) == SEEDED
        assert await change(env) == CHANGED
    """,
        scope=scope,
    )

    result.assert_outcomes(passed=4)
    assert runs(shop) == 1


def test_without_a_seed_every_test_starts_empty_with_migrations_applied(shop):
    result = shop.run(
        TEST
        + """
    @pytest.mark.parametrize("again", range(2))
    async def test_it(workflow_env, again):
        assert await state(workflow_env) == ([], [], [])
        await workflow_env.DB.prepare("INSERT INTO orders (name) VALUES ('apple')").run()
        await workflow_env.CACHE.put("a", "1")
        await workflow_env.FILES.put("one.txt", "text")
        assert await state(workflow_env) == (["apple"], ["a"], ["one.txt"])
    """
    )

    result.assert_outcomes(passed=2)


def test_a_test_that_uses_no_store_runs_no_seed_unless_it_asks_for_the_fixture(shop):
    result = seeded(shop, "\n    def test_it():\n        pass\n")

    result.assert_outcomes(passed=1)
    assert not (shop.path / "runs").exists()


def test_each_param_of_the_fixture_is_a_seed_of_its_own(shop):
    result = seeded(
        shop,
        """
    @pytest.mark.parametrize("again", range(2))
    async def test_it(workflow_env, workflow_seed, again, request):
        name = request.node.callspec.params["workflow_seed"]
        assert await state(workflow_env) == ([name], [], [])
    """,
        seed="""
    import pytest

    @pytest.fixture(params=["apple", "pear"])
    def workflow_seed(request):
        async def fill(env):
            with open("runs", "a") as file:
                print("run", file=file)
            await env.DB.prepare("INSERT INTO orders (name) VALUES (?)").bind(request.param).run()
        return fill
    """,
    )

    result.assert_outcomes(passed=4)
    assert runs(shop) == 2


def test_a_seed_sees_a_time_of_its_own_and_the_tests_clock_is_untouched(shop):
    shop.set(workflows_now="2026-05-01T00:00:00Z")
    result = seeded(
        shop,
        """
    import datetime

    @pytest.mark.workflow(now="2027-01-01T00:00:00Z")
    async def test_it(workflow_env, workflow_clock):
        assert workflow_clock.now.isoformat() == "2027-01-01T00:00:00+00:00"
        assert datetime.datetime.now().isoformat() == "2027-01-01T00:00:00"
        assert await workflow_env.CACHE.get("at") == "2026-05-01T00:00:00"
    """,
        seed="""
    import datetime, pytest

    async def fill(env):
        await env.CACHE.put("at", datetime.datetime.now().isoformat())

    @pytest.fixture
    def workflow_seed():
        return fill
    """,
    )

    result.assert_outcomes(passed=1)


def test_what_a_seed_draws_is_the_same_in_every_process(shop):
    seed = """
    import pytest, uuid

    async def fill(env):
        with open("runs", "a") as file:
            print(uuid.uuid4(), file=file)

    @pytest.fixture
    def workflow_seed():
        return fill
    """
    for _ in range(2):
        seeded(shop, "\n    async def test_it(workflow_env):\n        pass\n", seed=seed).assert_outcomes(passed=1)

    one, two = (shop.path / "runs").read_text().split()
    assert one == two


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("await env.ORDERS.create()", "The seed uses env.ORDERS.create, and a seed may not create workflow instances*"),
        ("await env.QUEUE.send({})", "The seed uses env.QUEUE.send, and a seed may not send messages*"),
        ("raise ValueError('no')", "no"),
        ("await env.DB.prepare('SELEKT').run()", "*syntax error*"),
    ],
)
def test_a_seed_that_fails_or_does_what_it_may_not_is_an_error_of_the_test(shop, line, message):
    result = seeded(
        shop,
        "\n    async def test_it(workflow_env):\n        pass\n",
        seed=f"""
    import pytest

    async def fill(env):
        {line}

    @pytest.fixture
    def workflow_seed():
        return fill
    """,
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(f"E *Error: {message}")


@pytest.mark.parametrize("value", ["1", "lambda env: None", "{'CACHE': {}}"])
def test_a_value_that_is_no_async_function_is_a_usage_error(shop, value):
    result = seeded(
        shop,
        "\n    async def test_it(workflow_env):\n        pass\n",
        seed=f"\n    import pytest\n\n    @pytest.fixture\n    def workflow_seed():\n        return {value}\n",
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*The fixture workflow_seed returns an async function that takes `env`, or None, not *")


def test_explored_runs_start_from_the_seed_as_well(shop):
    shop.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("save")
                async def save():
                    await self.env.DB.prepare("DELETE FROM orders WHERE name = 'apple'").run()
                await save()
        """,
    )
    result = seeded(
        shop,
        """
    from pytest_workflows import introspect_workflow_instance

    async def test_it(workflow_env):
        assert await state(workflow_env) == SEEDED
        async with introspect_workflow_instance(workflow_env.ORDERS, "one") as order:
            await workflow_env.ORDERS.create({"id": "one"})
            await order.wait_for_status("complete")
    """,
        "--workflows-crash",
    )

    result.assert_outcomes(passed=1)
    assert runs(shop) == 1


def test_a_seed_fills_durable_objects_too_and_their_alarms_go_off_in_the_test(shop):
    shop.write(
        "wrangler.jsonc",
        """
        {
          "name": "shop", "main": "src/entry.py", "compatibility_date": "2026-11-10",
          "durable_objects": {"bindings": [{"name": "COUNTER", "class_name": "Counter"}]},
          "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}]
        }
        """,
    )
    shop.write(
        "src/entry.py",
        """
        from workers import DurableObject

        class Counter(DurableObject):
            async def visit(self):
                sql = self.ctx.storage.sql
                sql.exec("CREATE TABLE IF NOT EXISTS visits (at TEXT DEFAULT CURRENT_TIMESTAMP, n INT)")
                sql.exec("INSERT INTO visits (n) VALUES (1)")
                await self.ctx.storage.put("n", (await self.ctx.storage.get("n") or 0) + 1)
                return [await self.ctx.storage.get("n"), [row.at for row in sql.exec("SELECT at FROM visits")]]

            async def remind(self, at):
                await self.ctx.storage.setAlarm(at)

            async def alarm(self):
                await self.ctx.storage.put("n", 100)
        """,
    )
    shop.set(workflows_now="2026-05-01T00:00:00Z")
    result = seeded(
        shop,
        """
    @pytest.mark.workflow(now="2026-06-01T00:00:00Z")
    @pytest.mark.parametrize("again", range(2))
    async def test_it(workflow_env, workflow_engine, again):
        counter = workflow_env.COUNTER.getByName("one")
        assert await counter.visit() == [2, ["2026-05-01 00:00:00", "2026-06-01 00:00:00"]]
        await workflow_engine.run_until_idle()
        assert (await counter.visit())[0] == 101
    """,
        seed="""
    import datetime, pytest

    async def fill(env):
        counter = env.COUNTER.getByName("one")
        await counter.visit()
        await counter.remind(datetime.datetime(2026, 6, 2, tzinfo=datetime.timezone.utc))

    @pytest.fixture
    def workflow_seed():
        return fill
    """,
    )

    result.assert_outcomes(passed=2)


def test_a_seed_fills_the_objects_of_the_classes_that_each_test_gives(shop):
    result = seeded(
        shop,
        """
    from workers import DurableObject

    class Plain(DurableObject):
        async def fill(self):
            await self.ctx.storage.put("by", type(self).__name__)

        async def filled_by(self):
            return await self.ctx.storage.get("by")

    class Other(Plain):
        pass

    @pytest.fixture
    def workflow_bindings(request):
        return {"COUNTER": request.param}

    @pytest.mark.parametrize("workflow_bindings", [Plain, Other, Plain], indirect=True, ids=["plain", "other", "again"])
    async def test_it(workflow_env, workflow_bindings):
        name = workflow_bindings["COUNTER"].__name__
        assert await workflow_env.COUNTER.getByName("one").filled_by() == name
    """,
        seed="""
    import pytest

    async def fill(env):
        with open("runs", "a") as file:
            print("run", file=file)
        await env.COUNTER.getByName("one").fill()

    @pytest.fixture
    def workflow_seed():
        return fill
    """,
    )

    result.assert_outcomes(passed=3)
    assert runs(shop) == 2
