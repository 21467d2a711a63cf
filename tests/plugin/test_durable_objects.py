"""Durable Objects and services of a project: virtual time, what a test does inside of objects, classes of the test."""

import json

import pytest

CONFIG = {
    "name": "shop",
    "main": "src/entry.py",
    "compatibility_date": "2026-11-10",
    "durable_objects": {"bindings": [{"name": "COUNTERS", "class_name": "Counter"}]},
    "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
    "services": [{"binding": "SELF", "service": "shop"}, {"binding": "PRICES", "service": "prices"}],
}
ENTRY = """
    import asyncio

    from js import Date
    from workers import DurableObject, Response, WorkerEntrypoint


    class Counter(DurableObject):
        async def add(self):
            value = (await self.ctx.storage.get("value") or 0) + 1
            await self.ctx.storage.put("value", value)
            return value

        async def add_in_an_hour(self):
            await self.ctx.storage.setAlarm(Date.now() + 3_600_000)

        async def alarm(self):
            await self.add()

        async def sleep(self, seconds):
            await asyncio.sleep(seconds)
            return seconds

        async def never(self):
            await asyncio.Event().wait()


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return Response(f"{request.method} {request.url}")

        async def price(self, sku):
            return await self.env.PRICES.of(sku)

        async def later(self):
            async def work():
                await asyncio.sleep(3600)
                await self.env.COUNTERS.getByName("later").add()

            self.ctx.waitUntil(work())
            return "soon"
"""


@pytest.fixture
def shop(worker):
    worker.write("wrangler.jsonc", json.dumps(CONFIG))
    worker.write("src/entry.py", ENTRY)
    return worker


def test_time_moves_while_a_test_waits_for_a_call(shop):
    shop.run(
        """
        async def test_it(workflow_env, workflow_clock):
            before = workflow_clock.now
            assert await workflow_env.COUNTERS.getByName("a").sleep(86400) == 86400
            assert (workflow_clock.now - before).days == 1
        """
    ).assert_outcomes(passed=1)


def test_an_alarm_goes_off_in_virtual_time(shop):
    shop.run(
        """
        async def test_it(workflow_env, workflow_clock):
            counter = workflow_env.COUNTERS.getByName("a")
            await counter.add_in_an_hour()
            await workflow_clock.advance("59 minutes")
            assert await counter.add() == 1
            await workflow_clock.advance("1 minute")
            assert await counter.add() == 3


        async def test_it_runs_until_idle(workflow_env, workflow_engine):
            counter = workflow_env.COUNTERS.getByName("a")
            await counter.add_in_an_hour()
            await workflow_engine.run_until_idle()
            assert await counter.add() == 2
        """
    ).assert_outcomes(passed=2)


def test_code_inside_of_an_object_gets_what_the_class_gets_and_makes_it_first(shop):
    shop.run(
        """
        from entry import Counter
        from pytest_workflows import evict_durable_object, list_durable_object_ids, run_in_durable_object


        async def test_the_object_is_made(workflow_env):
            counter = workflow_env.COUNTERS.getByName("new")
            assert isinstance(await run_in_durable_object(counter, lambda instance, ctx: instance), Counter)


        async def test_storage_converts(workflow_env):
            async def work(instance, ctx):
                assert type(ctx) is type(instance.ctx)
                await ctx.storage.put("cart", {"tea": [1, 2]})
                return await ctx.storage.get("cart"), await ctx.storage.list()

            counter = workflow_env.COUNTERS.getByName("a")
            assert await run_in_durable_object(counter, work) == ({"tea": [1, 2]}, {"cart": {"tea": [1, 2]}})


        async def test_ids(workflow_env):
            stored, in_memory = map(workflow_env.COUNTERS.getByName, ("stored", "in memory"))
            await stored.add()
            await evict_durable_object(stored)
            await in_memory.sleep(0)
            assert {id.name for id in await list_durable_object_ids(workflow_env.COUNTERS)} == {"stored", "in memory"}
            await evict_durable_object(in_memory)
            assert {id.name for id in await list_durable_object_ids(workflow_env.COUNTERS)} == {"stored"}


        async def test_it_waits_for_a_section(workflow_env):
            import asyncio

            async def hold(instance, ctx):
                async def section():
                    await asyncio.sleep(5)
                    await ctx.storage.put("value", 1)

                await ctx.blockConcurrencyWhile(section)

            counter = workflow_env.COUNTERS.getByName("a")
            holding = asyncio.ensure_future(run_in_durable_object(counter, hold))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert await run_in_durable_object(counter, lambda _, ctx: ctx.storage.get("value")) == 1
            await holding
        """
    ).assert_outcomes(passed=4)


def test_each_call_of_a_service_binding_makes_an_entrypoint_with_the_props_of_the_configuration(worker):
    services = [
        {"binding": "GIVEN", "service": "shop", "entrypoint": "Named", "props": {"who": "config", "tags": ["a"]}},
        {"binding": "PLAIN", "service": "shop", "entrypoint": "Named"},
    ]
    worker.write("wrangler.jsonc", json.dumps({**CONFIG, "durable_objects": {}, "services": services}))
    worker.write(
        "src/entry.py",
        """
        from workers import WorkerEntrypoint

        class Named(WorkerEntrypoint):
            calls = 0

            async def whoami(self):
                self.calls += 1
                props = self.ctx.props
                return [getattr(props, "who", "nobody"), [*getattr(props, "tags", [])], self.calls]
        """,
    )

    worker.run(
        """
        async def test_it(workflow_env):
            for _ in range(2):
                assert await workflow_env.GIVEN.whoami() == ["config", ["a"], 1]
                assert await workflow_env.PLAIN.whoami() == ["nobody", [], 1]
        """
    ).assert_outcomes(passed=1)


def test_an_object_of_which_a_call_is_under_way_is_not_dropped_from_memory(shop):
    shop.run(
        """
        import asyncio

        import pytest
        from durable_engine import InvalidArgumentError
        from pytest_workflows import evict_durable_object


        async def test_it(workflow_env):
            counter = workflow_env.COUNTERS.getByName("a")
            sleeping = asyncio.ensure_future(counter.sleep(60))
            await asyncio.sleep(0)
            with pytest.raises(InvalidArgumentError, match="cannot be dropped from memory while a call of it is under"):
                await evict_durable_object(counter)
            assert await sleeping == 60
            assert await evict_durable_object(counter) is True
        """
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize(("date", "is_left"), [("2026-02-23", True), ("2026-02-24", False)])
def test_to_delete_everything_deletes_the_alarm_from_the_24th_of_february_2026_on(shop, date, is_left):
    shop.write("wrangler.jsonc", json.dumps({**CONFIG, "compatibility_date": date}))

    shop.run(
        f"""
        from pytest_workflows import run_in_durable_object


        async def test_it(workflow_env):
            async def work(instance, ctx):
                await ctx.storage.setAlarm(4e12)
                await ctx.storage.deleteAll()
                return await ctx.storage.getAlarm()

            alarm = await run_in_durable_object(workflow_env.COUNTERS.getByName("a"), work)
            assert (alarm is not None) is {is_left}
        """
    ).assert_outcomes(passed=1)


def test_what_was_written_before_time_moved_is_kept_by_an_abort(shop):
    shop.write(
        "src/entry.py",
        """
        import asyncio
        from workers import DurableObject

        class Counter(DurableObject):
            async def write(self, seconds):
                await self.ctx.storage.put("early", 1)
                await asyncio.sleep(seconds)
                self.ctx.abort("enough")

            async def read(self):
                return await self.ctx.storage.get("early")
        """,
    )

    shop.run(
        """
        import pytest
        from pyodide.ffi import JsException


        async def test_it(workflow_env):
            counter = workflow_env.COUNTERS.getByName("a")
            with pytest.raises(JsException, match="enough"):
                await counter.write(1)
            assert await counter.read() == 1


        @pytest.mark.workflow(ignore_rules=["lost-write"])
        async def test_at_once(workflow_env):
            counter = workflow_env.COUNTERS.getByName("a")
            with pytest.raises(JsException, match="enough"):
                await counter.write(0)
            assert await counter.read() is None
        """,
        "--workflows-strict",
    ).assert_outcomes(passed=2)


def test_what_an_object_does_for_a_step_is_no_act_of_the_step(worker):
    config = {
        **CONFIG,
        "services": [],
        "kv_namespaces": [{"binding": "CACHE", "id": "1"}],
        "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}],
    }
    worker.write("wrangler.jsonc", json.dumps(config))
    worker.write(
        "src/entry.py",
        """
        from workers import DurableObject, WorkflowEntrypoint

        class Counter(DurableObject):
            async def add(self):
                await self.env.CACHE.put("seen", "1")

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("add")
                async def add():
                    await self.env.COUNTERS.getByName("a").add()
                    await self.env.CACHE.put("mine", "1")

                await add()
        """,
    )

    worker.run(
        """
        from pytest_workflows import calls_of


        async def test_it(workflow_env, workflow_engine):
            await workflow_env.ORDERS.create({"id": "one"})
            await workflow_engine.run_until_idle()
            calls = [(call.args[0], call.instance, call.step) for call in calls_of(workflow_env.CACHE)]
            assert calls == [("seen", None, None), ("mine", "one", "add")]
        """
    ).assert_outcomes(passed=1)


def test_a_call_that_never_ends_is_named(shop):
    result = shop.run(
        """
        import pytest


        @pytest.mark.workflow(timeout=1)
        async def test_it(workflow_env):
            await workflow_env.COUNTERS.getByName("a").never()
        """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E *Method never of Durable Object a of Counter has not returned within 1 real seconds.*"]
    )


def test_a_test_reaches_inside_of_an_object(shop):
    shop.run(
        """
        from pytest_workflows import (
            evict_durable_object, list_durable_object_ids, run_durable_object_alarm, run_in_durable_object
        )


        async def test_it(workflow_env):
            counter = workflow_env.COUNTERS.getByName("a")
            assert await list_durable_object_ids(workflow_env.COUNTERS) == []
            assert await run_durable_object_alarm(counter) is False
            await counter.add_in_an_hour()
            assert await run_durable_object_alarm(counter) is True
            assert await run_in_durable_object(counter, lambda _, ctx: ctx.storage.get("value")) == 1
            before = await run_in_durable_object(counter, lambda instance, _: instance)
            assert await evict_durable_object(counter) is True
            assert await run_in_durable_object(counter, lambda instance, _: instance) is not before
            assert [id.name for id in await list_durable_object_ids(workflow_env.COUNTERS)] == ["a"]
        """
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("run_in_durable_object(workflow_env.SELF, print)", "run_in_durable_object takes the stub of a Durable Object"),
        (
            "run_in_durable_object(workflow_env.COUNTERS.getByName('a'), 5)",
            "takes a function of the object and its ctx, not 5",
        ),
        ("list_durable_object_ids('COUNTERS')", "list_durable_object_ids takes a binding of Durable Objects"),
    ],
)
def test_what_is_no_object_is_refused(shop, call, message):
    result = shop.run(
        f"""
        from pytest_workflows import list_durable_object_ids, run_in_durable_object


        async def test_it(workflow_env):
            await {call}
        """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E *InvalidArgumentError: *{message}*"])


def test_the_worker_calls_itself(shop):
    shop.run(
        """
        async def test_it(workflow_env):
            assert await (await workflow_env.SELF.fetch("http://shop/a", method="PUT")).text() == "PUT http://shop/a"


        async def test_what_it_leaves_behind_goes_on_after_its_answer(workflow_env, workflow_clock):
            assert await workflow_env.SELF.later() == "soon"
            await workflow_clock.advance("1 hour")
            assert await workflow_env.COUNTERS.getByName("later").add() == 2
        """
    ).assert_outcomes(passed=2)


def test_a_class_of_the_test_stands_in_for_another_worker(shop):
    shop.run(
        """
        import pytest
        from workers import DurableObject, WorkerEntrypoint


        class Prices(WorkerEntrypoint):
            async def of(self, sku):
                return {"sku": sku, "price": 5}


        class Loud(DurableObject):
            async def add(self):
                self.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS calls(x)")
                return "many"


        @pytest.fixture
        def workflow_bindings():
            return {"PRICES": Prices, "COUNTERS": Loud}


        async def test_it(workflow_env):
            assert await workflow_env.SELF.price("A1") == {"sku": "A1", "price": 5}
            assert await workflow_env.COUNTERS.getByName("a").add() == "many"
        """
    ).assert_outcomes(passed=1)


def test_a_service_of_another_worker_is_missing_until_it_is_given(shop):
    result = shop.run(
        """
        async def test_it(workflow_env):
            await workflow_env.SELF.price("A1")
        """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *MissingBindingError: *'PRICES' (services in *"])


def test_what_a_handler_of_a_class_of_the_test_raises_is_in_the_log_and_each_call_makes_one_object(shop):
    shop.run(
        """
        import pytest
        from workers import WorkerEntrypoint


        class Prices(WorkerEntrypoint):
            made = 0

            def __init__(self, ctx, env):
                super().__init__(ctx, env)
                Prices.made += 1

            async def queue(self, batch, env, ctx):
                raise ValueError(batch.queue)


        @pytest.fixture
        def workflow_bindings():
            return {"PRICES": Prices}


        async def test_it(workflow_env, caplog):
            assert (await workflow_env.PRICES.queue("orders", []))["outcome"] == "exception"
            assert (await workflow_env.PRICES.scheduled())["outcome"] == "exception"
            assert caplog.messages == [
                "The queue handler of Prices raised ValueError",
                "The scheduled handler of Prices raised WorkflowConfigError",
            ]
            assert Prices.made == 2
        """
    ).assert_outcomes(passed=1)
