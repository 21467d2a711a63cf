"""Several Workers in one test: each has its own modules, bindings and flags; time, stores and the engine are one."""

from __future__ import annotations

import fnmatch
import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

SHOP: dict[str, Any] = {
    "name": "shop",
    "main": "src/entry.py",
    "compatibility_date": "2026-11-10",
    "compatibility_flags": ["python_workers"],
    "vars": {"WHO": "shop"},
    "workflows": [
        {"name": "orders", "binding": "ORDERS", "class_name": "Orders"},
        {"name": "refunds", "binding": "REFUNDS", "class_name": "Refunds", "script_name": "billing"},
        {"name": "far", "binding": "FAR", "class_name": "Far", "script_name": "nobody"},
    ],
    "services": [
        {"binding": "BILLING", "service": "billing"},
        {"binding": "ADMIN", "service": "billing", "entrypoint": "Admin"},
        {"binding": "LOST", "service": "nobody"},
    ],
    "durable_objects": {
        "bindings": [
            {"name": "LEDGER", "class_name": "Ledger", "script_name": "billing"},
            {"name": "OWN_LEDGER", "class_name": "Ledger"},
        ]
    },
    "migrations": [{"tag": "v1", "new_sqlite_classes": ["Ledger"]}],
    "d1_databases": [{"binding": "DB", "database_id": "bills"}],
    "kv_namespaces": [{"binding": "KV", "id": "common"}, {"binding": "SCRATCH"}],
    "queues": {"producers": [{"binding": "EVENTS", "queue": "events"}]},
}
BILLING: dict[str, Any] = {
    "name": "billing",
    "main": "src/entry.py",
    "compatibility_date": "2025-11-10",
    "compatibility_flags": ["python_workers"],
    "vars": {"WHO": "billing"},
    "workflows": [
        {"name": "refunds", "binding": "MINE", "class_name": "Refunds", "limits": {"steps": 2}},
        {"name": "audit", "binding": "AUDIT", "class_name": "Audit"},
        {"name": "orders", "binding": "SHOPS_ORDERS", "class_name": "Orders", "script_name": "shop"},
    ],
    "services": [{"binding": "SHOP", "service": "shop"}],
    "durable_objects": {"bindings": [{"name": "LEDGER", "class_name": "Ledger"}]},
    "migrations": [{"tag": "v1", "new_sqlite_classes": ["Ledger"]}],
    "d1_databases": [{"binding": "BILLS", "database_id": "bills"}],
    "kv_namespaces": [{"binding": "CACHE", "id": "common"}, {"binding": "SCRATCH"}],
    "queues": {"consumers": [{"queue": "events"}]},
    "ai": {"binding": "AI"},
}
SHOP_ENTRY = """
import helper
from workers import DurableObject, WorkerEntrypoint, WorkflowEntrypoint, env


class Orders(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("bill")
        async def bill():
            return [await self.env.ADMIN.who(), env.WHO, helper.NAME]

        return await bill()


class Ledger(DurableObject):
    async def who(self):
        return [env.WHO, helper.NAME]


class Default(WorkerEntrypoint):
    async def back_and_forth(self, times):
        return [env.WHO, *(await self.env.BILLING.back_and_forth(times - 1) if times else [])]

    async def call_back(self):
        async def answer(who):
            return f"{who} called {env.WHO}"

        return await self.env.ADMIN.call(answer)
"""
BILLING_ENTRY = """
import helper
from workers import DurableObject, Response, WorkerEntrypoint, WorkflowEntrypoint, env

AT_IMPORT = env.WHO


class Refunds(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("refund", config={"retries": {"limit": 3, "delay": "1 minute"}, "timeout": "1 minute"})
        async def refund(ctx):
            if ctx.attempt < 3:
                raise RuntimeError("the bank is closed")
            return [env.WHO, self.env.WHO, helper.NAME]

        @step.do("note")
        async def note():
            rows = self.env.BILLS.prepare("INSERT OR REPLACE INTO bills VALUES (?, ?)")
            await rows.bind(event["payload"], env.WHO).run()

        refunded = await refund()
        await note()
        return refunded


class Audit(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.sleep("until tomorrow", "1 day")
        return env.WHO


class Ledger(DurableObject):
    async def who(self):
        import helper as imported_late

        return [env.WHO, imported_late.NAME]


class Admin(WorkerEntrypoint):
    async def who(self):
        return env.WHO

    async def call(self, function):
        return await function(env.WHO)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response.json([AT_IMPORT, env.WHO, self.env.WHO, helper.NAME])

    async def back_and_forth(self, times):
        return [env.WHO, *(await self.env.SHOP.back_and_forth(times - 1) if times else [])]

    async def audit(self):
        await self.env.AUDIT.create({"id": "a"})

    async def order(self):
        await self.env.SHOPS_ORDERS.create({"id": "from-billing"})

    async def ask(self):
        return await self.env.AI.run("model")

    async def secret(self):
        return self.env.TOKEN

    async def has_exports(self):
        return hasattr(self.ctx, "exports")

    async def queue(self, batch, env_, ctx):
        for message in batch.messages:
            await self.env.CACHE.put("event", f"{message.body} for {env.WHO}")
"""


@pytest.fixture
def apps(worker: Any) -> Any:
    """A repository of two Workers, `apps/shop` and `apps/billing`, that ini names."""
    (worker.path / "wrangler.jsonc").unlink()
    (worker.path / "src/entry.py").unlink()
    for name, config, entry in (("shop", SHOP, SHOP_ENTRY), ("billing", BILLING, BILLING_ENTRY)):
        worker.write(f"apps/{name}/wrangler.jsonc", json.dumps(config, indent=2))
        worker.write(f"apps/{name}/src/entry.py", entry)
        worker.write(f"apps/{name}/src/helper.py", f"NAME = 'the helper of {name}'\n")
    worker.write("apps/billing/migrations/0001_bills.sql", "CREATE TABLE bills (id TEXT PRIMARY KEY, who TEXT);\n")
    worker.set(workflows_workers="apps/*")
    return worker


@pytest.fixture
def run(apps: Any) -> Callable[..., pytest.RunResult]:
    """Runs tests of the shop."""

    def run(tests: str, *arguments: str) -> pytest.RunResult:
        apps.write("apps/shop/tests/test_it.py", tests)
        result: pytest.RunResult = apps.run(None, *arguments)
        return result

    return run


def change(apps: Any, name: str, config: dict[str, Any], **settings: Any) -> None:
    """Write a Worker's configuration anew, some of its settings changed."""
    apps.write(f"apps/{name}/wrangler.jsonc", json.dumps({**config, **settings}, indent=2))


def test_each_worker_has_its_own_bindings_modules_and_flags_wherever_its_code_is_called_from(run: Any) -> None:
    run("""
        import pytest
        from pytest_workflows import run_in_durable_object
        from workers import env

        async def test_a_service_binding(workflow_env):
            response = await workflow_env.BILLING.fetch("https://billing/")
            assert await response.json() == ["billing", "billing", "billing", "the helper of billing"]
            assert await workflow_env.ADMIN.who() == "billing"
            assert env.WHO == "shop"

        async def test_workers_that_call_one_another_in_a_circle(workflow_env, workflow_worker):
            assert await workflow_worker.rpc.back_and_forth(3) == ["shop", "billing", "shop", "billing"]
            assert await workflow_env.BILLING.back_and_forth(2) == ["billing", "shop", "billing"]

        async def test_a_function_that_was_sent_runs_where_it_came_from(workflow_env, workflow_worker):
            assert await workflow_worker.rpc.call_back() == "billing called shop"

            async def answer(who):
                return f"{who} called the test of {env.WHO}"

            assert await workflow_env.ADMIN.call(answer) == "billing called the test of shop"

        async def test_durable_objects_of_one_class_name(workflow_env):
            assert await workflow_env.LEDGER.getByName("a").who() == ["billing", "the helper of billing"]
            assert await workflow_env.OWN_LEDGER.getByName("a").who() == ["shop", "the helper of shop"]
            found = await run_in_durable_object(workflow_env.LEDGER.getByName("a"), lambda ledger, ctx: ledger.who())
            assert found == ["billing", "the helper of billing"]

        async def test_their_objects_are_not_the_same(workflow_env):
            async def put(ledger, ctx):
                await ctx.storage.put("key", "of billing")

            async def get(ledger, ctx):
                return await ctx.storage.get("key")

            await run_in_durable_object(workflow_env.LEDGER.getByName("a"), put)
            assert await run_in_durable_object(workflow_env.LEDGER.getByName("a"), get) == "of billing"
            assert await run_in_durable_object(workflow_env.OWN_LEDGER.getByName("a"), get) is None

        async def test_the_compatibility_date(workflow_env, workflow_workers):
            assert await workflow_env.BILLING.has_exports() is False  # it is from before ctx.exports
    """).assert_outcomes(passed=6)


def test_what_another_worker_does_later_is_done_in_its_own_name(run: Any, apps: Any) -> None:
    apps.write(
        "apps/billing/src/entry.py",
        """
        import asyncio
        from js import Object, ReadableStream
        from pyodide.ffi import create_proxy, to_js as convert
        from workers import DurableObject, Response, WorkerEntrypoint, WorkflowEntrypoint, env, wait_until

        def to_js(value):
            return convert(value, dict_converter=Object.fromEntries)

        class Refunds(WorkflowEntrypoint):
            async def run(self, event, step):
                return env.WHO

        class Audit(Refunds):
            pass

        class Ledger(DurableObject):
            async def remind(self):
                await self.ctx.storage.setAlarm(1)

            async def alarm(self, info):
                await self.env.CACHE.put("alarm", env.WHO)

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                async def later():
                    await asyncio.sleep(30)
                    await env.CACHE.put("later", env.WHO)

                wait_until(later())
                return Response(await asyncio.to_thread(lambda: env.WHO))

            async def give(self):
                return lambda text: f"{text} {env.WHO}"

            async def stream(self):
                pulls = []

                async def pull(controller):
                    pulls.append(env.WHO)
                    await asyncio.sleep(0)
                    controller.enqueue(convert(f"{len(pulls)} {env.WHO} ".encode()))
                    if len(pulls) == 3:
                        controller.close()

                return ReadableStream.new(to_js({"pull": create_proxy(pull)}))

            async def scheduled(self, controller, env_, ctx):
                await env.CACHE.put("cron", env.WHO)

            async def queue(self, batch, env_, ctx):
                for message in batch.messages:
                    if message.attempts == 1:
                        message.retry(delaySeconds=10)
                    else:
                        await env.CACHE.put("again", env.WHO)
        """,
    )
    run("""
        from workers import Response

        async def test_it(workflow_env, workflow_engine, workflow_workers):
            await workflow_env.LEDGER.getByName("x").remind()
            assert await (await workflow_env.BILLING.fetch("https://billing/")).text() == "billing"
            given = await workflow_env.BILLING.give()
            assert await given("a function of") == "a function of billing"
            stream = await workflow_env.BILLING.stream()
            assert await Response(stream).text() == "1 billing 2 billing 3 billing "
            await workflow_env.EVENTS.send("a sale")
            await workflow_workers["billing"].scheduled(cron="0 0 * * *")
            await workflow_engine.run_until_idle()
            for key in ("alarm", "later", "again", "cron"):
                assert await workflow_env.KV.get(key) == "billing"
            assert workflow_env.WHO == "shop"
    """).assert_outcomes(passed=1)


def test_a_workflow_of_another_worker_is_one_for_both_of_them(run: Any) -> None:
    run("""
        import pytest
        from pytest_workflows import introspect_workflow, introspect_workflow_instance

        async def test_introspected_through_the_binding_of_the_caller(workflow_env, workflow_engine):
            assert sorted(workflow_engine.bindings) == ["ORDERS", "REFUNDS"]
            async with introspect_workflow(workflow_env.REFUNDS) as introspector:
                await workflow_env.REFUNDS.create({"id": "r", "params": "1"})
                [instance] = introspector.get()
                await instance.wait_for_status("complete")
                # the attempts after the first one are set off by timers
                assert await instance.get_output() == ["billing", "billing", "the helper of billing"]
                assert [step.attempts for step in instance.steps if step.name == "refund"][0][2].number == 3
            rows = await workflow_env.DB.prepare("SELECT * FROM bills").all()
            assert [dict(row) for row in rows.results] == [{"id": "1", "who": "billing"}]

        async def test_mocked(workflow_env):
            async with introspect_workflow_instance(workflow_env.REFUNDS, "r") as instance:
                async with instance.modify() as m:
                    m.mock_step_result("refund", "mocked")
                await workflow_env.REFUNDS.create({"id": "r", "params": "1"})
                await instance.wait_for_status("complete")
                assert await instance.get_output() == "mocked"

        async def test_its_settings_are_those_of_its_own_worker(workflow_env, workflow_workers, workflow_engine):
            assert workflow_engine.bindings["REFUNDS"].workflow.step_limit == 2
            assert workflow_workers["billing"].env.MINE is workflow_env.REFUNDS

        async def test_one_that_the_shop_has_no_binding_to(workflow_env, workflow_engine, workflow_clock):
            await workflow_env.BILLING.audit()
            [instance] = workflow_engine.instances
            assert instance.workflow.name == "billing/AUDIT"
            start = workflow_clock.now
            await workflow_engine.run_until_idle()
            assert (workflow_clock.now - start).days == 1  # one clock
            assert instance.row.status == "complete"

        async def test_one_of_the_shop_that_billing_starts(workflow_env):
            async with introspect_workflow(workflow_env.ORDERS) as introspector:
                await workflow_env.BILLING.order()
                [instance] = introspector.get()
                await instance.wait_for_status("complete")
                assert await instance.get_output() == ["billing", "shop", "the helper of shop"]
    """).assert_outcomes(passed=5)


def test_what_the_account_names_is_shared_and_nothing_else_is(run: Any) -> None:
    run("""
        from pytest_workflows import calls_of

        async def test_a_queue_is_consumed_by_the_worker_that_has_the_consumer(workflow_env, workflow_engine):
            await workflow_env.EVENTS.send("a sale")
            await workflow_engine.run_until_idle()
            assert await workflow_env.KV.get("event") == "a sale for billing"

        async def test_a_namespace_with_an_id_and_one_without(workflow_env, workflow_workers):
            billing = workflow_workers["billing"].env
            await workflow_env.KV.put("key", "common")
            await workflow_env.SCRATCH.put("key", "of the shop")
            assert await billing.CACHE.get("key") == "common"
            assert await billing.SCRATCH.get("key") is None
            assert [call.method for call in calls_of(billing.CACHE)] == ["get"]
            assert [call.method for call in calls_of(workflow_env.KV)] == ["put"]

        async def test_the_migrations_of_the_other_worker_are_applied(workflow_env):
            assert (await workflow_env.DB.prepare("SELECT count(*) AS n FROM bills").first())["n"] == 0
    """).assert_outcomes(passed=3)


def test_a_test_calls_each_worker_by_its_name(run: Any, apps: Any) -> None:
    apps.write("apps/billing/.dev.vars", "TOKEN=token-of-billing\n")
    result = run("""
        import pytest
        from pytest_workflows import WorkflowConfigError

        class FakeAI:
            async def run(self, model):
                return "forty-two"

        @pytest.fixture
        def workflow_bindings():
            return {"billing/AI": FakeAI(), "EXTRA": 1}

        async def test_its_handlers_and_bindings(workflow_workers, workflow_env):
            assert list(workflow_workers) == ["billing", "shop"]
            billing = workflow_workers["billing"]
            assert await (await billing.fetch("/")).json() == ["billing"] * 3 + ["the helper of billing"]
            assert await billing.entrypoint("Admin").rpc.who() == "billing"
            assert (await billing.queue("events", ["a sale"])).outcome == "ok"
            assert await billing.env.CACHE.get("event") == "a sale for billing"
            assert workflow_workers["shop"].env is workflow_env

        async def test_a_fake_for_one_of_its_bindings(workflow_env, workflow_workers):
            assert await workflow_env.BILLING.ask() == "forty-two"
            assert workflow_env.EXTRA == 1
            assert "EXTRA" not in dir(workflow_workers["billing"].env)
            assert not [name for name in dir(workflow_env) if "/" in name]

        async def test_one_that_is_not_there(workflow_workers):
            assert ("billing" in workflow_workers, "biling" in workflow_workers) == (True, False)
            with pytest.raises(WorkflowConfigError, match="no Worker 'biling': .* .they are: billing, shop"):
                workflow_workers["biling"]

        async def test_its_secrets_are_in_no_report(workflow_env):
            assert await workflow_env.BILLING.secret() == "something else"
    """)

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.no_fnmatch_line("*token-of-billing*")
    result.stdout.fnmatch_lines(["*AssertionError: assert '?REDACTED?' == 'something else'"])


def test_a_worker_that_is_not_there_hurts_only_who_uses_it(run: Any) -> None:
    run("""
        import pytest
        from pytest_workflows import MissingBindingError, introspect_workflow, reproduce

        async def test_that_never_uses_it(workflow_env, workflow_engine):
            held = [workflow_env.FAR, workflow_env.LOST]
            await workflow_env.ORDERS.create({"id": "o"})
            await workflow_engine.run_until_idle()

        async def test_that_uses_it(workflow_env):
            known = r"no Worker of ini workflows_workers has that name \\(they are: billing, shop\\)"
            with pytest.raises(MissingBindingError, match=f"in another Worker, 'nobody' .*{known}"):
                await workflow_env.FAR.create()
            with pytest.raises(MissingBindingError, match=f"It leads to the Worker 'nobody': {known}"):
                await workflow_env.LOST.fetch("https://nobody/")
            with pytest.raises(MissingBindingError, match=rf"^introspect_workflow\\(env.FAR\\) was called: .*{known}"):
                introspect_workflow(workflow_env.FAR)
            with pytest.raises(MissingBindingError, match=rf"^reproduce\\(env.FAR\\) was called: .*{known}"):
                reproduce(workflow_env.FAR, {})
    """).assert_outcomes(passed=2)


def test_a_configuration_without_a_name_is_said_to_have_none(run: Any, apps: Any) -> None:
    change(apps, "billing", {key: value for key, value in BILLING.items() if key != "name"}, workflows=[])

    run(r"""
        import pytest
        from pytest_workflows import MissingBindingError

        async def test_it(workflow_env):
            known = r"\(they are: shop; without a name: apps/billing/wrangler.jsonc\)"
            with pytest.raises(MissingBindingError, match=f"Worker 'billing': no Worker .* has that name {known}"):
                await workflow_env.BILLING.fetch("https://billing/")
    """).assert_outcomes(passed=1)


def test_a_worker_that_cannot_be_imported_hurts_only_who_uses_it(run: Any, apps: Any) -> None:
    apps.write("apps/billing/src/entry.py", "import no_such_module\n")

    run("""
        import pytest

        async def test_that_never_uses_it(workflow_env, workflow_engine):
            assert sorted(workflow_engine.bindings) == ["ORDERS"]

        async def test_that_uses_it(workflow_env):
            with pytest.raises(ModuleNotFoundError, match="no_such_module"):
                await workflow_env.BILLING.fetch("https://billing/")
    """).assert_outcomes(passed=2)


def test_a_workflow_that_neither_the_configuration_nor_the_module_of_its_worker_has(run: Any, apps: Any) -> None:
    workflows = [{"name": "x", "binding": "X", "class_name": "Nothing", "script_name": "billing"}]
    undeclared = {"name": "y", "binding": "Y", "class_name": "Audit", "script_name": "billing"}
    change(apps, "shop", SHOP, workflows=[*workflows, undeclared])

    run("""
        import pytest
        from pytest_workflows import WorkflowConfigError

        async def test_it(workflow_env, workflow_engine):
            with pytest.raises(WorkflowConfigError, match="'x' is said to be of the Worker 'billing', and .* 'Nothing'"):
                workflow_env.X
            await workflow_env.Y.create({"id": "y"})
            assert list(workflow_engine.bindings) == ["Y"]
    """).assert_outcomes(passed=1)


def test_a_worker_of_javascript_is_told_from_one_that_is_not_there(run: Any, apps: Any) -> None:
    change(apps, "billing", BILLING, main="src/index.ts", workflows=[], durable_objects={})

    run("""
        import pytest
        from pytest_workflows import MissingBindingError

        async def test_it(workflow_env):
            with pytest.raises(MissingBindingError, match=r"Worker 'billing': its main module \\(.*\\) is no Python"):
                await workflow_env.BILLING.fetch("https://billing/")
    """).assert_outcomes(passed=1)


def test_a_crash_in_another_worker_is_explored_and_its_rules_are_checked(run: Any, apps: Any) -> None:
    entry = BILLING_ENTRY.replace("INSERT OR REPLACE", "INSERT")
    apps.write("apps/billing/src/entry.py", entry)
    result = run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.REFUNDS, "r") as instance:
                await workflow_env.REFUNDS.create({"id": "r", "params": "1"})
                await instance.wait_for_status("complete")
        """,
        "--workflows-crash",
    )

    result.stdout.fnmatch_lines(
        [
            "*[[]not-idempotent[]] *apps/billing/src/entry.py:*billing/BILLS.prepare(...).bind(...).run()*",
            'FAILED apps/shop/tests/test_it.py::test_it[[]crash: after billing/BILLS.run in "note"[]]*',
        ]
    )


def test_a_difference_in_what_another_worker_left_is_found(run: Any, apps: Any) -> None:
    change(apps, "billing", BILLING, d1_databases=[{"binding": "BILLS", "database_id": "of billing alone"}])
    entry = BILLING_ENTRY.replace('bind(event["payload"], env.WHO)', "bind(str(id(object())), env.WHO)")
    apps.write("apps/billing/src/entry.py", entry)
    tests = """
        import pytest
        from pytest_workflows import introspect_workflow_instance

        @pytest.mark.workflow(ignore_state=[{ignored}])
        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.REFUNDS, "r") as instance:
                await workflow_env.REFUNDS.create({{"id": "r", "params": "1"}})
                await instance.wait_for_status("complete")
        """

    found = run(tests.format(ignored=""), "--workflows-crash")
    ignored = run(tests.format(ignored='"billing/BILLS.bills"'), "--workflows-crash")

    found.stdout.fnmatch_lines(["*[[]different-state[]]*billing/BILLS*"])
    ignored.stdout.no_fnmatch_line("*different-state*")


def test_recordings_of_its_workflows_are_replayed(run: Any, apps: Any) -> None:
    run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env, workflow_engine):
            await workflow_env.REFUNDS.create({"id": "r", "params": "1"})
            await workflow_env.BILLING.audit()
            await workflow_engine.run_until_idle()
        """,
        "--workflows-record=all",
    ).assert_outcomes(passed=1)
    recordings = [json.loads(path.read_text()) for path in (apps.path / ".workflows").rglob("*.json")]

    assert {(one["binding"], one["file"]) for one in recordings} == {
        ("REFUNDS", "apps/billing/src/entry.py"),
        ("billing/AUDIT", "apps/billing/src/entry.py"),
    }
    apps.run(None, "--workflows-replay=.workflows").assert_outcomes(passed=2)
    apps.write("apps/billing/src/entry.py", BILLING_ENTRY.replace('"1 day"', '"2 days"'))
    apps.run(None, "--workflows-replay=.workflows", "--workflows-strict").assert_outcomes(passed=1, failed=1)


def test_what_another_worker_does_not_deploy_is_found_in_each_test_that_reaches_it(run: Any, apps: Any) -> None:
    apps.write("apps/billing/pyproject.toml", '[project]\nname = "billing"\nversion = "1"\ndependencies = []\n')
    apps.write("apps/billing/src/entry.py", f"import pluggy\n{BILLING_ENTRY}")

    result = run(
        """
        async def test_one(workflow_env):
            assert await workflow_env.ADMIN.who() == "billing"

        async def test_another(workflow_env):
            assert await workflow_env.ADMIN.who() == "billing"

        async def test_that_does_not_reach_it(workflow_env):
            assert workflow_env.WHO == "shop"
        """,
        "--workflows-strict",
    )

    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*[[]not-deployed[]] */apps/billing/src/entry.py:1: `import pluggy`*"] * 2)


def test_an_upgrade_begins_in_the_older_source_of_all_workers(
    run: Any, apps: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    old = tmp_path_factory.mktemp("old") / "source"
    shutil.copytree(apps.path, old)
    (old / "apps/shop/src/helper.py").write_text("NAME = 'the older helper of shop'\n")
    (old / "apps/billing/wrangler.jsonc").write_text(json.dumps({**BILLING, "vars": {"WHO": "the older billing"}}))
    tests = """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "o") as instance:
                await workflow_env.ORDERS.create({"id": "o"})
                await instance.wait_for_status("complete")
                print(await instance.get_output())
        """

    result = run(tests, f"--workflows-upgrade-from={old}", "-s")

    result.stdout.fnmatch_lines(
        [
            "*'billing', 'shop', 'the helper of shop'*",
            "*'the older billing', 'shop', 'the older helper of shop'*",  # of a step that the older source did
            "*1 test, * upgrades in *: none failed*",
        ]
    )


# -- which Workers there are -------------------------------------------------------------------------------------------

_ONE_TEST = """
    async def test_it(workflow_env):
        assert await workflow_env.ADMIN.who() == "billing"
    """


def test_without_the_option_workers_are_found_in_the_repository(run: Any, apps: Any) -> None:
    apps.set()

    run("""
        async def test_by_name(workflow_env):
            assert await workflow_env.ADMIN.who() == "billing"

        async def test_by_the_queue(workflow_env, workflow_engine):
            await workflow_env.EVENTS.send("a sale")
            await workflow_engine.run_until_idle()
            assert await workflow_env.KV.get("event") == "a sale for billing"

        async def test_a_database_is_another_one_until_the_worker_is_reached(workflow_env):
            tables = await workflow_env.DB.prepare("SELECT name FROM sqlite_master WHERE name = 'bills'").all()
            assert not tables.results  # ids of templates are the same in many a repository
    """).assert_outcomes(passed=3)


def test_the_repository_is_searched_from_its_top_and_not_in_what_is_installed(
    apps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(apps.path / "home"))  # a home folder is no repository, whatever is in it
    apps.set()
    (apps.path / ".git").mkdir()
    for folder in ("node_modules/other", "apps/shop/python_modules/other", ".hidden/other"):
        change_in = json.dumps({"name": "billing", "main": "src/entry.py"})
        apps.write(f"{folder}/wrangler.jsonc", change_in)
    apps.write("apps/shop/pytest.ini", (apps.path / "pytest.ini").read_text())
    apps.write("apps/shop/tests/test_it.py", _ONE_TEST)

    apps.run(None, "--rootdir", "apps/shop", "-c", "apps/shop/pytest.ini", "apps/shop/tests").assert_outcomes(passed=1)


def test_two_workers_of_one_name_that_are_found_hurt_only_who_uses_one(run: Any, apps: Any) -> None:
    apps.set()
    apps.write("copies/billing/wrangler.jsonc", json.dumps(BILLING))

    run("""
        import pytest
        from pytest_workflows import WorkflowConfigError

        async def test_that_uses_none(workflow_env, workflow_engine):
            assert list(workflow_engine.bindings) == ["ORDERS"]
            await workflow_env.EVENTS.send("nobody knows for which of them")
            await workflow_engine.run_until_idle()

        async def test_that_uses_one(workflow_env):
            known = "Several Workers have the name 'billing': .*apps/billing.*, .*copies/billing.*ini workflows_workers"
            with pytest.raises(WorkflowConfigError, match=known):
                workflow_env.ADMIN
    """).assert_outcomes(passed=2)


def test_a_configuration_that_cannot_be_read_is_named_where_its_worker_is_missed(run: Any, apps: Any) -> None:
    apps.set()
    apps.write("apps/billing/wrangler.jsonc", '{"name": "billing", oops')

    run("""
        import pytest
        from pytest_workflows import MissingBindingError

        async def test_it(workflow_env):
            known = r"\\(found: shop; cannot be read: apps/billing/wrangler.jsonc\\)"
            with pytest.raises(MissingBindingError, match=f"the Worker 'billing': no wrangler configuration .*{known}"):
                await workflow_env.ADMIN.who()
    """).assert_outcomes(passed=1)


def test_tests_beside_the_workers_call_them_by_their_names(apps: Any) -> None:
    apps.run("""
        async def test_it(workflow_workers):
            assert list(workflow_workers) == ["billing", "shop"]
            assert await workflow_workers["shop"].rpc.back_and_forth(1) == ["shop", "billing"]
    """).assert_outcomes(passed=1)


def test_an_environment_that_another_worker_does_not_have_is_its_top_level(run: Any, apps: Any) -> None:
    change(apps, "shop", SHOP, env={"staging": {**SHOP, "vars": {"WHO": "the shop's staging"}}})
    apps.set(workflows_workers="apps/*", workflows_wrangler_env="staging")

    run("""
        async def test_it(workflow_env):
            assert workflow_env.WHO == "the shop's staging"
            assert await workflow_env.ADMIN.who() == "billing"
    """).assert_outcomes(passed=1)
    apps.write("apps/billing/tests/test_billing.py", "def test_it(workflow_env):\n    pass\n")

    result = apps.run()  # and billing's own tests are told as ever

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*there is no environment 'staging'*"])


@pytest.mark.parametrize(
    ("option", "files", "text"),
    [
        pytest.param("parts/*", {}, "'parts/[*]' means no folder in *", id="no folder"),
        pytest.param(
            "apps/*",
            {"apps/lib/code.py": ""},
            "'apps/[*]' means */apps/lib, a folder without a wrangler configuration*",
            id="a folder without a configuration",
        ),
        pytest.param("../**", {}, "*workflows_workers*", id="a pattern that leads out of the project"),
        pytest.param(
            "apps/*",
            {"apps/third/wrangler.jsonc": '{"name": "shop"}'},
            "*apps/third/wrangler.jsonc:1: two Workers of ini workflows_workers have the name 'shop', this one and "
            "*apps/shop/wrangler.jsonc*",
            id="two of one name",
        ),
        pytest.param(
            "apps/*",
            {"apps/third/wrangler.jsonc": '{"name": '},
            "*apps/third/wrangler.jsonc:1: this is no valid JSON with comments*",
            id="a configuration that cannot be read",
        ),
    ],
)
def test_workers_that_cannot_be_right_are_told_before_the_first_test(
    run: Any, apps: Any, option: str, files: dict[str, str], text: str
) -> None:
    for name, content in files.items():
        apps.write(name, content)
    apps.set(workflows_workers=option)

    result = run(_ONE_TEST)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert fnmatch.filter([*result.errlines, *result.outlines], f"*{text}")


def test_a_binding_for_a_worker_that_is_not_there_is_told(run: Any) -> None:
    result = run("""
        import pytest

        @pytest.fixture
        def workflow_bindings():
            return {"biling/AI": 1}

        async def test_it(workflow_env):
            pass
    """)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*gives 'biling/AI', a binding of the Worker 'biling': *they are: billing, shop*"])


def test_a_worker_without_a_name_is_called_by_its_folder(run: Any, apps: Any) -> None:
    change(apps, "billing", {key: value for key, value in BILLING.items() if key != "name"})

    run("""
        from pytest_workflows.bindings.call_log import logs_of

        async def test_it(workflow_env, workflow_engine):
            await workflow_env.EVENTS.send("a sale")
            await workflow_engine.run_until_idle()
            assert "billing/CACHE" in logs_of(workflow_engine)
    """).assert_outcomes(passed=1)
