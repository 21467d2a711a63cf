"""Tests as the platform's SDK writes them for itself: they run inside a Worker there, and unchanged here."""

ENTRY = """
    from objects import Counter
    from pyodide.webloop import WebLoop
    from flows import OrderWorkflow
    from workers import WorkerEntrypoint


    async def nothing(*args):
        pass


    WebLoop.shutdown_asyncgens = nothing  # what makes pytest-asyncio work on the platform's loop


    class Default(WorkerEntrypoint):
        pass
"""
OBJECTS = """
    from workers import DurableObject


    class Counter(DurableObject):
        def __init__(self, ctx, env):
            super().__init__(ctx, env)

        async def increment(self):
            await self.ctx.storage.put("count", 1)
"""
FLOWS = """
    import datetime

    from workers import WorkflowEntrypoint
    from workers.workflows import NonRetryableError


    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            return await getattr(self, event["payload"].get("mode", "echo"))(event, step)

        async def echo(self, event, step):
            payload = event["payload"]
            return await step.do("echo")(lambda: {"echo": payload})()

        async def sleep_until(self, event, step):
            await step.sleep_until("nap", datetime.datetime.now() + datetime.timedelta(milliseconds=100))
            return "slept"

        async def approval(self, event, step):
            return (await step.wait_for_event("wait for approval", "approval"))["payload"]

        async def same_name(self, event, step):
            first = step.do("dup")(lambda: 1)
            second = step.do("dup")(lambda: 2)

            @step.do()
            async def uses(dup):
                return dup * 10

            return [await first(), await second(), await uses()]

        async def converted(self, event, step):
            @step.do()
            async def produce():
                return {"when": datetime.datetime(2026, 1, 2), "nothing": None}

            @step.do()
            async def consume(produce):
                return [isinstance(produce["when"], datetime.datetime), produce["nothing"] is None]

            return await consume()

        async def refused(self, event, step):
            @step.do("refused", config={"retries": {"limit": 1, "delay": 0, "backoff": "constant"}})
            async def refused():
                raise NonRetryableError("no use")

            return await refused()
"""
CONFTEST = """
    import pytest
    from workers import env as worker_env


    @pytest.fixture
    def env():
        return worker_env
"""


def sdk_project(worker):
    # As in the SDK's own tests, a workflow there sleeps until a time that `run` itself makes.
    worker.set(asyncio_mode="strict", workflows_ignore_rules="random-outside-step")
    worker.write("src/entry.py", ENTRY)
    worker.write("src/objects.py", OBJECTS)
    worker.write("src/flows.py", FLOWS)
    worker.write("tests/conftest.py", CONFTEST)
    return worker


def test_status_is_polled_between_real_sleeps(worker):
    result = sdk_project(worker).run(
        """
        import asyncio
        import time

        import pytest
        from pyodide.ffi import JsProxy

        pytestmark = pytest.mark.asyncio


        async def poll(instance, until=("complete", "errored", "terminated"), timeout=10.0):
            deadline = time.monotonic() + timeout
            while time.monotonic() < deadline:
                status = await instance.status()
                assert not isinstance(status, JsProxy)
                if status["status"] in until:
                    return status
                await asyncio.sleep(0.01)
            raise AssertionError(f"not {until} in time")


        @pytest.mark.parametrize(("mode", "output"), [
            ("echo", {"echo": {"mode": "echo"}}),
            ("sleep_until", "slept"),
            ("same_name", [1, 2, 20]),
            ("converted", [True, True]),
        ])
        async def test_output(env, mode, output):
            instance = await env.ORDERS.create({"params": {"mode": mode}})
            status = await poll(instance)
            assert status["status"] == "complete", dict(status)
            assert status["output"] == output


        async def test_refused(env):
            status = await poll(await env.ORDERS.create({"params": {"mode": "refused"}}))
            assert status["status"] == "errored"


        async def test_event(env):
            instance = await env.ORDERS.create({"params": {"mode": "approval"}})
            await poll(instance, until=("waiting",))
            await instance.send_event({"type": "approval", "payload": {"approved": True}})
            assert (await poll(instance))["output"]["approved"] is True


        async def test_handles(env):
            first, second = await env.ORDERS.create_batch([{"id": "a"}, {"id": "b"}])
            fetched = await env.ORDERS.get(first.id)
            assert not any(isinstance(handle, JsProxy) for handle in (first, second, fetched))
            assert [first.id, second.id, fetched.id] == ["a", "b", "a"]
        """
    )

    result.assert_outcomes(passed=7)


def test_options_may_be_converted_by_hand(worker):
    result = sdk_project(worker).run(
        """
        import pytest
        from js import Object
        from pyodide.ffi import JsProxy, to_js

        pytestmark = pytest.mark.asyncio


        def by_hand(value):
            return to_js(value, dict_converter=Object.fromEntries)


        async def test_it(env, workflow_engine):
            created = await env.ORDERS.create(by_hand({"id": "a", "params": {"nested": {"n": 7}}}))
            batch = await env.ORDERS.create_batch([by_hand({"id": "b", "params": {"mode": "approval"}})])
            await batch[0].send_event(by_hand({"type": "approval", "payload": {"approved": True}}))
            await workflow_engine.run_until_idle()

            assert not isinstance(created, JsProxy)
            assert (await created.status())["output"]["echo"]["nested"]["n"] == 7
            assert (await batch[0].status())["output"]["approved"] is True
        """
    )

    result.assert_outcomes(passed=1)


def test_a_durable_object_of_the_configuration_is_there(worker):
    sdk_project(worker).write(
        "wrangler.jsonc",
        """
        {
          "name": "shop",
          "main": "src/entry.py",
          "compatibility_date": "2026-11-10",
          "durable_objects": {"bindings": [{"name": "COUNTER", "class_name": "Counter"}]},
          "migrations": [{"tag": "v1", "new_sqlite_classes": ["Counter"]}],
          "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}]
        }
        """,
    )

    result = worker.run(
        """
        async def test_it(workflow_env):
            assert await workflow_env.COUNTER.getByName("visits").increment() is None
        """,
        "-o",
        "asyncio_mode=auto",
    )

    result.assert_outcomes(passed=1)


def test_a_durable_object_of_a_class_that_is_missing_is_an_error_of_the_configuration(worker):
    sdk_project(worker).write(
        "wrangler.jsonc",
        """
        {
          "name": "shop",
          "main": "src/entry.py",
          "compatibility_date": "2026-11-10",
          "durable_objects": {"bindings": [{"name": "COUNTER", "class_name": "Missing"}]},
          "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}]
        }
        """,
    )

    result = worker.run(
        """
        async def test_it(workflow_env):
            workflow_env.COUNTER
        """,
        "-o",
        "asyncio_mode=auto",
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["E *wrangler.jsonc:*: the binding COUNTER names the class 'Missing' of Durable Objects*"]
    )
