"""Durable Objects and services of a project: virtual time, what a test does inside of objects, classes of the test."""

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
    import json

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


def test_a_call_that_never_ends_is_named(shop):
    result = shop.run(
        """
        import pytest


        @pytest.mark.workflow(timeout=0.2)
        async def test_it(workflow_env):
            await workflow_env.COUNTERS.getByName("a").never()
        """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E *Method never of Durable Object a of Counter has not returned within 0.2 real seconds.*"]
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
