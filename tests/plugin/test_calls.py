"""Calls of bindings: the log that a test reads, faults that it injects, and the fault points after each call."""

from typing import Any

import pytest

CONFIG = """
    {
      "name": "shop",
      "main": "src/entry.py",
      "compatibility_date": "2026-11-10",
      "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "OrderWorkflow"}],
      "d1_databases": [{"binding": "DB", "database_id": "1", "migrations_dir": "migrations"}]
    }
"""
SCHEMA = "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT);"
ENTRY = """
    from workers import WorkflowEntrypoint

    class OrderWorkflow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("save", config={"retries": {"limit": 2, "delay": 0}, "timeout": "1 minute"})
            async def save():
                insert = self.env.DB.prepare("INSERT INTO orders (name) VALUES (?)")
                await insert.bind("apple").run()
                return await self.env.DB.prepare("SELECT count(*) AS n FROM orders").first("n")

            return await save()
"""
TEST = """
    import pytest
    from pytest_workflows import calls_of, inject_fault, introspect_workflow_instance

    async def run(env):
        async with introspect_workflow_instance(env.ORDERS, "one") as order:
            await env.ORDERS.create({"id": "one"})
            await order.wait_for_status("complete")
            return await order.get_output(), order.steps[0]
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("wrangler.jsonc", CONFIG)
    worker.write("migrations/0001_init.sql", SCHEMA)
    worker.write("src/entry.py", ENTRY)
    worker.set(filterwarnings="default")
    return worker


def test_each_call_has_the_virtual_time_at_which_it_was_made(shop):
    result = shop.run(
        TEST
        + """
    from datetime import timedelta

    async def test_it(workflow_env, workflow_clock):
        began = workflow_clock.now
        await workflow_env.DB.prepare("SELECT 1 AS n").first()
        await workflow_clock.advance("1 hour")
        await workflow_env.DB.prepare("SELECT ? AS n").bind(2).first()
        await workflow_clock.advance("1 hour")
        await workflow_env.DB.exec("SELECT 3")
        assert [(call.method, call.at - began) for call in calls_of(workflow_env.DB)] == [
            ("prepare", timedelta(0)), ("first", timedelta(0)),
            ("prepare", timedelta(hours=1)), ("bind", timedelta(hours=1)), ("first", timedelta(hours=1)),
            ("exec", timedelta(hours=2)),
        ]
    """
    )

    result.assert_outcomes(passed=1)


def test_the_calls_of_a_binding_are_listed_in_order_with_who_made_them(shop):
    result = shop.run(
        TEST
        + """
    async def test_it(workflow_env, workflow_clock):
        await workflow_env.DB.exec("DELETE FROM orders")
        assert (await run(workflow_env))[0] == 1

        mine, *calls = calls_of(workflow_env.DB)
        assert (mine.method, mine.instance, mine.step, mine.attempt) == ("exec", None, None, None)
        assert [call.method for call in calls] == ["prepare", "bind", "run", "prepare", "first"]
        assert calls[1].args == ("apple",)
        assert calls[-1].args == ("n",) and calls[-1].result == 1 and calls[-1].error is None
        assert calls[2].result.meta.changes == 1
        assert {(call.instance, call.step, call.attempt, call.at) for call in calls} == {
            ("one", "save", 1, workflow_clock.now)
        }
        assert repr(calls[-1]) == "<call first('n') of 'one' -> 1>"

    async def test_a_call_that_fails_has_its_error(workflow_env):
        with pytest.raises(Exception, match="no such table"):
            await workflow_env.DB.prepare("SELECT * FROM nope").all()
        call = calls_of(workflow_env.DB)[-1]
        assert "no such table" in str(call.error) and call.result is None

    async def test_another_test_sees_none_of_them(workflow_env):
        assert calls_of(workflow_env.DB) == []
    """
    )

    result.assert_outcomes(passed=3)


def test_an_injected_fault_fails_as_many_calls_as_it_says_and_they_do_nothing(shop):
    result = shop.run(
        TEST
        + """
    async def test_it(workflow_env):
        with inject_fault(workflow_env.DB, "run", error=RuntimeError("D1_ERROR: overloaded"), times=2):
            output, step = await run(workflow_env)
        assert output == 1
        assert [attempt.error and "D1_ERROR: overloaded" in attempt.error["message"] for attempt in step.attempts] == [
            True, True, None
        ]

    async def test_in_the_test_itself(workflow_env):
        from pyodide.ffi import JsException
        with inject_fault(workflow_env.DB, "all", error="first"), inject_fault(workflow_env.DB, "all", error="second"):
            for text in "first", "second":
                with pytest.raises(JsException, match=f"^Error: {text}$"):
                    await workflow_env.DB.prepare("SELECT 1").all()
            assert (await workflow_env.DB.prepare("SELECT 1").all()).success
        assert [str(call.error) for call in calls_of(workflow_env.DB) if call.error] == ["Error: first", "Error: second"]

    @pytest.mark.parametrize(("text", "name"), [("Error: D1_ERROR: x", "Error"), ("TypeError: x", "TypeError")])
    async def test_a_text_that_was_copied_from_a_log_is_that_error(workflow_env, text, name):
        from pyodide.ffi import JsException
        with inject_fault(workflow_env.DB, "all", error=text):
            with pytest.raises(JsException) as caught:
                await workflow_env.DB.prepare("SELECT 1").all()
        assert (str(caught.value), caught.value.name) == (text, name)
    """
    )

    result.assert_outcomes(passed=4)


def test_a_delayed_answer_takes_virtual_time(shop):
    result = shop.run(
        TEST
        + """
    async def test_an_answer_that_is_late_is_there_in_the_end(workflow_env, workflow_clock):
        before = workflow_clock.now
        with inject_fault(workflow_env.DB, "run", delay="30 seconds"):
            output, step = await run(workflow_env)
        assert output == 1 and len(step.attempts) == 1
        assert (workflow_clock.now - before).total_seconds() == 30

    async def test_one_that_is_too_late_times_the_attempt_out(workflow_env):
        with inject_fault(workflow_env.DB, "run", delay="2 minutes"):
            output, step = await run(workflow_env)
        assert output == 2 and len(step.attempts) == 2

    async def test_the_tests_own(workflow_env, workflow_clock):
        before = workflow_clock.now
        with inject_fault(workflow_env.DB, "run", delay="30 seconds"):
            await workflow_env.DB.prepare("SELECT 1").run()
        assert (workflow_clock.now - before).total_seconds() == 30
    """
    )

    result.assert_outcomes(passed=3)


def test_an_injected_fault_that_no_call_meets_fails_the_test_unless_it_is_marked(shop):
    result = shop.run(
        TEST
        + """
    async def test_unused(workflow_env):
        with inject_fault(workflow_env.DB, "batch", error="x"):
            await run(workflow_env)

    @pytest.mark.workflow(unused_mocks="ignore")
    async def test_ignored(workflow_env):
        with inject_fault(workflow_env.DB, "batch", error="x"):
            await run(workflow_env)

    async def test_used_once_of_two(workflow_env):
        with inject_fault(workflow_env.DB, "run", error="x", times=2):
            with pytest.raises(Exception):
                await workflow_env.DB.prepare("SELECT 1").run()
        await workflow_env.DB.prepare("SELECT 1").run()

    async def test_another_failure_is_not_hidden(workflow_env):
        with pytest.raises(ZeroDivisionError):
            with inject_fault(workflow_env.DB, "batch", error="x"):
                1 / 0
    """
    )

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        "*UnusedModificationError: No call met inject_fault(DB, 'batch', ...). Called of DB: prepare, bind, run, first. *"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("workflow_env.ORDERS, 'create', error='x'", "inject_fault takes a binding that the plugin provides"),
        ("workflow_env.DB, 'run'", "inject_fault takes an error or a delay, one of both."),
        ("workflow_env.DB, 'run', error='x', delay=1", "inject_fault takes an error or a delay, one of both."),
        ("workflow_env.DB, 'run', error=ValueError", "An injected error is an exception instance or a text"),
        ("workflow_env.DB, 'run', error='x', times=0", "inject_fault takes a number of times from 1 on, not 0."),
        ("workflow_env.DB, None, error='x'", "inject_fault takes the method's name"),
        ("workflow_env.DB, 'run', delay='soon'", "The delay of an injected fault"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(shop, arguments, message):
    result = shop.run(
        f"""
    from pytest_workflows import inject_fault
    async def test_it(workflow_env):
        with inject_fault({arguments}):
            pass
    """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(f"*InvalidArgumentError: {message}*")


def test_the_engine_dies_after_each_call_too_and_the_point_is_named(shop):
    test = (
        TEST
        + """
    async def test_it(workflow_env):
        await run(workflow_env)
        rows = await workflow_env.DB.prepare("SELECT * FROM orders").all()
        assert len(rows.results) == 1
    """
    )

    result = shop.run(test, "--workflows-crash", "-W", "ignore")

    result.stdout.fnmatch_lines(
        [
            '*_ test_it[[]crash: after DB.run in "save"[]] _*',
            "pytest 'tests/test_it.py::test_it' --workflows-crash='call:save#1 after DB.run#1'",
        ]
    )
    again = shop.run(test, "--workflows-crash=call:save#1 after DB.run#1", "-W", "ignore")
    again.assert_outcomes(passed=1, failed=1)
    by_hand = shop.run(
        TEST
        + """
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "one") as order:
            async with order.modify() as m:
                m.crash("call:save#1 after DB.run#1")
            await workflow_env.ORDERS.create({"id": "one"})
            await order.wait_for_status("complete")
            assert await order.get_output() == 2
            assert [call.attempt for call in calls_of(workflow_env.DB) if call.method in ("run", "first")] == [1, 2, 2]
    """,
        "-W",
        "ignore",
    )
    by_hand.assert_outcomes(passed=1)


def test_the_rules_see_the_calls(shop):
    result = shop.run(
        TEST + "\n    async def test_it(workflow_env):\n        await run(workflow_env)\n", "--workflows-crash"
    )

    result.stdout.fnmatch_lines("*[[]not-idempotent[]] *src/entry.py:8: *DB.prepare(...).bind(...).run()*")


FILLED = 'await self.env.FILES.put("key", "value")\n'


def test_what_leaves_the_plugins_own_stores_as_they_were_when_made_again_does_not_count(worker):
    worker.write(
        "wrangler.jsonc",
        """
        {"name": "it", "main": "src/entry.py", "compatibility_date": "2026-11-10",
         "workflows": [{"binding": "ORDERS", "name": "orders", "class_name": "Orders"}],
         "kv_namespaces": [{"binding": "A", "id": "a"}, {"binding": "B", "id": "b"}],
         "queues": {"producers": [{"binding": "MAIL", "queue": "mail"}, {"binding": "AUDIT", "queue": "audit"}]},
         "r2_buckets": [{"binding": "FILES", "bucket_name": "files"}]}
        """,
    )
    source = """
        from workers import WorkflowEntrypoint

        class Orders(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("copy")
                async def copy():
                    value = await self.env.A.get("key")
                    file = await self.env.FILES.get("key")
                    await self.env.B.put("key", value or await file.text())

                await self.env.FILES.put("key", "value")
                await copy()
    """
    test = """
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.FILES.put("key", "value")
            await workflow_env.ORDERS.create()
            await workflow_engine.run_until_idle()
    """
    worker.write("src/entry.py", source.replace(FILLED, "\n", 1))
    worker.run(test, "--workflows-strict").assert_outcomes(passed=1)

    worker.write("src/entry.py", source.replace("self.env.A.get", "self.env.A.delete").replace(FILLED, "\n", 1))
    worker.run(test, "--workflows-strict").assert_outcomes(passed=1)

    sends = "await self.env.MAIL.send(1)\n                    await self.env.AUDIT.send(1)"
    worker.write("src/entry.py", source.replace('value = await self.env.A.get("key")', sends).replace("value or ", ""))
    worker.run(test, "--workflows-strict").stdout.fnmatch_lines("*many-effects-in-one-step*")


REPORTED = """
    async def test_it(workflow_env):
        output, step = await run(workflow_env)
        assert output == 2
"""


def test_the_timeline_shows_the_calls_of_each_attempt(shop):
    shop.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("save", config={"retries": {"limit": 1, "delay": 0}})
                async def save(ctx):
                    await self.env.DB.prepare("INSERT INTO orders (name) VALUES (?)").bind("apple").run()
                    if ctx.attempt == 1:
                        raise ValueError("again")
                    return await self.env.DB.prepare("SELECT 1 AS one").first("one")

                return await save()
        """,
    )

    result = shop.run(TEST + REPORTED)

    result.stdout.fnmatch_lines(
        [
            "  +0  do  save-1  complete: 1 *",
            "          attempt 1 calls DB.run('apple')",
            "          attempt 2 calls DB.run('apple'), DB.first('one')",
        ]
    )


def test_recordings_show_the_calls_and_no_secrets(shop):
    shop.set(filterwarnings="default", workflows_redact="token")
    shop.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("save")
                async def save():
                    row = self.env.DB.prepare("INSERT INTO orders (name) VALUES (?)")
                    await self.env.DB.batch([row.bind(event.payload.token), row.bind("apple")])
                    return 1

                return await save()
        """,
    )
    result = shop.run(
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async with introspect_workflow_instance(workflow_env.ORDERS, "one") as order:
                await workflow_env.ORDERS.create({"id": "one", "params": {"token": "s3cr3t-t0k3n"}})
                await order.wait_for_status("complete")
                assert await order.get_output() == 2
        """,
        "--workflows-html=page.html",
    )

    text = "".join(path.read_text() for path in (shop.path / ".workflows").rglob("*.json"))
    for shown in text, (shop.path / "page.html").read_text(), result.stdout.str():
        assert "s3cr3t-t0k3n" not in shown
        assert "batch" in shown
    assert "object at 0x" not in text


def test_a_replay_ends_where_run_calls_a_binding_itself(shop):
    shop.write(
        "src/entry.py",
        """
        from workers import WorkflowEntrypoint

        class OrderWorkflow(WorkflowEntrypoint):
            async def run(self, event, step):
                count = await self.env.DB.prepare("SELECT count(*) AS n FROM orders").first("n")

                @step.do("first" if count == 0 else "again")
                async def save():
                    await self.env.DB.prepare("INSERT INTO orders (name) VALUES ('apple')").run()

                await save()
                await self.env.DB.prepare("INSERT INTO orders (name) VALUES ('pear')").run()
        """,
    )
    result = shop.run(
        TEST
        + """
    @pytest.mark.workflow(ignore_rules=["effect-outside-step"])
    async def test_it(workflow_env):
        async with introspect_workflow_instance(workflow_env.ORDERS, "one") as order:
            await workflow_env.ORDERS.create({"id": "one"})
            await order.wait_for_status("complete")
        assert [call.method for call in calls_of(workflow_env.DB)].count("run") == 2
        assert await workflow_env.DB.prepare("SELECT count(*) AS n FROM orders").first("n") == 2
    """,
        "--workflows-strict",
    )

    result.assert_outcomes(passed=1)
