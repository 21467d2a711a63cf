"""Queues of a Worker: what the producer gives, when the consumer gets it, and what a test does by hand."""

from typing import Any

import pytest

CONFIG = """
    {
      "name": "shop",
      "main": "src/entry.py",
      "compatibility_date": "2026-11-10",
      "compatibility_flags": ["disable_python_no_global_handlers"],
      "queues": {
        "producers": [
          {"binding": "Q", "queue": "orders"},
          {"binding": "LATE", "queue": "orders", "delivery_delay": 60},
          {"binding": "NOBODY", "queue": "nobody"}
        ],
        "consumers": [
          {"queue": "orders", "max_batch_size": 3, "max_batch_timeout": 5, "max_retries": 1, "retry_delay": 10,
           "dead_letter_queue": "dead"},
          {"queue": "dead", "max_batch_timeout": 0}
        ]
      }
    }
"""
ENTRY = """
    import asyncio
    from workers import Response, WorkerEntrypoint

    SEEN = []
    BEHAVE = {}


    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            await self.env.Q.send("from fetch")
            return Response("ok")

        async def queue(self, batch, env, ctx):
            SEEN.append((batch.queue, [message.body for message in batch.messages]))
            behave = BEHAVE.get(batch.queue)
            if behave is not None:
                result = behave(batch)
                if asyncio.iscoroutine(result):
                    await result


    class Other(WorkerEntrypoint):
        async def queue(self, batch, env, ctx):
            SEEN.append(("Other", batch.queue))
"""


@pytest.fixture
def shop(worker: Any) -> Any:
    worker.write("wrangler.jsonc", CONFIG)
    worker.write("src/entry.py", ENTRY)
    return worker


NO_QUEUES = """
    {"name": "shop", "main": "src/entry.py", "compatibility_date": "2026-11-10"}
"""
HEAD = """
        import asyncio
        import pytest
        from datetime import datetime, timedelta, timezone
        from entry import BEHAVE, SEEN

        @pytest.fixture(autouse=True)
        def clear():
            SEEN.clear(), BEHAVE.clear()
"""


def run(shop: Any, tests: str, *arguments: str) -> Any:
    return shop.run(HEAD + tests, *arguments)


# -- delivery ---------------------------------------------------------------------------------------------------------


def test_a_batch_comes_when_it_is_full_or_has_waited(shop: Any) -> None:
    run(
        shop,
        """
        async def test_it(workflow_env, workflow_clock):
            await workflow_env.Q.send(1)
            await workflow_clock.advance("4 seconds")
            assert SEEN == []
            await workflow_clock.advance("1 second")
            assert SEEN == [("orders", [1])]
            await workflow_env.Q.sendBatch([{"body": n} for n in (2, 3, 4, 5)])
            await workflow_clock.advance(0)
            assert SEEN[1:] == [("orders", [2, 3, 4])]
            await workflow_clock.advance("5 seconds")
            assert SEEN[2:] == [("orders", [5])]
        """,
    ).assert_outcomes(passed=1)


def test_run_until_idle_delivers_and_so_does_a_wait_for_a_handler(shop: Any) -> None:
    run(
        shop,
        """
        async def test_idle(workflow_env, workflow_engine):
            await workflow_env.LATE.send("a")
            began = workflow_engine.clock.now
            await workflow_engine.run_until_idle()
            assert SEEN == [("orders", ["a"])]
            assert workflow_engine.clock.now - began == timedelta(seconds=65)

        async def test_handler(workflow_env, workflow_worker):
            await workflow_env.Q.sendBatch([{"body": n} for n in (1, 2, 3)])
            await workflow_worker.fetch("/")
            await workflow_worker.queue("x", [])
            assert ("orders", [1, 2, 3]) in SEEN or SEEN == [("x", [])]
        """,
    ).assert_outcomes(passed=2)


def test_a_message_is_delivered_by_real_time_where_the_test_only_sleeps(shop: Any) -> None:
    run(
        shop,
        """
        async def test_it(workflow_env):
            await workflow_env.Q.sendBatch([{"body": n} for n in (1, 2, 3)])
            for _ in range(100):
                await asyncio.sleep(0.01)
                if SEEN:
                    break
            assert SEEN == [("orders", [1, 2, 3])]
        """,
    ).assert_outcomes(passed=1)


def test_a_failed_message_is_retried_after_its_delay_and_then_a_dead_letter(shop: Any) -> None:
    run(
        shop,
        """
        async def test_it(workflow_env, workflow_engine, caplog):
            notes = []

            def fail(batch):
                message = batch.messages[0]
                notes.append((message.attempts, message.id, workflow_engine.clock.now))
                raise ValueError("boom")

            def note(batch):
                notes.append((batch.messages[0].attempts, batch.messages[0].id))

            BEHAVE.update(orders=fail, dead=note)
            await workflow_env.Q.send({"sku": "A1"})
            await workflow_engine.run_until_idle()
            (first, id, at), (second, again, later), (dead, same) = notes
            assert (first, second, dead) == (1, 2, 1)
            assert id == again == same and len(id) == 32
            assert later - at == timedelta(seconds=15)
            assert SEEN[-1] == ("dead", [{"sku": "A1"}])
            assert [record.getMessage() for record in caplog.records] == [
                "The consumer of the queue 'orders' raised ValueError"
            ] * 2
        """,
    ).assert_outcomes(passed=1)


def test_what_the_consumer_says_of_single_messages_holds(shop: Any) -> None:
    run(
        shop,
        """
        async def test_it(workflow_env, workflow_engine):
            def decide(batch):
                a, b, *_ = [*batch.messages, None]
                if a.attempts == 1:
                    a.ack()
                    a.retry()
                    b.retry(delaySeconds=3)

            BEHAVE["orders"] = decide
            await workflow_env.Q.sendBatch([{"body": n} for n in "abc"])
            await workflow_engine.run_until_idle()
            assert SEEN == [("orders", ["a", "b", "c"]), ("orders", ["b"])]
        """,
    ).assert_outcomes(passed=1)


def test_an_exception_of_pytest_in_a_consumer_is_the_tests(shop: Any) -> None:
    result = run(
        shop,
        """
        async def test_it(workflow_env, workflow_engine):
            BEHAVE["orders"] = lambda batch: pytest.fail("not this one")
            await workflow_env.Q.send(1)
            await workflow_engine.run_until_idle()
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*not this one*"])


def test_a_consumer_that_sends_anew_for_ever_is_named(shop: Any) -> None:
    run(
        shop,
        """
        from durable_engine import NeverHappensError

        pytestmark = pytest.mark.workflow(timeout=60)  # thousands of batches, on whatever machine

        async def test_it(workflow_env, workflow_engine):
            BEHAVE["orders"] = lambda batch: workflow_env.Q.send(1)
            await workflow_env.Q.send(1)
            with pytest.raises(NeverHappensError, match="The consumer of the queue 'orders'"):
                await workflow_engine.run_until_idle()

        async def test_many_messages_are_no_chain(workflow_env, workflow_engine):
            for _ in range(30):
                await workflow_env.Q.sendBatch([{"body": 1}] * 100)
            await workflow_engine.run_until_idle()
            assert len(SEEN) == 1000
        """,
    ).assert_outcomes(passed=2)


def test_a_consumer_that_hangs_is_named_with_its_place(shop: Any) -> None:
    result = run(
        shop,
        """
        @pytest.mark.workflow(timeout=1)
        async def test_it(workflow_env, workflow_worker):
            async def hang(batch):
                while True:
                    await asyncio.sleep(1)

            BEHAVE["orders"] = hang
            await workflow_env.Q.send(1)
            await workflow_worker.queue("nothing", [])
            for _ in range(400):
                await asyncio.sleep(0.02)
        """,
        "-o",
        "workflows_now=2026-01-01T00:00:00Z",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*The consumer of the queue 'orders' has not returned within 1 real seconds.*"])


def test_a_queue_of_which_nobody_is_the_consumer_takes_messages_and_keeps_none(shop: Any) -> None:
    run(
        shop,
        """
        async def test_it(workflow_env, workflow_engine):
            sent = await workflow_env.NOBODY.send(1)
            assert sent == {
                "metadata": {"metrics": {"backlogCount": 0, "backlogBytes": 0, "oldestMessageTimestamp": None}}
            }
            await workflow_engine.run_until_idle()
            assert (await workflow_env.NOBODY.metrics()).backlogCount == 0
        """,
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ("{'a': [1, None, True, 'x']}", 23),
        ("{'7': 1, 'a': 2, '3': 3}", 19),
        ("1.0", 1),
        ("'ä'", 4),
        ("None", 4),
        ("{}", 2),
        ("'x' * 127_998", 128_000),
    ],
)
def test_a_body_is_written_as_javascript_writes_it_whichever_way_it_goes(shop: Any, body: str, size: int) -> None:
    run(
        shop,
        f"""
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.Q.send({body})
            assert (await workflow_env.Q.metrics()).backlogBytes == {size}
            await workflow_env.Q.send({body}, contentType="json")
            assert (await workflow_env.Q.metrics()).backlogBytes == {size} * 2
            await workflow_engine.run_until_idle()
            (_, (quick, slow)), = SEEN
            assert quick == slow == {body}
            assert type(quick) is type(slow)
            assert repr(quick) == repr(slow)
        """,
    ).assert_outcomes(passed=1)


def test_a_content_type_takes_what_it_can_hold(shop: Any) -> None:
    run(
        shop,
        """
        import js
        from pyodide.ffi import JsException

        async def test_it(workflow_env, workflow_engine):
            q = workflow_env.Q
            for kind, body, received in (
                ("text", 2**60, "bigint"), ("text", None, "object"), ("text", True, "boolean"), ("text", 1.5, "number"),
                ("bytes", "s", "string")
            ):
                expected = "string" if kind == "text" else "ArrayBufferView"
                with pytest.raises(JsException) as raised:
                    await q.send(body, contentType=kind)
                assert str(raised.value) == (
                    f'TypeError: Content Type "{kind}" requires a value of type {expected}, but received: {received}'
                )
            with pytest.raises(JsException, match="^TypeError: Cannot convert a BigInt value to a number$"):
                await q.send("s", delaySeconds=2**60)
            with pytest.raises(JsException, match="^TypeError: Unsupported queue message content type: nonsense$"):
                await q.send("s", contentType="nonsense")
            await q.sendBatch(
                [{"body": b"ab", "contentType": "bytes"}, {"body": {1, 2}, "contentType": "v8"}, {"body": {"a": b"c"}}]
            )
            await workflow_engine.run_until_idle()
            (_, (content, cloned, json)), = SEEN
            assert (bytes(content), cloned, json) == (b"ab", {1, 2}, {"a": {"0": 99}})
            buffer = js.Uint8Array.new([97, 98, 99]).buffer
            await q.send(js.DataView.new(buffer, 1), contentType="bytes")
            with pytest.raises(JsException, match="requires a value of type ArrayBufferView, but received: object$"):
                await q.send(buffer, contentType="bytes")
            await workflow_engine.run_until_idle()
            assert bytes(SEEN[-1][1][0]) == b"bc"
        """,
    ).assert_outcomes(passed=1)


def test_a_batch_holds_up_to_288_000_bytes(shop: Any) -> None:
    shop.write("wrangler.jsonc", CONFIG.replace("2026-11-10", "2026-03-11"))
    run(
        shop,
        """
        from pyodide.ffi import JsException

        async def test_it(workflow_env):
            def batch(size):
                return [{"body": "x" * n, "contentType": "text"} for n in (128_000, 128_000, size - 256_000)]

            await workflow_env.Q.sendBatch(batch(288_000))
            with pytest.raises(JsException, match="batch size of 288001 bytes exceeds limit of 288000"):
                await workflow_env.Q.sendBatch(batch(288_001))
        """,
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "call",
    [
        "send(1, delaySeconds={})",
        "sendBatch([{{'body': 1}}], delaySeconds={})",
        "sendBatch([{{'body': 1, 'delaySeconds': {}}}])",
    ],
)
@pytest.mark.parametrize("seconds", [43_200, 43_201])
def test_a_delay_beyond_twelve_hours_is_taken_and_found(shop: Any, call: str, seconds: int) -> None:
    result = run(
        shop,
        f"""
        async def test_it(workflow_env, workflow_engine):
            began = workflow_engine.clock.now
            await workflow_env.Q.{call.format(seconds)}
            await workflow_engine.run_until_idle()
            assert SEEN == [("orders", [1])]
            assert workflow_engine.clock.now - began == timedelta(seconds={seconds} + 5)
        """,
        "--workflows-strict",
    )
    if seconds == 43_200:
        result.assert_outcomes(passed=1)
    else:
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            ["*[[]documented-limit[]] *delaySeconds=43201 is more than the 43200 that Cloudflare documents*"]
        )


def test_a_workflow_waits_for_what_its_message_does(shop: Any) -> None:
    shop.write(
        "wrangler.jsonc",
        CONFIG.replace(
            '"queues"', '"workflows": [{"binding": "W", "name": "w", "class_name": "Flow"}],\n      "queues"'
        ),
    )
    shop.write(
        "src/entry.py",
        ENTRY
        + """

    from workers import WorkflowEntrypoint


    class Flow(WorkflowEntrypoint):
        async def run(self, event, step):
            @step.do("send")
            async def send():
                await self.env.Q.send("from a step")

            await send()
            return (await step.wait_for_event("answer", "answer"))["payload"]
""",
    )
    run(
        shop,
        """
        from pytest_workflows import introspect_workflow_instance

        async def test_it(workflow_env):
            async def answer(batch):
                instance = await workflow_env.W.get("1")
                await instance.send_event({"type": "answer", "payload": batch.messages[0].body})

            BEHAVE["orders"] = answer
            async with introspect_workflow_instance(workflow_env.W, "1") as instance:
                await workflow_env.W.create({"id": "1"})
                await instance.wait_for_status("complete")
                assert await instance.get_output() == "from a step"
        """,
    ).assert_outcomes(passed=1)


def test_nothing_of_a_queue_is_seen_by_the_next_test(shop: Any) -> None:
    run(
        shop,
        """
        async def test_first(workflow_env):
            await workflow_env.Q.send(1)

        async def test_second(workflow_env, workflow_engine):
            assert (await workflow_env.Q.metrics()).backlogCount == 0
            await workflow_engine.run_until_idle()
            assert SEEN == []
        """,
    ).assert_outcomes(passed=2)


# -- the handler ------------------------------------------------------------------------------------------------------


def test_a_function_gets_the_batch_as_javascript_has_it(shop: Any) -> None:
    shop.write(
        "src/entry.py",
        """
        SEEN, BEHAVE = [], {}

        async def on_queue(batch, env, ctx):
            SEEN.append([batch.constructor.name, batch.queue, [m.body for m in batch.messages], env.Q is not None])
        """,
    )
    run(
        shop,
        """
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.Q.send("a")
            await workflow_engine.run_until_idle()
            assert SEEN == [["QueueController", "orders", ["a"], True]]
        """,
    ).assert_outcomes(passed=1)


def test_a_handler_of_fewer_arguments_is_never_reached(shop: Any) -> None:
    shop.write(
        "src/entry.py", ENTRY.replace("async def queue(self, batch, env, ctx)", "async def queue(self, batch)", 1)
    )
    run(
        shop,
        """
        @pytest.mark.filterwarnings("default::pytest_workflows.WorkflowRuleWarning")
        async def test_delivered(workflow_env, workflow_engine, caplog):
            await workflow_env.Q.send("a")
            await workflow_engine.run_until_idle()
            assert SEEN == []
            assert "the platform always calls it with three arguments" in caplog.text

        async def test_by_hand(workflow_worker):
            with pytest.raises(TypeError, match=r"Write `async def queue\\(self, batch, env, ctx\\):`"):
                await workflow_worker.queue("orders", [1])
        """,
    ).assert_outcomes(passed=2)


def test_a_consumer_without_a_handler_says_so(shop: Any) -> None:
    shop.write("src/entry.py", "SEEN, BEHAVE = [], {}\n")
    result = run(
        shop,
        """
        async def test_it(workflow_env, workflow_engine):
            await workflow_env.Q.send("a")
            await workflow_engine.run_until_idle()
        """,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*WorkflowConfigError*wrangler.jsonc:13: the Worker is a consumer of the queue 'orders', and its main module has no *"
        ]
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('"max_batch_size": 101', "max_batch_size of the consumer of 'orders' is 101; it is a number from 1 to 100."),
        ('"max_retries": "2"', "max_retries of the consumer of 'orders' is '2'; it is a number from 0 to 100."),
        ('"dead_letter_queue": 5', "dead_letter_queue of the consumer of 'orders' is 5, not the name of a queue."),
    ],
)
def test_a_setting_of_a_consumer_that_cannot_be_is_an_error(shop: Any, setting: str, message: str) -> None:
    shop.write(
        "wrangler.jsonc",
        f"""
        {{"name": "shop", "main": "src/entry.py", "queues": {{
          "producers": [{{"binding": "Q", "queue": "orders"}}],
          "consumers": [{{"queue": "orders", {setting}}}]}}}}
        """,
    )
    result = run(
        shop,
        """
        async def test_it(workflow_env):
            await workflow_env.Q.send("a")
        """,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*WorkflowConfigError*wrangler.jsonc:3: {message}"])


def test_an_acknowledgement_that_a_raise_undoes_is_found_where_it_was_made(shop: Any) -> None:
    shop.write("src/entry.py", ENTRY.replace("behave = BEHAVE", "batch.ackAll()\n            behave = BEHAVE", 1))
    result = run(
        shop,
        """
        async def test_it(workflow_env, workflow_engine):
            def fail(batch):
                if batch.messages[0].attempts == 1:
                    raise ValueError("boom")

            BEHAVE["orders"] = fail
            await workflow_env.Q.sendBatch([{"body": 1}, {"body": 2}])
            await workflow_engine.run_until_idle()
            assert SEEN == [("orders", [1, 2])] * 2
        """,
        "--workflows-strict",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*[[]lost-acknowledgement[]] */src/entry.py:15: 2 of 2 messages of the queue 'orders' were acknowledged, the "
            "handler raised afterwards, and all are delivered once more*"
        ]
    )


# -- RPC --------------------------------------------------------------------------------------------------------------


def test_a_method_is_called_as_another_worker_calls_it(shop: Any) -> None:
    shop.write("wrangler.jsonc", NO_QUEUES)
    shop.write(
        "src/entry.py",
        """
        import asyncio
        from workers import WorkerEntrypoint

        SEEN, BEHAVE = [], {}


        class Default(WorkerEntrypoint):
            async def describe(self, *args):
                return [f"{type(one).__name__} {one}" for one in args]

            async def later(self):
                await asyncio.sleep(3600)
                return {"when": "later"}

            def plain(self):
                return b"ab"

            async def fail(self):
                raise ValueError("boom")


        class Admin(WorkerEntrypoint):
            async def name(self):
                return "admin"
        """,
    )
    run(
        shop,
        """
        from pyodide.ffi import JsException

        async def test_it(workflow_worker, workflow_clock):
            rpc = workflow_worker.rpc
            assert await rpc.describe(1, [2], a=3) == ["int 1", "list [2]", "JsDict {'a': 3}"]
            began = workflow_clock.now
            assert (await rpc.later()).when == "later"
            assert workflow_clock.now - began == timedelta(hours=1)
            assert bytes(await rpc.plain()) == b"ab"
            assert await workflow_worker.entrypoint("Admin").rpc.name() == "admin"
            with pytest.raises(JsException, match="(?s)PythonError.*ValueError: boom") as raised:
                await rpc.fail()
            assert raised.value.type == "ValueError"
            with pytest.raises(JsException, match="does not implement|does not exist"):
                await rpc.nope()
            with pytest.raises(TypeError, match="cannot be sent over RPC"):
                await rpc.describe((1, 2))
        """,
    ).assert_outcomes(passed=1)


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_one_batch_by_hand_reports_what_the_handler_says(shop: Any) -> None:
    run(
        shop,
        """
        async def test_it(workflow_worker, workflow_engine):
            def decide(batch):
                a, b = batch.messages
                assert (a.id, a.attempts, a.timestamp) == ("1", 3, datetime.fromtimestamp(1000))
                a.ack()
                b.retry(delaySeconds=5)

            BEHAVE["orders"] = decide
            result = await workflow_worker.queue(
                "orders", [{"body": {"sku": "A1"}, "id": "1", "attempts": 3, "timestamp": 1_000_000}, {"sku": "A2"}]
            )
            assert SEEN == [("orders", [{"sku": "A1"}, {"sku": "A2"}])]
            assert result.outcome == result["outcome"] == "ok"
            assert result.ackAll is False
            assert result.retryBatch == {"retry": False, "delaySeconds": None}
            assert result.explicitAcks == ["1"]
            assert [(one.delaySeconds, len(one.msgId)) for one in result.retryMessages] == [(5, 32)]
            await workflow_engine.run_until_idle()
            assert len(SEEN) == 1

        async def test_what_is_not_given(workflow_worker, workflow_clock):
            seen = []
            BEHAVE["orders"] = lambda batch: seen.extend((one.attempts, one.timestamp) for one in batch.messages)
            await workflow_clock.advance("1 hour")
            await workflow_worker.queue("orders", [1, {"body": 2}])
            now = workflow_clock.now.astimezone().replace(tzinfo=None)
            assert [attempts for attempts, _ in seen] == [1, 1]
            assert all(abs(at - now) < timedelta(milliseconds=1) for _, at in seen)

        async def test_the_first_word_on_a_message_holds(workflow_worker):
            def decide(batch):
                a, b = batch.messages
                a.ack(), a.retry(), a.ack()
                b.retry(delaySeconds=5), b.ack()

            BEHAVE["orders"] = decide
            messages = [{"body": 1, "id": "1"}, {"body": 2, "id": "2"}]
            result = await workflow_worker.queue("orders", messages)
            assert result.explicitAcks == ["1"]
            assert result.retryMessages == [{"msgId": "2", "delaySeconds": 5}]

        async def test_the_whole_batch(workflow_worker):
            BEHAVE["orders"] = lambda batch: batch.retryAll(delaySeconds=2)
            result = await workflow_worker.queue("orders", [1])
            assert result.retryBatch == {"retry": True, "delaySeconds": 2}

        async def test_a_raise(workflow_worker):
            def fail(batch):
                raise ValueError("boom")

            BEHAVE["orders"] = fail
            with pytest.raises(ValueError, match="boom"):
                await workflow_worker.queue("orders", [1])

        async def test_a_named_entrypoint(workflow_worker):
            await workflow_worker.entrypoint("Other").queue("orders", [1])
            assert SEEN == [("Other", "orders")]
        """,
    ).assert_outcomes(passed=6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("queue(5, [])", "queue is a queue's name such as 'orders', not 5."),
        ("queue('q', 'text')", "messages is a list of bodies or of dicts with a body, not 'text'."),
        ("queue('q', [{'body': 1, 'id': 5}])", "The id of a message is a text, not 5."),
        (
            "queue('q', [{'body': 1, 'attempts': 0}])",
            "attempts is which delivery of the message it is, from 1, not 0.",
        ),
        (
            "queue('q', [{'body': 1, 'timestamp': []}])",
            "The timestamp of a message is a datetime or milliseconds since 1970, not [].",
        ),
        (
            "queue('q', [{'body': 1, 'id': 'a'}, {'body': 2, 'id': 'a'}])",
            "Two messages have the id 'a'. Leave the ids out, or give each its own.",
        ),
        ("entrypoint(5)", "An entrypoint is the name of a class such as 'Admin', not 5."),
    ],
)
def test_a_wrong_argument_says_what_is_allowed(shop: Any, call: str, message: str) -> None:
    run(
        shop,
        f"""
        from durable_engine import InvalidArgumentError

        async def test_it(workflow_worker):
            with pytest.raises(InvalidArgumentError) as raised:
                await workflow_worker.{call}
            assert str(raised.value) == {message!r}
        """,
    ).assert_outcomes(passed=1)


def test_an_entrypoint_that_is_not_there_says_which_are(shop: Any) -> None:
    result = run(
        shop,
        """
        async def test_it(workflow_worker):
            workflow_worker.entrypoint("Admin")
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*src/entry.py has no entrypoint 'Admin'. It has 'Default', 'Other'."])


# -- work that a handler leaves behind --------------------------------------------------------------------------------


def test_what_a_handler_gave_to_wait_until_is_done_when_it_returns(shop: Any) -> None:
    shop.write("wrangler.jsonc", NO_QUEUES)
    shop.write(
        "src/entry.py",
        """
        import asyncio
        from workers import Response, WorkerEntrypoint, wait_until

        SEEN, BEHAVE = [], {}


        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                self.ctx.waitUntil(self.later("ctx"))
                wait_until(self.later("global"))
                return Response("ok")

            async def later(self, name):
                await asyncio.sleep(60)
                SEEN.append(name)
                if name == "ctx":
                    self.ctx.waitUntil(self.later("nested"))

            async def scheduled(self, controller, env, ctx):
                assert (env, ctx) == (None, None)
                self.ctx.waitUntil(self.for_ever())

            async def for_ever(self):
                while True:
                    await asyncio.sleep(1)
        """,
    )
    result = run(
        shop,
        """
        async def test_done(workflow_worker):
            await workflow_worker.fetch("/")
            assert SEEN == ["ctx", "global", "nested"]

        @pytest.mark.workflow(timeout=1)
        async def test_never_done(workflow_worker):
            await workflow_worker.scheduled()
        """,
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*`Default.for_ever()`, which the scheduled handler gave to waitUntil, has not returned within 1 real *",
            "*It is at src/entry.py:25, in for_ever: `await asyncio.sleep(1)`.*",
        ]
    )


# -- email and tail ---------------------------------------------------------------------------------------------------


def test_an_email_and_a_tail_handler_get_what_the_platform_gives_them(shop: Any) -> None:
    shop.write("wrangler.jsonc", NO_QUEUES)
    shop.write(
        "src/entry.py",
        """
        from workers import WorkerEntrypoint

        SEEN, BEHAVE = [], {}


        class Default(WorkerEntrypoint):
            async def email(self, message, env, ctx):
                SEEN.append([message.from_, getattr(message, "from"), message.to, message.headers.get("subject"), env, ctx])
                SEEN.append(message.rawSize)
                if "spam" in message.headers.get("subject"):
                    message.setReject("no spam")
                else:
                    await message.forward("owner@example.com")

            async def tail(self, events, env, ctx):
                SEEN.append([event.scriptName for event in events])
        """,
    )
    run(
        shop,
        """
        async def test_email(workflow_worker):
            raw = "Subject: hello\\r\\n\\r\\nbody"
            result = await workflow_worker.email("a@example.com", "b@example.com", raw)
            assert SEEN == [["a@example.com", "a@example.com", "b@example.com", "hello", None, None], len(raw)]
            assert result == {"rejected": None, "forwarded": ["owner@example.com"], "replies": []}
            assert (await workflow_worker.email("a", "b", b"Subject: spam\\n\\n")).rejected == "no spam"

        async def test_tail(workflow_worker):
            await workflow_worker.tail([{"scriptName": "shop"}])
            assert SEEN == [["shop"]]
        """,
    ).assert_outcomes(passed=2)
